"""Sets up what the platform runs on: checks the machine, then the Python environment and the frontend.

Standard library alone: it runs before anything is installed. `make setup` calls it; it does nothing where
nothing changed.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "frontend"
BUILT_FRONTEND = ROOT / "platform" / "deepmedix_review" / "static" / "viewer"
TORCH = "torch==2.13.0"
UV = "uv==0.13.9"
MANIFEST = "manifest.json"
MIN_NODE = 20
# Measured: 2.3 GB of Python packages with torch's CPU build, 0.4 GB of frontend; the films come on top.
FRESH_DISK_GB = 4.0
RUN_DISK_GB = 0.5
# Debian's package to the names of its program.
TEST_PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "redis-server": ("redis-server",),
    "dicom3tools": ("dciodvfy",),
}
MAC_CHROME = Path("/Applications/Google Chrome.app")


class NotPossible(Exception):
    """The machine lacks something; the message says what, and the way out."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, help="also check that this port is free")
    parser.add_argument("--tests", action="store_true", help="also install or ask for what the tests need")
    options = parser.parse_args(arguments)
    port = options.port
    try:
        home = Path(os.environ.get("DEEPMEDIX_HOME") or ROOT / "var").resolve()
        home.mkdir(parents=True, exist_ok=True)
        if port is not None:
            require_not_running(home)
            require_free_port(port)
        require_machine(home)
        with open(ROOT / ".setup.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if options.tests:
                install_test_programs(home)
            install_python_packages(home)
            build_frontend(home)
    except NotPossible as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. What was installed so far is kept; the next start goes on.", file=sys.stderr)
        return 130
    return 0


def require_machine(home: Path) -> None:
    require_python(sys.version_info[:3])
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NotPossible(f"{program} is missing. Install Node.js {MIN_NODE} or later, which brings npm.")
    shown = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if int(shown.lstrip("v").split(".")[0] or 0) < MIN_NODE:
        raise NotPossible(f"Node.js {MIN_NODE} or later is needed, this machine has {shown}.")
    fresh = not PYTHON.exists()
    for folder, needed in ((ROOT, FRESH_DISK_GB if fresh else RUN_DISK_GB), (home, RUN_DISK_GB)):
        free = shutil.disk_usage(folder).free / 1e9
        if free < needed:
            raise NotPossible(
                f"The disk of {folder} has {free:.1f} GB free, {needed:.1f} GB are needed. Free some space"
                + ("." if folder == ROOT else ", or choose another folder: DEEPMEDIX_HOME=/path make run")
            )


def require_python(version: tuple[int, ...]) -> None:
    if not (3, 11) <= version[:2] <= (3, 12):
        raise NotPossible(
            f"Python 3.11 or 3.12 is needed, {sys.executable} is {'.'.join(map(str, version))}. "
            "Install one, or name it: make run PYTHON=/path/to/python3.11"
        )


def require_not_running(home: Path) -> None:
    """Whoever runs the product holds this file of its home, and has written into it where the product is."""
    try:
        with open(home / "run" / "launcher.lock") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise NotPossible(is_running(home, held.read().strip())) from None
    except FileNotFoundError:
        return


def is_running(home: Path, address: str) -> str:
    where = f", at {address}," if address else ""
    return (
        f"The product is running already{where} with the data in {home}. Open it there, or press "
        "Ctrl-C where it runs to stop it. For another one beside it: DEEPMEDIX_HOME=/path make run PORT=8001"
    )


def require_free_port(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the web server does, so that connections that are closing don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise NotPossible(
                f"Port {port} can't be used ({error}). Stop what listens there, or choose another: "
                "make run PORT=8001"
            ) from error


def install_test_programs(home: Path) -> None:
    """As root with apt: installs what is missing. Else raises NotPossible, naming it."""
    missing = [package for package, names in TEST_PROGRAMS.items() if not any(map(shutil.which, names))]
    if "chromium" in missing and MAC_CHROME.exists():
        missing.remove("chromium")
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NotPossible(
            f"The tests need {', '.join(missing)}, which this machine lacks. Install them "
            f"(Debian: sudo apt-get install {' '.join(missing)}) and start again."
        )
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    _run("Updating the system's list of packages", ["apt-get", "update", "--quiet"], home, env=quiet)
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing]
    _run(f"Installing {', '.join(missing)}", install, home, env=quiet)


def install_python_packages(home: Path) -> None:
    stamp = VENV / "installed.sha256"
    wanted = _digest([ROOT / "pyproject.toml", ROOT / "constraints.txt"], sys.version, str(ROOT))
    if _read(stamp) == wanted:
        return
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    no_pip_cache = [] if "PIP_CACHE_DIR" in os.environ else ["--no-cache-dir"]
    if not PYTHON.exists():
        _run(
            "Making the Python environment",
            [sys.executable, "-m", "venv", str(VENV)],
            home,
            way_out="On Debian the module comes with: apt install python3-venv",
        )
    # First, so that no other package pulls in another build of it.
    _run("Installing PyTorch, the largest part", [*pip, *no_pip_cache, TORCH], home)
    _run("Installing the installer", [*pip, *no_pip_cache, UV], home)
    _run(
        "Installing the other Python packages",
        [
            *(str(PYTHON), "-m", "uv", "pip", "install", "--python", str(PYTHON)),
            *("--constraint", str(ROOT / "constraints.txt"), "--editable", f"{ROOT}[dev]"),
            # Where Python may not write, every worker would compile all it imports at each start.
            "--compile-bytecode",
        ],
        home,
        env={} if "UV_CACHE_DIR" in os.environ else {"UV_NO_CACHE": "1"},
    )
    stamp.write_text(wanted, "ascii")


def build_frontend(home: Path) -> None:
    cache = home / "cache" / "npm"
    npm_env = {} if "npm_config_cache" in os.environ else {"npm_config_cache": str(cache)}
    packages = [FRONTEND / "package.json", FRONTEND / "package-lock.json"]
    installed = FRONTEND / "node_modules" / "installed.sha256"
    if _read(installed) != _digest(packages):
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        _run("Installing the frontend's packages", command, home, cwd=FRONTEND, env=npm_env)
        installed.write_text(_digest(packages), "ascii")
    sources = [*packages, *FRONTEND.glob("*.ts"), *FRONTEND.glob("*.json"), *(FRONTEND / "src").rglob("*")]
    built = BUILT_FRONTEND / "built.sha256"
    if _read(built) != _digest(sources):
        beside = FRONTEND / "node_modules" / "built"
        command = ["npm", "run", "--silent", "build", "--", "--outDir", str(beside), "--emptyOutDir"]
        _run("Building the frontend", command, home, cwd=FRONTEND, env=npm_env)
        take_over(beside, BUILT_FRONTEND)
        built.write_text(_digest(sources), "ascii")
    shutil.rmtree(cache, ignore_errors=True)


def take_over(new: Path, old: Path) -> None:
    """What lies in `new` takes the place of what lies in `old`. The manifest, by which all other files are
    found, comes last, so that a copy of the product that runs from here finds them at any time."""
    files = sorted(
        (path for path in new.rglob("*") if path.is_file()), key=lambda path: path.name == MANIFEST
    )
    kept = {old / path.relative_to(new) for path in files}
    for path in files:
        target = old / path.relative_to(new)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    for path in old.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
    shutil.rmtree(new)


def _run(
    title: str,
    command: Sequence[str],
    home: Path,
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    way_out: str = "",
) -> None:
    """Run one step, its output kept in logs/setup.log. Raises NotPossible with the reason's last lines."""
    log = home / "logs" / "setup.log"
    log.parent.mkdir(exist_ok=True)
    print(f"{title} …", end="", flush=True)
    begin = time.monotonic()
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n{done.stdout}\n")
    if done.returncode == 0:
        print(f" {time.monotonic() - begin:.0f} s", flush=True)
        return
    print(" failed", flush=True)
    if "No space left on device" in done.stdout:
        raise NotPossible("The disk is full. Free some space and start again; what was installed is kept.")
    last_lines = "\n".join(done.stdout.strip().splitlines()[-8:])
    raise NotPossible(f"{title} failed. {way_out}\nThe whole log is {log}; it ends:\n{last_lines}")


def _digest(files: Iterable[Path], *more: str) -> str:
    digest = hashlib.sha256("\n".join(more).encode())
    for path in sorted(files):
        if path.is_file():
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _read(stamp: Path) -> str:
    try:
        return stamp.read_text("ascii")
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
