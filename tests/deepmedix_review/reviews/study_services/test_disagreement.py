"""On what readers of one case disagree, in words and by name."""

import pytest

from deepmedix_review.reasoning.models import ReasoningStep, Region
from deepmedix_review.reviews.conduct.disputes import NOT_ANY_MORE, disputes_of
from deepmedix_review.reviews.criteria.library import Option
from deepmedix_review.reviews.criteria.versions import Asked, default_criteria, library, save_criterion
from deepmedix_review.reviews.disagreement import Item, disputed_items, find_disagreements
from deepmedix_review.reviews.models import (
    AnswerRating,
    Criterion,
    ReaderStudy,
    Reading,
    RegionAnnotation,
    Vote,
)
from deepmedix_review.reviews.reading.belonging import shown_completions
from deepmedix_review.reviews.reading.changes import (
    AnnotateRegion,
    CastVote,
    RateAnswer,
    RateCriterion,
    RateStep,
)
from deepmedix_review.reviews.reading.completeness import find_missing
from deepmedix_review.reviews.services import amend_reading
from deepmedix_review.reviews.study_services import (
    queue_adjudications,
    start_adjudication,
)
from tests.deepmedix_review.reviews.study_services.a_dispute import (
    TWO_OF_THREE,
    dispute,
    disputed_study,
    readings_of,
    reasons,
    say_alike,
    spare_reader,
    the_case,
)
from tests.factories.accounts import AdminFactory
from tests.factories.reader_studies import a_draft, running
from tests.factories.reviews import change, sign

pytestmark = pytest.mark.django_db


def test_readers_of_one_mind_leave_nothing_to_settle() -> None:
    reader_study = disputed_study()
    for reading in say_alike(the_case(reader_study)):
        sign(reading)
    assert find_disagreements(reader_study) == ()
    assert queue_adjudications(reader_study=reader_study) == 0


@pytest.mark.parametrize("side", [Vote.Side.A, Vote.Side.TIE, Vote.Side.BOTH_BAD])
def test_both_bad_names_no_better_output_so_it_contradicts_no_vote(side: Vote.Side) -> None:
    reader_study = disputed_study()
    one, other = say_alike(the_case(reader_study))
    change(one, CastVote(side, Vote.Kind.OVERALL))
    change(other, CastVote(Vote.Side.BOTH_BAD, Vote.Kind.OVERALL))
    for reading in (one, other):
        sign(reading)
    assert find_disagreements(reader_study) == ()


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("step", "Plausibility of 1 step lies 2 points apart or more."),
        ("answer", "Correctness lies 2 points apart or more."),
        ("region", "1 region was found fitting and wrong."),
        ("vote", "Votes went to different outputs."),
        ("harm", "1 answer was found harmless and severely harmful."),
    ],
)
def test_what_lies_apart_is_said(what: str, sentence: str) -> None:
    harm = Asked(library().get(key="harm"), is_required=False)
    reader_study = disputed_study(asked=(*default_criteria(), harm))
    one, other = say_alike(the_case(reader_study))
    completion = other.completion_a
    match what:
        case "step":
            step = ReasoningStep.objects.filter(completion=completion)[0]
            change(other, RateStep(step.uid, 2, False, ""))
        case "answer":
            change(other, RateAnswer(completion.uid, 5, 2, 3))
        case "region":
            region = Region.objects.filter(step__completion=completion)[0]
            change(other, AnnotateRegion(region.uid, RegionAnnotation.Verdict.WRONG, None))
        case "vote":
            same_sides = one.completion_a_id == other.completion_a_id
            change(other, CastVote(Vote.Side.B if same_sides else Vote.Side.A))
        case "harm":
            change(one, RateAnswer(completion.uid, 5, 4, 3, harm=AnswerRating.Harm.NONE))
            change(other, RateAnswer(completion.uid, 5, 4, 3, harm=AnswerRating.Harm.SEVERE))
    sign(one)
    assert reasons(reader_study) == []
    sign(other)
    assert reasons(reader_study) == [sentence]


