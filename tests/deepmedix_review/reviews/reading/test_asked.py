"""An answer to a question that the reader study does not ask is refused by its name; nothing is stored."""

import uuid

import pytest

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.models import (
    AnswerRating,
    Case,
    Reading,
    ReadingChange,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.reading.changes import (
    AddFinding,
    AnnotateRegion,
    CastVote,
    Change,
    DrawRegion,
    RateAnswer,
    RateStep,
)
from deepmedix_review.reviews.services import amend_reading
from tests.factories.reviews import an_open_reading, change, complete, reader_of, sign

pytestmark = pytest.mark.django_db
FITS, ADJUSTED = RegionAnnotation.Verdict.FITS, RegionAnnotation.Verdict.ADJUSTED
BOX = (1.0, 2.0, 30.0, 40.0)


@pytest.mark.parametrize("role", [Case.Role.DATA, Case.Role.TRAINING])
@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("plausibility", "plausibility"),
        ("cannot judge", "plausibility"),
        ("verdict", "a verdict on regions"),
        ("points", "relevance and completeness"),
        ("harm", "harm"),
        ("vote", "a vote on which is better overall"),
    ],
)
def test_what_is_not_asked_is_refused_by_name(what: str, named: str, role: str) -> None:
    reading = an_open_reading(asked=["correctness", "better-grounded"])
    Case.objects.update(role=role)
    step = reading.completion_a.steps.earliest("position")
    answer = reading.completion_a.uid
    made: dict[str, Change] = {
        "plausibility": RateStep(step.uid, 4, False, ""),
        "cannot judge": RateStep(step.uid, None, True, ""),
        "verdict": AnnotateRegion(step.regions.earliest("position").uid, FITS, None),
        "points": RateAnswer(answer, 5, 4, 3),
        "harm": RateAnswer(answer, None, 4, None, AnswerRating.Harm.MILD),
        "vote": CastVote(Vote.Side.A),
    }
    with pytest.raises(RefusedByRule) as refused:
        change(reading, made[what])
    assert str(refused.value) == (
        f"This reader study does not ask for {named}, so nothing was saved. Leave it out."
    )
    assert not ReadingChange.objects.exists()
    for rows in (StepRating, RegionAnnotation, AnswerRating, Vote):
        assert not rows.objects.exists()


def test_what_is_asked_is_kept_and_what_is_written_or_drawn_answers_no_question() -> None:
    reading = an_open_reading(asked=["correctness", "better-grounded"])
    step, answer = reading.completion_a.steps.earliest("position"), reading.completion_a.uid
    region = step.regions.earliest("position")
    change(reading, RateAnswer(answer, None, 4, None, "", "no nodule"))
    change(reading, CastVote(Vote.Side.A, Vote.Kind.GROUNDED))
    change(reading, CastVote(None))
    change(reading, RateStep(step.uid, None, False, "a note", "The heart is of normal size"))
    change(reading, AnnotateRegion(region.uid, ADJUSTED, BOX))
    change(reading, AnnotateRegion(region.uid, None, None))
    change(reading, AddFinding(uuid.uuid4(), answer, "nodule"))
    change(reading, DrawRegion(uuid.uuid4(), step.uid, None, None, BOX))
    assert AnswerRating.objects.get().correctness == 4
    assert StepRating.objects.get().note == "a note"


def test_a_reader_study_that_names_nothing_asks_what_was_always_asked() -> None:
    reading = an_open_reading(num_completions=1)
    complete(reading)
    with pytest.raises(RefusedByRule, match="does not ask for harm"):
        change(reading, RateAnswer(reading.completion_a.uid, 5, 4, 3, AnswerRating.Harm.NONE))
    sign(reading)
    amendment = amend_reading(reading=reading, reader=reader_of(reading), reason="a slip")
    change(Reading.objects.get(pk=amendment.pk), RateAnswer(reading.completion_a.uid, 5, 5, 5))
    assert AnswerRating.objects.get(reading=amendment).correctness == 5
