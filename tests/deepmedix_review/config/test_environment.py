"""What a machine lacks is said in one sentence with the way out."""

import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from deepmedix_review.config import environment
from deepmedix_review.config.environment import NotPossible


def test_a_port_in_use_is_named_with_another_to_try() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(NotPossible, match=rf"Port {port} can't be used .* make run PORT=8001"):
            environment.require_free_port(port)
    environment.require_free_port(port)


@pytest.mark.parametrize("missing", ["node", "npm"])
def test_a_missing_node_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None if name == missing else f"/bin/{name}")
    with pytest.raises(NotPossible, match=rf"{missing} is missing. Install Node.js 20 or later"):
        environment.require_machine(tmp_path)


def test_a_full_disk_is_named_with_what_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=2e8))
    with pytest.raises(NotPossible, match=r"has 0\.2 GB free, \d\.\d GB are needed. Free some space"):
        environment.require_machine(tmp_path)


def test_a_disk_that_fills_up_during_a_step_is_named(tmp_path: Path) -> None:
    script = "print('OSError: [Errno 28] No space left on device'); raise SystemExit(1)"
    with pytest.raises(NotPossible, match="The disk is full"):
        environment._run("Installing", [sys.executable, "-c", script], tmp_path)


def test_a_python_that_does_not_fit_is_named() -> None:
    with pytest.raises(NotPossible, match=r"Python 3\.11 or 3\.12 is needed, .* is 3\.9\.2"):
        environment.require_python((3, 9, 2))


def test_missing_test_programs_are_named_where_they_can_not_be_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(environment, "MAC_CHROME", tmp_path / "absent")
    with pytest.raises(NotPossible, match="The tests need chromium, redis-server, dicom3tools"):
        environment.install_test_programs(tmp_path)


def test_the_check_runs_on_the_standard_library_alone() -> None:
    """Isolated mode, without the packages of the environment."""
    code = (
        "import runpy, sys; sys.argv = ['environment', '--help']; "
        f"runpy.run_path({environment.__file__!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_running_copy_finds_a_manifest_while_the_frontend_is_built_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    for folder, asset in ((old, "view-1.js"), (new, "view-2.js")):
        (folder / ".vite").mkdir(parents=True)
        (folder / "assets").mkdir()
        (folder / ".vite" / "manifest.json").write_text(asset)
        (folder / "assets" / asset).write_text("")
    replace = Path.replace

    def leads_somewhere(path: Path, target: Path) -> Path:
        named = (old / ".vite" / "manifest.json").read_text()
        assert (old / "assets" / named).is_file()
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", leads_somewhere)
    environment.take_over(new, old)
    assert (old / ".vite" / "manifest.json").read_text() == "view-2.js"
    assert [path.name for path in (old / "assets").iterdir()] == ["view-2.js"]
    assert not new.exists()
