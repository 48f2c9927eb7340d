"""What a reader has not yet said of a case, by name, so that nothing is signed half read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast

from deepmedix_review.reasoning.models import ReasoningStep, Region
from deepmedix_review.reviews.models import AnswerRating, Reading, RegionAnnotation, StepRating, Vote

ANSWER_CRITERIA = ("relevance", "correctness", "completeness")


@dataclass(frozen=True)
class Missing:
    """Names as the reader sees them: "A 1" is step 1 of completion A, "1" where there is no other side."""

    steps: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    answers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    vote: bool = False

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence for each kind of thing that is missing; empty when the reading is complete."""
        said = []
        if self.steps:
            said.append(f"{_count(self.steps, 'step')} no rating yet: {_enumerate(self.steps)}.")
        if self.regions:
            said.append(f"{_count(self.regions, 'region')} no verdict yet: {_enumerate(self.regions)}.")
        for side, criteria in self.answers:
            answer = f"Answer {side}" if side else "The answer"
            said.append(f"{answer} has no rating yet for {_enumerate(criteria)}.")
        if self.vote:
            said.append("The vote between A and B is still open.")
        return tuple(said)


def find_missing(reading: Reading) -> Missing:
    """One query. A malformed completion needs no word on its steps and regions; its answer does."""
    rows = list(_rows(reading))
    completions = [pk for pk in (reading.completion_a_id, reading.completion_b_id) if pk is not None]
    two = len(completions) == 2
    sides = dict(zip(completions, "AB" if two else ("",), strict=False))

    def named(kind: str) -> list[tuple[str, int, int, int]]:
        found = [(sides[pk], *numbers) for row, pk, *numbers in rows if row == kind]
        return sorted(found)

    rated = {sides[pk]: numbers for row, pk, *numbers in rows if row == "answer"}
    answers = []
    for side in sides.values():
        ratings = rated.get(side, (None, None, None))
        criteria = tuple(c for c, value in zip(ANSWER_CRITERIA, ratings, strict=True) if not value)
        if criteria:
            answers.append((side, criteria))
    return Missing(
        steps=tuple(f"{side} {step}".strip() for side, step, _, _ in named("step")),
        regions=tuple(
            f"{side} {step}{f' region {region}' if siblings else ''}".strip()
            for side, step, region, siblings in named("region")
        ),
        answers=tuple(answers),
        vote=two and not any(row[0] == "vote" for row in rows),
    )


def _rows(reading: Reading) -> "QuerySet[Any, tuple[Any, ...]]":
    """(kind, completion, three numbers): unrated steps, unjudged regions, the answers' ratings, a vote."""
    completions = [reading.completion_a_id, reading.completion_b_id]
    rated = StepRating.objects.filter(reading=reading, step=OuterRef("pk")).filter(
        Q(plausibility__isnull=False) | Q(cannot_judge=True)
    )
    steps = ReasoningStep.objects.filter(~Exists(rated), completion__in=completions, completion__problems=[])
    judged = RegionAnnotation.objects.filter(reading=reading, region=OuterRef("pk"))
    siblings = Region.objects.filter(step=OuterRef("step")).exclude(pk=OuterRef("pk"))
    regions = Region.objects.filter(
        ~Exists(judged), step__completion__in=completions, step__completion__problems=[]
    )
    return _columns(steps, "step", "completion_id", "position", 0, 0).union(
        _columns(regions, "region", "step__completion_id", "step__position", "position", Exists(siblings)),
        _columns(AnswerRating.objects.filter(reading=reading), "answer", "completion_id", *ANSWER_CRITERIA),
        _columns(Vote.objects.filter(reading=reading), "vote", "reading__completion_a_id", 0, 0, 0),
        all=True,
    )


def _columns(
    rows: "QuerySet[Any]", kind: str, completion: str, *numbers: Any
) -> "QuerySet[Any, tuple[Any, ...]]":
    columns = {
        f"number_{index}": Cast(
            F(number) if isinstance(number, str) else Value(number) if isinstance(number, int) else number,
            IntegerField(),
        )
        for index, number in enumerate(numbers)
    }
    named: QuerySet[Any, tuple[Any, ...]] = (
        rows.order_by()
        .annotate(kind=Value(kind, CharField()), of=F(completion), **columns)
        .values_list("kind", "of", *columns)
    )
    return named


def _count(names: Sequence[str], noun: str) -> str:
    return f"1 {noun} has" if len(names) == 1 else f"{len(names)} {noun}s have"


def _enumerate(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
