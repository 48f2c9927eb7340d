"""What a run on other processes tells, line by line: its steps and samples, its retries, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rl_feedback.training.figures import StepFigures, TakenSample

FILE = "told.jsonl"
BEGAN, STEP, SAMPLE, RETRIED, REFUSED, WRITTEN = "began", "step", "sample", "retried", "refused", "written"


@dataclass(frozen=True)
class Listener:
    """Who is told of a run: as by `rl_feedback.training.recipe.run_recipe`, and why it was begun again."""

    on_step: Callable[[StepFigures], None]
    on_sample: Callable[[TakenSample], None] = lambda sample: None
    on_begin: Callable[[Mapping[str, Any]], None] = lambda about: None
    on_retry: Callable[[str], None] = lambda reason: None


@dataclass
class Teller:
    """Appends to one file, a line each, from several processes."""

    path: Path

    def tell(self, kind: str, values: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, **values}) + "\n")

    def began(self, about: Mapping[str, Any]) -> None:
        self.tell(BEGAN, {"about": about})

    def step(self, figures: StepFigures) -> None:
        self.tell(STEP, {"figures": asdict(figures)})

    def sample(self, sample: TakenSample) -> None:
        self.tell(SAMPLE, {"sample": asdict(sample)})

    def retried(self, reason: str) -> None:
        self.tell(RETRIED, {"reason": reason})

    def refused(self, reason: str) -> None:
        self.tell(REFUSED, {"reason": reason})

    def written(self, manifest: str) -> None:
        """The sha256 of the candidate's manifest."""
        self.tell(WRITTEN, {"manifest": manifest})

    def was_refused(self) -> bool:
        return any(event["kind"] == REFUSED for event in Followed(self.path).new())


@dataclass
class Followed:
    """Reads what was told since the last look; a line that is still being written waits for the next."""

    path: Path
    _position: int = field(default=0, init=False)

    def new(self) -> list[dict[str, Any]]:
        if not self.path.is_file():
            return []
        with self.path.open("rb") as file:
            file.seek(self._position)
            whole, end, _ = file.read().rpartition(b"\n")
        self._position += len(whole) + len(end)
        return [json.loads(line) for line in whole.splitlines() if line]


def pass_on(event: Mapping[str, Any], listener: Listener, *, films: Mapping[str, str]) -> None:
    """Tell the listener of an event; `films` names films as the data folder here does."""
    if event["kind"] == BEGAN:
        listener.on_begin(event["about"])
    elif event["kind"] == STEP:
        listener.on_step(StepFigures(**event["figures"]))
    elif event["kind"] == SAMPLE:
        told = event["sample"]
        film = films.get(told["film"], told["film"])
        listener.on_sample(TakenSample(**{**told, "film": film, "model_size": tuple(told["model_size"])}))
    elif event["kind"] == RETRIED:
        listener.on_retry(event["reason"])
