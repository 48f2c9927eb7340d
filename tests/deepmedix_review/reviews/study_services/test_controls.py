"""Control cases show something plainly wrong, know what it is, and are data for nobody."""

import random
import re
from collections.abc import Sequence

import pytest

from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.reasoning.altered import record_foreign_sentence, record_wrong_region
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.reasoning.selectors import study_inference
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy, Reading
from deepmedix_review.reviews.selectors import completions_to_read
from deepmedix_review.reviews.services import mark_opened
from deepmedix_review.reviews.study_services import TaughtCase, start_adjudication
from deepmedix_review.reviews.study_services.controls import MOST_OVERLAP, make_control
from inference.grounding import find_boxes
from inference.regions import Box, overlap, to_image_px
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.reader_studies import a_draft, running, studies, studies_that_differ
from tests.factories.reasoning import CompletionFactory, say
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.factories.reviews import EFFUSION, HEART, complete, sign
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db

Alteration = Completion.Alteration
POINTING = ("There is a left nodule with [69, 25, 79, 33]", [(150.0, 60.0, 200.0, 120.0)])


def box_of(region: Region) -> Box:
    return Box(region.x_min, region.y_min, region.x_max, region.y_max)


def controls_of(reader_study: ReaderStudy) -> list[Case]:
    return list(Case.objects.filter(reader_study=reader_study, role=Case.Role.CONTROL))


def test_one_thing_in_one_completion_of_a_control_is_wrong_and_known() -> None:
    design = ReaderStudyDesign(control_share=0.5)
    reader_study = running(a_draft(studies=studies_that_differ(12), design=design))
    seen = set()
    for case in controls_of(reader_study):
        assert case.known_answer is not None
        [what] = case.known_answer["alterations"]
        shown = list(Completion.with_altered.filter(cases=case))
        [copy] = [completion for completion in shown if completion.alteration]
        assert (len(shown), str(copy.uid), copy.alteration) == (2, what["completion"], what["alteration"])
        original = copy.altered_from
        assert original is not None
        assert original.study_id == case.study_id
        seen.add(copy.alteration)
        texts = [list(c.steps.order_by("position").values_list("text", flat=True)) for c in (original, copy)]
        changed = [n for n, (old, new) in enumerate(zip(*texts, strict=True), start=1) if old != new]
        step = ReasoningStep.objects.get(uid=what["step"])
        assert step.completion_id == copy.pk
        old_boxes, new_boxes = (
            {(r.step.position, r.position): box_of(r) for r in Region.objects.filter(step__completion=c)}
            for c in (original, copy)
        )
        moved = [key for key, box in old_boxes.items() if new_boxes[key] != box]
        if copy.alteration == Alteration.FOREIGN_SENTENCE:
            assert (changed, moved, what["region"]) == ([step.position], [], None)
            assert step.text not in texts[0]
            assert step.text in copy.text or original.text == copy.text
        else:
            region = Region.objects.get(uid=what["region"])
            assert (changed, moved) == ([], [(step.position, region.position)])
            assert (region.step_id, region.problem) == (step.pk, "")
            siblings = [box for (position, _), box in old_boxes.items() if position == step.position]
            assert all(overlap(box_of(region), box) <= MOST_OVERLAP for box in siblings)
    assert seen == set(Alteration.values)


@pytest.mark.parametrize(
    "numbers", [("12, 20, 60, 70", "30,40,80,90"), ("12.5, 20.0, 60.5, 70.0", "3, 4, 8, 9")]
)
@pytest.mark.parametrize(
    "foreign", ["There is an effusion [1, 2, 3, 4] and [5, 6, 7, 8].", "There is an effusion."]
)
def test_the_boxes_in_the_text_of_a_copy_are_those_that_it_shows(
    numbers: Sequence[str], foreign: str
) -> None:
    def shown_and_written(completion: Completion) -> tuple[list[Box], list[Box]]:
        size = (completion.image_width, completion.image_height)
        model_size = (completion.model_width, completion.model_height)
        [step] = completion.steps.all()
        frame = completion.model_version.box_frame
        assert step.text in completion.text
        written = [
            to_image_px(box, frame=frame, model_size=model_size, image_size=size)
            for _, box in find_boxes(step.text)
        ]
        return [box_of(region) for region in step.regions.order_by("position")], written

    film = InstanceFactory.create(rows=448, columns=336)
    text = f"The heart is enlarged [{numbers[0]}] and wide [{numbers[1]}]"
    boxes = [Box(*(float(edge) for edge in one.split(","))) for one in numbers]
    scaled = [Box(x * 3, y * 4, x_max * 3, y_max * 4) for x, y, x_max, y_max in boxes]
    original = say(film, steps=[(text, scaled)], text=f"<think> {text} </think> \\boxed{{big}}")
    [step] = original.steps.all()
    shown, written = shown_and_written(original)
    assert shown == written
    first = step.regions.get(position=1)
    wrong = Box(100.3, 200.7, 180.9, 300.1)
    copy = record_wrong_region(original=original, region=first, box=wrong)
    shown, written = shown_and_written(copy)
    # Whole numbers: they are the same to the last digit.
    assert shown == written
    assert overlap(shown[0], wrong) > 0.9
    assert shown[1] == scaled[1]
    decimals = {len(number.partition(".")[2]) for number in numbers[0].split(", ")}
    [new] = copy.steps.all()
    assert {len(number.partition(".")[2]) for number in re.findall(r"[\d.]+", new.text)[:4]} == decimals
    copy = record_foreign_sentence(original=original, step=step, text=foreign)
    shown, written = shown_and_written(copy)
    assert shown == written == scaled
    assert copy.steps.get().text.startswith("There is an effusion")


