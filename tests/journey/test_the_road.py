"""The whole road in a browser: a film comes in, is inferred, read and signed; the reading trains a model."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from deepmedix_review.registry.services import register_shipped_model
from inference.phantom_dicom import write_phantom_dicom
from inference.phantoms import DEMO_SEEDS
from tests.factories.accounts import PASSWORD, AdminFactory, ExpertFactory, ResearcherFactory
from tests.home import ROOT

WORK_SECONDS = 240
REAL_FILM = ROOT.parent / "shared" / "data" / "dicom" / "nih_1.dcm"

# What the model answers may still say what was taken out of a step.
ALL_RATED = re.compile(r"^(Everything is|All) rated\.")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A real film where the folder of shared films lies beside the repository, else a phantom."""
    if REAL_FILM.exists():
        return REAL_FILM
    drawn = tmp_path / "film.dcm"
    write_phantom_dicom(drawn, seed=DEMO_SEEDS[0])
    return drawn


@pytest.fixture
def people(celery_workers, live_server):
    register_shipped_model()
    return {
        "admin": AdminFactory(username="admin"),
        "expert": ExpertFactory(username="expert", pseudonym="reader-01"),
        "researcher": ResearcherFactory(username="researcher"),
    }


def test_a_film_becomes_a_reading_that_trains_a_candidate_before_the_gate(
    browser: Browser, browser_context_args, live_server, people, film
):
    def enter(username: str) -> Page:
        context: BrowserContext = browser.new_context(**browser_context_args)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto(f"{live_server.url}/login/")
        page.get_by_label("User name").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("button", name="Log out")).to_be_visible()
        return page

    admin = enter("admin")
    import_film(admin, live_server.url, film)
    ask_for_two_completions(admin)
    assign_to(admin, live_server.url, reader="reader-01")

    expert = enter("expert")
    read_and_sign(expert, live_server.url)

    researcher = enter("researcher")
    freeze(researcher, live_server.url)
    train(researcher)
    promote_what_the_gate_lets_pass(researcher)
    lineage_leads_to_the_reading(researcher)

    the_next_inference_uses("v2", admin, live_server.url)
    call_command("verify_audit")


def import_film(page: Page, url: str, film: Path) -> None:
    page.goto(f"{url}/studies/import/")
    page.get_by_label("DICOM, PNG or JPEG files").set_input_files(film)
    page.get_by_role("button", name="Import").click()
    results = page.locator("[data-upload-results]")
    if film == REAL_FILM:
        expect(results).to_contain_text("1 to look at", timeout=60_000)
        page.goto(f"{url}/studies/")
        page.get_by_role("link", name=re.compile("S-")).first.click()
        page.get_by_role("button", name="Looked at: no name on it").click()
        expect(page.get_by_text("1 study looked at, no name on it.")).to_be_visible()
    else:
        # Of a phantom it is known that nothing is written on it.
        expect(results).to_contain_text("1 accepted", timeout=60_000)
    page.goto(f"{url}/studies/")
    page.get_by_role("link", name=re.compile("S-")).first.click()


def ask_for_two_completions(page: Page) -> None:
    page.get_by_role("button", name="Ask v1").click()
    expect_two_completions(page, version="v1")


def assign_to(page: Page, url: str, *, reader: str) -> None:
    page.goto(f"{url}/reader-studies/new/")
    page.get_by_label("Title").fill("The road")
    page.get_by_label(re.compile("S-")).check()
    page.get_by_label(reader).check()
    page.locator("summary", has_text="Keep and start").click()
    page.get_by_role("button", name="Start and invite").click()
    expect(page.get_by_role("heading", name="The road")).to_be_visible()


