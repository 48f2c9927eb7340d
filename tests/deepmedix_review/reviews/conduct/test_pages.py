"""The page of a running reader study, what an admin does there, and what its readers see on the worklist."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.reviews.conduct import overview
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.study_services import design_reader_study, start_reader_study
from deepmedix_review.reviews.worklist import offers
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.reader_studies import a_draft, running
from tests.factories.reviews import complete, completed_study, reader_study, sign

pytestmark = pytest.mark.django_db

TWO = ReaderStudyDesign()
POOL = ReaderStudyDesign(design="k_readers", readers_per_case=1, is_pool=True)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin() -> Client:
    return client_of(AdminFactory.create())


def detail(study: ReaderStudy) -> str:
    return reverse("reader-study-detail", args=[study.uid])


def readers_of(study: ReaderStudy) -> list[User]:
    return [row.reader for row in study.invitations.select_related("reader").order_by("pk")]


def test_the_page_shows_design_readers_and_cases_and_is_audited(admin: Client) -> None:
    study = reader_study(num_cases=2, readers=[ExpertFactory.create(pseudonym="E-WINTER")], title="Winter")
    reading = Reading.objects.filter(assignment__case__reader_study=study).earliest("pk")
    complete(reading)
    sign(reading)
    page = admin.get(detail(study)).content.decode()
    assert re.search(r"E-WINTER.*1 of 2", page, re.DOTALL)
    assert "Two outputs of one model, side by side" in page
    assert reading.assignment.case.study.label in page
    assert reverse("reader-study-results", args=[study.uid]) in page
    event = AuditEvent.objects.latest("sequence")
    assert (event.action, event.subject_uid) == ("view_reader_study", str(study.uid))
    assert "Winter" in admin.get(reverse("reader-study-list")).content.decode()


def test_an_admin_pauses_resumes_and_locks(admin: Client) -> None:
    study = reader_study()
    move = reverse("reader-study-move", args=[study.uid])
    for word, state, said in (
        ("pause", ReaderStudy.State.PAUSED, "no new case opens until you resume it"),
        ("resume", ReaderStudy.State.RUNNING, "goes on"),
        ("lock", ReaderStudy.State.LOCKED, "What was said stays as it is."),
    ):
        page = admin.post(move, {"move": word}, follow=True).content.decode()
        study.refresh_from_db()
        assert study.state == state
        assert said in page
    assert "Lock for good" not in page
    refused = admin.post(move, {"move": "resume"})
    assert refused.status_code == 409
    assert "This reader study is locked" in refused.content.decode()
    assert admin.post(move, {"move": "explode"}).status_code == 409


def test_a_reader_is_invited_into_the_middle_and_taken_out_again(admin: Client) -> None:
    study = reader_study(num_cases=2)
    newcomer = ExpertFactory.create(pseudonym="E-NEW")
    assert "E-NEW" in admin.get(detail(study)).content.decode()
    day = (timezone.localdate() + timedelta(days=9)).isoformat()
    said = {"invite-reader": str(newcomer.uid), "invite-deadline": day}
    page = admin.post(reverse("reader-study-invite", args=[study.uid]), said, follow=True).content.decode()
    assert "E-NEW is invited." in page
    assert day in page
    assert Assignment.objects.filter(reader=newcomer, withdrawn_at=None).count() == 2
    again = admin.post(reverse("reader-study-invite", args=[study.uid]), said)
    assert again.status_code == 409
    assert "Nobody was invited." in again.content.decode()
    removed = admin.post(
        reverse("reader-study-remove", args=[study.uid]), {"reader": str(newcomer.uid)}, follow=True
    )
    assert "E-NEW reads here no more." in removed.content.decode()
    assert not Assignment.objects.filter(reader=newcomer, withdrawn_at=None).exists()
    assert admin.post(reverse("reader-study-remove", args=[study.uid]), {"reader": "x"}).status_code == 409


def test_a_study_gets_more_cases_and_more_time(admin: Client) -> None:
    study = reader_study(num_cases=1)
    more = completed_study()
    assert more.label in admin.get(detail(study)).content.decode()
    extend = reverse("reader-study-extend", args=[study.uid])
    day = timezone.localdate() + timedelta(days=9)
    said = {"extend-studies": [str(more.uid)], "extend-deadline": day.isoformat()}
    page = admin.post(extend, said, follow=True).content.decode()
    assert "is extended." in page
    study.refresh_from_db()
    assert (study.deadline, study.cases.count()) == (day, 2)
    for nothing, sentence in (
        ({}, "Nothing was added."),
        ({"extend-deadline": "soon"}, "Nothing was changed. Deadline: Enter a valid date."),
    ):
        refused = admin.post(extend, nothing)
        assert refused.status_code == 409
        assert sentence in refused.content.decode()


def test_controls_and_repeats_are_listed_for_the_staff_alone(admin: Client) -> None:
    design = replace(TWO, control_share=0.25, repeat_share=0.5, washout_cases=1)
    study = running(a_draft(num_cases=8, num_readers=1, design=design))
    page = admin.get(detail(study)).content.decode()
    assert re.search(r"a (box in a wrong place|sentence of another case)", page)
    assert "waits for its first reading" in page
    [reader] = readers_of(study)
    seen = client_of(reader).get(reverse("worklist")).content.decode()
    for word in ("control", "repeat", "wrong place"):
        assert word not in seen.lower()


def test_a_dispute_is_given_to_a_reader_who_finds_it_on_the_worklist(admin: Client) -> None:
    study = running(a_draft(num_cases=1, num_readers=2, design=TWO, adjudication="consensus"))
    for reading, plausibility in zip(Reading.objects.order_by("pk"), (1, 5), strict=True):
        complete(reading, plausibility=plausibility)
        sign(reading)
    page = admin.get(detail(study)).content.decode()
    assert "Plausibility of 4 steps lies 2 points apart or more." in page
    case, settler = study.cases.get(), readers_of(study)[0]
    said = {"case": str(case.uid), "reader": str(settler.uid)}
    address = reverse("reader-study-adjudicate", args=[study.uid])
    page = admin.post(address, said, follow=True).content.decode()
    assert f"Case 1 is on the worklist of {settler.pseudonym}." in page
    assert "on the worklist</span>" in page
    assert "to settle" in client_of(settler).get(reverse("worklist")).content.decode()
    assert admin.post(address, said).status_code == 409


def test_why_readers_disagree_stays_hidden_until_the_lock_where_the_design_says_so(admin: Client) -> None:
    study = running(
        a_draft(num_cases=1, num_readers=2, design=TWO, adjudication="consensus", hides_results=True)
    )
    for reading, plausibility in zip(Reading.objects.order_by("pk"), (1, 5), strict=True):
        complete(reading, plausibility=plausibility)
        sign(reading)
    page = admin.get(detail(study)).content.decode()
    assert "hidden until the lock" in page
    assert "Plausibility of" not in page
    admin.post(reverse("reader-study-move", args=[study.uid]), {"move": "lock"})
    assert "Plausibility of 4 steps" in admin.get(detail(study)).content.decode()


def test_an_invitation_is_accepted_or_declined_on_the_worklist() -> None:
    draft = a_draft(num_cases=2, num_readers=2, instructions="Read as in a clinic.")
    study = start_reader_study(reader_study=design_reader_study(draft=draft, actor=None), actor=None)
    for invitation, answer in zip(study.invitations.order_by("pk"), ("accept", "decline"), strict=True):
        client = client_of(invitation.reader)
        page = client.get(reverse("worklist")).content.decode()
        assert f"You are invited to {study.title}" in page
        assert "Read as in a clinic." in page
        assert "Accept an invitation above" in page
        address = reverse("invitation-answer", args=[invitation.uid])
        page = client.post(address, {"answer": answer}, follow=True).content.decode()
        assert "You are invited" not in page
        assert page.count(">Read<span") == (2 if answer == "accept" else 0)
        assert client.post(address, {"answer": "accept"}).status_code == 409
        stranger = client_of(ExpertFactory.create()).post(address, {"answer": "accept"})
        assert stranger.status_code == 403


def test_a_case_of_a_pool_is_taken_held_and_given_back() -> None:
    study = running(a_draft(num_cases=1, num_readers=2, design=replace(POOL, shows="one")))
    first, second = (client_of(reader) for reader in readers_of(study))
    take, worklist = reverse("take-case", args=[study.uid]), reverse("worklist")
    assert "Take the next case" in first.get(worklist).content.decode()
    taken = first.post(take)
    reading = Reading.objects.get()
    assert taken.headers["Location"] == reverse("reading", args=[reading.uid])
    page = first.get(worklist).content.decode()
    assert "Go on with your case" in page
    assert "held for you until" in page
    assert "no case is free at the moment" in second.get(worklist).content.decode()
    assert "No case is free at the moment." in second.post(take, follow=True).content.decode()
    back = reverse("give-case-back", args=[reading.assignment.uid])
    assert second.post(back).status_code == 403
    assert "The case is free for others." in first.post(back, follow=True).content.decode()
    assert "Take the next case" in second.get(worklist).content.decode()
    assert client_of(ExpertFactory.create()).post(take).status_code == 403


def test_deadlines_are_told_in_days() -> None:
    study = reader_study(num_cases=1)
    [reader] = readers_of(study)
    client = client_of(reader)
    for days, said in (
        (30, "in 30 days"),
        (2, 'chip warn">in 2 days'),
        (0, "today"),
        (-1, "passed yesterday"),
    ):
        ReaderStudy.objects.filter(pk=study.pk).update(deadline=timezone.localdate() + timedelta(days=days))
        page = client.get(reverse("worklist")).content.decode()
        assert (timezone.localdate() + timedelta(days=days)).isoformat() in page
        assert said in page
    Invitation.objects.update(deadline=timezone.localdate() + timedelta(days=2))
    assert 'chip warn">in 2 days' in client.get(reverse("worklist")).content.decode()


def test_lists_take_as_many_queries_however_long(django_assert_num_queries: Any) -> None:
    reader = ExpertFactory.create()
    for num_studies in (1, 3):
        for _ in range(num_studies):
            study = reader_study(num_cases=2, readers=[reader])
        with django_assert_num_queries(3):
            overview.reader_studies()
        with django_assert_num_queries(2):
            overview.reader_rows(study)
        with django_assert_num_queries(3):
            overview.case_rows(study)
        with django_assert_num_queries(2):
            offers.reader_studies_of(reader)


def test_cases_and_studies_go_page_by_page(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "PAGE", 2)
    study = reader_study(num_cases=3)
    assert "?after=2" in admin.get(detail(study)).content.decode()
    page = admin.get(detail(study), {"after": "2"}).content.decode()
    assert study.cases.get(position=3).study.label in page
    assert "?after=" not in page
    for _ in range(2):
        reader_study()
    page = admin.get(reverse("reader-study-list")).content.decode()
    [cursor] = re.findall(r"\?before=([0-9a-f-]+)", page)
    assert detail(study) in admin.get(reverse("reader-study-list"), {"before": cursor}).content.decode()


def test_a_researcher_goes_from_the_list_to_the_results() -> None:
    study = reader_study()
    page = client_of(ResearcherFactory.create()).get(reverse("reader-study-list")).content.decode()
    assert reverse("reader-study-results", args=[study.uid]) in page
    assert f'"{detail(study)}"' not in page
    assert "New reader study" not in page
