"""A case rated by keys alone in a browser: first read, steps, answers, votes, and the reader's own words."""

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from deepmedix_review.reviews.models import (
    AnswerRating,
    Criterion,
    CriterionRating,
    FirstRead,
    MissedFinding,
    RegionAnnotation,
    StepRating,
    Vote,
)
from tests.browser import check_barriers
from tests.designed_room import BUILT_IN, EnterDesigned, entering_designed

# By how much the item in focus lies under the name of its output, in pixels.
UNDER_THE_NAME = """() => {
    const item = [...document.querySelectorAll('.room .current')].at(-1);
    const names = [...document.querySelectorAll('.output-name')];
    const edge = Math.max(...names.map((name) => name.getBoundingClientRect().bottom));
    return edge - item.getBoundingClientRect().top;
}"""
SCROLL_TO = """share => {
    const list = document.querySelector('.room-scroll');
    list.scrollTop = share * (list.scrollHeight - list.clientHeight);
}"""
# Of each output's name whether it lies over the list that is scrolled.
NAMES_OVER_THE_LIST = """() => {
    const top = document.querySelector('.room-scroll').getBoundingClientRect().top;
    return [...document.querySelectorAll('.output-name')].map((name) => {
        const { bottom, height } = name.getBoundingClientRect();
        return [name.querySelector('button').textContent, height === 0 || bottom > top];
    });
}"""


@pytest.fixture
def enter_designed(live_server: Any, context: BrowserContext) -> EnterDesigned:
    return entering_designed(live_server, context)


@pytest.mark.parametrize(("num_outputs", "budget"), [(1, 17), (2, 33)])
def test_a_case_of_five_steps_takes_no_more_keys_than_its_budget(
    num_outputs: int, budget: int, enter_designed: EnterDesigned
) -> None:
    room = enter_designed(num_outputs=num_outputs)
    room.open()
    room.wait_for_film()
    expect(room.page.locator(".room-bottom .keys")).to_contain_text("Choose 1–9 Shift 1–5")
    room.press("1", "Control+Enter")
    expect(room.page.get_by_role("heading", name="Reasoning")).to_be_visible()
    for _ in range(num_outputs):
        room.press(*["4", "f"] * 5, "5", "4", "3", "1")
    if num_outputs == 2:
        room.press("1", "4")
    expect(room.page.get_by_text("Everything is rated.")).to_be_visible()
    room.press("Control+Enter")
    expect(room.page.get_by_text("You have read the only case.")).to_be_visible()
    assert room.num_keys == budget
    reading = room.readings()[0]
    assert reading.signed_at is not None
    first_read = FirstRead.objects.get()
    assert first_read.findings == ["No Finding"]
    assert first_read.locked_at == reading.revealed_at
    assert StepRating.objects.filter(plausibility=4).count() == 5 * num_outputs
    assert RegionAnnotation.objects.filter(verdict="fits").count() == 5 * num_outputs
    answers = AnswerRating.objects.values_list("relevance", "correctness", "completeness", "harm")
    assert list(answers) == [(5, 4, 3, "none")] * num_outputs
    votes = dict(Vote.objects.values_list("kind", "side"))
    assert votes == ({} if num_outputs == 1 else {"grounded": "a", "overall": "both_bad"})
    assert room.problems == []


def test_a_step_is_reworded_an_answer_rewritten_and_a_missed_finding_named_by_keys(
    enter_designed: EnterDesigned,
) -> None:
    room = enter_designed(num_outputs=1)
    room.open()
    room.wait_for_film()
    room.press("1", "Control+Enter")
    expect(room.page.get_by_role("heading", name="Reasoning")).to_be_visible()
    room.press("e")
    field = room.page.get_by_label("Step 1 as you would write it")
    expect(field).to_be_focused()
    expect(field).to_have_value("The heart is enlarged.")
    field.fill("The heart is of normal size.")
    room.press("Escape")
    expect(room.page.get_by_text("You would write: The heart is of normal size.")).to_be_visible()
    room.press("n")
    room.page.keyboard.type("Fracture of a rib")
    expect(room.page.get_by_text("done, then D draws where")).to_be_in_viewport()
    room.press("Enter")
    expect(room.page.get_by_role("group", name="Missed finding 1")).to_be_focused()
    room.press("k")
    room.press("e")
    room.page.get_by_label("The answer as you would write it").fill("no finding")
    room.press("Escape")
    room.wait_until_saved()
    assert StepRating.objects.get().edited_text == "The heart is of normal size."
    assert AnswerRating.objects.get().rewrite == "no finding"
    assert MissedFinding.objects.get().text == "Fracture of a rib"
    room.press("Control+z")
    expect(room.page.get_by_text("You would write: no finding")).to_have_count(0)
    room.wait_until_saved()
    assert AnswerRating.objects.get().rewrite == ""


