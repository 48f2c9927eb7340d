"""Tells why Ray began workers again: their node or their process died."""

from __future__ import annotations

from ray.train import UserCallback

from rl_feedback.engines.telling import Teller


class RetriesTold(UserCallback):
    """Called where the trainer is controlled, after a worker raised or died."""

    def __init__(self, teller: Teller) -> None:
        self.teller = teller

    def after_exception(self, run_context: object, worker_exceptions: dict[int, Exception]) -> None:
        for worker, error in sorted(worker_exceptions.items())[:1]:
            lines = [line for line in str(error).strip().splitlines() if line.strip()]
            reason = (lines or [type(error).__name__])[-1].strip()
            self.teller.retried(f"Worker {worker + 1} died: {reason}")
