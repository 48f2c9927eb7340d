"""An admin designs a reader study in the browser with its cost in sight, and a reader accepts it."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import BrowserContext, Route, expect

from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.batches.services import end_through
from deepmedix_review.reasoning.models import InferenceJob
from deepmedix_review.reviews.models import Case, Criterion, ReaderStudy
from deepmedix_review.studies.collecting.split import Shares
from deepmedix_review.studies.models import Instance, Split, Study
from tests.browser import check_barriers, open_as, watch
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.collections import move_patient
from tests.factories.jobs import BatchedJobFactory
from tests.factories.reasoning import say
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.factories.reviews import LUNGS
from tests.factories.studies import store_phantom


def read_film(seed: int, *, view: str = "PA") -> Study:
    """A film with its file, of which the serving model said two things."""
    film, version = store_phantom(seed=seed, ViewPosition=view), ServingModelFactory.create()
    for _ in range(2):
        say(film, steps=[LUNGS], model_version=version)
    return film.study


def test_a_study_is_designed_with_its_cost_in_sight_and_accepted(
    live_server: Any, context: BrowserContext
) -> None:
    studies = [read_film(seed) for seed in (1, 2, 3)]
    readers = [ExpertFactory.create(pseudonym=f"E-{name}") for name in ("ONE", "TWO")]
    other = ModelVersionFactory.create()
    # At work somewhere: no worker of another test takes it.
    asked = BatchedJobFactory.create(
        instance=store_phantom(seed=9),
        batch__model_version=ServingModelFactory.create(),
        state=JobState.RUNNING,
        lease_expires_at=timezone.now() + timedelta(hours=1),
    )
    admin = AdminFactory.create()
    page = open_as(admin, context=context, url=live_server.url)
    problems = watch(page)
    page.goto(f"{live_server.url}/reader-studies/new/")
    plan = page.locator("#plan")
    expect(plan.get_by_role("status")).to_have_text("Nothing to read yet")
    # Only the fields of what is chosen are there.
    expect(page.get_by_label("Other version")).to_be_hidden()
    expect(page.get_by_text("There is no collection yet.")).to_be_hidden()

    page.get_by_label("Title").fill("Winter films")
    page.get_by_role("button", name="Choose all shown").click()
    expect(page.locator("#case-list input:checked")).to_have_count(3)
    for reader in readers:
        page.get_by_label(reader.pseudonym).check()
    expect(plan.get_by_role("status")).to_contain_text("6 readings")
    expect(plan.get_by_role("img", name="Half width")).to_be_visible()

    # What the model is asked meanwhile ends without a press: what came is planned with and offered.
    expect(page.get_by_text("is at work: 0 of 1")).to_be_visible()
    page.get_by_label("Every ready study").check()
    expect(plan.get_by_role("status")).to_contain_text("6 readings")
    say(asked.instance, steps=[LUNGS], model_version=asked.model_version)
    say(asked.instance, steps=[LUNGS], model_version=asked.model_version)
    InferenceJob.objects.update(state=JobState.DONE)
    end_through()
    expect(page.get_by_text("is through: 1 of 1")).to_be_visible()
    expect(plan.get_by_role("status")).to_contain_text("8 readings")
    page.get_by_label("Studies one by one").check()
    expect(page.locator("#case-list input")).to_have_count(4)
    expect(page.locator("#case-list input:checked")).to_have_count(3)
    expect(plan.get_by_role("status")).to_contain_text("6 readings")

    # An ordinary study is whole on the first screen; the rest says how it stands, and opens.
    start = page.locator(".ask", has_text="Keep and start")
    assert start.locator("summary").is_visible()
    lists = page.locator("details.section", has_text="Who reads what")
    expect(lists.locator("summary")).to_contain_text("Every reader reads all. Seed: 1.")
    expect(page.get_by_label("Some readers per case, balanced")).to_be_hidden()
    lists.locator("summary").click()
    per_case = page.get_by_label("Readers per case", exact=True)
    expect(per_case).to_be_hidden()
    page.get_by_label("Some readers per case, balanced").check()
    per_case.fill("1")
    expect(plan.get_by_role("status")).to_contain_text("3 readings")
    expect(plan).to_contain_text("With fewer than 2 readers per case there is no agreement to measure.")
    expect(lists.locator("summary")).to_contain_text("Some readers per case, balanced, 1 per case.")

    # Another model has nothing to show: all that was entered stays, and comes back with the first one.
    page.get_by_label("One output of each of two models, side by side").check()
    page.get_by_label("Other version").select_option("")
    expect(page.locator("#num-readable")).to_contain_text("4 ready studies have an answer of the first")
    expect(page.locator("#case-list input:checked")).to_have_count(3)
    page.get_by_label("Other version").select_option(str(other.uid))
    expect(page.locator("#num-readable")).to_contain_text("0 ready studies")
    expect(page.locator("#case-list")).to_contain_text("lacks what is to be shown")
    expect(page.get_by_label("Title")).to_have_value("Winter films")
    page.get_by_label("Two outputs of one model, side by side").check()
    expect(page.locator("#num-readable")).to_contain_text("4 ready studies")
    expect(page.locator("#case-list input:checked")).to_have_count(3)
    assert str(other) not in page.locator("#plan").inner_text()

    page.locator("summary", has_text="Practice and calibration").click()
    page.get_by_role("button", name="Add a practice case").click()
    expect(page.get_by_role("group", name="Case 1")).to_be_visible()
    page.locator("#case-list").get_by_label(studies[0].label).uncheck()
    page.get_by_label("Study", exact=True).select_option(label=studies[0].label)
    expect(plan).to_contain_text("2 of data, 1 to teach")
    # What the start does is said first, of what is in the form now; nothing begins by the first press.
    start.locator("summary").click()
    expect(start).to_contain_text("4 readings are drawn into the lists, and 2 readers are invited at once.")
    expect(start).to_contain_text("can't be changed after")
    page.get_by_label("E-TWO").uncheck()
    expect(start).to_contain_text("and 1 reader is invited at once.")
    page.get_by_label("E-TWO").check()
    expect(start).to_contain_text("and 2 readers are invited at once.")
    assert not ReaderStudy.objects.exists()
    check_barriers(page)
    start.get_by_role("button", name="Start and invite").click()
    expect(page.get_by_text("Winter films has begun with 3 cases; its readers are invited.")).to_be_visible()
    made = ReaderStudy.objects.get()
    assert (made.state, made.design) == (ReaderStudy.State.RUNNING, "k_readers")
    assert made.cases.filter(role=Case.Role.TRAINING).get().study == studies[0]
    assert problems == []

    page.close()
    reading = open_as(readers[0], context=context, url=live_server.url)
    complaints = watch(reading)
    reading.goto(f"{live_server.url}/worklist/")
    reading.get_by_role("button", name="Accept").click()
    expect(reading.get_by_text("You read in Winter films now.")).to_be_visible()
    expect(reading.get_by_role("button", name="Read").first).to_be_visible()
    expect(reading.get_by_text("practice", exact=True)).to_be_visible()
    assert complaints == []


def test_a_plan_that_cannot_follow_says_so(live_server: Any, context: BrowserContext) -> None:
    ExpertFactory.create(pseudonym="E-ONE")
    read_film(1)
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    page.goto(f"{live_server.url}/reader-studies/new/")
    said = page.locator("#plan").get_by_role("alert")
    page.get_by_role("button", name="Choose all shown").click()
    expect(page.locator("#plan")).to_contain_text("1 of data")
    context.set_offline(True)
    page.get_by_label("E-ONE").check()
    expect(said).to_contain_text("The server can't be reached, so this does not follow what you enter.")
    context.set_offline(False)
    page.get_by_label("Title").fill("Back again")
    expect(page.locator("#plan").get_by_role("status")).to_contain_text("1 reading,")
    expect(said).to_have_count(0)


def test_a_collection_is_made_by_a_filter_and_a_study_designed_from_its_test_side(
    live_server: Any, context: BrowserContext
) -> None:
    shares = Shares()
    wanted = [move_patient(read_film(seed), to=Split.TEST, shares=shares) for seed in (1, 2)]
    move_patient(read_film(3), to=Split.TRAIN, shares=shares)
    other_view = read_film(4, view="AP")
    ExpertFactory.create(pseudonym="E-ONE")
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    problems = watch(page)
    page.goto(f"{live_server.url}/studies/")
    page.get_by_role("button", name="Make a collection of these").click()
    preview = page.locator("#preview")
    expect(preview.get_by_role("status")).to_have_text("4 studies")
    page.get_by_label("PA", exact=True).check()
    expect(preview.get_by_role("status")).to_have_text("3 studies")
    expect(preview).to_contain_text(wanted[0].label)
    expect(preview).not_to_contain_text(other_view.label)
    page.get_by_label("Name", exact=True).fill("Winter PA")
    page.get_by_role("button", name="Make the collection").click()
    expect(page.get_by_text("Version 1 of Winter PA has 3 studies of 3 patients.")).to_be_visible()

    page.get_by_role("link", name="Design a reader study").click()
    plan = page.locator("#plan")
    expect(plan).to_contain_text("Winter PA, version 1, every side: 3 studies have what is to be shown")
    page.get_by_label("Side", exact=True).select_option("test")
    expect(plan).to_contain_text("Winter PA, version 1, test side: 2 studies have what is to be shown")
    questions = page.locator("summary", has_text="Questions one by one")
    expect(questions).to_contain_text("Plausibility")
    page.get_by_label("The answer alone").check()
    expect(questions).to_contain_text("Relevance, Correctness, Completeness, Harm.")
    waiting: list[Route] = []
    page.route("**/reader-studies/new/**", lambda route: waiting.append(route))
    with page.expect_request("**/reader-studies/new/**"):
        page.get_by_label("As I tick them below").check()
    questions.click()
    # Nothing can be ticked in a table that is about to be replaced.
    expect(page.locator("#questions")).to_have_css("pointer-events", "none")
    waiting[0].continue_()
    expect(page.locator("#questions")).to_have_css("pointer-events", "auto")
    page.unroute("**/reader-studies/new/**")
    expect(page.get_by_label("Ask Harm")).to_be_checked()
    expect(page.get_by_label("Ask Plausibility")).not_to_be_checked()
    page.get_by_label("Title").fill("Winter readers")
    page.get_by_label("E-ONE").check()
    expect(plan.get_by_role("status")).to_contain_text("2 readings")
    check_barriers(page)
    page.locator("summary", has_text="Keep and start").click()
    page.get_by_role("button", name="Start and invite").click()
    expect(
        page.get_by_text("Winter readers has begun with 2 cases; its readers are invited.")
    ).to_be_visible()
    expect(page.get_by_text("Winter PA, version 1, test side")).to_be_visible()
    made = ReaderStudy.objects.get()
    assert [case.study for case in made.cases.order_by("position")] == wanted
    assert set(made.asked.values_list("criterion__key", flat=True)) == {
        *("relevance", "correctness", "completeness", "harm")
    }

    page.get_by_role("button", name="Design another like this").click()
    expect(page.get_by_label("Title")).to_have_value("Winter readers (copy)")
    page.locator("summary", has_text="Delete the draft").click()
    page.get_by_role("button", name="Delete it for good").click()
    expect(page.get_by_text("The draft of Winter readers (copy) is deleted.")).to_be_visible()
    assert ReaderStudy.objects.get() == made
    assert problems == []


def test_ticked_studies_become_a_collection(live_server: Any, context: BrowserContext) -> None:
    studies = [store_phantom(seed=seed).study for seed in (1, 2, 3)]
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    problems = watch(page)
    page.goto(f"{live_server.url}/studies/")
    for study in studies[:2]:
        page.get_by_role("checkbox", name=study.label).check()
    page.get_by_role("button", name="Add the ticked ones to a collection").click()
    expect(page.get_by_role("heading", name="Add 2 studies to a collection")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Odd hearts")
    page.get_by_role("button", name="Make the collection").click()
    expect(page.get_by_text("Version 1 of Odd hearts has 2 studies of 2 patients.")).to_be_visible()
    page.get_by_role("checkbox", name=studies[0].label).check()
    page.get_by_role("button", name="Take the ticked ones out").click()
    expect(page.get_by_text("Version 2 of Odd hearts has 1 study of 1 patient.")).to_be_visible()
    page.locator("summary", has_text="Delete version 1").click()
    page.get_by_role("button", name="Delete version 1").click()
    expect(page.get_by_text("Version 1 is deleted; its studies stay.")).to_be_visible()
    assert problems == []


def test_a_criterion_is_shown_as_readers_will_see_it_while_it_is_written(
    live_server: Any, context: BrowserContext
) -> None:
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    problems = watch(page)
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


def test_own_questions_begin_with_the_set_that_was_chosen_just_before(
    live_server: Any, context: BrowserContext
) -> None:
    read_film(1)
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    problems = watch(page)
    page.goto(f"{live_server.url}/reader-studies/new/")
    page.locator("summary", has_text="Questions one by one").click()
    ticked, every = page.locator("#questions input[name=asked]:checked"), Criterion.objects.count()
    expect(ticked).to_have_count(6)
    waiting: list[Route] = []

    def hold_the_first(route: Route) -> None:
        route.continue_() if waiting else waiting.append(route)

    page.route("**/reader-studies/new/**", hold_the_first)
    with page.expect_request("**/reader-studies/new/**"):
        page.get_by_label("All that come with the product").check()
    # The set is not there yet.
    page.get_by_label("As I tick them below").check()
    waiting[0].continue_()
    expect(ticked).to_have_count(every)
    expect(page.locator("#questions")).to_have_css("pointer-events", "auto")
    # The plan follows: it asks of errors, which the usual set does not.
    expect(page.locator("#plan")).to_contain_text("Share of a choice")
    assert problems == []


def test_a_list_of_cases_that_comes_late_takes_no_newer_one_s_place(
    live_server: Any, context: BrowserContext
) -> None:
    of_both, of_serving = (read_film(seed) for seed in (1, 2))
    other = ModelVersionFactory.create()
    [film] = Instance.objects.filter(series__study=of_both)
    say(film, steps=[LUNGS], model_version=other)
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    problems = watch(page)
    page.goto(f"{live_server.url}/reader-studies/new/")
    expect(page.locator("#num-readable")).to_contain_text("2 ready studies")
    kept_waiting: list[Route] = []

    def keep_the_first_waiting(route: Route) -> None:
        if kept_waiting or route.request.method != "POST":
            route.continue_()
        else:
            kept_waiting.append(route)

    page.route("**/reader-studies/new/", keep_the_first_waiting)
    page.get_by_label("One output of one model", exact=True).check()
    with page.expect_event("requestfailed", lambda request: request == kept_waiting[0].request):
        page.get_by_label("Model version").select_option(str(other.uid))
    expect(page.locator("#num-readable")).to_contain_text("1 ready study")
    expect(page.locator("#case-list input")).to_have_count(1)
    expect(page.locator("#case-list")).not_to_contain_text(of_serving.label)
    assert problems == []


def test_what_an_admin_opened_stays_open_when_another_version_is_chosen(
    live_server: Any, context: BrowserContext
) -> None:
    read_film(1)
    other = ModelVersionFactory.create()
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    problems = watch(page)
    page.goto(f"{live_server.url}/reader-studies/new/")
    missing = page.locator("summary", has_text="Is a study missing?")
    missing.click()
    ask = page.locator("#ask-shown")
    expect(ask).to_be_visible()
    # The choice is renewed while the focus is on the summary already.
    page.locator("#id_version").evaluate(
        "(select, value) => { select.value = value; "
        "document.querySelector('#ask-models').closest('details').querySelector('summary').focus(); "
        "select.dispatchEvent(new Event('change', { bubbles: true })); }",
        str(other.uid),
    )
    expect(ask).to_have_text(f"Ask {other} about all ready studies")
    expect(ask).to_be_visible()
    expect(missing).to_be_focused()
    page.reload()
    expect(ask).to_be_visible()
    missing.click()
    page.locator("#id_version").select_option("")
    expect(ask).not_to_have_text(f"Ask {other} about all ready studies")
    expect(ask).to_be_hidden()
    page.reload()
    expect(missing).to_be_visible()
    expect(ask).to_be_hidden()
    assert problems == []


def test_what_is_typed_while_the_values_are_fetched_stays(live_server: Any, context: BrowserContext) -> None:
    page = open_as(AdminFactory.create(), context=context, url=live_server.url)
    page.goto(f"{live_server.url}/criteria/new/")
    held: list[Route] = []
    page.route("**/criteria/new/", lambda route: held.append(route))
    with page.expect_request("**/criteria/new/"):
        page.get_by_label("Several choices").check()
    page.get_by_label("Value 1", exact=True).fill("tube")
    page.evaluate("() => { window.over = new Promise((end) => addEventListener('htmx:afterRequest', end)) }")
    held.pop().continue_()
    page.evaluate("window.over.then(() => null)")
    expect(page.get_by_label("Value 1", exact=True)).to_have_value("tube")
    # Nothing typed: the values of a scale give way to empty rows.
    page.unroute("**/criteria/new/")
    page.reload()
    page.get_by_label("Several choices").check()
    expect(page.get_by_label("Value 1", exact=True)).to_have_value("")
