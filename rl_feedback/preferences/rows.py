"""The rows of training data: which text is better, what a text or a step deserves, where a finding is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal, TypeVar

from inference.regions import Box
from rl_feedback.preferences.splits import Split

Origin = Literal["vote", "rating", "rewrite", "region", "step"]
ORIGINS: tuple[Origin, ...] = ("vote", "rating", "rewrite", "region", "step")

# A pair weighs 2 * (P(chosen > rejected) - .5); below this it is noise (the floor of CheXalign-style
# aggregation).
LEAST_WEIGHT = 0.1
# Decimals of every figure: finer ones are not reproducible between machines.
_PLACES = 4


@dataclass(frozen=True)
class Pair:
    """The same film and prompt, two texts, and which is better.

    `probability` is that the chosen is the better one, `variance` how unsure that is (of a vote: of the share
    of typical readers who would prefer it), `weight` in (0, 1]. `prefix`, empty for whole texts, is what the
    model had written before: the two texts are then one step each. `completion` is the chosen one, or, for a
    text that readers changed, its original; `rejected_completion` is the other one, or the same. `readings`
    are those that it rests on.
    """

    origin: Origin
    completion: str
    rejected_completion: str
    step: str | None
    prompt: str
    prefix: str
    chosen: str
    rejected: str
    weight: float
    probability: float
    variance: float
    num_readers: int
    num_effective_readers: float
    split: Split
    readings: tuple[str, ...]


@dataclass(frozen=True)
class Label:
    """What a completion (`step` None) or one step of it deserves by one criterion, from 0 to 1: `value`, its
    variance, and on as how many typical readers it rests. Criterion "overall" stands for the whole."""

    completion: str
    step: str | None
    criterion: str
    value: float
    variance: float
    num_readers: int
    num_effective_readers: float
    split: Split
    readings: tuple[str, ...]


@dataclass(frozen=True)
class ExpertRegion:
    """Where readers together see what a step says (`step` None: what the completion missed), in film pixels.
    `tolerance` is the spread of their edges, None of one reader. `is_models_own`: it stands as the model drew
    it."""

    completion: str
    step: str | None
    text: str
    box: Box
    tolerance: Box | None
    is_models_own: bool
    num_readers: int
    split: Split
    readings: tuple[str, ...]


@dataclass(frozen=True)
class Dispute:
    """On what readers contradict each other: no mean stands for them, another reader is needed."""

    completion: str
    step: str | None
    criterion: str
    reason: str
    readings: tuple[str, ...]


@dataclass(frozen=True)
class LeftOut:
    """What gave no pair, and why, in a sentence for a person."""

    origin: Origin
    completion: str
    reason: str
    readings: tuple[str, ...]


Row = Pair | Label | ExpertRegion | Dispute | LeftOut
Kind = TypeVar("Kind", Pair, Label, ExpertRegion, Dispute, LeftOut)


def canonical(row: object) -> str:
    """JSON with sorted keys, no spaces, ASCII, figures to 4 decimals."""
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def as_json(row: Row) -> dict[str, object]:
    return {name: _rounded(value) for name, value in asdict(row).items()}


def in_order(rows: Iterable[Kind]) -> tuple[Kind, ...]:
    """An order that does not depend on the order of the readings."""
    return tuple(sorted(rows, key=lambda row: canonical(as_json(row))))


def lines_of(rows: Mapping[str, Iterable[Row]]) -> Iterator[str]:
    """One line a row, with its kind."""
    for kind, some in rows.items():
        for row in some:
            yield canonical({"kind": kind, **as_json(row)})


def sha256_of(lines: Iterator[str]) -> str:
    """Of the lines, each ended by a line feed."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("ascii") + b"\n")
    return digest.hexdigest()


def _rounded(value: object) -> object:
    if isinstance(value, float):
        # Minus nothing is nothing.
        return round(value, _PLACES) + 0.0
    if isinstance(value, tuple | list):
        return [_rounded(one) for one in value]
    return value
