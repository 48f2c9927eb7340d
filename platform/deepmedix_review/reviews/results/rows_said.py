"""All that readers said in some readings, a row for each answer to a question and each region drawn."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepmedix_review.reviews.models import (
    AnswerRating,
    Criterion,
    CriterionRating,
    DrawnRegion,
    FirstRead,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.results.figures import Cell

BOX = ("x_min", "y_min", "x_max", "y_max")
ANSWER_FIELDS = ("relevance", "correctness", "completeness", "harm")
CANNOT_JUDGE = "can't judge"


@dataclass(frozen=True)
class SaidRow:
    """An answer, or a region drawn. `completion`, `step` and `region` are 0 where it is about none."""

    reading: int
    question: str
    value: Cell
    completion: int = 0
    step: int = 0
    region: int = 0
    label: str = ""
    box: tuple[Cell, ...] = ("", "", "", "")


def said_in(readings: Collection[int], *, asked: Sequence[Criterion]) -> Iterator[SaidRow]:
    """Of the readings of these keys, under the names of what they were asked; no text."""
    labels = {
        one.pk: {str(option["value"]): str(option["label"]) for option in one.options or ()} for one in asked
    }
    names = {one.field or one.key: one.name for one in asked}
    yield from _of_steps(readings, names)
    yield from _of_regions(readings, names)
    yield from _of_drawn(readings)
    yield from _of_answers(readings, names)
    yield from _of_votes(readings, names)
    yield from _of_own(readings, labels)
    yield from _of_first_reads(readings)


def _of_steps(readings: Collection[int], names: Mapping[str, str]) -> Iterator[SaidRow]:
    rows = StepRating.objects.filter(reading__in=readings).order_by("pk")
    for reading, completion, step, plausibility, is_unsure in rows.values_list(
        "reading", "step__completion", "step__position", "plausibility", "cannot_judge"
    ):
        if plausibility is not None or is_unsure:
            name = names.get("plausibility", "Plausibility")
            yield SaidRow(reading, name, CANNOT_JUDGE if is_unsure else plausibility, completion, step)


def _of_regions(readings: Collection[int], names: Mapping[str, str]) -> Iterator[SaidRow]:
    rows = RegionAnnotation.objects.filter(reading__in=readings).order_by("pk")
    for reading, completion, step, region, verdict, *box in rows.values_list(
        "reading", "region__step__completion", "region__step__position", "region__position", "verdict", *BOX
    ):
        edges = tuple("" if edge is None else edge for edge in box)
        yield SaidRow(reading, names.get("verdict", "Region"), verdict, completion, step, region, box=edges)


def _of_drawn(readings: Collection[int]) -> Iterator[SaidRow]:
    rows = DrawnRegion.objects.filter(reading__in=readings).order_by("pk")
    for reading, of_step, step, of_missed, *box in rows.values_list(
        "reading", "step__completion", "step__position", "missed_finding__completion", *BOX
    ):
        value = "step" if of_step else "missed finding" if of_missed else "first read"
        yield SaidRow(reading, "Drawn region", value, of_step or of_missed or 0, step or 0, box=tuple(box))


def _of_answers(readings: Collection[int], names: Mapping[str, str]) -> Iterator[SaidRow]:
    rows = AnswerRating.objects.filter(reading__in=readings).order_by("pk")
    for reading, completion, *values in rows.values_list("reading", "completion", *ANSWER_FIELDS):
        for field, value in zip(ANSWER_FIELDS, values, strict=True):
            if value not in (None, ""):
                yield SaidRow(reading, names.get(field, field.capitalize()), value, completion)


def _of_votes(readings: Collection[int], names: Mapping[str, str]) -> Iterator[SaidRow]:
    rows = Vote.objects.filter(reading__in=readings).order_by("pk")
    for reading, kind, side in rows.values_list("reading", "kind", "side"):
        yield SaidRow(reading, names.get(kind, kind.capitalize()), side)


def _of_own(readings: Collection[int], labels: Mapping[int, Mapping[str, str]]) -> Iterator[SaidRow]:
    """Choices and scales; a choice of several is a row for each that was chosen."""
    rows = CriterionRating.objects.filter(reading__in=readings, criterion__in=labels).order_by("pk")
    for rating in rows.select_related("criterion", "step", "region__step"):
        meaning = labels[rating.criterion_id]
        step = rating.region.step if rating.region else rating.step
        for value in _chosen(rating.value, meaning):
            yield SaidRow(
                rating.reading_id,
                rating.criterion.name,
                value,
                step.completion_id if step else rating.completion_id or 0,
                step.position if step else 0,
                rating.region.position if rating.region else 0,
                meaning[str(value)],
            )


def _of_first_reads(readings: Collection[int]) -> Iterator[SaidRow]:
    """What was said of the film alone, and anew after the reveal; each finding is a row."""
    rows = FirstRead.objects.filter(reading__in=readings).order_by("pk")
    for reading, is_after, choice, findings, confidence in rows.values_list(
        "reading", "is_after_reveal", "choice", "findings", "confidence"
    ):
        moment = "After the reveal" if is_after else "First read"
        if choice:
            yield SaidRow(reading, f"{moment}: answer", choice)
        for finding in findings:
            yield SaidRow(reading, f"{moment}: finding", finding)
        if confidence is not None:
            yield SaidRow(reading, f"{moment}: confidence", confidence)


def _chosen(value: Any, meaning: Mapping[str, str]) -> list[Cell]:
    """Nothing of a text, which has no values to choose from."""
    every = value if isinstance(value, list) else [value]
    return [each for each in every if str(each) in meaning]
