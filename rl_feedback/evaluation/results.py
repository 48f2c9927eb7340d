"""What an evaluation found: figures, differences, cases and where they come from, as one JSON file."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from typing import Any

FORMAT = "deepmedix-evaluation/1"


@dataclass(frozen=True)
class Figure:
    """One measure of one system over all samples of a task, or over those of `where`. `num_of`: of how many
    findings it is a share, of measures that are one."""

    task: str
    measure: str
    system: str
    where: str
    value: float | None
    low: float | None
    high: float | None
    num: int
    num_of: int | None = None


@dataclass(frozen=True)
class Absent:
    """A measure that was not computed: "unavailable, because `reason`"."""

    measure: str
    reason: str
    way_out: str


@dataclass(frozen=True)
class Compared:
    """A system less another, on the same samples; `p_holm` is corrected for all measures of the two."""

    task: str
    measure: str
    system: str
    beside: str
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True)
class Failed:
    """How many texts of a system could not be read, and why."""

    task: str
    system: str
    reason: str
    num: int


@dataclass(frozen=True)
class BlindSpot:
    """What a measure gives to references themselves, to the same with every denial turned round, and to the
    same with left and right swapped (of those that name a side)."""

    measure: str
    same: float | None
    flipped: float | None
    swapped: float | None
    num: int
    num_sided: int


@dataclass(frozen=True)
class Dependence:
    """A measure on the film itself less the same where the model saw `film`; `share_same` of the texts are
    word for word the same on both."""

    task: str
    measure: str
    system: str
    film: str
    own: float | None
    other: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    share_same: float
    num: int


@dataclass(frozen=True)
class Said:
    """What one system wrote in a case, and its value of the case's measure."""

    system: str
    text: str
    value: float | None
    boxes: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True)
class Case:
    """`kind` is "worst" or "changed"; `picture` is the film as a data URI, empty where it is not shown."""

    kind: str
    uid: str
    task: str
    where: str
    measure: str
    question: str
    reference: str
    said: tuple[Said, ...]
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    image_size: tuple[int, int] = (1, 1)
    picture: str = ""
    has_texts: bool = True


@dataclass(frozen=True)
class Report:
    """All of it. `sizes` are numbers of samples by task and subset; `deviations` say in what the references
    are not the whole XrayBench, None where they were not meant to be."""

    title: str
    systems: tuple[str, ...]
    provenance: dict[str, str]
    sizes: dict[str, dict[str, int]]
    deviations: tuple[str, ...] | None
    notes: tuple[str, ...]
    figures: tuple[Figure, ...]
    absent: tuple[Absent, ...]
    compared: tuple[Compared, ...]
    failed: tuple[Failed, ...]
    blind_spots: tuple[BlindSpot, ...]
    dependence: tuple[Dependence, ...]
    cases: tuple[Case, ...]

    def figure(self, task: str, measure: str, system: str, where: str = "all") -> Figure | None:
        wanted = (task, measure, system, where)
        return next(
            (one for one in self.figures if (one.task, one.measure, one.system, one.where) == wanted), None
        )


def to_json(report: Report) -> str:
    """With every number as it was computed."""
    return json.dumps({"format": FORMAT, **asdict(report)}, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> Report:
    """Raises ValueError for what `to_json` did not write."""
    told = json.loads(text)
    if not isinstance(told, dict) or told.pop("format", None) != FORMAT:
        raise ValueError(f"This is no result of an evaluation: its format is not {FORMAT}.")
    try:
        built: Report = _built(Report, told)
    except (KeyError, TypeError) as error:
        raise ValueError(f"This result of an evaluation lacks or has too much of {error}.") from error
    return built


def _built(kind: Any, value: Any) -> Any:
    """JSON as the type that an annotation names."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _built(next(one for one in inside if one is not type(None)), value)
    if origin is tuple:
        each = inside[:1] * len(value) if inside[-1] is Ellipsis else inside
        return tuple(_built(one, item) for one, item in zip(each, value, strict=True))
    if origin is dict:
        return {key: _built(inside[1], item) for key, item in value.items()}
    if is_dataclass(kind) and isinstance(value, Mapping):
        hints = typing.get_type_hints(kind)
        # A result that was written before a field was known lacks it.
        needed = {field.name for field in fields(kind) if field.default is MISSING}
        if wrong := (needed - set(value)) | (set(value) - {field.name for field in fields(kind)}):
            raise KeyError(", ".join(sorted(wrong)))
        return kind(**{name: _built(hints[name], item) for name, item in value.items()})  # type: ignore[operator]
    return value
