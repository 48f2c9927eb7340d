"""Cases on which readers disagree go to a third reader or to a consensus reading, as a reading of its own."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.models import ReasoningStep, Region
from deepmedix_review.reviews.conduct.disputes import NOT_ANY_MORE, disputes_of
from deepmedix_review.reviews.criteria.library import Option
from deepmedix_review.reviews.criteria.versions import Asked, default_criteria, library, save_criterion
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.disagreement import Item, disputed_items, find_disagreements
from deepmedix_review.reviews.models import (
    AnswerRating,
    Assignment,
    Case,
    Criterion,
    Invitation,
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
from deepmedix_review.reviews.reading.view import show_reading
from deepmedix_review.reviews.selectors import reading_for, signed_readings, worklist
from deepmedix_review.reviews.services import amend_reading, mark_opened
from deepmedix_review.reviews.study_services import (
    invite_reader,
    lock_reader_study,
    queue_adjudications,
    start_adjudication,
)
from deepmedix_review.reviews.tasks import tend_reader_studies
from deepmedix_review.reviews.worklist.cases import Place, place_of
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reader_studies import a_draft, running, sign_unsaid
from tests.factories.reviews import change, complete, say_first, sign

pytestmark = pytest.mark.django_db

TWO_OF_THREE = ReaderStudyDesign(design="k_readers", readers_per_case=2)


def disputed_study(
    *,
    adjudication: str = "third_reader",
    num_cases: int = 1,
    num_readers: int = 3,
    design: ReaderStudyDesign = TWO_OF_THREE,
    **fields: Any,
) -> ReaderStudy:
    draft = a_draft(num_cases=num_cases, num_readers=num_readers, design=design, **fields)
    return running(replace(draft, adjudication=adjudication))


def readings_of(case: Case) -> list[Reading]:
    readings = Reading.objects.filter(assignment__case=case).select_related("assignment__reader")
    return list(readings.order_by("pk"))


def the_case(reader_study: ReaderStudy) -> Case:
    return Case.objects.get(reader_study=reader_study)


def say_alike(case: Case) -> tuple[Reading, Reading]:
    """Two readings, complete and of one mind: votes are for the same completion, whatever its side."""
    one, other = readings_of(case)
    complete(one, side=Vote.Side.A)
    complete(other, side=Vote.Side.A if one.completion_a_id == other.completion_a_id else Vote.Side.B)
    return one, other


def reasons(reader_study: ReaderStudy) -> list[str]:
    return [reason for found in find_disagreements(reader_study) for reason in found.reasons]


def spare_reader(reader_study: ReaderStudy) -> User:
    having = Assignment.objects.filter(case__reader_study=reader_study).values("reader")
    return Invitation.objects.filter(reader_study=reader_study).exclude(reader__in=having).get().reader


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


def dispute(reader_study: ReaderStudy) -> Case:
    return dispute_of(the_case(reader_study))


def dispute_of(case: Case) -> Case:
    one, other = say_alike(case)
    step = ReasoningStep.objects.filter(completion=other.completion_a)[0]
    change(other, RateStep(step.uid, 1, False, ""))
    for reading in (one, other):
        sign(reading)
    return case


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


def test_a_third_reader_gets_the_case_once_and_its_reading_is_data() -> None:
    reader_study = disputed_study()
    third = spare_reader(reader_study)
    dispute(reader_study)
    tend_reader_studies()
    assert queue_adjudications(reader_study=reader_study) == 0
    [row] = worklist(third).rows
    assert row.is_adjudication
    reading = Reading.objects.get(uid=row.reading)
    assert (reading.assignment.kind, reading.asks_first_read) == (Assignment.Kind.ADJUDICATION, False)
    mark_opened(reading, reader=third)
    complete(reading)
    sign(reading)
    assert signed_readings().filter(assignment__kind=Assignment.Kind.ADJUDICATION).count() == 1
    assert queue_adjudications(reader_study=reader_study) == 0


@pytest.mark.parametrize(
    ("adjudication", "first_reads", "is_alone_first"),
    [("third_reader", "on", True), ("third_reader", "off", False), ("consensus", "on", False)],
)
def test_a_third_reader_sees_the_film_alone_first_where_the_readers_did(
    adjudication: str, first_reads: Any, is_alone_first: bool
) -> None:
    design = replace(TWO_OF_THREE, first_reads=first_reads)
    reader_study = disputed_study(adjudication=adjudication, design=design)
    for number, reading in enumerate(readings_of(the_case(reader_study)), start=1):
        if first_reads == "on":
            say_first(reading, impression=f"Seen by {number}.")
    case = dispute(reader_study)
    third = spare_reader(reader_study)
    start_adjudication(case=case, reader=third, actor=AdminFactory.create())
    reading = Reading.objects.get(assignment__kind=Assignment.Kind.ADJUDICATION)
    shown = show_reading(reading_for(third, reading.uid))
    assert shown.is_adjudication
    assert (shown.stage == "first_read", shown.adjudication is None) == (is_alone_first, is_alone_first)
    if is_alone_first:
        say_first(reading, impression="Seen by the third.")
        shown = show_reading(reading_for(third, reading.uid))
    assert shown.adjudication is not None
    said = [earlier.said_first and earlier.said_first.impression for earlier in shown.adjudication.readings]
    assert said == (["Seen by 1.", "Seen by 2."] if first_reads == "on" else [None, None])


def test_a_case_that_went_to_another_reader_unopened_comes_back_to_be_settled() -> None:
    reader_study = disputed_study()
    third = spare_reader(reader_study)
    case = dispute(reader_study)
    read = readings_of(case)[0]
    moved = Assignment.objects.create(case=case, reader=third, position=9, withdrawn_at=timezone.now())
    seen = Reading.objects.create(
        assignment=moved, completion_a=read.completion_a, opened_at=timezone.now(), asks_first_read=False
    )
    assert queue_adjudications(reader_study=reader_study) == 0
    seen.delete()
    assert queue_adjudications(reader_study=reader_study) == 1
    assert [row.is_adjudication for row in worklist(third).rows] == [True]


def test_who_decides_answers_what_is_disputed_and_may_overrule_the_rest() -> None:
    reader_study = disputed_study()
    third = spare_reader(reader_study)
    dispute(reader_study)
    tend_reader_studies()
    reading = Reading.objects.get(uid=worklist(third).rows[0].reading)
    mark_opened(reading, reader=third)
    shown = show_reading(reading_for(third, reading.uid))
    assert shown.adjudication is not None
    (item,) = shown.adjudication.disputed
    assert item.step is not None
    step = ReasoningStep.objects.get(uid=item.step)
    assert (item.field, item.criterion, item.completion, item.region) == ("plausibility", None, None, None)
    (sentence,) = shown.missing
    assert sentence.startswith("1 step has no rating yet: ")
    other = ReasoningStep.objects.filter(completion=reading.completion_a).exclude(pk=step.pk)[0]
    assert change(reading, RateStep(other.uid, 5, False, "")) == shown.missing
    with pytest.raises(RefusedByRule, match="1 step has no rating yet"):
        sign(reading)
    assert change(reading, RateStep(step.uid, None, True, "")) == ()
    sign(reading)
    assert {rating.step_id for rating in reading.step_ratings.all()} == {step.pk, other.pk}


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


def test_where_everybody_has_read_it_an_admin_names_somebody_from_outside() -> None:
    reader_study = disputed_study(num_readers=3)
    spare = spare_reader(reader_study)
    case = dispute(reader_study)
    Invitation.objects.filter(reader=spare).update(state=Invitation.State.DECLINED)
    assert queue_adjudications(reader_study=reader_study) == 0
    admin, outsider = AdminFactory.create(), ExpertFactory.create()
    with pytest.raises(RefusedByRule, match="has read this case"):
        start_adjudication(case=case, reader=readings_of(case)[0].assignment.reader, actor=admin)
    start_adjudication(case=case, reader=outsider, actor=admin)
    found = worklist(outsider)
    assert (len(found.rows), found.num_open) == (1, 1)
    with pytest.raises(RefusedByRule, match="being adjudicated already"):
        start_adjudication(case=case, reader=ExpertFactory.create(), actor=admin)


def test_who_settles_cases_without_an_invitation_is_told_how_many_they_are() -> None:
    reader_study, outsider = disputed_study(num_cases=2), ExpertFactory.create()
    first, _ = [
        Assignment.objects.create(case=case, reader=outsider, kind=Assignment.Kind.ADJUDICATION)
        for case in Case.objects.filter(reader_study=reader_study)
    ]
    assert place_of(first) == Place(1, 2)


def test_who_settles_cases_without_an_invitation_keeps_the_number_of_each() -> None:
    reader_study = disputed_study(num_cases=2)
    outsider, admin = ExpertFactory.create(), AdminFactory.create()
    for case in Case.objects.filter(reader_study=reader_study):
        start_adjudication(case=dispute_of(case), reader=outsider, actor=admin)
    for reading in Reading.objects.filter(assignment__reader=outsider).order_by("-pk"):
        mark_opened(reading, reader=outsider)
    own = Assignment.objects.filter(reader=outsider).order_by("pk")
    assert [(each.number, place_of(each)) for each in own] == [(2, Place(2, 2)), (1, Place(1, 2))]


def test_who_settled_cases_and_is_invited_then_goes_on_counting() -> None:
    reader_study, outsider, admin = disputed_study(), ExpertFactory.create(), AdminFactory.create()
    start_adjudication(case=dispute(reader_study), reader=outsider, actor=admin)
    mark_opened(Reading.objects.get(assignment__reader=outsider), reader=outsider)
    invitation = invite_reader(reader_study=reader_study, reader=outsider, actor=admin)
    invitation.refresh_from_db()
    own = Assignment.objects.filter(reader=outsider, withdrawn_at=None)
    assert (invitation.num_assigned, invitation.num_signed) == (own.count(), 0)
    assert invitation.num_opened == 1


def test_a_consensus_reading_waits_for_an_admin_and_may_be_led_by_one_who_read_the_case() -> None:
    reader_study = disputed_study(adjudication="consensus")
    case = dispute(reader_study)
    assert queue_adjudications(reader_study=reader_study) == 0
    reader = readings_of(case)[0].assignment.reader
    start_adjudication(case=case, reader=reader, actor=AdminFactory.create())
    assert [row.is_adjudication for row in worklist(reader).rows] == [True]


def test_what_cannot_be_adjudicated_is_said() -> None:
    admin = AdminFactory.create()
    reader_study = disputed_study()
    case = the_case(reader_study)
    expert = ExpertFactory.create()
    with pytest.raises(RefusedByRule, match="Fewer than 2 readers"):
        start_adjudication(case=case, reader=expert, actor=admin)
    with pytest.raises(RefusedByRule, match="may not read cases"):
        start_adjudication(case=case, reader=admin, actor=admin)
    without = running(a_draft(num_cases=1))
    with pytest.raises(RefusedByRule, match="has no adjudication"):
        start_adjudication(case=the_case(without), reader=expert, actor=admin)
    for assignment in Assignment.objects.filter(case=case):
        sign_unsaid(assignment)
    Case.objects.filter(pk=case.pk).update(role=Case.Role.CONTROL)
    with pytest.raises(RefusedByRule, match="Only a case of data"):
        start_adjudication(case=case, reader=expert, actor=admin)
    lock_reader_study(reader_study=reader_study, actor=admin)
    with pytest.raises(RefusedByRule, match="Only a running"):
        start_adjudication(case=case, reader=expert, actor=admin)