def test_different_answers_to_one_choice_are_said_so_and_names_stay_as_they_are_written() -> None:
    names = {"choice": "Next CT", "scale": "CT clarity"}
    own = [
        save_criterion(
            actor=AdminFactory.create(),
            name=name,
            question="",
            target=Criterion.Target.CASE,
            kind=kind,
            options=[Option(value, str(value), f"means {value}") for value in (1, 2, 3)],
        ).criterion
        for kind, name in names.items()
    ]
    asked = [*default_criteria(), *map(Asked, own)]
    reader_study = running(
        a_draft(num_cases=1, num_readers=3, design=TWO_OF_THREE, adjudication="third_reader", asked=asked)
    )
    for value, reading in zip((1, 3), say_alike(the_case(reader_study)), strict=True):
        for criterion in own:
            change(reading, RateCriterion(criterion.uid, None, None, None, value))
        sign(reading)
    assert reasons(reader_study) == [
        "CT clarity lies 2 points apart or more.",
        "Different answers to “Next CT”.",
    ]


def test_a_smaller_difference_than_the_design_names_is_none() -> None:
    reader_study = disputed_study()
    one, other = say_alike(the_case(reader_study))
    step = ReasoningStep.objects.filter(completion=other.completion_a)[0]
    change(other, RateStep(step.uid, 3, False, ""))
    for reading in (one, other):
        sign(reading)
    assert reasons(reader_study) == []
    ReaderStudy.objects.update(adjudication_points=1)
    reader_study.refresh_from_db()
    assert len(reasons(reader_study)) == 1


def test_of_a_case_that_was_given_and_on_which_its_readers_agree_by_now_no_doubt_is_told() -> None:
    reader_study = disputed_study()
    case = dispute(reader_study)
    queue_adjudications(reader_study=reader_study)
    (row,) = disputes_of(reader_study, shows_reasons=True)
    assert row.reasons == ("Plausibility of 1 step lies 2 points apart or more.",)
    other = readings_of(case)[1]
    amendment = amend_reading(reading=other, reader=other.assignment.reader, reason="Looked again.")
    for step in ReasoningStep.objects.filter(completion=other.completion_a):
        change(amendment, RateStep(step.uid, 4, False, ""))
    sign(amendment)
    (row,) = disputes_of(reader_study, shows_reasons=True)
    assert row.reasons == (NOT_ANY_MORE,)


def test_regions_answers_votes_and_own_questions_are_disputed_by_name() -> None:
    admin = AdminFactory.create()
    sure = save_criterion(
        actor=admin,
        name="How sure",
        question="How sure are you of it?",
        target=Criterion.Target.STEP,
        kind=Criterion.Kind.SCALE,
        options=[Option(value, str(value), "sure" if value > 3 else "unsure") for value in (1, 2, 3, 4, 5)],
    ).criterion
    quality = save_criterion(
        actor=admin,
        name="Quality",
        question="How good is the film?",
        target=Criterion.Target.CASE,
        kind=Criterion.Kind.CHOICE,
        options=[Option(value, value, f"it is {value}") for value in ("sharp", "blurred")],
    ).criterion
    asked = [*default_criteria(), Asked(sure, is_required=False), Asked(quality, is_required=False)]
    reader_study = running(
        a_draft(num_cases=1, num_readers=3, design=TWO_OF_THREE, adjudication="third_reader", asked=asked)
    )
    case = the_case(reader_study)
    one, other = say_alike(case)
    completion = other.completion_a
    region = Region.objects.filter(step__completion=completion)[0]
    change(other, AnnotateRegion(region.uid, RegionAnnotation.Verdict.WRONG, None))
    change(other, RateAnswer(completion.uid, 2, 4, 3))
    same_sides = one.completion_a_id == other.completion_a_id
    change(other, CastVote(Vote.Side.B if same_sides else Vote.Side.A))
    for reading, value, seen in ((one, 1, "sharp"), (other, 5, "blurred")):
        change(reading, RateCriterion(sure.uid, None, region.step.uid, None, value))
        change(reading, RateCriterion(quality.uid, None, None, None, seen))
        sign(reading)
    assert disputed_items(case, completions=[completion.pk]) == {
        Item(field="verdict", region=region.pk),
        Item(field="relevance", completion=completion.pk),
        Item(field="overall"),
        Item(criterion=sure.pk, step=region.step_id),
        Item(criterion=quality.pk),
    }
    others = [pk for pk in shown_completions(one) if pk != completion.pk]
    assert disputed_items(case, completions=others) == {Item(field="overall"), Item(criterion=quality.pk)}
    start_adjudication(case=case, reader=spare_reader(reader_study), actor=admin)
    assert len(find_missing(Reading.objects.get(assignment__kind="adjudication")).sentences) == 5
