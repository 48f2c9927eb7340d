"""What docker-compose.yml describes fits the settings that read it."""

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from tests.home import ROOT

CONFIG = ROOT / "platform" / "deepmedix_review" / "config"
# An installation without these would draw its own secrets or start its own database.
REQUIRED = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEIDENTIFICATION_KEY", "AUDIT_KEY", "ALLOWED_HOSTS"}
SECRETS = re.compile(r"KEY|PASSWORD|SECRET|TOKEN")


def _variables_read(path: Path) -> set[str]:
    """The names given to os.environ.get and os.environ[...]; dj_database_url reads DATABASE_URL."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        value = None
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.environ.get":
            value = node.args[0]
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "dj_database_url.config":
            names.add("DATABASE_URL")
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            value = node.slice
        if isinstance(value, ast.Constant):
            names.add(str(value.value))
    return names


def _compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return loaded


def _of_the_platform() -> dict[str, dict[str, Any]]:
    return {
        name: s for name, s in _compose()["services"].items() if s["image"].startswith("deepmedix-review")
    }


def test_every_variable_that_compose_sets_is_read_by_the_settings_and_every_required_one_is_set() -> None:
    read = _variables_read(CONFIG / "settings.py") | _variables_read(CONFIG / "home.py")
    for name, service in _of_the_platform().items():
        given = set(service["environment"])
        read_by_libraries = {"OPENBLAS_NUM_THREADS"}
        assert given - read == read_by_libraries, f"{name} sets what no setting reads: {given - read}"
        assert given >= REQUIRED, f"{name} lacks {REQUIRED - given}"


def test_no_secret_has_a_default() -> None:
    for name, service in _compose()["services"].items():
        for variable, value in service.get("environment", {}).items():
            references = re.findall(r"\$\{(\w+)(:?[-?])?", str(value))
            if SECRETS.search(variable):
                assert references, f"{name}: {variable} is written down"
            for reference, marker in references:
                if SECRETS.search(reference):
                    assert marker == ":?", f"{name}: {reference} must be required by ':?'"


def test_every_queue_has_a_worker_and_every_worker_waits_for_the_tables() -> None:
    from django.conf import settings

    services = _of_the_platform()
    served = {
        part
        for service in services.values()
        for flag, part in zip(service.get("command", []), service.get("command", [])[1:], strict=False)
        if flag == "--queues"
    }
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert served == routed | {settings.CELERY_TASK_DEFAULT_QUEUE}
    for name, service in services.items():
        if name != "migrate":
            assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_who_answers_has_the_time_to_drain_and_a_model_server_comes_with_its_profile_alone() -> None:
    services = _compose()["services"]
    for name in ("gpu-worker", "endpoint-worker"):
        grace = re.fullmatch(r"(\d+)m", services[name]["stop_grace_period"])
        drain = re.fullmatch(r"\$\{DRAIN_SECONDS:-(\d+)\}", services[name]["environment"]["DRAIN_SECONDS"])
        assert grace is not None
        assert drain is not None
        assert 60 * int(grace.group(1)) > 2 * int(drain.group(1))
    assert {name for name, s in services.items() if s.get("profiles") == ["gpu"]} == {
        "vllm",
        "endpoint-worker",
    }
    assert services["vllm"]["deploy"] == services["gpu-worker"]["deploy"]
    assert "ports" not in services["vllm"], "films and answers stay in the network of the platform"


def test_every_server_is_checked_for_health_and_films_come_from_nginx() -> None:
    services = _compose()["services"]
    servers = {"postgres", "redis", "web", "vllm"}
    assert {name for name, s in services.items() if "healthcheck" in s} == servers
    assert services["web"]["environment"]["FILM_SERVER"] == "nginx"
    nginx = (ROOT / "compose" / "nginx.conf").read_text("utf-8")
    films = nginx[nginx.index("location /films/") :]
    assert "internal;" in films
    assert f"alias {services['web']['environment']['DEEPMEDIX_HOME']}/films/;" in films


def test_torch_and_the_installer_have_one_version_wherever_they_are_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    torch = next(d for d in project["dependencies"] if d.startswith("torch=="))
    environment = (CONFIG / "environment.py").read_text("utf-8")
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert f'TORCH = "{torch}"' in environment
    assert torch in dockerfile
    uv = re.search(r'UV = "(uv==[\d.]+)"', environment)
    assert uv is not None
    assert uv.group(1) in dockerfile
