"""One request on its way to a model server: its time, and how others break it off."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from inference.engines.requests import GenerationRequest


class Refused(Exception):
    """This request can't be answered there; the message is for a person."""


class TryAgain(Exception):
    """It may be answered later; the message says what stood in the way, `headers` what the server said."""

    def __init__(self, message: str, headers: Any = None) -> None:
        super().__init__(message)
        self.headers = headers or {}


class TakenBack(Exception):
    """Nobody waits for it any more."""


@dataclass(eq=False)
class Flight:
    """`response` is what its thread reads from; the time begins when the request leaves the queue here."""

    request: GenerationRequest
    stopped: threading.Event = field(default_factory=threading.Event)
    started: float = field(default_factory=time.monotonic)
    response: requests.Response | None = None
    is_late: bool = False

    def seconds_left(self) -> float | None:
        """None where it has no deadline."""
        if self.request.deadline_seconds is None:
            return None
        return self.request.deadline_seconds - (time.monotonic() - self.started)

    def require_wanted(self) -> None:
        """Raises TakenBack, or Refused where its time is over."""
        if self.stopped.is_set():
            raise TakenBack
        left = self.seconds_left()
        if self.is_late or (left is not None and left <= 0):
            raise self.late()

    def late(self) -> Refused:
        return Refused(
            f"It was stopped after {self.request.deadline_seconds:g} s without a whole answer. "
            "Retry it when the model server is less busy, or raise INFERENCE_SECONDS."
        )

    def stop(self) -> None:
        self.stopped.set()
        self.break_off()

    def break_off(self) -> None:
        """End a read that its thread waits in."""
        response = self.response
        if response is not None:
            try:
                response.raw.shutdown()
            except (OSError, ValueError, RuntimeError):
                pass  # it ended by itself meanwhile

    @contextmanager
    def within_its_time(self) -> Generator[None]:
        """Break off when its time has come, whatever its thread waits for."""
        left = self.seconds_left()
        if left is None:
            yield
            return
        timer = threading.Timer(max(left, 0.0), self._end_late)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end_late(self) -> None:
        self.is_late = True
        self.break_off()