def read_and_sign(page: Page, url: str) -> None:
    page.goto(f"{url}/worklist/")
    page.get_by_role("button", name="Accept The road").click()
    page.get_by_role("region", name="The road begins").get_by_role("button").click()
    wait_for_film(page)
    for side, points, verdict in (("A", 5, "fits"), ("B", 2, "wrong")):
        page.get_by_role("tab", name=re.compile(f"Output {side}")).click()
        rate_output(page, points=points, verdict=verdict)
    choose(page.get_by_role("group", name=re.compile("^Better overall:")).get_by_role("radio").first)
    expect(page.get_by_text(ALL_RATED)).to_be_visible()
    page.reload()
    wait_for_film(page)
    expect(page.get_by_text(ALL_RATED)).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(re.compile("You have read (the only case|all )"))).to_be_visible()


def wait_for_film(page: Page) -> None:
    """Nothing can be rated before the film is on the screen."""
    expect(page.get_by_role("toolbar", name="Film tools")).to_be_visible(timeout=60_000)


def choose(radio: Locator) -> None:
    """By a click on its label, once that stands still: the column follows the focus."""
    radio.locator("xpath=..").click()
    expect(radio).to_be_checked()


def rate_output(page: Page, *, points: int, verdict: str) -> None:
    """Every step and the answer get `points`, every region the verdict."""
    for group in page.get_by_role("group", name=re.compile(r"How plausible|, 1 to 5")).all():
        choose(group.get_by_label(str(points), exact=True))
    for group in page.get_by_role("group", name=re.compile("Does region")).all():
        choose(group.get_by_label(verdict))


def freeze(page: Page, url: str) -> None:
    page.goto(f"{url}/data-sets/")
    page.get_by_label("Title").fill("Readings of the road")
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_role("heading", name="Readings of the road")).to_be_visible()


def train(page: Page) -> None:
    """A few small steps: the candidate says nearly what its parent says, so that the gate lets it pass."""
    preferences = page.get_by_role("radio", name="Preferences", exact=True)
    preferences.check()
    recipe = page.locator(".recipe", has=preferences)
    recipe.get_by_text("Settings").click()
    recipe.get_by_label("Optimizer steps").fill("4")
    recipe.get_by_label("Learning rate").fill("1e-6")
    page.get_by_role("button", name="Train on it").click()
    page.get_by_role("link", name="candidate v2").click(timeout=WORK_SECONDS * 1000)


def promote_what_the_gate_lets_pass(page: Page) -> None:
    page.get_by_role("link", name="Promote").click(timeout=WORK_SECONDS * 1000)
    expect(page.get_by_text("v1 is retired and can be brought back in one step")).to_be_visible()
    page.get_by_label("Why it shall serve").fill("It says what its parent says.")
    page.get_by_label("as your signature").fill(PASSWORD)
    page.get_by_role("button", name="Promote v2").click()
    expect(page.get_by_role("heading", name=re.compile("Serving v2"))).to_be_visible()


def lineage_leads_to_the_reading(page: Page) -> None:
    lineage = page.locator("section", has=page.get_by_role("heading", name="Lineage"))
    expect(lineage.get_by_role("link", name="1 reading, 1 reader")).to_be_visible()
    expect(lineage.get_by_text(re.compile("gate: (passed|nothing changed)"))).to_be_visible()
    expect(lineage.get_by_text("promoted")).to_be_visible()
    readings = page.locator("section", has=page.get_by_role("heading", name="The readings it learned from"))
    expect(readings.get_by_text("The road, case 1")).to_be_visible()
    expect(readings.get_by_text("reader-01")).to_be_visible()


def the_next_inference_uses(version: str, page: Page, url: str) -> None:
    page.goto(f"{url}/studies/")
    page.get_by_role("link", name=re.compile("S-")).first.click()
    page.get_by_role("button", name=f"Ask {version}").click()
    expect_two_completions(page, version=version)


def expect_two_completions(page: Page, *, version: str) -> None:
    said = page.get_by_role("heading", name=re.compile(rf"^[A-Z] {version}, sample \d"))
    expect(said).to_have_count(2, timeout=WORK_SECONDS * 1000)
