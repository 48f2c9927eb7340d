"""Starts the servers and workers that belong to an installation, and makes sure that none outlives it."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# prctl(2): the signal that the kernel sends to a child when its parent dies.
PR_SET_PDEATHSIG = 1


class CannotStart(Exception):
    """A part of the installation did not start; the message says which, why, and where its log lies."""


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    account: pwd.struct_passwd | None = None,
    death_signal: signal.Signals | None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, its output appended to `log`.

    `death_signal` reaches it when this process dies, however it dies (Linux only; elsewhere the next start of
    the product ends what was left). `account`: run as that user, for servers that refuse to run as root.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=_leash(death_signal),
        )


def stop(process: subprocess.Popen[bytes], *, patience_seconds: float) -> None:
    """Ask a process that `spawn` started to end, then end its whole session."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


def await_ready(
    is_ready: Callable[[], bool],
    *,
    process: subprocess.Popen[bytes],
    name: str,
    log: Path,
    deadline_seconds: float,
) -> None:
    """Poll until `is_ready`. Raises CannotStart when the process ends before, or the deadline passes."""
    deadline = time.monotonic() + deadline_seconds
    while not is_ready():
        if process.poll() is not None:
            raise CannotStart(
                f"{name} did not start (exit {process.returncode}). Its log {log} ends:\n{tail(log)}"
            )
        if time.monotonic() > deadline:
            raise CannotStart(
                f"{name} was not ready after {deadline_seconds:.0f} s. Its log {log} ends:\n{tail(log)}"
            )
        time.sleep(0.02)


def tail(log: Path, *, num_lines: int = 12) -> str:
    try:
        lines = log.read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return "(no log)"
    return "\n".join(lines[-num_lines:])


def _leash(death_signal: signal.Signals | None) -> Callable[[], None] | None:
    if death_signal is None or not sys.platform.startswith("linux"):
        return None
    # Loaded before the fork: the child may not import or allocate safely.
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask_for_death_signal() -> None:
        prctl(PR_SET_PDEATHSIG, death_signal)

    return ask_for_death_signal
