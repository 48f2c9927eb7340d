"""An admin designs a reader study in the browser with its cost in sight, and a reader accepts it."""

from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from deepmedix_review.reviews.models import Case, Criterion, ReaderStudy
from tests.browser import check_barriers, open_as
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.registry import ModelVersionFactory
from tests.factories.reviews import completed_study


def watched(page: Page) -> list[str]:
    """What the page complains of, a broken content security policy among it."""
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    return problems


def test_a_study_is_designed_with_its_cost_in_sight_and_accepted(
    live_server: Any, context: BrowserContext
) -> None:
    studies = [completed_study() for _ in range(3)]
    readers = [ExpertFactory.create(pseudonym=f"E-{name}") for name in ("ONE", "TWO")]
    other = ModelVersionFactory.create()
    admin = AdminFactory.create()
    page = open_as(admin, context=context, url=live_server.url)
    problems = watched(page)
    page.goto(f"{live_server.url}/reader-studies/new/")
    plan = page.locator("#plan")
    expect(plan.get_by_role("status")).to_have_text("Nothing to read yet")

    page.get_by_label("Title").fill("Winter films")
    page.get_by_role("button", name="Choose all shown").click()
    expect(page.locator("#case-list input:checked")).to_have_count(3)
    for reader in readers:
        page.get_by_label(reader.pseudonym).check()
    expect(plan.get_by_role("status")).to_contain_text("6 readings")
    expect(plan.get_by_role("img", name="Half width")).to_be_visible()

    per_case = page.get_by_label("Readers per case", exact=True)
    expect(per_case).to_be_hidden()
    page.get_by_label("Some readers per case, balanced").check()
    per_case.fill("1")
    expect(plan.get_by_role("status")).to_contain_text("3 readings")
    expect(plan).to_contain_text("With fewer than 2 readers per case there is no agreement to measure.")

    # Another model has nothing to show: all that was entered stays, and comes back with the first one.
    page.get_by_label("One output of each of two models, side by side").check()
    page.get_by_label("Other version").select_option("")
    expect(page.locator("#num-readable")).to_contain_text("0 ready studies")
    expect(page.locator("#case-list")).to_contain_text("lacks what is to be shown")
    expect(page.get_by_label("Title")).to_have_value("Winter films")
    page.get_by_label("Two outputs of one model, side by side").check()
    expect(page.locator("#num-readable")).to_contain_text("3 ready studies")
    expect(page.locator("#case-list input:checked")).to_have_count(3)
    assert str(other) not in page.locator("#plan").inner_text()

    page.get_by_role("button", name="Add a training case").click()
    expect(page.get_by_role("group", name="Case 1")).to_be_visible()
    page.locator("#case-list").get_by_label(studies[0].label).uncheck()
    page.get_by_label("Study", exact=True).select_option(label=studies[0].label)
    expect(plan).to_contain_text("2 of data, 1 to teach")
    check_barriers(page)
    page.get_by_role("button", name="Keep and start").click()
    expect(page.get_by_text("Winter films has begun; its readers are invited.")).to_be_visible()
    made = ReaderStudy.objects.get()
    assert (made.state, made.design) == (ReaderStudy.State.RUNNING, "k_readers")
    assert made.cases.filter(role=Case.Role.TRAINING).get().study == studies[0]
    assert problems == []

    page.close()
    reading = open_as(readers[0], context=context, url=live_server.url)
    complaints = watched(reading)
    reading.goto(f"{live_server.url}/worklist/")
    reading.get_by_role("button", name="Accept").click()
    expect(reading.get_by_text("You read in Winter films now.")).to_be_visible()
    expect(reading.get_by_role("button", name="Read").first).to_be_visible()
    expect(reading.get_by_text("training", exact=True)).to_be_visible()
    assert complaints == []


def test_a_criterion_is_shown_as_readers_will_see_it_while_it_is_written(
    live_server: Any, context: BrowserContext
) -> None:
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    problems = watched(page)
    page.goto(f"{live_server.url}/criteria/new/")
    preview = page.locator("#preview")
    page.get_by_label("Name").fill("Tone")
    page.get_by_label("Anchor 1").fill("harsh")
    expect(preview).to_contain_text("Tone")
    expect(preview).to_contain_text("harsh")
    page.get_by_role("button", name="More values").click()
    expect(page.get_by_label("Anchor 9")).to_be_visible()
    expect(page.get_by_label("Anchor 1")).to_have_value("harsh")
    page.get_by_label("A text").check()
    expect(page.get_by_label("Anchor 1")).to_be_hidden()
    expect(preview.get_by_role("textbox", name="Tone")).to_be_visible()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("Tone, version 1, is kept.")).to_be_visible()
    assert Criterion.objects.get(name="Tone").kind == Criterion.Kind.TEXT
    assert problems == []
