"""What a model learns from, as lines of a data folder: texts to follow, pairs, judged texts, and cases.

A data folder holds films and up to eight files of JSON lines, one for each kind of example. A film is named
by its path, absolute or below the folder; the prompt follows the film.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from inference.grounding import parse_completion
from rl_feedback.rewards.truth import CaseTruth, TruthRegion

AnyExample = TypeVar("AnyExample", bound="Example")


@dataclass(frozen=True)
class Example:
    """One thing on one film to learn from. `weight` says how often it is drawn beside the others."""

    file: ClassVar[str]
    noun: ClassVar[str]

    film: str
    prompt: str
    weight: float
    origin: str

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Raises ValueError for what is no such example."""
        if not isinstance(values, dict):
            raise ValueError("it is no JSON object")
        known = {one.name for one in fields(cls)}
        needed = {
            one.name for one in fields(cls) if one.default is MISSING and one.default_factory is MISSING
        }
        if not needed <= values.keys() <= known:
            wrong = sorted(needed - values.keys()) or sorted(values.keys() - known)
            verb = "lacks" if needed - values.keys() else "has the unknown"
            raise ValueError(f"it {verb} {', '.join(wrong)}")
        weight = values["weight"]
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < 1e9:
            raise ValueError("its weight is no number above 0")
        if not isinstance(values["film"], str) or not isinstance(values["prompt"], str):
            raise ValueError("its film or its prompt is no text")
        return cls(**values)


@dataclass(frozen=True)
class TaughtText(Example):
    """A text to be written as it stands: an answer, ideal reasoning, or a reader's correction."""

    file = "texts.jsonl"
    noun = "texts to follow"

    text: str


@dataclass(frozen=True)
class KeptText(TaughtText):
    """A text that the model wrote and readers found good: replayed, so that it is not unlearned."""

    file = "replay.jsonl"
    noun = "texts to replay"


@dataclass(frozen=True)
class TrainingPair(Example):
    """Two texts, and which readers prefer. With a `prefix`, which the model had written before, they are one
    step each."""

    file = "pairs.jsonl"
    noun = "pairs"

    chosen: str
    rejected: str
    prefix: str = ""


@dataclass(frozen=True)
class JudgedText(Example):
    """A text and whether readers found it good, compared with nothing."""

    file = "judged.jsonl"
    noun = "judged texts"

    text: str
    is_good: bool


@dataclass(frozen=True)
class RewardedCase(Example):
    """A case to be attempted, and what is known of it; see `rl_feedback.rewards.truth.CaseTruth`.

    `regions` are null where nobody drew or judged any; of several experts with their `tolerance`. Sizes are
    (width, height) in pixels. `steps` are what readers gave each reasoning step: `text`, `criterion`,
    `value`, `variance`.
    """

    file = "cases.jsonl"
    noun = "cases"

    answer: str
    regions: list[dict[str, Any]] | None
    image_size: list[int]
    model_size: list[int]
    box_frame: str
    steps: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        truth: CaseTruth,
        *,
        film: str,
        prompt: str,
        weight: float,
        origin: str,
        steps: Iterable[dict[str, Any]] = (),
    ) -> Self:
        regions = truth.regions
        return cls(
            film,
            prompt,
            weight,
            origin,
            truth.answer,
            None if regions is None else [_region(region) for region in regions],
            list(truth.image_size),
            list(truth.model_size),
            str(truth.box_frame),
            list(steps),
        )

    @classmethod
    def from_json(cls, values: Any) -> Self:
        case = super().from_json(values)
        CaseTruth.from_columns(asdict(case))
        return case


@dataclass(frozen=True)
class RatedStep(Example):
    """One reader's rating, 1 to 5, of one reasoning step of a text that a model wrote; `step` counts from 0.
    `reader` and `patient` say which ratings belong together, by numbers that mean nothing else."""

    file = "rated_steps.jsonl"
    noun = "rated steps"

    text: str
    step: int
    rating: int
    reader: str
    patient: str

    @classmethod
    def from_json(cls, values: Any) -> Self:
        rated = super().from_json(values)
        if not all(isinstance(one, str) for one in (rated.text, rated.reader, rated.patient)):
            raise ValueError("its text, its reader or its patient is no text")
        if isinstance(rated.rating, bool) or rated.rating not in range(1, 6):
            raise ValueError("its rating is none of 1 to 5")
        num_steps = len(parse_completion(rated.text).steps)
        if isinstance(rated.step, bool) or rated.step not in range(num_steps):
            raise ValueError(f"its text has {num_steps} steps, and step is none of them, from 0")
        return rated


@dataclass(frozen=True)
class ValidationCase(RewardedCase):
    """A case of another patient, that training elsewhere is validated on and never learns from."""

    file = "validation.jsonl"
    noun = "cases to validate on"


@dataclass(frozen=True)
class SampledFilm(Example):
    """A film that nothing is learned from: what the model writes of it is told now and then."""

    file = "samples.jsonl"
    noun = "films to sample"


def _region(region: TruthRegion) -> dict[str, Any]:
    spread = {} if region.tolerance is None else {"tolerance": list(region.tolerance)}
    return {"finding": region.finding, "box": list(region.box), **spread}


def write_examples(folder: Path, examples: Iterable[Example], *, kind: type[Example]) -> Path:
    """Write one kind's lines into a data folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / kind.file
    with path.open("w", encoding="utf-8") as lines:
        for example in examples:
            lines.write(json.dumps(asdict(example), sort_keys=True) + "\n")
    return path


def holds_examples(folder: Path, kind: type[Example]) -> bool:
    path = folder / kind.file
    return path.is_file() and path.stat().st_size > 0


def read_examples(folder: Path, kind: type[AnyExample]) -> tuple[AnyExample, ...]:
    """One kind's examples. Raises ValueError, naming file and line, for what is none, and where none are."""
    path = folder / kind.file
    if not path.is_file():
        raise ValueError(
            f"There are no {kind.noun} in {folder}: {kind.file} is missing. Name a data folder that has it."
        )
    examples = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            examples.append(kind.from_json(json.loads(line)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}, line {number}, can't be learned from: {error}.") from error
    if not examples:
        raise ValueError(
            f"{path} is empty, so there is nothing to learn from. Freeze a data set that has any."
        )
    return tuple(examples)
