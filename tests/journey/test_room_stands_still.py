"""What a reader aims at stays where it is: while the focus walks, values are explained, and trouble comes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Count
from playwright.sync_api import BrowserContext, Page, expect

from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reviews.criteria.versions import Asked, library
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.known_answers import KnownAnswer, KnownRegion
from deepmedix_review.reviews.models import Case, Criterion, MissedFinding, Reading
from deepmedix_review.reviews.study_services import create_reader_study
from inference.regions import Box
from tests.browser import check_barriers, open_as, watch
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import store_phantom
from tests.reading_room import FILM_SIZE, HEART, LUNG, Room

KEYS = (
    "plausibility",
    "region-verdict",
    "relevance",
    "correctness",
    "completeness",
    "harm",
    "better-grounded",
    "better-overall",
)
# Of everything in the column that has a place of its own, that place on the screen.
PLACES = """() => [...document.querySelectorAll(
    '.room-column :is([role=group], .segments label, .sign button, .scale-box)'
)].map((each) => {
    const { x, y, width, height } = each.getBoundingClientRect();
    return [each.getAttribute('aria-label') ?? each.tagName, x, y, width, height].join(' ');
})"""
# What is wider than what holds it, and is neither cut with dots nor scrolled.
OVERFLOWING = """() => [...document.querySelectorAll('.room-column *, .room-top *, .room-bottom *')]
    .filter((each) => {
        const { right, width } = each.getBoundingClientRect();
        const { overflowX, textOverflow } = getComputedStyle(each);
        const isCut = overflowX !== 'visible' && each.scrollWidth > each.clientWidth + 1;
        const isHidden = each.closest('.visually-hidden, legend') !== null;
        const hasDots = textOverflow === 'ellipsis';
        return width > 0 && !isHidden && !hasDots && (right > innerWidth + 1 || isCut);
    })
    .map((each) => `${each.className} ${each.textContent}`)"""

# Whether what has the focus lies clear of what is said over the end of the list.
IS_CLEAR = """() => {
    const item = [...document.querySelectorAll('.room .current')].at(-1).getBoundingClientRect();
    return item.bottom <= document.querySelector('.room-banners').getBoundingClientRect().top;
}"""

# The steps whose tools lie on their own choices or on the card after them.
TOOLS_ON_WORDS = """() => [...document.querySelectorAll('.step')].filter((card) => {
    const tools = card.querySelector('.step-tools').getBoundingClientRect();
    const rows = [...card.querySelectorAll('.segments')].map((each) => each.getBoundingClientRect().bottom);
    const next = card.nextElementSibling.getBoundingClientRect();
    return tools.height === 0 || tools.top < Math.max(...rows) || tools.bottom > next.top;
}).map((card) => card.textContent)"""

# Lines of the box below the list whose words are cut, or leave it.
CUT_QUESTIONS = """() => [...document.querySelectorAll('.scale-box .scale-line')].filter((line) => {
    const { bottom } = document.querySelector('.scale-box').getBoundingClientRect();
    return line.scrollWidth > line.clientWidth || line.scrollHeight > line.clientHeight + 1
        || line.getBoundingClientRect().bottom > bottom + 1;
}).map((line) => line.textContent)"""
# Lines of the same box with words under what is at `place`; the space between two lines is no word.
WORDS_UNDER = """([place]) => [...document.querySelectorAll('.scale-box .scale-line')].filter((line) => {
    const words = document.createRange();
    words.selectNodeContents(line);
    const [end, foot] = [place.x + place.width, place.y + place.height];
    return [...words.getClientRects()].some(({left, right, top, bottom}) =>
        left < end && place.x < right && top < foot && place.y + 4 < bottom);
}).map((line) => line.textContent)"""


@pytest.fixture
def enter(live_server: Any, context: BrowserContext) -> Callable[..., Room]:
    """A case with every question that the page has a place for. Its output of one step stands on side A,
    whatever was drawn, that of two on side B; `num_outputs` 1 has the one of two steps alone."""

    def make(
        *, width: int = 1440, height: int = 900, num_outputs: int = 2, leaves_offer: bool = True
    ) -> Room:
        reader, model_version = ExpertFactory.create(), ServingModelFactory.create()
        film = store_phantom(seed=1, size=FILM_SIZE)
        for steps in ([HEART, LUNG], [LUNG])[:num_outputs]:
            say(film, steps=steps, answer="cardiomegaly", model_version=model_version)
        create_reader_study(
            title="A title that is rather long, of films that were taken at the bedside",
            studies=[film.study],
            readers=[reader],
            actor=None,
            seed=1,
            design=ReaderStudyDesign(shows="one" if num_outputs == 1 else "two_samples"),
            asked=[Asked(criterion) for key in KEYS for criterion in library().filter(key=key)],
        )
        if num_outputs == 2:
            [of_one, of_two] = Completion.objects.annotate(num=Count("steps")).order_by("num")
            Reading.objects.update(completion_a=of_one, completion_b=of_two)
        page = open_as(reader, context=context, url=live_server.url)
        page.set_viewport_size({"width": width, "height": height})
        room = Room(page=page, url=live_server.url, reader=reader, problems=watch(page))
        room.open()
        room.wait_for_film()
        if leaves_offer:
            page.get_by_role("button", name="Not now").click()
        return room

    return make


def places(page: Page) -> list[str]:
    found: list[str] = page.evaluate(PLACES)
    return found


def current(page: Page) -> str | None:
    return page.locator(".room .current").last.get_attribute("aria-label")


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1440, 900), (1920, 1080)])
def test_a_long_question_is_read_whole_and_the_tools_of_a_step_lie_on_no_words(
    enter: Callable[..., Room], width: int, height: int
) -> None:
    question = "Is what this step says right, also of the part of the film that is beside the region? " * 2
    Criterion.objects.filter(key__in=["plausibility", "region-verdict", "better-overall"]).update(
        question=question.strip()
    )
    room = enter(width=width, height=height)
    page = room.page
    before = page.get_by_role("group", name="Better grounded", exact=True).bounding_box()
    room.press("`")
    expect(page.locator(".step")).to_have_count(2)
    assert page.evaluate(TOOLS_ON_WORDS) == []
    box = page.locator(".scale-box")
    page.get_by_role("group", name="Better overall", exact=True).locator("label", has_text="tie").hover()
    expect(box).to_contain_text(question.strip())
    assert page.evaluate(CUT_QUESTIONS) == []
    button = box.get_by_role("button", name=re.compile("values")).bounding_box()
    assert button is not None
    assert page.evaluate(WORDS_UNDER, [button]) == []
    assert page.get_by_role("group", name="Better grounded", exact=True).bounding_box() == before
    assert room.problems == []


def test_the_offer_of_the_tour_stands_in_one_row_and_escape_ends_it(
    enter: Callable[..., Room],
) -> None:
    room = enter(width=1280, height=720, leaves_offer=False)
    offer = room.page.get_by_role("region", name="New here?")
    take, leave = (offer.get_by_role("button", name=name) for name in ("Take the tour", "Not now"))
    tops = [each.bounding_box() for each in (take, leave)]
    assert None not in tops
    assert len({(box["y"], box["height"]) for box in tops if box}) == 1
    # What is under way is what Escape ends first.
    room.press("m", "Escape")
    expect(offer).to_be_visible()
    room.press("Escape")
    expect(offer).to_have_count(0)
    room.page.reload()
    room.wait_for_film()
    expect(offer).to_have_count(0)
    assert room.problems == []


def test_nothing_moves_while_the_focus_walks_values_are_chosen_and_pointed_at(
    enter: Callable[..., Room],
) -> None:
    room = enter(num_outputs=1)
    page = room.page
    before = places(page)
    seen = set()
    for key in ("4", "f", "j", "j", "j", "j", "j", "k"):
        room.press(key)
        seen.add(current(page))
        assert places(page) == before
    assert len(seen) >= 6
    page.get_by_role("group", name=re.compile("^Relevance, 1 to 5")).get_by_label("2").hover()
    assert places(page) == before
    room.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="Not signed yet. To do:")).to_be_visible()
    page.get_by_role("group", name=re.compile("How plausible is step 2")).get_by_label("3").click()
    assert places(page) == before
    assert room.problems == []


def test_trouble_comes_without_carrying_away_what_is_aimed_at(
    enter: Callable[..., Room], context: BrowserContext
) -> None:
    room = enter()
    page = room.page
    before = places(page)
    context.set_offline(True)
    room.press("4")
    trouble = page.get_by_role("alert").filter(has_text="The server cannot be reached")
    expect(trouble).to_be_visible()
    assert places(page) == before
    # The last of the list can be scrolled past what is said of the trouble.
    room.press("n")
    page.keyboard.type("Fracture of a rib")
    room.press("Escape")
    bottom = page.get_by_text("Fracture of a rib").bounding_box()
    top = trouble.bounding_box()
    assert bottom is not None
    assert top is not None
    assert bottom["y"] + bottom["height"] <= top["y"]
    context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(trouble).to_have_count(0)
    room.wait_until_saved()


def test_two_versions_do_not_lie_on_what_is_in_hand_where_the_pointer_rests_on_the_list(
    enter: Callable[..., Room], context: BrowserContext
) -> None:
    room = enter(width=1280, height=720)
    page, elsewhere = room.page, context.new_page()
    elsewhere.goto(page.url)
    expect(elsewhere.get_by_role("toolbar", name="Film tools")).to_be_visible(timeout=60_000)
    answer = elsewhere.get_by_role("group", name=re.compile(r"^Relevance, output A, 1 to 5"))
    answer.get_by_label("2").check()
    expect(elsewhere.get_by_text(re.compile(r"^Saved \d\d:"))).to_be_visible()
    relevance = page.get_by_role("group", name=re.compile(r"^Relevance, output A, 1 to 5"))
    relevance.get_by_label("4").check()
    expect(page.get_by_role("alert", name="Two versions")).to_be_visible()
    page.wait_for_function(IS_CLEAR)


def test_every_value_says_what_it_means_to_the_pointer_the_keys_and_a_screen_reader(
    enter: Callable[..., Room],
) -> None:
    room = enter(width=1280, height=720)
    page = room.page
    box = page.locator(".scale-box")
    plausible = page.get_by_role("group", name=re.compile("How plausible is step 1"))
    for value, anchor in (("2", "mostly wrong"), ("Cannot judge", "it cannot be judged on this film")):
        plausible.get_by_label(value, exact=True).hover()
        expect(box).to_contain_text(anchor)
    page.mouse.move(300, 300)
    expect(box).not_to_contain_text("it cannot be judged")
    expect(plausible.get_by_label("2", exact=True)).to_have_accessible_description("mostly wrong")
    plausible.get_by_label("1", exact=True).focus()
    expect(box).to_contain_text("wrong, and misleading")
    room.press("4", "x", "j")
    expect(box).to_contain_text("Relevance Does the answer speak to the question?")
    expect(box).to_contain_text("5: wholly, and nothing else")
    room.press("k", "k")
    expect(box).to_contain_text("Plausibility 4: right, with a small flaw")
    expect(box).to_contain_text("Region wrong: the finding is not there")
    expect(page.locator(".room .current")).to_have_accessible_description(
        re.compile("right, with a small flaw")
    )

    room.press("a")
    expect(box.get_by_role("listitem")).to_have_count(9)
    check_barriers(page)
    assert page.evaluate(OVERFLOWING) == []
    room.press("j", "j")
    expect(box.get_by_role("listitem")).to_have_count(5)
    page.reload()
    room.wait_for_film()
    expect(box.get_by_role("listitem").first).to_be_visible()
    room.press("a")
    expect(box.get_by_role("listitem")).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Shortcuts")).click()
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    sheet.get_by_text("What the values mean", exact=True).click()
    expect(sheet.get_by_text("needless worry, tests or delay, without lasting harm")).to_be_visible()
    check_barriers(page)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (2560, 1440)])
def test_a_missed_finding_says_of_which_output_it_is_also_when_both_are_compared(
    enter: Callable[..., Room], width: int, height: int
) -> None:
    room = enter(width=width, height=height)
    page = room.page
    expect(page.get_by_role("button", name=re.compile("^Sign"))).to_be_in_viewport(ratio=1)
    for side, text in (("A", "Fracture of the seventh left rib"), ("B", "A small pneumothorax")):
        if side == "B":
            room.press("Backquote")
        room.press("n")
        expect(page.get_by_role("textbox", name=f"Missed finding 1 of output {side}")).to_be_focused()
        page.keyboard.type(text)
        room.press("Escape", "d", "ArrowRight")
        expect(page.locator(".region .plate-text").get_by_text(f"{side} M1")).to_be_visible()
        assert current(page) == f"Missed finding 1 of output {side}"
        expect(page.get_by_label("height", exact=True)).to_be_in_viewport(ratio=1)
    room.press("4")
    expect(
        page.get_by_text("Missed finding 1 of output B has the focus: Enter goes on to rate.")
    ).to_be_visible()
    room.press("c")
    for side in ("A", "B"):
        card = page.get_by_role("group", name=f"Missed finding 1 of output {side}")
        expect(card).to_contain_text(f"{side} Missed 1")
        expect(page.get_by_role("button", name=f"add a missed finding of output {side}")).to_be_visible()
    assert page.evaluate(OVERFLOWING) == []
    check_barriers(page)
    page.get_by_role("button", name="Edit missed finding 1 of output A").click()
    field = page.get_by_role("textbox", name="Missed finding 1 of output A")
    expect(field).to_be_focused()
    page.keyboard.type("!")
    room.press("Escape")
    room.wait_until_saved()
    room.press("Control+z")
    expect(page.locator(".film-said")).to_contain_text("Undone: missed finding 1 of output A.")
    # What A missed, B missed too: with its region, and taken back as one.
    room.press("q")
    expect(page.get_by_role("group", name="Missed finding 2 of output B")).to_contain_text("· drawn")
    room.wait_until_saved()
    stored = MissedFinding.objects.filter(text="Fracture of the seventh left rib")
    assert [len(finding.regions.all()) for finding in stored] == [1, 1]
    room.press("Control+z")
    expect(page.get_by_role("group", name="Missed finding 2 of output B")).to_have_count(0)
    room.wait_until_saved()
    assert stored.all().count() == 1


def test_a_training_case_shows_what_is_known_on_the_film_and_at_the_top(enter: Callable[..., Room]) -> None:
    room = enter(width=1280, height=720, num_outputs=1)
    page = room.page
    known = KnownAnswer(
        findings=("Cardiomegaly", "Lung Lesion"),
        regions=(
            KnownRegion("Cardiomegaly", Box(96.0, 128.0, 176.0, 208.0)),
            KnownRegion("Lung Lesion", Box(20.0, 20.0, 40.0, 40.0)),
        ),
        comment="This film was drawn, so this is certain.",
    )
    Case.objects.update(role=Case.Role.TRAINING, known_answer=known.as_json())
    page.reload()
    room.wait_for_film()
    expect(page.get_by_text("A practice case: once it is signed you see what is known of it")).to_be_visible()
    room.press("2", "f", "4", "f", "5", "4", "3", "1")
    for finding in ("enlarged aortic knob", "rib fracture"):
        room.press("n")
        page.keyboard.type(finding)
        room.press("Enter")
    room.press("Control+Enter")
    panel = page.get_by_role("region", name="Feedback")
    expect(panel.get_by_role("heading")).to_be_focused()
    expect(panel.get_by_role("heading")).to_be_in_viewport()
    expect(panel).to_contain_text("You agree in 1 of 4.")
    expect(panel).to_contain_text("This film was drawn, so this is certain.")
    expect(panel.get_by_role("row", name=re.compile("Region of Cardiomegaly"))).to_contain_text(
        "close, IoU 1.00: the region of step 1, found fitting"
    )
    expect(panel.get_by_role("row", name=re.compile("^Step 1"))).to_contain_text(
        "implausible (2)true: Cardiomegaly presentdiffers"
    )
    expect(panel.get_by_role("row", name=re.compile("^Findings"))).to_contain_text("not asked")
    expect(panel.get_by_role("row", name=re.compile("rib fracture"))).to_contain_text(
        "not there: Fracture absent"
    )
    labels = page.locator(".region .plate-text")
    expect(labels.get_by_text("Known: Cardiomegaly")).to_be_visible()
    expect(labels.get_by_text("Known: Lung Lesion")).to_be_visible()
    page.get_by_role("button", name="Show on the film: Region of Lung Lesion").click()
    room.press("Shift+Tab", "j")
    expect(labels.get_by_text("2", exact=True)).to_be_visible()
    # What is known lies on the very place of step 1, whose own label stays at its corner.
    room.press("k")
    expect(labels.get_by_text("1", exact=True)).to_be_visible()
    outline = page.locator(".region.focused .outline").bounding_box()
    plate = page.locator("[data-label-of]", has_text=re.compile("^1$")).locator(".plate").bounding_box()
    assert outline is not None
    assert plate is not None
    assert plate["x"] == pytest.approx(outline["x"], abs=2)
    assert plate["y"] + plate["height"] == pytest.approx(outline["y"], abs=3)
    page.keyboard.down("Space")
    expect(labels).to_have_count(0)
    page.keyboard.up("Space")
    assert page.evaluate("document.scrollingElement.scrollHeight") == 720
    assert page.evaluate(OVERFLOWING) == []
    check_barriers(page)
    assert room.problems == []