def test_the_answer_that_has_the_focus_says_what_it_still_says(enter_designed: EnterDesigned) -> None:
    room = enter_designed(num_outputs=1)
    room.open()
    room.wait_for_film()
    room.press("1", "Control+Enter")
    expect(room.page.get_by_role("heading", name="Reasoning")).to_be_visible()
    room.press("1", "x", "4", "f", "4", "f", "1", "x")
    said = room.page.get_by_text("The answer still says “cardiomegaly”, taken out of step 1.", exact=True)
    expect(said).to_have_count(1)
    expect(said).not_to_be_visible()
    room.press("4", "f")
    relevance = room.page.get_by_role("group", name="Relevance", exact=True)
    expect(relevance).to_be_focused()
    expect(said).to_be_visible()
    before = relevance.bounding_box()
    room.press("k")
    expect(said).not_to_be_visible()
    room.press("j")
    expect(relevance).to_be_focused()
    assert relevance.bounding_box() == before
    check_barriers(room.page)
    room.press("e")
    room.page.keyboard.press("Control+a")
    room.page.keyboard.type("no finding")
    room.press("Escape")
    expect(said).to_have_count(0)
    assert room.problems == []


def test_what_both_answers_still_say_is_read_whole_beside_the_signature_and_a_vote_changed_is_told(
    enter_designed: EnterDesigned,
) -> None:
    room = enter_designed()
    page = room.page
    page.set_viewport_size({"width": 1280, "height": 720})
    room.open()
    room.wait_for_film()
    room.press("1", "Control+Enter")
    expect(page.get_by_role("heading", name="Reasoning")).to_be_visible()
    for _ in "ab":
        room.press("1", "x", "4", "f", "4", "f", "1", "x", "4", "f", "5", "4", "3", "1")
    room.press("1", "1")
    hint = page.get_by_role(
        "button", name=re.compile("^All rated. A's and B's answers still say “cardiomegaly”")
    )
    words = hint.locator("span")
    is_whole = "each => each.scrollHeight <= each.clientHeight"
    assert words.evaluate(is_whole)
    votes = page.locator(".room-foot [role=group]")
    before = [vote.bounding_box() for vote in votes.all()]
    # Words that need more lines are seen whole under the pointer, and what is above does not move.
    words.evaluate("each => each.append(' And so on.'.repeat(20))")
    assert not words.evaluate(is_whole)
    hint.hover()
    assert words.evaluate(is_whole)
    expect(words).to_be_in_viewport(ratio=1)
    assert [vote.bounding_box() for vote in votes.all()] == before
    page.mouse.move(0, 0)
    check_barriers(page)
    room.press("2")
    expect(page.locator(".film-said")).to_have_text("Better overall: A became tie. Ctrl Z takes it back.")
    assert room.problems == []


def test_the_output_whose_step_is_in_hand_is_named_above_it_at_its_edge_and_on_its_texts(
    enter_designed: EnterDesigned,
) -> None:
    room = enter_designed()
    page = room.page
    page.set_viewport_size({"width": 1280, "height": 720})
    room.open()
    room.wait_for_film()
    room.press("1", "Control+Enter")
    head, edge = page.locator(".output-name"), page.locator(".room-list")
    expect(head).to_contain_text("Output A 9 left")
    colour_of_a = edge.evaluate("each => getComputedStyle(each).borderLeftColor")
    room.press(*["4", "f"] * 5, "5", "4", "3", "1")
    expect(head).to_contain_text("Output B 9 left Output A is complete. You are on output B now.")
    expect(head).to_be_in_viewport(ratio=1)
    expect(edge).to_have_css("border-left-style", "dashed")
    expect(edge).not_to_have_css("border-left-color", colour_of_a)
    expect(page.get_by_role("status").filter(has_text="You are on output B now.")).to_have_count(1)
    check_barriers(page)
    # Also far down, where the head is all that tells the outputs apart.
    room.press(*["4", "f"] * 5)
    expect(page.get_by_role("group", name="Relevance, output B", exact=True)).to_be_focused()
    expect(head).to_be_in_viewport(ratio=1)
    room.press("e")
    field = page.get_by_role("textbox", name="The answer of output B as you would write it")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(re.compile("^Output B · Enter done"))
    room.press("Escape", "Backquote")
    expect(head).to_contain_text("Output A rated You are on output A now.")
    expect(edge).to_have_css("border-left-style", "solid")
    assert room.problems == []


