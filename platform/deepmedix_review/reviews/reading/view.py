"""What the reading page shows of one case: the film, what was said of it, and what the reader said so far.

Blinded: no model, version, temperature or seed is among it, and nothing that was said of the film until the
reader's own first read is locked, where one is asked.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from django.urls import reverse

from deepmedix_review.common.errors import Closed, IsOver
from deepmedix_review.reviews.criteria.versions import Asked, asked_of
from deepmedix_review.reviews.guards import NoReaderHere, require_may_change
from deepmedix_review.reviews.models import Assignment, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.pauses import Pause, pause_of
from deepmedix_review.reviews.reading.adjudication_view import AdjudicationView, show_adjudication
from deepmedix_review.reviews.reading.changes import Box
from deepmedix_review.reviews.reading.completeness import find_missing
from deepmedix_review.reviews.reading.completion_view import CompletionView, show_completions
from deepmedix_review.reviews.reading.conflicts import LatestChange, latest_changes
from deepmedix_review.reviews.reading.first_read_view import DrawnRegionView, FirstReadForm, first_read_form
from deepmedix_review.reviews.reading.parts import (
    AnswerRatingView,
    CriterionRatingView,
    MissedFindingView,
    RegionAnnotationView,
    StepRatingView,
    VoteView,
    all_said,
)
from deepmedix_review.reviews.reading.training_feedback import TAUGHT, FeedbackView, show_feedback
from deepmedix_review.reviews.reading.window_view import WindowView, window_of
from deepmedix_review.reviews.selectors import next_reading, place_of
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.selectors import CompanionFilm, companion_films


@dataclass(frozen=True)
class FilmView:
    """Sizes in pixels; spacing in mm per pixel, None where unknown."""

    uid: uuid.UUID
    sop_instance_uid: str
    film_url: str
    file_sha256: str
    rows: int
    columns: int
    row_spacing_mm: float | None
    column_spacing_mm: float | None
    bits_stored: int
    view_position: str
    modality: str


@dataclass(frozen=True)
class OptionView:
    value: int | str
    label: str
    anchor: str


@dataclass(frozen=True)
class CriterionView:
    """`field` names the place of a built-in question; empty, `criterion_ratings` have its answers.
    `asked_if`: of which steps alone; `finding`: of a judge alone, what was struck out and may be there."""

    uid: uuid.UUID
    key: str
    version: int
    name: str
    question: str
    target: str
    kind: str
    options: tuple[OptionView, ...]
    field: str
    asked_if: str
    finding: str
    is_required: bool


@dataclass(frozen=True)
class ClosedView:
    """Why nothing of the case can be kept now; `may_take`: the pool's next case may be taken instead."""

    sentence: str
    may_take: bool


@dataclass(frozen=True)
class ReadingView:
    """`stage` is first_read, rating or signed; `position` counts the cases in the order of their opening.
    `amends_signed_at`: of an amendment, when the reading was signed that it amends."""

    uid: uuid.UUID
    stage: Literal["first_read", "rating", "signed"]
    reader_study: str
    instructions: str
    deadline: date | None
    pause: Pause | None
    is_training: bool
    case_label: str
    position: int
    num_cases: int | None
    may_be_more_cases: bool
    question: str
    instance: FilmView
    films: tuple[CompanionFilm, ...]
    first_read: FirstReadForm | None
    skips_first_read: bool
    completions: tuple[CompletionView, ...]
    criteria: tuple[CriterionView, ...]
    step_ratings: tuple[StepRatingView, ...]
    region_annotations: tuple[RegionAnnotationView, ...]
    answer_ratings: tuple[AnswerRatingView, ...]
    votes: tuple[VoteView, ...]
    missed_findings: tuple[MissedFindingView, ...]
    drawn_regions: tuple[DrawnRegionView, ...]
    criterion_ratings: tuple[CriterionRatingView, ...]
    is_adjudication: bool
    adjudication: AdjudicationView | None
    feedback: FeedbackView | None
    window: WindowView | None
    measured_lines: tuple[Box, ...]
    active_seconds: int
    missing: tuple[str, ...]
    amends_signed_at: datetime | None
    amendment_reason: str
    signed_at: datetime | None
    saved_at: datetime | None
    latest_changes: tuple[LatestChange, ...]
    next: str | None
    give_back: str | None
    amend: str | None
    closed: ClosedView | None


