"""A reader study on its way, in a browser: a late reader comes, and a refusal is told where it was asked."""

import re
from dataclasses import dataclass

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment, ReaderStudy, Reading
from deepmedix_review.reviews.study_services import create_reader_study, lock_reader_study
from tests.browser import check_barriers, open_as, watch
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reader_studies import a_draft, running
from tests.factories.reasoning import say
from tests.factories.registry import ServingModelFactory
from tests.factories.reviews import complete, sign
from tests.factories.studies import store_phantom
from tests.reading_room import HEART

DESIGN = ReaderStudyDesign(design="k_readers", readers_per_case=1, shows="one")


@dataclass(frozen=True)
class Conduct:
    study: ReaderStudy
    admin: User
    reader: User
    newcomer: User
    url: str


@pytest.fixture
def conduct(transactional_db: None, live_server: LiveServer) -> Conduct:
    """Six cases, each of one of two readers; a seventh film could be added, and a third reader invited."""
    version = ServingModelFactory.create()
    films = [store_phantom(seed=seed, size=128) for seed in range(1, 8)]
    for film in films:
        say(film, steps=[HEART], answer="cardiomegaly", model_version=version)
    readers = [ExpertFactory.create(), ExpertFactory.create()]
    study = create_reader_study(
        title="Late films",
        studies=[film.study for film in films[:6]],
        readers=readers,
        actor=None,
        seed=1,
        design=DESIGN,
    )
    newcomer = ExpertFactory.create(pseudonym="E-LATE", username="dr.late")
    return Conduct(study, AdminFactory.create(), readers[0], newcomer, live_server.url)


def page_of(user: User, conduct: Conduct, browser: Browser, *, javascript: bool = True) -> Page:
    context = browser.new_context(java_script_enabled=javascript, viewport={"width": 1280, "height": 600})
    return open_as(user, context=context, url=conduct.url)


def detail(conduct: Conduct) -> str:
    return conduct.url + reverse("reader-study-detail", args=[conduct.study.uid])


def invite_late_reader(page: Page) -> None:
    page.get_by_label("Reader", exact=True).select_option(label="E-LATE · dr.late")
    page.get_by_role("button", name="Invite …").click()
    asked = page.get_by_role("group", name="Invite E-LATE")
    expect(asked.get_by_role("row", name=re.compile("E-LATE"))).to_contain_text("+2")
    expect(asked).to_contain_text("2 of them come from the unread cases of other readers")


def test_a_late_reader_is_invited_in_place_and_everybody_finds_it_on_the_worklist(
    conduct: Conduct, browser: Browser
) -> None:
    admin = page_of(conduct.admin, conduct, browser)
    problems = watch(admin)
    admin.goto(detail(conduct))
    invite_late_reader(admin)
    expect(admin).to_have_url(detail(conduct))
    expect(admin.get_by_role("group", name="Invite E-LATE")).to_be_focused()
    check_barriers(admin)
    admin.get_by_role("button", name="Invite E-LATE").click()
    expect(admin.get_by_text("E-LATE is invited.")).to_be_visible()
    assert problems == []

    reader = page_of(conduct.reader, conduct, browser)
    reader.goto(conduct.url + reverse("worklist"))
    expect(reader.get_by_text("1 of your unread cases in Late films went to another reader")).to_be_visible()
    check_barriers(reader)
    reader.get_by_role("button", name="Dismiss").click()
    expect(reader.get_by_text("went to another reader")).to_have_count(0)

    ReaderStudy.objects.update(instructions="\n\n".join(f"Line {n} of what to mind." for n in range(60)))
    newcomer = page_of(conduct.newcomer, conduct, browser)
    newcomer.goto(conduct.url + reverse("worklist"))
    expect(newcomer.get_by_text("Line 0 of what to mind.")).to_be_in_viewport()
    expect(newcomer.get_by_text("Line 59 of what to mind.")).not_to_be_in_viewport()
    for answer in ("Accept Late films", "Decline Late films"):
        button = newcomer.locator(".invitation .button", has_text=answer)
        expect(button).to_be_in_viewport(ratio=1)
    newcomer.get_by_role("button", name="Accept Late films").click()
    expect(newcomer.get_by_role("button", name="Read the first case").first).to_be_focused()
    newcomer.keyboard.press("Enter")
    expect(newcomer.get_by_text("Case 1 of 2")).to_be_visible()


