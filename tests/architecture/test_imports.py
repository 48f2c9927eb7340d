"""Imports run one way, and what the web server loads stays small."""

import ast
import json
import subprocess
import sys
import tomllib

from django.conf import settings

from tests.home import ROOT

LIBRARIES_OF_WORKERS = ("torch", "transformers", "trl", "peft", "datasets")
# Half a second of each start and 70 MB of each process; `import scipy` loads them where they are first used.
USED_BY_FEW_REQUESTS = ("scipy.stats", "scipy.optimize", "highdicom")
PACKAGE = ROOT / "platform" / "deepmedix_review"

WEB_PROCESS = """
import json, sys
from deepmedix_review.config.wsgi import application
from django.urls import get_resolver, reverse
def names(resolver):
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from names(pattern)
        else:
            yield pattern.name
print(json.dumps({"routes": sorted(filter(None, names(get_resolver()))), "modules": sorted(sys.modules)}))
"""


def test_the_web_process_with_every_route_loads_no_torch_and_no_statistics() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", WEB_PROCESS], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    loaded = json.loads(shown)
    assert {"home", "login", "study-list", "worklist", "reading", "model-list"} <= set(loaded["routes"])
    assert not {*LIBRARIES_OF_WORKERS, *USED_BY_FEW_REQUESTS} & set(loaded["modules"])


def test_only_task_modules_reach_torch_or_an_engine_and_only_inside_functions() -> None:
    heavy = (
        *LIBRARIES_OF_WORKERS,
        "inference.engines.load_engine",
        "inference.qwen_vl",
        "rl_feedback.training.stage",
        "rl_feedback.training.replay",
    )
    light_at_the_top = ("inference.engines.load_engine",)
    offenders = []
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        at_top = {id(node) for node in tree.body}
        for node in ast.walk(tree):
            reached = {h for h in heavy for name in _imported(node) if name == h or name.startswith(f"{h}.")}
            if path.name == "tasks.py":
                reached -= set(light_at_the_top) if id(node) in at_top else reached
            if reached:
                offenders.append(f"{path.relative_to(ROOT)}:{node.lineno} {reached}")  # type: ignore[attr-defined]
    assert offenders == []


def test_every_app_is_in_the_import_contract_in_the_settings_and_has_its_addresses() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(c["layers"] for c in contracts if c.get("containers") == ["deepmedix_review"])
    folders = {p.parent.name for p in PACKAGE.glob("*/apps.py")}
    installed = {a.split(".")[1] for a in settings.INSTALLED_APPS if a.startswith("deepmedix_review.")}
    assert folders | {"config"} == set(layers)
    assert folders == installed


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []
