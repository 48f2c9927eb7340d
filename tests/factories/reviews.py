"""Readers' work for tests, made by the same services that readers use."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.reviews.criteria.versions import Asked, asked_of, library
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import ReaderStudy, Reading, RegionAnnotation, Vote
from deepmedix_review.reviews.reading.changes import (
    AnnotateRegion,
    CastVote,
    Change,
    RateAnswer,
    RateStep,
    SayFirstRead,
)
from deepmedix_review.reviews.reading.reveal import lock_first_read
from deepmedix_review.reviews.services import apply_change, sign_reading
from deepmedix_review.reviews.study_services import create_reader_study
from deepmedix_review.studies.models import Study
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import InstanceFactory

HEART = ("The heart is enlarged", [(150.0, 300.0, 330.0, 480.0)])
EFFUSION = ("There is a left pleural effusion", [(300.0, 420.0, 420.0, 560.0)])
NODULE = ("There is a left nodule", [(330.0, 120.0, 370.0, 160.0)])
LUNGS = ("Both lungs are clear", [(60.0, 80.0, 210.0, 500.0), (270.0, 80.0, 420.0, 500.0)])


def completed_study(
    *, num_completions: int = 2, finding: tuple[str, list[tuple[float, float, float, float]]] = HEART
) -> Study:
    """A study on which the serving model said one or two things: two steps, three regions each."""
    instance = InstanceFactory.create()
    model_version = ServingModelFactory.create()
    for seed, first in enumerate((finding, EFFUSION)[:num_completions], start=1):
        say(instance, steps=[first, LUNGS], answer="cardiomegaly", model_version=model_version, seed=seed)
    return instance.study


def reader_study(
    *,
    num_cases: int = 1,
    readers: Sequence[User] = (),
    num_completions: int = 2,
    title: str = "Test readers",
    seed: int = 1,
    asked: Sequence[str] = (),
    asks_first_read: bool = False,
) -> ReaderStudy:
    """Cases with one or two completions, assigned to the readers (by default to a new one).

    `asked` are keys of criteria; without any, what is always asked.
    """
    criteria = {criterion.key: criterion for criterion in library()}
    return create_reader_study(
        title=title,
        studies=[completed_study(num_completions=num_completions) for _ in range(num_cases)],
        readers=readers or [ExpertFactory.create()],
        actor=None,
        seed=seed,
        asked=[Asked(criteria[key]) for key in asked],
        design=ReaderStudyDesign(first_reads="on" if asks_first_read else "off"),
    )


def reader_of(reading: Reading) -> User:
    return reading.assignment.reader


def an_open_reading(
    *,
    reader: User | None = None,
    num_completions: int = 2,
    asked: Sequence[str] = (),
    asks_first_read: bool = False,
) -> Reading:
    """The only reading of a new reader study with one case."""
    study = reader_study(
        readers=[reader] if reader else (),
        num_completions=num_completions,
        asked=asked,
        asks_first_read=asks_first_read,
    )
    return Reading.objects.get(assignment__case__reader_study=study)


def opened_an_hour_ago(reading: Reading) -> Reading:
    """Time at work is counted only where it has passed since the case was opened."""
    reading.opened_at = timezone.now() - timedelta(hours=1)
    reading.save(update_fields=["opened_at"])
    return reading


def change(reading: Reading, change: Change, *, change_id: uuid.UUID | None = None) -> tuple[str, ...]:
    """Make one change as the reader would, with the right film on the screen; returns what is missing."""
    return apply_change(
        reading_uid=reading.uid,
        reader=reader_of(reading),
        change_id=change_id or uuid.uuid4(),
        sop_instance_uid=reading.completion_a.instance.sop_instance_uid,
        change=change,
    ).missing


def lock(reading: Reading, *, change_id: uuid.UUID | None = None) -> Reading:
    """Lock the first read as the reader would."""
    lock_first_read(
        reading_uid=reading.uid,
        reader=reader_of(reading),
        change_id=change_id or uuid.uuid4(),
        sop_instance_uid=reading.completion_a.instance.sop_instance_uid,
    )
    reading.refresh_from_db()
    return reading


def say_first(reading: Reading, *, impression: str) -> Reading:
    """Say what is on the film alone, and lock it."""
    change(reading, SayFirstRead(False, "", (), impression, 4))
    return lock(reading)


def completions_of(reading: Reading) -> list[Completion]:
    return [completion for completion in (reading.completion_a, reading.completion_b) if completion]


def complete(reading: Reading, *, plausibility: int = 4, side: Vote.Side = Vote.Side.A) -> None:
    """Rate every step alike, find every region fitting, rate the answers, and vote: whatever of it is
    asked."""
    asked = {one.criterion.field for one in asked_of(reading.assignment.case.reader_study)}
    relevance, correctness, completeness = (
        points if field in asked else None
        for field, points in (("relevance", 5), ("correctness", 4), ("completeness", 3))
    )
    for completion in completions_of(reading):
        if "plausibility" in asked:
            for step in ReasoningStep.objects.filter(completion=completion):
                change(reading, RateStep(step.uid, plausibility, False, ""))
        if "verdict" in asked:
            for region in Region.objects.filter(step__completion=completion):
                change(reading, AnnotateRegion(region.uid, RegionAnnotation.Verdict.FITS, None))
        change(reading, RateAnswer(completion.uid, relevance, correctness, completeness))
    if reading.completion_b and "overall" in asked:
        change(reading, CastVote(side))


def sign(reading: Reading) -> Reading:
    """Sign as the reader would."""
    sign_reading(
        reading_uid=reading.uid,
        reader=reader_of(reading),
        change_id=uuid.uuid4(),
        sop_instance_uid=reading.completion_a.instance.sop_instance_uid,
    )
    reading.refresh_from_db()
    return reading


def a_signed_reading(*, side: Vote.Side = Vote.Side.A, num_completions: int = 2) -> Reading:
    """Complete and signed, with a vote for `side` where there are two completions."""
    reading = an_open_reading(num_completions=num_completions)
    complete(reading, side=side)
    return sign(reading)
