"""Readers' own regions, missed findings, rewritten texts and answers to the reader study's own questions."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reviews.models import (
    AnswerRating,
    Criterion,
    CriterionRating,
    DrawnRegion,
    MissedFinding,
    ReaderStudyCriterion,
    Reading,
    RegionAnnotation,
    Vote,
)
from deepmedix_review.reviews.reading.changes import (
    AddFinding,
    AnnotateRegion,
    CastVote,
    Change,
    CriterionValue,
    DrawRegion,
    RateAnswer,
    RateCriterion,
    RateStep,
)
from deepmedix_review.reviews.reading.recording_own import MOST_FINDINGS, MOST_REGIONS
from deepmedix_review.reviews.services import amend_reading
from tests.factories.reviews import an_open_reading, change, complete, reader_of, sign

pytestmark = pytest.mark.django_db

Kind = Criterion.Kind
Target = Criterion.Target
BOX = (10.0, 20.0, 110.0, 220.0)
LEVELS = [{"value": value, "label": str(value), "anchor": "…"} for value in (1, 2, 3)]
KINDS = [{"value": value, "label": value, "anchor": "…"} for value in ("side", "zone", "size")]


@pytest.fixture
def reading() -> Reading:
    return an_open_reading()


def get(reading: Reading) -> Any:
    client = Client()
    client.force_login(reader_of(reading))
    return client.get(reverse("api-reading", args=[reading.uid])).json()


def ask(reading: Reading, target: str, kind: str, *, is_required: bool = True, **more: Any) -> Criterion:
    options = {Kind.TEXT: [], Kind.SCALE: LEVELS}.get(Kind(kind), KINDS)
    number = Criterion.objects.count()
    fields = {"key": f"own-{number}", "name": f"Own {number}", "options": options}
    criterion = Criterion.objects.create(target=target, kind=kind, **(fields | more))
    ReaderStudyCriterion.objects.create(
        reader_study=reading.assignment.case.reader_study,
        criterion=criterion,
        position=number,
        is_required=is_required,
    )
    return criterion


def answered(criterion: Criterion, value: CriterionValue | None, **item: uuid.UUID) -> RateCriterion:
    named = {"completion": None, "step": None, "region": None} | item
    return RateCriterion(criterion.uid, named["completion"], named["step"], named["region"], value)


def test_a_region_is_drawn_for_a_step_moved_and_taken_away(reading: Reading) -> None:
    step = reading.completion_a.steps.earliest("position")
    uid = uuid.uuid4()
    change(reading, DrawRegion(uid, step.uid, None, None, BOX))
    change(reading, DrawRegion(uuid.uuid4(), step.uid, None, None, (0, 0, 480, 640)))
    change(reading, DrawRegion(uid, step.uid, None, None, (5.0, 5.0, 50.0, 50.0)))
    first, second = get(reading)["drawn_regions"]
    assert (first["uid"], first["step"], first["x_max"]) == (str(uid), str(step.uid), 50.0)
    assert (second["x_max"], second["missed_finding"], second["first_read"]) == (480.0, None, None)
    change(reading, DrawRegion(uid, step.uid, None, None, None))
    change(reading, DrawRegion(uid, step.uid, None, None, None))
    assert [region["uid"] for region in get(reading)["drawn_regions"]] == [second["uid"]]


def test_a_finding_is_added_reworded_placed_and_taken_away_with_its_regions(reading: Reading) -> None:
    finding = uuid.uuid4()
    change(reading, AddFinding(finding, reading.completion_a.uid, "rib fracture"))
    change(reading, AddFinding(finding, reading.completion_a.uid, "old rib fracture"))
    change(reading, DrawRegion(uuid.uuid4(), None, finding, None, BOX))
    shown = get(reading)
    assert shown["missed_findings"] == [
        {"uid": str(finding), "completion": str(reading.completion_a.uid), "text": "old rib fracture"}
    ]
    assert shown["drawn_regions"][0]["missed_finding"] == str(finding)
    change(reading, AddFinding(finding, reading.completion_a.uid, None))
    shown = get(reading)
    assert (shown["missed_findings"], shown["drawn_regions"]) == ([], [])


def test_what_belongs_to_no_one_thing_of_this_case_is_refused(reading: Reading) -> None:
    other = an_open_reading()
    step, foreign_step = (each.completion_a.steps.earliest("position") for each in (reading, other))
    finding, region = uuid.uuid4(), uuid.uuid4()
    change(other, AddFinding(finding, other.completion_a.uid, "nodule"))
    change(other, DrawRegion(region, foreign_step.uid, None, None, BOX))
    mine = uuid.uuid4()
    change(reading, DrawRegion(mine, step.uid, None, None, BOX))
    second_step = reading.completion_a.steps.latest("position")
    refused: list[tuple[Change, str]] = [
        (DrawRegion(uuid.uuid4(), None, None, None, BOX), "Name one"),
        (DrawRegion(uuid.uuid4(), step.uid, finding, None, BOX), "Name one"),
        (DrawRegion(uuid.uuid4(), foreign_step.uid, None, None, BOX), "step is not part of this case"),
        (DrawRegion(uuid.uuid4(), None, finding, None, BOX), "finding is not part of this case"),
        (DrawRegion(region, step.uid, None, None, BOX), "region is not part of this case"),
        (DrawRegion(region, step.uid, None, None, None), "region is not part of this case"),
        (DrawRegion(mine, second_step.uid, None, None, BOX), "belongs to something else"),
        (DrawRegion(mine, second_step.uid, None, None, None), "belongs to something else"),
        (DrawRegion(uuid.uuid4(), step.uid, None, None, (0, 0, 481, 20)), "leaves the film"),
        (DrawRegion(uuid.uuid4(), step.uid, None, None, (5, 5, 5, 20)), "no area"),
        (DrawRegion(uuid.uuid4(), step.uid, None, None, (0, 0, float("inf"), 9)), "no area"),
        (AddFinding(finding, reading.completion_a.uid, "mine"), "finding is not part of this case"),
        (AddFinding(finding, reading.completion_a.uid, None), "finding is not part of this case"),
        (AddFinding(uuid.uuid4(), other.completion_a.uid, "x"), "answer is not part of this case"),
    ]
    num_changes = reading.changes.count()
    for each, sentence in refused:
        with pytest.raises(RefusedByRule, match=sentence):
            change(reading, each)
    assert reading.changes.count() == num_changes
    assert MissedFinding.objects.get().text == "nodule"


def test_a_page_gone_astray_draws_and_adds_no_end_of_things(reading: Reading) -> None:
    step = reading.completion_a.steps.earliest("position")
    edges = {"x_min": 0, "y_min": 0, "x_max": 1, "y_max": 1}
    DrawnRegion.objects.bulk_create(
        DrawnRegion(reading=reading, step=step, **edges) for _ in range(MOST_REGIONS)
    )
    MissedFinding.objects.bulk_create(
        MissedFinding(reading=reading, completion=reading.completion_a, text="x")
        for _ in range(MOST_FINDINGS)
    )
    with pytest.raises(RefusedByRule, match="200 regions were drawn already"):
        change(reading, DrawRegion(uuid.uuid4(), step.uid, None, None, BOX))
    with pytest.raises(RefusedByRule, match="50 findings were added already"):
        change(reading, AddFinding(uuid.uuid4(), reading.completion_a.uid, "x"))


def test_texts_of_the_readers_own_harm_and_two_votes_are_kept() -> None:
    reading = an_open_reading(
        asked=[*("relevance", "correctness", "completeness", "harm"), *("better-grounded", "better-overall")]
    )
    step = reading.completion_a.steps.earliest("position")
    change(reading, RateStep(step.uid, None, False, "", "The heart is of normal size"))
    change(reading, RateAnswer(reading.completion_a.uid, 1, 2, 3, AnswerRating.Harm.MILD, "no finding"))
    change(reading, CastVote(Vote.Side.BOTH_BAD, Vote.Kind.GROUNDED))
    change(reading, CastVote(Vote.Side.B))
    shown = get(reading)
    assert shown["step_ratings"][0]["edited_text"] == "The heart is of normal size"
    assert (shown["answer_ratings"][0]["harm"], shown["answer_ratings"][0]["rewrite"]) == (
        "mild",
        "no finding",
    )
    assert shown["votes"] == [{"kind": "grounded", "side": "both_bad"}, {"kind": "overall", "side": "b"}]
    change(reading, CastVote(None, Vote.Kind.GROUNDED))
    assert get(reading)["votes"] == [{"kind": "overall", "side": "b"}]


def test_each_kind_of_question_is_answered_taken_back_and_asked_for(reading: Reading) -> None:
    step = reading.completion_a.steps.earliest("position")
    region = step.regions.earliest("position")
    items: list[tuple[Criterion, CriterionValue, Any, dict[str, uuid.UUID]]] = [
        (ask(reading, Target.STEP, Kind.SCALE), 2, 2, {"step": step.uid}),
        (ask(reading, Target.REGION, Kind.CHOICE), "side", "side", {"region": region.uid}),
        (
            ask(reading, Target.ANSWER, Kind.CHOICES),
            ("zone", "side"),
            ["zone", "side"],
            {"completion": reading.completion_a.uid},
        ),
        (ask(reading, Target.CASE, Kind.TEXT), "a hard one", "a hard one", {}),
        (ask(reading, Target.VOTE, Kind.CHOICE), "size", "size", {}),
    ]
    names = [criterion.name for criterion, *_ in items]
    assert get(reading)["missing"] == [
        f"“{names[0]}” has no answer yet: A 1, A 2, B 1 and B 2.",
        f"“{names[1]}” has no answer yet: A 1, A 2a, A 2b, B 1, B 2a and B 2b.",
        f"“{names[2]}” has no answer yet: A and B.",
        f"“{names[3]}” has no answer yet.",
        f"“{names[4]}” has no answer yet.",
    ]
    for criterion, value, _, item in items:
        change(reading, answered(criterion, value, **item))
        change(reading, answered(criterion, value, **item))
    shown = get(reading)
    assert [rating["value"] for rating in shown["criterion_ratings"]] == [kept for _, _, kept, _ in items]
    assert shown["missing"] == [
        f"“{names[0]}” has no answer yet: A 2, B 1 and B 2.",
        f"“{names[1]}” has no answer yet: A 2a, A 2b, B 1, B 2a and B 2b.",
        f"“{names[2]}” has no answer yet: B.",
    ]
    for criterion, _, _, item in items:
        change(reading, answered(criterion, None, **item))
    assert not CriterionRating.objects.exists()


def test_only_what_the_reader_study_asks_is_missing_and_what_may_be_left_open_is_not() -> None:
    reading = an_open_reading(asked=["plausibility", "harm", "better-grounded"])
    ask(reading, Target.CASE, Kind.TEXT, is_required=False)
    shown = get(reading)
    assert [criterion["field"] for criterion in shown["criteria"]] == [
        "plausibility",
        "harm",
        "grounded",
        "",
    ]
    assert [criterion["is_required"] for criterion in shown["criteria"]] == [True, True, True, False]
    assert shown["missing"] == [
        "4 steps have no rating yet: A 1, A 2, B 1 and B 2.",
        "Answer A has no rating yet for harm.",
        "Answer B has no rating yet for harm.",
        "The vote between A and B is still open: better grounded.",
    ]
    for completion in (reading.completion_a, reading.completion_b):
        assert completion is not None
        for step in completion.steps.all():
            change(reading, RateStep(step.uid, 3, False, ""))
        change(reading, RateAnswer(completion.uid, None, None, None, AnswerRating.Harm.NONE))
    assert change(reading, CastVote(Vote.Side.TIE, Vote.Kind.GROUNDED)) == ()
    assert sign(reading).signed_at is not None


def test_an_answer_to_a_question_is_one_that_it_offers_of_what_it_asks(reading: Reading) -> None:
    step = reading.completion_a.steps.earliest("position")
    scale = ask(reading, Target.STEP, Kind.SCALE)
    choices = ask(reading, Target.CASE, Kind.CHOICES)
    text = ask(reading, Target.CASE, Kind.TEXT)
    vote = ask(reading, Target.VOTE, Kind.CHOICE)
    unasked = Criterion.objects.create(key="un", name="Un", target="case", kind="text")
    built_in = ask(reading, Target.STEP, Kind.SCALE, field="plausibility", name="Plausibility")
    foreign = an_open_reading().completion_a.steps.earliest("position")
    refused = [
        (answered(unasked, "x"), "does not ask that question"),
        (RateCriterion(uuid.uuid4(), None, None, None, 1), "does not ask that question"),
        (answered(built_in, 3, step=step.uid), "its own place"),
        (answered(scale, 4, step=step.uid), "no such value"),
        (answered(scale, "2", step=step.uid), "no such value"),
        (answered(scale, (1,), step=step.uid), "one of its values"),
        (answered(scale, 2), "asked of each step"),
        (answered(scale, 2, completion=reading.completion_a.uid), "asked of each step"),
        (answered(scale, 2, step=step.uid, completion=reading.completion_a.uid), "asked of each step"),
        (answered(scale, 2, step=foreign.uid), "step is not part of this case"),
        (answered(choices, "side"), "one or more"),
        (answered(choices, ()), "one or more"),
        (answered(choices, ("side", "side")), "no such value"),
        (answered(choices, ("side", "nose")), "no such value"),
        (answered(text, "  "), "in words"),
        (answered(text, 3), "in words"),
        (answered(text, "x", step=step.uid), "asked of the case"),
        (answered(vote, "size", region=step.regions.earliest("position").uid), "asked of the two outputs"),
    ]
    for each, sentence in refused:
        with pytest.raises(RefusedByRule, match=sentence):
            change(reading, each)
    assert not CriterionRating.objects.exists()


def test_one_output_leaves_no_question_between_two() -> None:
    reading = an_open_reading(num_completions=1)
    vote = ask(reading, Target.VOTE, Kind.CHOICE)
    assert get(reading)["missing"] == []
    with pytest.raises(RefusedByRule, match="nothing to vote between"):
        change(reading, answered(vote, "size"))


def test_an_amendment_starts_with_all_of_it_under_uids_of_its_own() -> None:
    reading = an_open_reading(asked=["plausibility", "region-verdict", "correctness", "better-overall"])
    step = reading.completion_a.steps.earliest("position")
    own = ask(reading, Target.STEP, Kind.SCALE, is_required=False)
    complete(reading)
    finding = uuid.uuid4()
    change(reading, answered(own, 2, step=step.uid))
    change(reading, AddFinding(finding, reading.completion_a.uid, "nodule"))
    change(reading, DrawRegion(uuid.uuid4(), None, finding, None, BOX))
    change(reading, DrawRegion(uuid.uuid4(), step.uid, None, None, BOX))
    before = get(reading)
    amendment = amend_reading(reading=sign(reading), reader=reader_of(reading), reason="second thoughts")
    after = get(amendment)
    for part in ("step_ratings", "region_annotations", "answer_ratings", "votes", "criterion_ratings"):
        assert after[part] == before[part]
    assert after["missed_findings"][0]["text"] == "nodule"
    assert after["missed_findings"][0]["uid"] != str(finding)
    regions = after["drawn_regions"]
    assert (regions[0]["missed_finding"], regions[1]["step"]) == (
        after["missed_findings"][0]["uid"],
        str(step.uid),
    )
    assert {region["uid"] for region in regions}.isdisjoint({r["uid"] for r in before["drawn_regions"]})
    change(amendment, DrawRegion(uuid.UUID(regions[1]["uid"]), step.uid, None, None, None))
    assert RegionAnnotation.objects.filter(reading=amendment).exists()


def test_a_control_is_read_like_any_other_case(reading: Reading) -> None:
    Completion.objects.filter(pk=reading.completion_a_id).update(
        alteration=Completion.Alteration.WRONG_REGION, altered_from=reading.completion_b
    )
    reading = Reading.objects.get(pk=reading.pk)
    step = reading.completion_a.steps.earliest("position")
    change(reading, RateAnswer(reading.completion_a.uid, 1, 1, 1))
    change(
        reading, AnnotateRegion(step.regions.earliest("position").uid, RegionAnnotation.Verdict.FITS, None)
    )
    change(reading, AddFinding(uuid.uuid4(), reading.completion_a.uid, "nodule"))
    assert len(get(reading)["completions"]) == 2