def test_an_altered_copy_is_found_by_no_list_and_chosen_by_no_other_reader_study() -> None:
    reader_study = running(a_draft(num_cases=6, design=ReaderStudyDesign(shows="one", control_share=0.5)))
    for case in controls_of(reader_study):
        [copy] = Completion.with_altered.filter(cases=case)
        assert not Completion.objects.filter(pk=copy.pk).exists()
        assert copy not in study_inference(case.study).completions
        assert [c.alteration for c in completions_to_read([case.study])[case.study_id]] == [""]
        reading = Reading.objects.filter(assignment__case=case)[0]
        assert reading.completion_a == copy


def test_a_foreign_sentence_is_none_that_the_film_s_own_outputs_say_or_that_only_denies_something() -> None:
    film, other = InstanceFactory.create(), InstanceFactory.create()
    shown = say(film, steps=[POINTING])
    say(film, steps=[HEART])
    near = say(
        other, steps=[("There is a left nodule with [9, 9, 20, 20]", []), ("The heart is enlarged", [])]
    )
    denying = say(InstanceFactory.create(), steps=[("There is no effusion", [])])
    rng = random.Random(0)
    for donors in ([near], [denying], [near, denying]):
        for _ in range(20):
            made = make_control([shown], donors=donors, alters_all=False, rng=rng)
            assert made is not None
            assert made.known_answer["alterations"][0]["alteration"] == Alteration.WRONG_REGION
    effusion = say(InstanceFactory.create(), steps=[EFFUSION])
    ways = {
        made.known_answer["alterations"][0]["alteration"]
        for _ in range(20)
        if (made := make_control([shown], donors=[near, effusion], alters_all=False, rng=rng))
    }
    assert ways == {Alteration.WRONG_REGION, Alteration.FOREIGN_SENTENCE}
    say(film, steps=[("There may be a pleural effusion", [])])
    for _ in range(20):
        made = make_control([shown], donors=[near, effusion], alters_all=False, rng=rng)
        assert made is not None
        assert made.known_answer["alterations"][0]["alteration"] == Alteration.WRONG_REGION


def test_the_same_alteration_is_one_copy() -> None:
    completion = say(InstanceFactory.create(), steps=[HEART])
    step = completion.steps.get()
    copies = {
        record_foreign_sentence(original=completion, step=step, text="There is an effusion").pk
        for _ in range(2)
    }
    assert len(copies) == 1
    assert Completion.with_altered.filter(altered_from=completion).count() == 1


def test_of_one_of_two_versions_both_are_altered_since_either_may_be_shown() -> None:
    versions = [ServingModelFactory.create(), ModelVersionFactory.create()]
    chosen = []
    for _ in range(4):
        film = InstanceFactory.create()
        say(film, steps=[HEART], model_version=versions[0])
        say(film, steps=[EFFUSION], model_version=versions[1])
        chosen.append(film.study)
    reader_study = running(
        a_draft(
            studies=chosen,
            design=ReaderStudyDesign(shows="one_of_two", control_share=0.5),
            model_version=versions[0],
            other_version=versions[1],
        )
    )
    for case in controls_of(reader_study):
        assert Completion.with_altered.filter(cases=case).exclude(alteration="").count() == 2


def test_a_case_that_offers_nothing_to_alter_stays_data() -> None:
    bare = [CompletionFactory.create(instance=InstanceFactory.create()).study for _ in range(2)]
    reader_study = running(a_draft(studies=bare, design=ReaderStudyDesign(shows="one", control_share=0.5)))
    assert controls_of(reader_study) == []


def test_a_data_set_frozen_from_all_roles_holds_first_and_adjudicating_readings_of_data_alone() -> None:
    [training, calibration] = studies(2, num_completions=2)
    reader_study = running(
        a_draft(
            num_cases=5,
            num_readers=2,
            design=ReaderStudyDesign(control_share=0.2, repeat_share=0.25),
            taught=[TaughtCase(training, {}), TaughtCase(calibration, {}, role="calibration")],
            adjudication="consensus",
        )
    )
    for reading in Reading.objects.filter(assignment__case__reader_study=reader_study).order_by("pk"):
        Assignment.objects.filter(pk=reading.assignment_id).update(available_at="2026-01-01T00:00Z")
        mark_opened(reading, reader=reading.assignment.reader)
        complete(reading)
        sign(reading)
    case = Case.objects.filter(reader_study=reader_study, role=Case.Role.DATA)[0]
    adjudication = start_adjudication(case=case, reader=ExpertFactory.create(), actor=AdminFactory.create())
    reading = Reading.objects.get(assignment=adjudication)
    complete(reading)
    sign(reading)
    roles = Reading.objects.filter(signed_at__isnull=False).values_list(
        "assignment__case__role", "assignment__kind"
    )
    assert len(set(roles)) == 6

    dataset = freeze_dataset(title="All roles", actor=ResearcherFactory.create())
    num_data = Case.objects.filter(reader_study=reader_study, role=Case.Role.DATA).count()
    assert dataset.num_readings == 2 * num_data + 1
    learned = Reading.objects.filter(pk__in=dataset.readings.values("reading"))
    assert set(learned.values_list("assignment__case__role", flat=True)) == {Case.Role.DATA}
    assert set(learned.values_list("assignment__kind", flat=True)) == {"first", "adjudication"}
    assert set(learned.values_list("completion_a__alteration", "completion_b__alteration")) == {("", "")}
