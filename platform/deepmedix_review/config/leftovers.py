"""Ends what an earlier run of the product left behind where it was killed before it could clean up."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

FILE = "children.json"
PATIENCE_SECONDS = 5.0


def remember(home: Path, processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Write down, at once, which processes run and by which command line each is known."""
    rows = [
        {"pid": process.pid, "command": " ".join(map(str, process.args))}  # type: ignore[arg-type]
        for process in processes.values()
    ]
    fresh = home / "run" / f"{FILE}.new"
    fresh.write_text(json.dumps(rows), "utf-8")
    fresh.replace(home / "run" / FILE)


def end_leftovers(home: Path) -> list[int]:
    """Returns the ids of the sessions it ended. A number that the system gave to another program is left
    alone: its command line differs."""
    path = home / "run" / FILE
    if not path.exists():
        return []
    rows = json.loads(path.read_text("utf-8"))
    left = [int(row["pid"]) for row in rows if command_line(int(row["pid"])) == row["command"]]
    for number in left:
        _signal(number, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(command_line(number) for number in left) and time.monotonic() < deadline:
        time.sleep(0.05)
    for number in left:
        _signal(number, signal.SIGKILL)
    path.unlink()
    return left


def command_line(process_id: int) -> str:
    """As the system shows it, words joined by spaces; empty when there is no such process."""
    proc = Path(f"/proc/{process_id}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            return proc.read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    shown = subprocess.run(
        ["ps", "-ww", "-p", str(process_id), "-o", "command="], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip()


def _signal(session: int, number: signal.Signals) -> None:
    try:
        os.killpg(session, number)
    except (ProcessLookupError, PermissionError):
        pass
