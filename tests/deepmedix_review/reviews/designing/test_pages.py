"""Designing a reader study on its page: what is offered, what it costs, and that nothing entered is lost."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.reviews.models import Case, Criterion, Invitation, ReaderStudy, Reading
from tests.deepmedix_review.reviews.designing.a_form import NEW, form, uids
from tests.factories.accounts import ExpertFactory
from tests.factories.reviews import completed_study

pytestmark = pytest.mark.django_db


def test_a_new_study_begins_with_nothing_chosen_and_the_usual_questions(admin: Client) -> None:
    study, expert = completed_study(), ExpertFactory.create()
    page = admin.get(NEW).content.decode()
    assert study.label in page
    assert expert.pseudonym in page
    assert not re.search(rf'value="({study.uid}|{expert.uid})"\s+checked', page)
    for name in ("Plausibility", "Relevance", "Better overall"):
        assert re.search(rf'aria-label="Ask {name}" checked', page)
    assert re.search(r'aria-label="Ask Omission">', page)
    assert "Nothing to read yet" in page


def test_a_study_is_kept_as_a_draft_changed_and_started(admin: Client) -> None:
    studies = [completed_study(), completed_study(num_completions=1)]
    readers = [ExpertFactory.create(), ExpertFactory.create()]
    said = form(studies=uids(*studies), readers=uids(*readers), action="save")
    kept = admin.post(NEW, said)
    made = ReaderStudy.objects.get()
    assert made.state == ReaderStudy.State.DRAFT
    assert kept.headers["Location"] == reverse("reader-study-design", args=[made.uid])
    page = admin.get(kept.headers["Location"]).content.decode()
    assert 'value="Winter films"' in page
    assert len(re.findall(r'name="studies"[^>]* checked', page)) == 2
    assert "4 readings" in page
    changed = said | {"title": "Spring films", "studies": uids(studies[0]), "action": "start"}
    started = admin.post(kept.headers["Location"], changed)
    made.refresh_from_db()
    assert (made.title, made.state) == ("Spring films", ReaderStudy.State.RUNNING)
    assert started.headers["Location"] == reverse("reader-study-detail", args=[made.uid])
    assert Reading.objects.count() == 2
    assert set(Invitation.objects.values_list("state", flat=True)) == {Invitation.State.INVITED}
    assert admin.get(kept.headers["Location"]).status_code == 409


def test_a_draft_that_cannot_start_is_kept_and_says_what_it_lacks(admin: Client) -> None:
    study = completed_study()
    answer = admin.post(NEW, form(studies=uids(study), action="start"), follow=True)
    page = answer.content.decode()
    assert "The draft is kept, but it can't start yet:" in page
    assert '<a href="#id_readers">There is no reader. Invite one.</a>' in page
    assert page.count("There is no reader.") == 1
    assert ReaderStudy.objects.get().state == ReaderStudy.State.DRAFT


def test_a_draft_that_cannot_start_warns_still_of_what_would_not_hinder_it(admin: Client) -> None:
    readers = [ExpertFactory.create() for _ in range(3)]
    late = form(
        studies=uids(completed_study()),
        readers=uids(*readers),
        deadline="2020-01-02",
        adjudication="third_reader",
        action="start",
    )
    page = admin.post(NEW, late, follow=True).content.decode()
    assert page.count("The deadline has passed.") == 1
    assert page.count("so no third reader is left") == 1


def test_all_that_hinders_the_start_stands_in_one_list_with_links_and_once(admin: Client) -> None:
    late = form(
        title="",
        studies=uids(completed_study()),
        repeat_share="150",
        deadline="2020-01-02",
        adjudication="third_reader",
        action="start",
    )
    page = admin.post(NEW, late).content.decode()
    [listed] = re.findall(r'<div class="banner bad" role="alert">(.*?)</div>', page, re.DOTALL)
    links = re.findall(r'href="#(\w+)"', listed)
    assert links == [
        f"id_{name}" for name in ("title", "repeat_share", "readers", "deadline", "adjudication")
    ]
    assert all(f'id="{link}"' in page for link in links)
    assert page.count("The deadline has passed.") == 1
    assert re.search(r'name="deadline"[^>]*aria-invalid="true"', page)
    live = admin.post(reverse("reader-study-plan"), late).content.decode()
    assert "Hidden repeats, %: At most 100. The plan leaves it out." in live
    assert "Enter a title" not in live
    kept = admin.post(NEW, late | {"title": "Late", "repeat_share": "20"}, follow=True).content.decode()
    assert kept.count("The deadline has passed.") == 1
    assert "deadline is in" not in kept
    assert re.search(r'name="deadline"[^>]*aria-invalid="true"', kept)


def test_an_error_is_said_at_its_field_and_all_else_stays(admin: Client) -> None:
    study, reader = completed_study(), ExpertFactory.create()
    said = form(title="", studies=uids(study), readers=uids(reader), repeat_share="140", action="save")
    page = admin.post(NEW, said | {"deadline": "2031-02-30", "instructions": "Kept"}).content.decode()
    assert "Nothing was kept yet." in page
    assert "Title</a>: Enter a title." in page
    assert "At most 100." in page
    assert 'aria-invalid="true"' in page
    assert "Kept</textarea>" in page
    assert 'value="140"' in page
    assert 'value="2031-02-30"' in page
    assert re.search(rf'value="{study.uid}" checked', page)
    assert not ReaderStudy.objects.exists()


def test_questions_are_asked_in_the_order_of_their_numbers(admin: Client) -> None:
    completed_study()
    harm, grounded = Criterion.objects.get(key="harm"), Criterion.objects.get(key="better-grounded")
    relevance = Criterion.objects.get(key="relevance")
    said = form(
        shows="one",
        cases_from="all",
        asked=uids(harm, relevance, grounded),
        required=uids(relevance),
        action="save",
    )
    said |= {f"place-{relevance.uid}": "1", f"place-{harm.uid}": "2", f"place-{grounded.uid}": "nonsense"}
    admin.post(NEW, said)
    asked = ReaderStudy.objects.get().asked.values_list("criterion__key", "is_required")
    # One output is no vote between two.
    assert list(asked) == [("relevance", True), ("harm", False)]


def test_training_cases_are_written_with_what_is_known_of_them(admin: Client) -> None:
    teaches, data = completed_study(), completed_study()
    reader = ExpertFactory.create()
    row = {
        "taught-TOTAL_FORMS": "1",
        "taught-0-study": str(teaches.uid),
        "taught-0-role": "training",
        "taught-0-findings": ["Cardiomegaly"],
        "taught-0-regions": "Cardiomegaly: 120 300 400 480",
        "taught-0-comment": "Look at the left border.",
    }
    page = admin.post(NEW, form(action="add-taught")).content.decode()
    assert 'name="taught-0-study"' in page
    broken = form(studies=uids(data), readers=uids(reader), action="save") | row
    page = admin.post(NEW, broken | {"taught-0-regions": "somewhere"}).content.decode()
    assert "“somewhere” is no region." in page
    assert "Look at the left border." in page
    admin.post(NEW, broken)
    case = Case.objects.get(role=Case.Role.TRAINING)
    assert case.study == teaches
    assert case.known_answer == {
        "findings": ["Cardiomegaly"],
        "regions": [{"finding": "Cardiomegaly", "box": [120.0, 300.0, 400.0, 480.0]}],
        "comment": "Look at the left border.",
    }
    address = reverse("reader-study-design", args=[ReaderStudy.objects.get().uid])
    assert "Cardiomegaly: 120 300 400 480" in admin.get(address).content.decode()


def test_a_designed_study_has_all_that_the_page_said(admin: Client) -> None:
    for _ in range(5):
        completed_study()
    readers = [ExpertFactory.create() for _ in range(3)]
    deadline = timezone.localdate() + timedelta(days=30)
    said = form(
        cases_from="all",
        readers=uids(*readers),
        design="anchor_rotation",
        readers_per_case="2",
        num_anchor_cases="1",
        first_reads="share",
        first_read_share="50",
        first_read_choices="yes\n\nno\n",
        repeat_share="40",
        washout_cases="1",
        washout_days="0",
        deadline=deadline.isoformat(),
        hides_results="on",
        adjudication="consensus",
        adjudication_points="1.5",
        action="start",
    )
    admin.post(NEW, said)
    made = ReaderStudy.objects.get()
    assert made.state == ReaderStudy.State.RUNNING
    assert (made.design, made.readers_per_case, made.num_anchor_cases) == ("anchor_rotation", 2, 1)
    assert (made.first_reads, made.first_read_share, made.first_read_choices) == ("share", 0.5, ["yes", "no"])
    assert (made.repeat_share, made.washout_cases, made.deadline) == (0.4, 1, deadline)
    assert (made.hides_results, made.adjudication, made.adjudication_points) == (True, "consensus", 1.5)


def test_looking_at_a_draft_is_audited(admin: Client) -> None:
    admin.post(NEW, form(action="save"))
    draft = ReaderStudy.objects.get()
    admin.get(reverse("reader-study-detail", args=[draft.uid]), follow=True)
    event = AuditEvent.objects.latest("sequence")
    assert (event.action, event.subject_uid) == ("view_reader_study", str(draft.uid))


def test_a_pool_says_how_many_readers_a_case_takes(admin: Client) -> None:
    for _ in range(4):
        completed_study()
    said = form(cases_from="all", readers=uids(ExpertFactory.create(), ExpertFactory.create()))
    pool = said | {"is_pool": "on", "readers_per_case": "1", "lease_minutes": "30"}
    assert "4 readings" in admin.post(reverse("reader-study-plan"), pool).content.decode()
    admin.post(NEW, pool | {"action": "start"})
    made = ReaderStudy.objects.get()
    assert (made.is_pool, made.design, made.readers_per_case) == (True, "k_readers", 1)
    assert made.lease_minutes == 30
    assert list(made.cases.values_list("num_free", flat=True)) == [1, 1, 1, 1]
