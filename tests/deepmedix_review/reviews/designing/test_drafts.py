"""Drafts are deleted, and a new draft begins from any reader study; what has begun stays."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reviews.criteria.versions import Asked, library
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Case, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.study_services import (
    Collected,
    TaughtCase,
    delete_draft,
    design_another_like,
    design_reader_study,
    draft_of,
    remove_reader,
    start_reader_study,
)
from deepmedix_review.studies.models import Study
from tests.deepmedix_review.reviews.designing.a_form import form
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.collections import picked
from tests.factories.reader_studies import a_draft, running
from tests.factories.reviews import completed_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


@pytest.fixture
def desk(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def test_a_draft_is_deleted_after_a_question_and_leaves_its_trace(desk: Client, admin: User) -> None:
    draft = design_reader_study(draft=a_draft(num_cases=2), actor=admin)
    page = desk.get(reverse("reader-study-design", args=[draft.uid])).content.decode()
    assert "The draft of Reader study goes for good." in page
    page = desk.post(reverse("reader-study-delete", args=[draft.uid]), follow=True).content.decode()
    assert "The draft of Reader study is deleted." in page
    assert (ReaderStudy.objects.count(), Case.objects.count(), Invitation.objects.count()) == (0, 0, 0)
    assert Study.objects.count() == 2
    event = AuditEvent.objects.latest("sequence")
    assert (event.action, event.subject_uid) == ("delete_reader_study_draft", str(draft.uid))
    assert event.details == {"cases": 2, "readers": 2}
    with pytest.raises(RefusedByRule, match="deleted already"):
        delete_draft(reader_study=draft, actor=admin)
    assert desk.post(reverse("reader-study-delete", args=[draft.uid])).status_code == 404


def test_what_has_begun_is_never_deleted(desk: Client) -> None:
    study = running(num_cases=2)
    for state in (ReaderStudy.State.RUNNING, ReaderStudy.State.PAUSED, ReaderStudy.State.LOCKED):
        ReaderStudy.objects.filter(pk=study.pk).update(state=state)
        refused = desk.post(reverse("reader-study-delete", args=[study.uid]))
        assert refused.status_code == 409
        assert "This reader study has begun, so it stays." in refused.content.decode()
    assert Reading.objects.count() == 4


def test_another_like_a_running_study_has_all_of_its_design_and_nothing_that_was_said(
    desk: Client, admin: User
) -> None:
    studies = [completed_study() for _ in range(8)]
    teaches = completed_study()
    version = picked(studies)
    asked = [Asked(criterion, is_required=criterion.key != "harm") for criterion in library()[:7]]
    draft = a_draft(
        num_readers=3,
        design=ReaderStudyDesign(first_reads="on", control_share=0.25, repeat_share=0.2, washout_cases=1),
        studies=studies,
        taught=[TaughtCase(teaches, {"findings": ["Edema"]})],
        collected=Collected(version, "", None),
        asked=asked,
        instructions="Read all.",
        seed=9,
        deadline=timezone.localdate() + timedelta(days=9),
        adjudication="consensus",
    )
    study = running(draft)
    assert study.cases.filter(role=Case.Role.CONTROL).exists()
    leaves, stays = draft.readers[0], list(draft.readers[1:])
    remove_reader(reader_study=study, reader=leaves, actor=admin)
    User.objects.filter(pk=stays[0].pk).update(is_active=False)
    answer = desk.post(reverse("reader-study-duplicate", args=[study.uid]), follow=True)
    page = answer.content.decode()
    assert "This draft is like Reader study" in page
    assert 'value="Reader study (copy)"' in page
    copy = ReaderStudy.objects.latest("pk")
    assert copy.state == ReaderStudy.State.DRAFT
    kept = draft_of(copy)
    assert set(kept.studies) == set(studies)
    assert [(case.study, case.known_answer) for case in kept.taught] == [(teaches, {"findings": ["Edema"]})]
    assert list(kept.readers) == stays[1:]
    assert list(kept.asked) == asked
    assert (kept.design, kept.collected) == (draft.design, draft.collected)
    for name in ("instructions", "seed", "deadline", "adjudication"):
        assert getattr(kept, name) == getattr(draft, name), name
    assert kept.model_version == study.model_version
    event = AuditEvent.objects.get(action="copy_reader_study")
    assert (event.subject_uid, event.details) == (str(copy.uid), {"like": str(study.uid)})
    # Readers see the title: it is asked for.
    asks = "The title still ends with “(copy)”, and readers see it."
    assert asks in page
    assert re.search(r'name="title"[^>]*aria-invalid="true"', page)
    with pytest.raises(RefusedByRule, match="Give this reader study a title of its own"):
        start_reader_study(reader_study=copy, actor=admin)
    plan = desk.post(reverse("reader-study-plan"), form(title="Spring films (copy) ")).content.decode()
    assert asks in plan
    assert asks not in desk.post(reverse("reader-study-plan"), form(title="Spring films")).content.decode()
    copy.title = "Spring films"
    copy.save()
    start_reader_study(reader_study=copy, actor=admin)


def test_a_deadline_that_has_passed_and_a_long_title_are_no_obstacle(admin: User) -> None:
    study = running(num_cases=1, title="x" * 120)
    ReaderStudy.objects.filter(pk=study.pk).update(deadline=timezone.localdate() - timedelta(days=1))
    study.refresh_from_db()
    copy = design_another_like(reader_study=study, actor=admin)
    assert copy.deadline is None
    assert copy.title == "x" * 113 + " (copy)"
    twice = design_another_like(reader_study=copy, actor=admin)
    assert twice.title == copy.title


def test_a_running_study_and_a_draft_offer_another_like_them(desk: Client, admin: User) -> None:
    for study in (running(num_cases=1), design_reader_study(draft=a_draft(num_cases=1), actor=admin)):
        page = desk.get(reverse("reader-study-detail", args=[study.uid]), follow=True).content.decode()
        address = reverse("reader-study-duplicate", args=[study.uid])
        assert re.search(rf'action="{address}".*Design another like this', page)
        deletes = reverse("reader-study-delete", args=[study.uid]) in page
        assert deletes == (study.state == ReaderStudy.State.DRAFT)


@pytest.mark.parametrize("factory", [ExpertFactory, ResearcherFactory])
def test_only_an_admin_deletes_or_copies(factory: type[ExpertFactory]) -> None:
    draft = design_reader_study(draft=a_draft(num_cases=1), actor=None)
    for act in (delete_draft, design_another_like):
        with pytest.raises(NotYours):
            act(reader_study=draft, actor=factory.create())
    assert ReaderStudy.objects.get() == draft
