"""A case that teaches says what was right once it is signed, and only then, and only such a case."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.common.errors import IsOver, RefusedByRule
from deepmedix_review.reasoning.models import Region
from deepmedix_review.reviews.known_answers import (
    FeedbackItem,
    KnownAnswer,
    KnownRegion,
    NamedBox,
    RatedStep,
    WordOfReader,
    WrittenFinding,
    compare,
    read_known_answer,
)
from deepmedix_review.reviews.models import Case, Reading, RegionAnnotation
from deepmedix_review.reviews.reading.changes import AnnotateRegion, DrawRegion, SayFirstRead
from deepmedix_review.reviews.services import amend_reading
from inference.regions import Box
from tests.factories.reviews import an_open_reading, change, complete, lock, reader_of, sign

HEART = Box(150.0, 300.0, 330.0, 480.0)
KNOWN = KnownAnswer(
    findings=("Cardiomegaly",),
    regions=(KnownRegion("Cardiomegaly", HEART),),
    comment="The cardiothoracic ratio is 0.6.",
)


def get(reading: Reading) -> Any:
    client = Client()
    client.force_login(reader_of(reading))
    return client.get(reverse("api-reading", args=[reading.uid])).json()


def with_the_heart_on_side_b(reading: Reading) -> Reading:
    """Whatever was drawn: the output whose first step shows the heart stands on side B."""
    shows_heart = Region.objects.get(step__position=1, x_min=HEART.x_min, y_min=HEART.y_min).step.completion
    if reading.completion_a == shows_heart:
        Reading.objects.update(completion_a=reading.completion_b, completion_b=shows_heart)
        reading = Reading.objects.get(pk=reading.pk)
    return reading


@pytest.mark.django_db
def test_what_was_right_is_told_after_the_signature_and_not_before() -> None:
    reading = with_the_heart_on_side_b(an_open_reading(asks_first_read=True))
    Case.objects.update(role=Case.Role.TRAINING, known_answer=KNOWN.as_json())
    change(reading, SayFirstRead(False, "", ("Cardiomegaly", "Edema"), "No effusion.", 4))
    assert (get(reading)["is_training"], get(reading)["feedback"]) == (True, None)
    lock(reading)
    complete(reading)
    step = reading.completion_a.steps.earliest("position")
    region = step.regions.earliest("position")
    change(reading, AnnotateRegion(region.uid, RegionAnnotation.Verdict.WRONG, None))
    change(reading, DrawRegion(uuid.uuid4(), step.uid, None, None, (150.0, 300.0, 330.0, 390.0)))
    assert get(reading)["feedback"] is None
    sign(reading)
    feedback = get(reading)["feedback"]
    assert feedback["known_answer"]["findings"] == ["Cardiomegaly"]
    assert feedback["known_answer"]["regions"] == [
        {"finding": "Cardiomegaly", "box": [150.0, 300.0, 330.0, 480.0]}
    ]
    told = {item["what"]: (item["yours"], item["known"], item["agrees"]) for item in feedback["items"]}
    assert told["Cardiomegaly"] == ("present", "present", True)
    assert told["Edema"] == ("present", "absent", False)
    assert told["Your words: “No effusion.”"][0] == "understood as: Pleural Effusion absent"
    assert told["Region of Cardiomegaly"][2] is True
    assert told["Region of Cardiomegaly"][0] == "close, IoU 1.00: the region of B step 1, found fitting"
    # Drawn anew in the place of a region that is wrong, it is judged as a moved one is.
    drawn = told["The region you drew for A step 1"]
    assert drawn == ("near, IoU 0.50 (the model's 0.04) with Cardiomegaly", "drawn on the film", True)
    assert [item["region"] for item in feedback["items"]][:5] == [None, None, None, None, 0]
    assert feedback["known_answer"]["comment"] == "The cardiothoracic ratio is 0.6."


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Case.Role.DATA, Case.Role.CONTROL])
def test_no_other_case_tells_what_was_right(role: str) -> None:
    reading = an_open_reading(num_completions=1)
    Case.objects.update(role=role, known_answer=KNOWN.as_json())
    complete(reading)
    sign(reading)
    assert (get(reading)["is_training"], get(reading)["feedback"]) == (False, None)


@pytest.mark.django_db
def test_a_known_answer_that_cannot_be_read_breaks_no_reading() -> None:
    reading = an_open_reading(num_completions=1)
    Case.objects.update(role=Case.Role.CALIBRATION, known_answer={"findings": ["Flu"], "regions": 3})
    complete(reading)
    sign(reading)
    (item,) = get(reading)["feedback"]["items"]
    assert (item["what"], item["agrees"]) == ("Known answer", None)
    assert "The known findings are some of" in item["known"]


@pytest.mark.parametrize(
    ("said", "known", "items"),
    [
        (
            WordOfReader(None, None, ()),
            KnownAnswer(findings=("Edema", "Fracture")),
            [FeedbackItem("Findings", "", "Edema, Fracture", None)],
        ),
        (
            WordOfReader((), None, ()),
            KnownAnswer(findings=("Edema",)),
            [FeedbackItem("Edema", "not named", "present", False)],
        ),
        (
            WordOfReader(("No Finding",), None, ()),
            KnownAnswer(findings=()),
            [FeedbackItem("No Finding", "present", "present", True)],
        ),
        (
            WordOfReader(("Edema",), None, (), impression="Nodule on the left, maybe an effusion."),
            KnownAnswer(findings=("Lung Lesion", "Pleural Effusion", "Fracture")),
            [
                FeedbackItem(
                    "Your words: “Nodule on the left, maybe an effusion.”",
                    "understood as: Lung Lesion present, Pleural Effusion possible",
                    "compared below",
                    None,
                ),
                FeedbackItem("Lung Lesion", "present, in your words", "present", True),
                FeedbackItem("Edema", "present", "absent", False),
                FeedbackItem("Pleural Effusion", "possible, in your words", "present", None),
                FeedbackItem("Fracture", "not named", "present", False),
            ],
        ),
        (
            WordOfReader((), None, (), impression="A round white thing beside the heart."),
            KnownAnswer(findings=("Lung Lesion",)),
            [
                FeedbackItem(
                    "Your words: “A round white thing beside the heart.”",
                    "not understood",
                    "no finding of the list is recognised in them: they count neither for nor against you",
                    None,
                ),
                FeedbackItem("Lung Lesion", "not among what was understood", "present", None),
            ],
        ),
        (
            WordOfReader((), None, (), impression="The heart is enlarged. White thing on the left."),
            KnownAnswer(findings=("Lung Lesion",)),
            [
                FeedbackItem(
                    "Your words: “The heart is enlarged. White thing on the left.”",
                    "understood as: Cardiomegaly present",
                    "the rest is not understood, and counts neither for nor against you",
                    None,
                ),
                FeedbackItem("Cardiomegaly", "present, in your words", "absent", False),
                FeedbackItem("Lung Lesion", "not among what was understood", "present", None),
            ],
        ),
        (
            WordOfReader((), None, (), impression="Opacity, pneumonia."),
            KnownAnswer(findings=("Lung Lesion", "Consolidation")),
            [
                FeedbackItem(
                    "Your words: “Opacity, pneumonia.”",
                    "understood as: Lung Opacity present, Pneumonia present",
                    "compared below",
                    None,
                ),
                FeedbackItem("Lung Opacity", "present, in your words", "present", True),
                FeedbackItem("Lung Lesion", "Lung Opacity, in your words", "present", None),
                FeedbackItem("Consolidation", "Lung Opacity, Pneumonia, in your words", "present", None),
                FeedbackItem("Pneumonia", "present, in your words", "only something wider is known", None),
            ],
        ),
        (
            WordOfReader((), None, (), impression="Normal chest."),
            KnownAnswer(findings=()),
            [
                FeedbackItem(
                    "Your words: “Normal chest.”", "understood as: No Finding present", "compared below", None
                ),
                FeedbackItem("No Finding", "present, in your words", "present", True),
            ],
        ),
        (
            WordOfReader((), None, (), impression="No effusion."),
            KnownAnswer(findings=()),
            [
                FeedbackItem(
                    "Your words: “No effusion.”",
                    "understood as: Pleural Effusion absent",
                    "compared below",
                    None,
                ),
                FeedbackItem("No Finding", "not named", "present", None),
                FeedbackItem("Pleural Effusion", "absent, in your words", "absent", True),
            ],
        ),
        (
            WordOfReader(None, None, ()),
            KnownAnswer(findings=()),
            [FeedbackItem("Findings", "", "No Finding", None)],
        ),
        (
            WordOfReader(None, "yes", ()),
            KnownAnswer(choice="no"),
            [FeedbackItem("Answer", "yes", "no", False)],
        ),
        (
            WordOfReader(
                None,
                None,
                (
                    NamedBox("the region you drew for step 1", Box(0, 0, 9, 9), is_drawn=True),
                    # The lungs, say: where it is no finding, nothing is known of it.
                    NamedBox("the region of step 3, found fitting", Box(0, 0, 160, 310)),
                    NamedBox("the region of step 2, found fitting", Box(150, 300, 330, 390)),
                ),
            ),
            KnownAnswer(regions=(KnownRegion("heart", HEART),)),
            [
                FeedbackItem(
                    "Region of heart",
                    "near, IoU 0.50: the region of step 2, found fitting",
                    "drawn on the film",
                    True,
                    0,
                ),
                FeedbackItem(
                    "The region you drew for step 1", "at no known region", "nothing is known there", None
                ),
            ],
        ),
        (
            WordOfReader(None, None, ()),
            KnownAnswer(regions=(KnownRegion("heart", HEART),)),
            [FeedbackItem("Region of heart", "no region", "drawn on the film", False, 0)],
        ),
        (
            WordOfReader(
                None, None, (NamedBox("the region you drew for step 1", Box(0, 0, 9, 9), is_drawn=True),)
            ),
            KnownAnswer(regions=(KnownRegion("heart", HEART),)),
            [
                FeedbackItem("Region of heart", "none near it", "drawn on the film", False, 0),
                FeedbackItem(
                    "The region you drew for step 1", "at no known region", "nothing is known there", None
                ),
            ],
        ),
        (
            WordOfReader(
                None,
                None,
                (
                    NamedBox("the region of step 1, redrawn", HEART, before=Box(150, 300, 330, 390)),
                    NamedBox("the region of A step 2, redrawn", Box(150, 300, 330, 345), before=HEART),
                    NamedBox("the region of step 3, redrawn", Box(0, 0, 9, 9), before=HEART),
                ),
            ),
            KnownAnswer(regions=(KnownRegion("heart", HEART),)),
            [
                FeedbackItem(
                    "Region of heart",
                    "close, IoU 1.00 (the model's 0.50): the region of step 1, redrawn",
                    "drawn on the film",
                    True,
                    0,
                ),
                FeedbackItem(
                    "The region of A step 2, redrawn",
                    "off, IoU 0.25 (the model's 1.00) with heart",
                    "drawn on the film",
                    False,
                    0,
                ),
                FeedbackItem(
                    "The region of step 3, redrawn",
                    "at no known region",
                    "nothing is known there",
                    None,
                    None,
                ),
            ],
        ),
        (
            WordOfReader(
                None,
                None,
                (),
                steps=(
                    RatedStep("step 1", "The heart is enlarged.", 2),
                    RatedStep("step 2", "There is a right nodule.", 4),
                    RatedStep("step 3", "No pneumothorax.", 3),
                    RatedStep("step 4", "The diaphragm is seen.", 1),
                ),
                missed=(WrittenFinding("rib fracture"), WrittenFinding("enlarged aortic knob")),
            ),
            KnownAnswer(findings=("Cardiomegaly",)),
            [
                FeedbackItem("Findings", "", "Cardiomegaly", None),
                FeedbackItem(
                    "Step 1: “The heart is enlarged.”", "implausible (2)", "true: Cardiomegaly present", False
                ),
                FeedbackItem(
                    "Step 2: “There is a right nodule.”", "plausible (4)", "false: Lung Lesion absent", False
                ),
                FeedbackItem(
                    "Step 3: “No pneumothorax.”", "partly right (3)", "true: Pneumothorax absent", None
                ),
                FeedbackItem(
                    "Missed finding: “rib fracture”",
                    "understood as: Fracture present",
                    "not there: Fracture absent",
                    False,
                ),
                FeedbackItem(
                    "Missed finding: “enlarged aortic knob”",
                    "not understood",
                    "not among what is known",
                    None,
                ),
            ],
        ),
    ],
)
def test_each_thing_is_compared_where_it_can_be(
    said: WordOfReader, known: KnownAnswer, items: list[FeedbackItem]
) -> None:
    assert list(compare(said, known)) == items


def test_a_known_answer_is_kept_and_read_again() -> None:
    assert read_known_answer(KNOWN.as_json()) == KNOWN
    assert read_known_answer(KnownAnswer(choice="no").as_json()) == KnownAnswer(choice="no")
    assert KnownAnswer().as_json() == {}


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        ({"findings": "Edema"}, "some of"),
        ({"findings": ["edema"]}, "some of"),
        ({"regions": {}}, "are a list"),
        ({"regions": [3]}, "Draw it again"),
        ({"regions": [{"finding": "x", "box": [1, 2, 3]}]}, "Draw it again"),
        ({"regions": [{"finding": "x", "box": [1, 2, 1, 4]}]}, "Draw it again"),
        ({"regions": [{"finding": "x", "box": [1, True, 3, "4"]}]}, "Draw it again"),
    ],
)
def test_a_known_answer_that_nothing_can_be_compared_with_is_refused(
    kept: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RefusedByRule, match=sentence):
        read_known_answer(kept)


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Case.Role.TRAINING, Case.Role.CALIBRATION])
def test_what_was_said_before_the_truth_was_shown_is_not_amended_after_it(role: str) -> None:
    reading = an_open_reading(num_completions=1)
    Case.objects.update(role=role, known_answer=KNOWN.as_json())
    complete(reading)
    signed = sign(reading)
    client, amend = Client(), reverse("amend-reading", args=[signed.uid])
    client.force_login(reader_of(signed))
    with pytest.raises(RefusedByRule, match="what is known of it was shown with your signature"):
        amend_reading(reading=Reading.objects.get(), reader=reader_of(signed), reason="Now I know better")
    assert get(signed)["amend"] is None
    assert amend not in client.get(reverse("worklist"), {"show": "signed"}).content.decode()
    asked = client.get(amend).content.decode()
    assert ("It was a practice case" in asked, "<textarea" in asked) == (True, False)
    refused = client.post(amend, {"reason": "Now I know better"})
    assert (refused.status_code, Reading.objects.count()) == (409, 1)
    # Of a case of data the truth is shown to nobody.
    Case.objects.update(role=Case.Role.DATA, known_answer=None)
    assert get(signed)["amend"] == amend
    assert amend_reading(reading=Reading.objects.get(), reader=reader_of(signed), reason="A slip")


@pytest.mark.django_db
def test_an_amendment_that_was_open_before_the_truth_was_shown_is_refused_with_the_reason() -> None:
    reading = an_open_reading(num_completions=1)
    complete(reading)
    signed = sign(reading)
    amendment = amend_reading(reading=Reading.objects.get(), reader=reader_of(signed), reason="A slip")
    Case.objects.update(role=Case.Role.TRAINING, known_answer=KNOWN.as_json())
    amendment = Reading.objects.get(pk=amendment.pk)
    why = (
        "What is known of this practice case was shown with your signature, so this amendment can't be signed"
    )
    with pytest.raises(IsOver, match=why):
        sign(amendment)
    with pytest.raises(IsOver, match=why):
        complete(amendment, plausibility=5)
    client = Client()
    client.force_login(reader_of(signed))
    page = client.get(reverse("worklist")).content.decode()
    assert "which counts: what is known of this practice case was shown with your signature, so the" in page
    assert "your time in this reader study is over" not in page
    assert reverse("discard-amendment", args=[amendment.uid]) in page
    asked = client.get(reverse("amend-reading", args=[signed.uid])).content.decode()
    assert "the amendment that is open can't be signed any more: this reading counts" in asked
    client.post(reverse("discard-amendment", args=[amendment.uid]))
    assert Reading.objects.get().pk == signed.pk
