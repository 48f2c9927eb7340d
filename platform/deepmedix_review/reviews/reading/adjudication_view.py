"""What earlier readers said of a case, side by side, for the reader who decides between them and no other."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.reviews.disagreement import Item
from deepmedix_review.reviews.models import Assignment, Criterion, Reading
from deepmedix_review.reviews.reading.disputed import disputed_in
from deepmedix_review.reviews.reading.first_read_view import (
    DrawnRegionView,
    FirstReadView,
    Moment,
    first_reads,
)
from deepmedix_review.reviews.reading.parts import (
    AnswerRatingView,
    CriterionRatingView,
    MissedFindingView,
    RegionAnnotationView,
    Said,
    StepRatingView,
    VoteView,
    all_said,
)
from deepmedix_review.reviews.reading.window_view import WindowView, window_of

_OTHER_SIDE = {"a": "b", "b": "a"}


@dataclass(frozen=True)
class EarlierReadingView:
    """One earlier reader's word, under a label that names nobody; votes are by the sides shown now. What was
    said of the film alone, and the change of mind after it, are None where none was asked or said."""

    label: str
    window: WindowView | None
    said_first: FirstReadView | None
    said_after_reveal: FirstReadView | None
    step_ratings: tuple[StepRatingView, ...]
    region_annotations: tuple[RegionAnnotationView, ...]
    drawn_regions: tuple[DrawnRegionView, ...]
    missed_findings: tuple[MissedFindingView, ...]
    answer_ratings: tuple[AnswerRatingView, ...]
    votes: tuple[VoteView, ...]
    criterion_ratings: tuple[CriterionRatingView, ...]


@dataclass(frozen=True)
class DisputedView:
    """`field` of a built-in question (of a vote, its kind), else `criterion`; and what it is asked of."""

    field: str
    criterion: uuid.UUID | None
    completion: uuid.UUID | None
    step: uuid.UUID | None
    region: uuid.UUID | None


@dataclass(frozen=True)
class AdjudicationView:
    """`kind` is third_reader or consensus. Of what is not `disputed` the readers' word stands; where nothing
    is, everything is asked."""

    kind: str
    readings: tuple[EarlierReadingView, ...]
    disputed: tuple[DisputedView, ...]


def show_adjudication(reading: Reading) -> AdjudicationView | None:
    """None for every reading but an adjudication's, and until its own first read is locked."""
    if reading.assignment.kind != Assignment.Kind.ADJUDICATION or not reading.is_revealed:
        return None
    case = reading.assignment.case
    shown = {reading.completion_a_id, reading.completion_b_id} - {None}
    earlier = list(
        Reading.objects.filter(
            assignment__case=case, assignment__kind=Assignment.Kind.FIRST, signed_at__isnull=False
        )
        .exclude(amended_by__signed_at__isnull=False)
        .filter(completion_a__in=shown)
        .order_by("assignment__pk")
    )
    said = all_said(earlier)
    of_film = first_reads({one: said[one.pk].drawn_regions for one in earlier})
    return AdjudicationView(
        kind=case.reader_study.adjudication,
        readings=tuple(
            _labelled(
                f"Reader {number}",
                said[one.pk],
                of_film=of_film[one.pk],
                window=window_of(one),
                is_swapped=one.completion_a_id != reading.completion_a_id,
            )
            for number, one in enumerate(earlier, start=1)
        ),
        disputed=_named(disputed_in(reading)),
    )


def _named(disputed: Collection[Item]) -> tuple[DisputedView, ...]:
    ordered = sorted(disputed, key=lambda item: (item.step, item.region, item.completion, item.field))
    criteria = _uids(Criterion, {item.criterion for item in disputed})
    completions = _uids(Completion, {item.completion for item in disputed})
    steps = _uids(ReasoningStep, {item.step for item in disputed})
    regions = _uids(Region, {item.region for item in disputed})
    return tuple(
        DisputedView(
            field=item.field,
            criterion=criteria.get(item.criterion),
            completion=completions.get(item.completion),
            step=steps.get(item.step),
            region=regions.get(item.region),
        )
        for item in ordered
    )


def _uids(model: Any, keys: Collection[int]) -> Mapping[int, uuid.UUID]:
    return dict(model.objects.filter(pk__in=set(keys) - {0}).values_list("pk", "uid"))


def _labelled(
    label: str,
    said: Said,
    *,
    of_film: Mapping[Moment, FirstReadView],
    window: WindowView | None,
    is_swapped: bool,
) -> EarlierReadingView:
    votes = said.votes
    if is_swapped:
        votes = tuple(replace(vote, side=_OTHER_SIDE.get(vote.side, vote.side)) for vote in votes)
    return EarlierReadingView(
        label=label,
        window=window,
        said_first=of_film.get("first"),
        said_after_reveal=of_film.get("after_reveal"),
        step_ratings=said.step_ratings,
        region_annotations=said.region_annotations,
        drawn_regions=tuple(region for region in said.drawn_regions if region.first_read is None),
        missed_findings=said.missed_findings,
        answer_ratings=said.answer_ratings,
        votes=votes,
        criterion_ratings=said.criterion_ratings,
    )
