"""How far a run of the demonstration is, in one file: after a stop it goes on where it was."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deepmedix_review.common.errors import RefusedByRule
from rl_feedback.simulated_readers import KINDS, Kind


@dataclass(frozen=True)
class LoopPlan:
    """What is to be done. The same plan on a new installation gives the same films and the same readers.

    Of `drawn_per_film` films the one is read on which the model's two samples differ most. `recipe`, as JSON,
    stands in for the kind's own.
    """

    seed: int
    num_rounds: int
    num_readings: int
    kind: Kind = "all"
    site: str = "second"
    drawn_per_film: int = 1
    recipe: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise RefusedByRule(f"There is no kind {self.kind}; the kinds are {', '.join(KINDS)}.")
        if not 1 <= self.num_rounds <= 50 or not 1 <= self.num_readings <= 10_000:
            raise RefusedByRule("Ask for 1 to 50 rounds, of 1 to 10,000 readings each.")
        if not 1 <= self.drawn_per_film <= 20:
            raise RefusedByRule("Ask for 1 to 20 films drawn for each that is read.")


@dataclass
class RoundState:
    """By uid what a round has made. `films` are the seeds of its studies, by the study's primary key;
    `num_films` of them are read."""

    films: dict[str, int] = field(default_factory=dict)
    num_films: int = 0
    reader_study: str = ""
    dataset: str = ""
    training_run: str = ""
    reading_minutes: float = 0.0
    promoted: bool | None = None


@dataclass
class LoopState:
    """`start`: the number of the version that served first."""

    plan: LoopPlan
    path: Path
    start: int
    rounds: list[RoundState] = field(default_factory=list)

    def save(self) -> None:
        part = self.path.with_suffix(".part")
        values = asdict(self)
        del values["path"]
        part.write_text(json.dumps(values, indent=1), encoding="utf-8")
        part.rename(self.path)


def load_state(folder: Path, *, plan: LoopPlan, start: int) -> LoopState:
    """The run that was begun in this folder, or a new one. More rounds than were planned may be asked for."""
    path = folder / "state.json"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        state = LoopState(plan, path, start)
        state.save()
        return state
    values = json.loads(path.read_text("utf-8"))
    begun = LoopPlan(**values["plan"])
    if {**asdict(begun), "num_rounds": 0} != {**asdict(plan), "num_rounds": 0}:
        raise RefusedByRule(
            f"A run was begun here with seed {begun.seed}, {begun.num_readings} readings a round, the kind "
            f"{begun.kind}, {begun.drawn_per_film} films drawn for each that is read and "
            f"{'a recipe of its own' if begun.recipe else 'the recipe of its kind'}. Go on with those, "
            "or give another run a home of its own (DEEPMEDIX_HOME)."
        )
    return LoopState(plan, path, values["start"], [RoundState(**one) for one in values["rounds"]])