def test_one_click_opens_a_text_wherever_the_focus_was(enter_designed: EnterDesigned) -> None:
    Criterion.objects.create(key="remark", name="Remark", target="step", kind="text")
    room = enter_designed(num_outputs=1, keys=(*BUILT_IN, "remark"))
    page = room.page
    room.open()
    room.wait_for_film()
    page.get_by_role("button", name="Write your impression").click()
    expect(page.get_by_label("Your impression", exact=True)).to_be_focused()
    room.press("Escape", "k", "1", "Control+Enter")
    for button, field in [
        ("Rewrite the answer", "The answer as you would write it"),
        ("Edit the wording of step 3", "Step 3 as you would write it"),
        ("Note on step 4", "Note on this step"),
        ("add a missed finding", "Missed finding 1"),
    ]:
        first = page.get_by_role("group", name="Step 1", exact=True)
        first.locator(".step-text").click()
        expect(first).to_have_attribute("aria-current", "true")
        step = re.search(r"step (\d)", button)
        if step:
            page.get_by_role("group", name=f"Step {step[1]}", exact=True).hover()
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("textbox", name=field)).to_be_focused()
        page.keyboard.type("kept 5")
        expect(page.get_by_role("textbox", name=field)).to_have_value(re.compile("kept 5$"))
        room.press("Escape")
    page.get_by_role("group", name="Remark, step 2").get_by_role("button", name="Write: Remark").click()
    expect(page.get_by_role("textbox", name="Remark")).to_be_focused()
    room.press("Escape")
    page.get_by_role("group", name="Does region 5 fit?").get_by_label("redrawn").click()
    expect(page.get_by_role("button", name="Region", exact=True).last).to_be_visible()
    expect(page.get_by_text("Draw a new box, drag its grips")).to_be_visible()
    room.wait_until_saved()
    assert AnswerRating.objects.get().rewrite == "cardiomegalykept 5"
    assert StepRating.objects.filter(plausibility__isnull=False).count() == 0
    assert room.problems == []


def test_the_reader_studys_own_questions_are_answered_by_keys(enter_designed: EnterDesigned) -> None:
    room = enter_designed(num_outputs=1, keys=("plausibility", "error-of-finding", "omission"))
    room.open()
    room.wait_for_film()
    room.press("1", "Control+Enter")
    expect(room.page.get_by_role("heading", name="Reasoning")).to_be_visible()
    expect(room.page.get_by_role("group", name=re.compile("Does region"))).to_have_count(0)
    # A step that is right as it stands has no error to name: the focus goes on to the next.
    room.press("5", *["4", "2"] * 4, "3")
    expect(room.page.get_by_text("Everything is rated.")).to_be_visible()
    room.wait_until_saved()
    given = CriterionRating.objects.values_list("criterion__key", "value")
    assert sorted(given) == [*[("error-of-finding", "false")] * 4, ("omission", "major")]

    expect(room.page.get_by_text("No error to name.")).to_have_count(1)
    check_barriers(room.page)
    room.page.get_by_role("button", name="Answer all the same for step 1").click()
    room.press("2", "Control+Enter")
    doubt = room.page.get_by_role("button", name="step 1: plausible 5, yet “not there”.")
    expect(doubt).to_be_focused()
    room.press("Enter")
    expect(room.page.get_by_role("group", name="Error of finding, step 1", exact=True)).to_be_focused()
    room.press("Control+Enter")
    expect(room.page.get_by_text("You have read the only case.")).to_be_visible()
    assert room.problems == []


def test_two_outputs_stand_side_by_side_and_only_the_focused_sides_regions_are_drawn(
    enter_designed: EnterDesigned,
) -> None:
    room = enter_designed()
    room.open()
    room.wait_for_film()
    room.press("1", "Control+Enter")
    expect(room.page.get_by_role("heading", name="Reasoning")).to_have_count(1)
    room.press("c")
    expect(room.page.get_by_role("heading", name="Reasoning")).to_have_count(2)
    expect(room.page.locator(".film-canvas")).to_have_count(1)
    room.press("b")
    expect(room.page.locator(".region[data-region]")).to_have_count(5)
    expect(room.page.locator(".region.dashed")).to_have_count(0)
    room.press("Backquote")
    expect(room.page.locator(".region.dashed")).to_have_count(5)
    check_barriers(room.page)
    # However far the column is scrolled, the output's name covers nothing of what has the focus.
    room.page.set_viewport_size({"width": 1280, "height": 720})
    for key in [*"jjjjjj", *"kkkkkkk", "Backquote"]:
        room.press(key)
        assert room.page.evaluate(UNDER_THE_NAME) <= 0
    # Nor of anything that is scrolled past it, at every width; both names stay in sight.
    for width, height in ((1280, 720), (1440, 900), (1920, 1080), (2560, 1440)):
        room.page.set_viewport_size({"width": width, "height": height})
        for share in (0.1, 0.35, 0.6, 1):
            room.page.evaluate(SCROLL_TO, share)
            assert room.page.evaluate(NAMES_OVER_THE_LIST) == [["Output A", False], ["Output B", False]]
        check_barriers(room.page)