def test_without_javascript_the_same_is_done_and_refused_beside_the_control(
    conduct: Conduct, browser: Browser
) -> None:
    page = page_of(conduct.admin, conduct, browser, javascript=False)
    page.goto(detail(conduct))
    page.get_by_label("Later deadline").fill("2020-01-01")
    page.get_by_text("Add cases: 1 more study can be read").click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Extend").click()
    expect(page.get_by_role("alert")).to_have_text("That deadline has passed. Choose a later one.")
    expect(page.get_by_role("alert")).to_be_in_viewport()
    expect(page.get_by_role("checkbox")).to_be_checked()
    invite_late_reader(page)
    page.get_by_role("button", name="Invite E-LATE").click()
    expect(page.get_by_text("E-LATE is invited.")).to_be_visible()


def test_what_the_server_refuses_or_cannot_be_asked_is_told_and_what_was_entered_stays(
    conduct: Conduct, browser: Browser
) -> None:
    page = page_of(conduct.admin, conduct, browser)
    page.goto(detail(conduct))
    page.get_by_label("Later deadline").fill("2020-01-01")
    page.get_by_text("Add cases: 1 more study can be read").click()
    page.get_by_role("checkbox").check()

    page.context.set_offline(True)
    page.get_by_role("button", name="Extend").click()
    expect(page.get_by_role("alert")).to_contain_text("The server can't be reached")
    page.context.set_offline(False)
    page.get_by_role("button", name="Extend").click()
    expect(page.get_by_role("alert")).to_have_text("That deadline has passed. Choose a later one.")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("checkbox")).to_be_checked()
    expect(page.get_by_label("Later deadline")).to_have_value("2020-01-01")
    expect(page).to_have_url(detail(conduct))

    lock_reader_study(reader_study=conduct.study, actor=None)
    page.get_by_role("button", name="Extend").click()
    expect(page.get_by_role("alert")).to_contain_text("This reader study is locked, so it can't be extended.")

    ReaderStudy.objects.update(state=ReaderStudy.State.RUNNING)
    page.goto(detail(conduct))
    page.get_by_label("Later deadline").fill("2030-01-01")
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Extend").click()
    expect(page.get_by_role("alert")).to_contain_text("You are logged out")
    expect(page.get_by_label("Later deadline")).to_have_value("2030-01-01")


def test_who_settles_a_case_that_all_have_read_is_asked_about_with_what_it_costs(
    conduct: Conduct, browser: Browser
) -> None:
    film = store_phantom(seed=8, size=128)
    say(film, steps=[HEART], answer="cardiomegaly", model_version=ServingModelFactory.create())
    study = running(
        a_draft(
            studies=[film.study],
            num_readers=3,
            design=ReaderStudyDesign(shows="one"),
            adjudication="third_reader",
        )
    )
    for reading, plausibility in zip(study_readings(study), (1, 5, 5), strict=True):
        complete(reading, plausibility=plausibility)
        Reading.objects.filter(pk=reading.pk).update(active_seconds=180)
        sign(reading)
    page = page_of(conduct.admin, conduct, browser)
    page.goto(conduct.url + reverse("reader-study-detail", args=[study.uid]))
    page.get_by_label("Who settles").select_option(label="E-LATE · dr.late")
    page.get_by_role("button", name="Give … case 1").click()
    asked = page.get_by_role("group", name="Give case 1 to E-LATE")
    expect(asked).to_be_focused()
    expect(asked).to_contain_text(
        "It costs 1 more reading, about 3 min by what a case took its readers so far."
    )
    expect(asked).to_contain_text("E-LATE reads nothing else here")
    check_barriers(page)
    assert not Assignment.objects.filter(kind=Assignment.Kind.ADJUDICATION).exists()
    asked.get_by_role("button", name="Give it").click()
    expect(page.get_by_text("Case 1 is on the worklist of E-LATE.")).to_be_visible()
    assert Assignment.objects.filter(kind=Assignment.Kind.ADJUDICATION).count() == 1


def study_readings(study: ReaderStudy) -> list[Reading]:
    return list(Reading.objects.filter(assignment__case__reader_study=study).order_by("pk"))
