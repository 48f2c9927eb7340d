"""Chromium as a person has it, asked over its own pipe.

Who watches a page as Playwright does makes it keep what it loads, up to 200 MB.
"""

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SCREEN = {"width": 1440, "height": 900}
PATIENCE_SECONDS = 120
# The pipe is at file descriptors 3 and 4.
START = 'exec "$0" "$@" 3<&{reads} 4>&{writes}'


def chromium() -> str:
    from deepmedix_review.config.processes import CannotStart

    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise CannotStart("This benchmark needs Chromium: install it (`apt install chromium`).")


def arguments() -> list[str]:
    return ["--no-sandbox", "--disable-dev-shm-usage"] if sys.platform.startswith("linux") else []


class Browser:
    """One Chromium with one page."""

    def __init__(self, asks: int, answers: int) -> None:
        self._asks, self._answers = asks, answers
        self._numbers = itertools.count(1)
        self._received = b""
        made = self._send({"method": "Target.createTarget", "params": {"url": "about:blank"}})
        attach = {"targetId": made["targetId"], "flatten": True}
        self._session = self._send({"method": "Target.attachToTarget", "params": attach})["sessionId"]
        self.send("Emulation.setDeviceMetricsOverride", **SCREEN, deviceScaleFactor=1, mobile=False)

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        return self._send({"method": method, "params": params, "sessionId": self._session})

    def _send(self, asked: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        message = json.dumps({**asked, "id": number}).encode() + b"\0"
        while message:
            message = message[os.write(self._asks, message) :]
        while (answer := self._next()).get("id") != number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{asked['method']}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._received:
            part = os.read(self._answers, 1 << 16)
            if not part:
                raise RuntimeError("Chromium ended.")
            self._received += part
        message, self._received = self._received.split(b"\0", 1)
        answer: dict[str, Any] = json.loads(message)
        return answer

    def evaluate(self, expression: str) -> Any:
        """A promise is waited for."""
        said = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in said:
            raise RuntimeError(said["exceptionDetails"]["exception"]["description"])
        return said["result"].get("value")

    def wait_for(self, expression: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.evaluate(expression):
            if time.monotonic() > deadline:
                raise RuntimeError(f"Waited {PATIENCE_SECONDS} s in vain for: {expression}")
            time.sleep(0.05)

    def press_ctrl_enter(self) -> None:
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": 2}
        for kind in ("rawKeyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, **key)

    def megabytes(self) -> float:
        """Of all its processes, without what lies in files; of what several share, each its part."""
        processes = self._send({"method": "SystemInfo.getProcessInfo"})["processInfo"]
        return sum(_megabytes_of(process["id"]) for process in processes)


def _megabytes_of(process: int) -> float:
    try:
        told = Path(f"/proc/{process}/smaps_rollup").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
        return 0
    kilobytes = dict(line.split()[:2] for line in told.splitlines()[1:])
    return (int(kilobytes["Pss_Anon:"]) + int(kilobytes["Pss_Shmem:"])) / 1024


@contextmanager
def browser() -> Iterator[Browser]:
    reads, asks = os.pipe()
    answers, writes = os.pipe()
    with tempfile.TemporaryDirectory(prefix="deepmedix-chromium-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                *("/bin/sh", "-c", START.format(reads=reads, writes=writes), chromium()),
                *("--headless=new", "--remote-debugging-pipe", f"--user-data-dir={profile}", *arguments()),
            ],
            pass_fds=(reads, writes),
            stderr=subprocess.DEVNULL,
        )
        os.close(reads)
        os.close(writes)
        try:
            yield Browser(asks, answers)
        finally:
            os.close(asks)
            os.close(answers)
            process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)
