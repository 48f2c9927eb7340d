"""The design form's parts: usual questions by one choice, and lines that say how the rest stands."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from deepmedix_review.reviews.criteria.library import DEFAULT_KEYS
from deepmedix_review.reviews.designing import words
from deepmedix_review.reviews.designing.example import DESIGN, INSTRUCTIONS, example_plan
from deepmedix_review.reviews.designing.form import ReaderStudyForm
from deepmedix_review.reviews.designing.sections import FIELDS
from deepmedix_review.reviews.models import Criterion, ReaderStudy
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reviews import completed_study

from .a_form import form, uids

pytestmark = pytest.mark.django_db

NEW = "/reader-studies/new/"
PLAN = "/reader-studies/plan/"


@pytest.fixture
def desk() -> Client:
    client = Client()
    client.force_login(AdminFactory.create())
    return client


def said(page: str) -> dict[str, str]:
    """The lines of the sections, by key."""
    return dict(re.findall(r'id="said-(\w+)"[^>]*>([^<]*)<', page))


def opened(page: str) -> list[str]:
    """The headings of the sections that are open."""
    return re.findall(r'<details class="panel section" open><summary><h2>([^<]*)<', page)


def test_an_untouched_form_says_how_everything_stands(desk: Client) -> None:
    completed_study()
    page = desk.get(NEW).content.decode()
    assert said(page) == {
        "told": "Instructions: none.",
        "questions": "Plausibility, Region, Relevance, Correctness, Completeness, Better overall.",
        "lists": "Every reader reads all. Seed: 1.",
        "checks": "First reads: off. Repeats: none. Controls: none.",
        "taught": "Cases: none.",
        "end": "Deadline: none. Results: seen as they come. Disagreement: left as it is.",
    }
    assert opened(page) == []


def test_the_lines_follow_the_form_as_it_changes(desk: Client) -> None:
    study, deadline = completed_study(), timezone.localdate() + timedelta(days=40)
    sent = form(
        instructions="Read  as\nin a clinic.",
        preset="answer",
        design="anchor_rotation",
        readers_per_case="2",
        num_anchor_cases="5",
        seed="7",
        first_reads="share",
        first_read_share="25",
        repeat_share="10",
        washout_cases="15",
        washout_days="28",
        control_share="2.5",
        deadline=deadline.isoformat(),
        hides_results="on",
        adjudication="third_reader",
        adjudication_points="1.5",
    ) | {
        "taught-TOTAL_FORMS": "1",
        "taught-0-study": str(study.uid),
        "taught-0-role": "calibration",
        "taught-0-findings": ["Edema"],
    }
    page = desk.post(PLAN, sent).content.decode()
    lines = said(page)
    assert lines["told"] == "Instructions: Read as in a clinic."
    assert lines["questions"] == "Relevance, Correctness, Completeness, Harm."
    assert (
        lines["lists"] == "Anchor cases for all, the rest in rotation, 5 anchor cases, 2 per case. Seed: 7."
    )
    assert lines["checks"] == (
        "First reads: on a random share, 25 %. Repeats: 10 % behind 15 cases and 28 days. Controls: 2.5 %."
    )
    assert lines["taught"] == "Cases: 1 calibration."
    assert lines["end"].startswith("Deadline: ")
    assert lines["end"].endswith(
        "Results: hidden until the lock. Disagreement: a third reader, from 1.5 points apart."
    )
    assert set(re.findall(r'id="said-(\w+)" hx-swap-oob="true"', page)) == set(FIELDS)
    split = desk.post(PLAN, form(design="split_plot", num_blocks="3", is_pool="on")).content.decode()
    assert said(split)["lists"] == "Split-plot, 3 blocks, from a pool. Seed: 4."
    assert not ReaderStudy.objects.exists()


def test_a_part_with_an_error_and_one_whose_button_was_pressed_come_back_open(desk: Client) -> None:
    completed_study()
    page = desk.post(NEW, form(repeat_share="140", deadline="never", action="save")).content.decode()
    assert opened(page) == [
        "First reads, repeats and controls",
        "Deadline, results and disagreement",
    ]
    assert opened(desk.post(NEW, form(action="add-taught")).content.decode()) == ["Practice and calibration"]
    broken = form(action="save") | {
        "taught-TOTAL_FORMS": "1",
        "taught-0-study": str(completed_study().uid),
        "taught-0-regions": "somewhere",
    }
    assert opened(desk.post(NEW, broken).content.decode()) == ["Practice and calibration"]


@pytest.mark.parametrize(
    ("preset", "keys"),
    [
        ("usual", set(DEFAULT_KEYS)),
        ("room", {*DEFAULT_KEYS, "harm", "better-grounded"}),
        ("answer", {"relevance", "correctness", "completeness", "harm"}),
        ("all", None),
    ],
)
def test_a_usual_set_of_questions_is_asked_by_one_choice(
    desk: Client, preset: str, keys: set[str] | None
) -> None:
    completed_study()
    ticked = Criterion.objects.get(key="omission")
    desk.post(NEW, form(preset=preset, asked=uids(ticked), cases_from="all", action="save"))
    draft = ReaderStudy.objects.get()
    asked = set(draft.asked.values_list("criterion__key", "is_required"))
    expected = keys or set(Criterion.objects.filter(is_library=True).values_list("key", flat=True))
    assert asked == {(key, True) for key in expected}
    page = desk.get(reverse("reader-study-design", args=[draft.uid])).content.decode()
    assert re.search(rf'name="preset" value="{preset}"[^>]* checked', page)


def test_a_set_is_known_again_where_one_output_asks_no_vote(desk: Client) -> None:
    completed_study()
    desk.post(NEW, form(preset="usual", shows="one", cases_from="all", action="save"))
    draft = ReaderStudy.objects.get()
    assert "better-overall" not in draft.asked.values_list("criterion__key", flat=True)
    page = desk.get(reverse("reader-study-design", args=[draft.uid])).content.decode()
    assert re.search(r'name="preset" value="usual"[^>]* checked', page)


def test_ticked_questions_are_own_and_stay_ticked(desk: Client) -> None:
    completed_study()
    harm = Criterion.objects.get(key="harm")
    sent = form(preset="own", asked=uids(harm), required=[], cases_from="all")
    assert said(desk.post(PLAN, sent).content.decode())["questions"] == "Harm (optional)."
    desk.post(NEW, sent | {"action": "save"})
    draft = ReaderStudy.objects.get()
    page = desk.get(reverse("reader-study-design", args=[draft.uid])).content.decode()
    assert re.search(r'name="preset" value="own"[^>]* checked', page)
    assert re.findall(r'aria-label="Ask ([\w ]+)" checked', page) == ["Harm"]


def test_every_hard_word_is_explained_in_a_sentence_where_it_stands(desk: Client) -> None:
    completed_study()
    page = desk.get(NEW).content.decode()
    for choices in words.EXPLAINED.values():
        for sentence in choices.values():
            assert sentence in page.replace("&#x27;", "'"), sentence
    described = re.findall(r'type="radio"[^>]*aria-describedby="([^"]+)"', page)
    assert described
    for name in described:
        assert f'id="{name}"' in page
    text = " ".join(strip_tags(page).split())
    for word in (
        "Washout is what lies between a case and its repeat",
        "a calibration case makes readers equally strict",
        "Alpha says how far readers agree beyond chance",
        "Two readers' ratings of one item this far apart are a disagreement.",
        "Read by every reader.",
    ):
        assert word in text, word


def test_each_field_of_the_form_is_on_the_first_screen_or_in_one_section() -> None:
    first_screen = {
        *("title", "shows", "version", "other_version", "preset", "readers", "imports", "studies"),
        *("cases_from", "collection", "collection_split", "collection_most", "leaves_out_same"),
    }
    in_sections = [name for fields in FIELDS.values() for name in fields]
    assert len(in_sections) == len(set(in_sections))
    assert first_screen | set(in_sections) == set(ReaderStudyForm.base_fields)


def test_the_worked_example_shows_its_own_plan_and_begins_a_form(desk: Client) -> None:
    completed_study()
    page = desk.get(reverse("reader-study-example")).content.decode()
    plan = example_plan()
    assert f"{plan.num_data_cases} of data, {plan.num_control_cases} controls" in page
    assert f"{plan.num_readings}, about" in page
    assert "Even its lower end is above half" in page
    page = desk.get(f"{NEW}?begin=example").content.decode()
    assert said(page)["checks"].startswith("First reads: on a random share, 50 %. Repeats: 10 % behind")
    assert re.search(r'name="shows" value="two_versions"[^>]* checked', page)
    assert INSTRUCTIONS in page
    assert not re.search(r'name="readers"[^>]* checked', page)
    sent = form(
        shows="two_versions",
        design="k_readers",
        readers_per_case="3",
        first_reads="share",
        first_read_share="50",
        repeat_share="10",
        washout_cases=str(DESIGN.washout_cases),
        washout_days=str(DESIGN.washout_days),
        control_share="5",
        action="save",
    )
    desk.post(NEW, sent)
    made: Any = ReaderStudy.objects.get()
    for name, value in vars(DESIGN).items():
        assert getattr(made, name) == value, name


def test_a_reader_is_chosen_on_the_first_screen(desk: Client) -> None:
    completed_study()
    expert = ExpertFactory.create()
    page = desk.get(NEW).content.decode()
    first_screen = page[: page.index('class="panel section"')]
    for name in ("title", "cases_from", "shows", "preset"):
        assert f'name="{name}"' in first_screen
    assert expert.pseudonym in first_screen