def show_reading(reading: Reading) -> ReadingView:
    """Everything the page needs, in a constant number of queries. `reading` comes from `reading_for`.

    Raises NoReaderHere where its reader was removed before signing it.
    """
    closed = _closed(reading)
    case = reading.assignment.case
    after = next_reading(reading)
    place = place_of(reading.assignment)
    said = all_said([reading])[reading.pk]
    first_read = first_read_form(reading, said.drawn_regions)
    completions = show_completions(reading) if reading.is_revealed else ()
    last_change = reading.changes.order_by("-received_at").values_list("received_at", flat=True).first()
    return ReadingView(
        uid=reading.uid,
        stage=_stage(reading),
        reader_study=case.reader_study.title,
        instructions=case.reader_study.instructions,
        deadline=_deadline(reading),
        pause=pause_of(case.reader_study),
        is_training=case.role in TAUGHT,
        case_label=reading.assignment.label,
        position=place.number,
        num_cases=place.num_cases,
        may_be_more_cases=place.may_be_more,
        question=reading.completion_a.query,
        instance=_film(reading.completion_a.instance),
        films=companion_films(case.study, beside=reading.completion_a.instance),
        first_read=first_read,
        skips_first_read=_skips_first_read(reading),
        completions=completions,
        criteria=_criteria(reading),
        step_ratings=said.step_ratings,
        region_annotations=said.region_annotations,
        answer_ratings=said.answer_ratings,
        votes=said.votes,
        missed_findings=said.missed_findings,
        drawn_regions=said.drawn_regions,
        criterion_ratings=said.criterion_ratings,
        is_adjudication=reading.assignment.kind == Assignment.Kind.ADJUDICATION,
        adjudication=show_adjudication(reading),
        feedback=show_feedback(reading, said, first_read, completions),
        window=window_of(reading),
        measured_lines=tuple((*line,) for line in reading.measured_lines),
        active_seconds=reading.active_seconds,
        missing=find_missing(reading).sentences,
        amends_signed_at=reading.amends.signed_at if reading.amends else None,
        amendment_reason=reading.amendment_reason,
        signed_at=reading.signed_at,
        saved_at=last_change,
        latest_changes=latest_changes(reading),
        next=reverse("reading", args=[after.uid]) if after else None,
        give_back=_give_back(reading),
        amend=_amend(reading),
        closed=closed,
    )


def _skips_first_read(reading: Reading) -> bool:
    """Other cases of its reader study ask one: whoever expects it would rate blindly."""
    is_shared = reading.assignment.case.reader_study.first_reads == ReaderStudy.FirstReads.SHARE
    is_settling = reading.assignment.kind == Assignment.Kind.ADJUDICATION
    return is_shared and not is_settling and not reading.asks_first_read


def _stage(reading: Reading) -> Literal["first_read", "rating", "signed"]:
    if reading.signed_at is not None:
        return "signed"
    return "rating" if reading.is_revealed else "first_read"


def _give_back(reading: Reading) -> str | None:
    """Of a case that is held from a pool."""
    held = reading.assignment
    is_held = held.lease_expires_at is not None and held.withdrawn_at is None and reading.signed_at is None
    return reverse("give-case-back", args=[held.uid]) if is_held else None


def _amend(reading: Reading) -> str | None:
    """Of a signed reading that may be amended and is not."""
    case = reading.assignment.case
    is_over = case.tells_its_answer or case.reader_study.state == ReaderStudy.State.LOCKED
    if reading.signed_at is None or is_over or Reading.objects.filter(amends=reading).exists():
        return None
    return reverse("amend-reading", args=[reading.uid])


def _closed(reading: Reading) -> ClosedView | None:
    if reading.signed_at is not None:
        return None
    try:
        require_may_change(reading)
    except NoReaderHere:
        raise
    except Closed as closed:
        return ClosedView(str(closed), closed.may_take)
    except IsOver:
        # What was said may be looked at; the first change is refused with the reason.
        return None
    return None


def _deadline(reading: Reading) -> date | None:
    """The reader's own one, else that of the reader study."""
    reader_study = reading.assignment.case.reader_study
    own = (
        Invitation.objects.filter(reader_study=reader_study, reader=reading.assignment.reader_id)
        .values_list("deadline", flat=True)
        .first()
    )
    return own or reader_study.deadline


def _criteria(reading: Reading) -> tuple[CriterionView, ...]:
    """What the reader study asks, and then of a judge the findings in doubt, once the outputs are shown."""
    asked = asked_of(reading.assignment.case.reader_study)
    if reading.assignment.kind == Assignment.Kind.ADJUDICATION and reading.is_revealed:
        asked += tuple(Asked(doubt) for doubt in reading.assignment.doubts.order_by("name"))
    return tuple(
        CriterionView(
            uid=one.criterion.uid,
            key=one.criterion.key,
            version=one.criterion.version,
            name=one.criterion.name,
            question=one.criterion.question,
            target=one.criterion.target,
            kind=one.criterion.kind,
            options=tuple(
                OptionView(option["value"], option["label"], option.get("anchor", ""))
                for option in one.criterion.options
            ),
            field=one.criterion.field,
            asked_if=one.criterion.asked_if,
            finding=one.criterion.finding,
            is_required=one.is_required,
        )
        for one in asked
    )


def _film(instance: Instance) -> FilmView:
    return FilmView(
        uid=instance.uid,
        sop_instance_uid=instance.sop_instance_uid,
        film_url=reverse("film", args=[instance.uid]),
        file_sha256=instance.file_sha256,
        rows=instance.rows,
        columns=instance.columns,
        row_spacing_mm=instance.row_spacing_mm,
        column_spacing_mm=instance.column_spacing_mm,
        bits_stored=instance.bits_stored,
        view_position=instance.view_position,
        modality=instance.series.shown_modality,
    )
