"""The worklist's cases to read: what is offered, what is said where nothing is, and how long it takes."""

import re
import uuid
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.common.models import JobState
from deepmedix_review.reviews import selectors
from deepmedix_review.reviews.demo import announce_demo
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment, Invitation, ReaderStudy, Reading, WorklistNotice
from deepmedix_review.reviews.services import mark_opened
from deepmedix_review.reviews.study_services import (
    create_reader_study,
    design_reader_study,
    invite_reader,
    lock_reader_study,
    pause_reader_study,
    remove_reader,
    resume_reader_study,
    start_adjudication,
    start_reader_study,
)
from deepmedix_review.reviews.worklist.endings import ending_after
from deepmedix_review.studies.models import ImportBatch, ImportItem
from deepmedix_review.studies.selectors import LONGEST_DEMO, visible_studies
from tests.deepmedix_review.reviews.worklist.the_worklist import client_of
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.jobs import InferenceJobFactory
from tests.factories.reader_studies import a_draft, list_of, running, sign_unsaid, studies
from tests.factories.reviews import (
    an_open_reading,
    complete,
    reader_of,
    reader_study,
    sign,
)

pytestmark = pytest.mark.django_db


def test_the_worklist_shows_what_is_to_read_and_what_was_signed() -> None:
    reader = ExpertFactory.create()
    reader_study(num_cases=3, readers=[reader], title="Winter films")
    first = Reading.objects.filter(assignment__reader=reader).earliest("pk")
    complete(first)
    sign(first)
    client = client_of(reader)
    page = client.get(reverse("worklist")).content.decode()
    assert all(shown in page for shown in ("To read 2", "Signed 1", "Winter films"))
    assert page.count(">Read<span") == 2
    signed = client.get(reverse("worklist"), {"show": "signed"}).content.decode()
    assert first.assignment.label in signed
    assert reverse("amend-reading", args=[first.uid]) in signed


def test_the_worklist_goes_page_by_page_in_as_many_queries_however_long(
    django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deepmedix_review.reviews.worklist.cases.PAGE", 2)
    reader = ExpertFactory.create()
    reader_study(num_cases=1, readers=[reader])
    with django_assert_max_num_queries(6):
        selectors.worklist(reader)
    for _ in range(2):
        reader_study(num_cases=2, readers=[reader])
    seen: list[Any] = []
    after = None
    for num_rows in (2, 2, 1):
        with django_assert_max_num_queries(6):
            page = selectors.worklist(reader, after=after)
        assert (len(page.rows), page.num_open) == (num_rows, 5)
        seen += [row.assignment for row in page.rows]
        after = page.after
    assert after is None
    assert seen == list(Assignment.objects.filter(reader=reader).order_by("pk").values_list("uid", flat=True))


def test_who_accepts_is_offered_the_first_case_at_once() -> None:
    draft = design_reader_study(draft=a_draft(num_cases=3, num_readers=1), actor=None)
    study = start_reader_study(reader_study=draft, actor=None)
    invitation, first = study.invitations.get(), Assignment.objects.earliest("position")
    client = client_of(invitation.reader)
    accept = reverse("invitation-answer", args=[invitation.uid])
    invited = client.get(reverse("worklist")).content.decode()
    # By parts: nobody has read any like them yet.
    said = "3 cases, about 1 min each, about 3 min in all. No deadline."
    assert re.findall(r"3 case[^<]*", invited) == [said]
    page = client.post(accept, {"answer": "accept"}, follow=True).content.decode()
    assert f"You read in {study.title} now.</strong> 3 cases wait for you." in page
    address = reverse("open-reading", args=[first.uid])
    [button] = re.findall(rf'action="{address}">.*?(<button[^>]*autofocus>Read the first case)', page)
    assert 'class="button primary"' in button
    opened = client.post(address)
    assert opened.headers["Location"] == reverse("reading", args=[Reading.objects.get(assignment=first).uid])
    of_another = client.get(reverse("worklist"), {"accepted": str(uuid.uuid4())})
    assert "You read in" not in of_another.content.decode()


def test_every_study_on_the_worklist_has_a_button_that_goes_on_with_it() -> None:
    reader = ExpertFactory.create()
    study = reader_study(num_cases=2, readers=[reader])
    client, worklist = client_of(reader), reverse("worklist")
    first, second = Reading.objects.order_by("assignment__position")
    assert "Read the first case<" in client.get(worklist).content.decode()
    complete(first)
    sign(first)
    assert "Read the next case<" in client.get(worklist).content.decode()
    mark_opened(second, reader=reader)
    assert "Go on with your case<" in client.get(worklist).content.decode()
    pause_reader_study(reader_study=study, actor=None)
    page = client.get(worklist).content.decode()
    assert "Go on with your case<" in page
    assert reverse("open-reading", args=[second.assignment.uid]) in page
    complete(second)
    sign(second)
    assert "Go on with" not in client.get(worklist).content.decode()
    resume_reader_study(reader_study=study, actor=None)
    assert "all is read" in client.get(worklist).content.decode()


def test_how_far_a_reader_is_is_said_after_the_signature() -> None:
    reader = ExpertFactory.create()
    study = reader_study(num_cases=2, readers=[reader])
    first, second = Reading.objects.order_by("assignment__position")
    for reading in (first, second):
        sign_unsaid(reading.assignment)
        said = ending_after(reading).sentence
        assert said == (
            "You have read all 2 cases."
            if reading == second
            else "Nothing more can be read at the moment. It goes on by itself, in a while."
        )
        if reading == first:
            pause_reader_study(reader_study=study, actor=None)
            assert ending_after(Reading.objects.get(pk=first.pk)).sentence == (
                "You have read 1 of your 2 cases. The reader study is paused: the last one opens when it "
                "goes on. Nothing that you said is lost. Ask an admin when that is."
            )
            resume_reader_study(reader_study=study, actor=None)
    reader_of_another = an_open_reading()
    Invitation.objects.exclude(reader_study=study).delete()
    assert "No further case" in ending_after(reader_of_another).sentence


def test_the_last_signature_names_the_study_and_leads_to_another_one() -> None:
    reader = ExpertFactory.create()
    read = reader_study(readers=[reader], title="Winter")
    reading = Reading.objects.get(assignment__case__reader_study=read)
    complete(reading)
    client = client_of(reader)
    said = {
        "change_id": str(uuid.uuid4()),
        "sop_instance_uid": reading.completion_a.instance.sop_instance_uid,
    }
    waits = reader_study(readers=[reader], title="Spring")
    address = reverse("api-reading-sign", args=[reading.uid])
    ending = client.post(address, said, content_type="application/json").json()["ending"]
    following = Assignment.objects.get(case__reader_study=waits)
    assert ending == {
        "study": "Winter",
        "sentence": "You have read the only case.",
        "may_take": False,
        "onward": {
            "study": "Spring",
            "step": "Read the first case",
            "address": reverse("open-reading", args=[following.uid]),
        },
    }


def test_a_case_that_is_held_for_a_while_comes_before_one_that_waits() -> None:
    reader = ExpertFactory.create()
    reader_study(readers=[reader], title="Waits")
    pool = create_reader_study(
        title="Held",
        studies=studies(2),
        readers=[reader],
        actor=None,
        seed=1,
        design=ReaderStudyDesign(design="k_readers", readers_per_case=1, is_pool=True, shows="one"),
    )
    client, primary = client_of(reader), r'class="button primary"[^>]*>([^<]+)<span[^>]*> of (\w+)<'
    page = client.get(reverse("worklist")).content.decode()
    assert re.findall(primary, page) == [("Read the first case", "Waits")]
    taken = client.post(reverse("take-case", args=[pool.uid]))
    page = client.get(reverse("worklist")).content.decode()
    assert re.findall(primary, page) == [("Go on with your case", "Held")]
    take = f'data-take-url="{reverse("take-case", args=[pool.uid])}"'
    page = client.get(taken.headers["Location"]).content.decode()
    assert take in page
    assert "data-new-here" in page


def test_who_is_removed_still_counts_what_was_signed() -> None:
    study = running(a_draft(num_cases=2, num_readers=2))
    reader = study.invitations.earliest("pk").reader
    sign_unsaid(list_of(study, reader)[0])
    remove_reader(reader_study=study, reader=reader, actor=None)
    page = client_of(reader).get(reverse("worklist"), {"show": "signed"}).content.decode()
    assert "Signed 1<" in page
    assert page.count(">View<span") == 1
    assert f"You are no longer a reader of {study.title}, since" in page


def test_of_a_locked_study_nothing_is_offered_and_nothing_counted_as_open() -> None:
    reader = ExpertFactory.create()
    study = reader_study(num_cases=2, readers=[reader])
    signed = Reading.objects.earliest("assignment__position")
    complete(signed)
    sign(signed)
    client, worklist = client_of(reader), reverse("worklist")
    amend = reverse("amend-reading", args=[signed.uid])
    assert amend in client.get(worklist, {"show": "signed"}).content.decode()
    pause_reader_study(reader_study=study, actor=None)
    page = client.get(worklist).content.decode()
    assert "To read 0<" in page
    assert "A reader study of yours is paused." in page
    Reading.objects.filter(signed_at=None).update(opened_at=timezone.now())
    assert "To read 1<" in client.get(worklist).content.decode()
    lock_reader_study(reader_study=study, actor=None)
    page = client.get(worklist).content.decode()
    assert "To read 0<" in page
    assert "All is read." not in page
    assert "A reader study was locked before all its cases were signed" in page
    unread = Reading.objects.get(signed_at=None)
    late = {
        "change_id": str(uuid.uuid4()),
        "sop_instance_uid": unread.completion_a.instance.sop_instance_uid,
    }
    address = reverse("api-reading-sign", args=[unread.uid])
    too_late = client.post(address, late, content_type="application/json")
    assert (too_late.status_code, too_late.json()["is_over"]) == (409, True)
    assert "locked; nothing more to do" in page
    assert amend not in client.get(worklist, {"show": "signed"}).content.decode()
    page_of_signed = client.get(reverse("reading", args=[signed.uid])).content.decode()
    assert client.get(reverse("api-reading", args=[signed.uid])).json()["amend"] is None
    assert "data-new-here" not in page_of_signed
    refused = client.post(amend, {"reason": "Sides mixed up"})
    assert refused.status_code == 409
    assert "This reader study is locked" in refused.content.decode()
    assert "Sides mixed up" in refused.content.decode()


def test_a_case_that_cannot_be_opened_is_said_on_the_worklist() -> None:
    reader = ExpertFactory.create()
    study = reader_study(readers=[reader])
    pause_reader_study(reader_study=study, actor=None)
    answer = client_of(reader).post(reverse("open-reading", args=[Assignment.objects.get().uid]))
    assert answer.status_code == 409
    page = answer.content.decode()
    assert re.search("This reader study is paused since [^,]+, [^,]+, so no new case opens.", page)
    assert "Your reader studies" in page


def test_a_notice_of_moved_cases_stays_on_the_worklist_until_it_is_dismissed() -> None:
    design = ReaderStudyDesign(design="k_readers", readers_per_case=1, shows="one")
    study = running(a_draft(num_cases=6, num_readers=2, design=design))
    reader = study.invitations.earliest("pk").reader
    newcomer = ExpertFactory.create(pseudonym="E-NEWCOMER")
    invite_reader(reader_study=study, reader=newcomer, actor=None)
    client = client_of(reader)
    page = client.get(reverse("worklist")).content.decode()
    assert f"1 of your unread cases in {study.title} went to another reader on" in page
    assert "Nothing that you read is lost." in page
    assert "E-NEWCOMER" not in page
    notice = WorklistNotice.objects.get(reader=reader)
    dismiss = reverse("notice-dismiss", args=[notice.uid])
    assert dismiss in page
    assert client_of(newcomer).post(dismiss).status_code == 403
    assert "went to another reader" not in client.post(dismiss, follow=True).content.decode()


def test_a_notice_says_what_grew_and_by_when_it_is_to_be_read() -> None:
    study = reader_study(num_cases=1)
    reader = study.invitations.get().reader
    for num_come in (0, 1):
        WorklistNotice.objects.create(
            reader_study=study,
            reader=reader,
            num_come=num_come,
            is_grown=num_come > 0,
            deadline=date(2030, 5, 4),
        )

    def told() -> str:
        return re.sub(r"<[^>]+>", "", client_of(reader).get(reverse("worklist")).content.decode())

    assert f"The deadline of {study.title} is now 4 May 2030, since" in told()
    assert f"1 case was added to your list of {study.title} on" in told()
    assert "The deadline is now 4 May 2030." in told()
    ReaderStudy.objects.update(is_pool=True)
    assert f"1 case was added to the pool of {study.title} on" in told()
    assert "Nothing that you read is lost." not in told()


def test_notices_of_a_locked_study_go_but_the_one_that_its_reader_was_removed() -> None:
    study = reader_study(num_cases=1)
    reader = study.invitations.get().reader
    WorklistNotice.objects.create(reader_study=study, reader=reader, num_come=1, is_grown=True)
    WorklistNotice.objects.create(reader_study=study, reader=reader, is_end=True)
    lock_reader_study(reader_study=study, actor=None)
    page = client_of(reader).get(reverse("worklist")).content.decode()
    assert "was added to" not in page
    assert f"You are no longer a reader of {study.title}" in page


def test_a_case_to_settle_counts_none_of_the_cases_behind_the_next_one() -> None:
    design = ReaderStudyDesign(design="k_readers", readers_per_case=2, shows="one", repeat_share=0.5)
    draft = replace(a_draft(num_cases=8, num_readers=3, design=design), adjudication="third_reader")
    study = running(draft)
    case = study.cases.earliest("position")
    for first in Assignment.objects.filter(case=case, kind=Assignment.Kind.FIRST):
        sign_unsaid(first)
    [reader] = (
        found
        for found in User.objects.filter(invitations__reader_study=study)
        if not Assignment.objects.filter(case=case, reader=found).exists()
    )
    to_read = len(list_of(study, reader))
    start_adjudication(case=case, reader=reader, actor=None)
    rows = selectors.worklist(reader).rows
    assert [(row.is_adjudication, row.num_behind) for row in rows] == [(False, to_read - 1), (True, 0)]


def test_an_empty_worklist_renews_itself_only_while_the_demo_is_being_made() -> None:
    client, address = client_of(ExpertFactory.create()), reverse("worklist")
    assert "hx-get" not in client.get(address).content.decode()
    batch = ImportBatch.objects.create(source=ImportBatch.Source.DEMO)
    page = client.get(address).content.decode()
    assert "The demo is still being made: its films are being drawn. This page renews itself." in page
    assert 'hx-trigger="every 2s"' in page
    jobs = [InferenceJobFactory.create(state=state) for state in (JobState.QUEUED, JobState.DONE)]
    for job in jobs:
        batch.items.create(outcome=ImportItem.Outcome.ACCEPTED, instance=job.instance)
    InferenceJobFactory.create()
    assert "1 of 2 answers of the model is there." in client.get(address).content.decode()
    reader_study()
    assert "hx-get" not in client.get(address).content.decode()


def test_a_demo_that_is_announced_is_promised_on_every_list_until_it_is_there() -> None:
    assert announce_demo()
    for account, address in (
        (ExpertFactory.create(), "worklist"),
        (AdminFactory.create(), "study-list"),
        (AdminFactory.create(), "inference-list"),
        (AdminFactory.create(), "reader-study-list"),
    ):
        page = client_of(account).get(reverse(address)).content.decode()
        assert "This page renews itself." in page, address
    ReaderStudy.objects.filter(pk=reader_study().pk).update(is_demo=True)
    assert not announce_demo()
    assert ImportBatch.objects.count() == 1


def test_a_demo_that_began_long_ago_is_promised_to_nobody() -> None:
    ImportBatch.objects.create(source=ImportBatch.Source.DEMO)
    ImportBatch.objects.update(created_at=timezone.now() - 2 * LONGEST_DEMO)
    assert "Nothing to read" in client_of(ExpertFactory.create()).get(reverse("worklist")).content.decode()


def test_an_unreadable_cursor_starts_at_the_first_page() -> None:
    assert client_of(ExpertFactory.create()).get(reverse("worklist"), {"after": "x"}).status_code == 200


def test_reading_opens_from_the_worklist_and_names_nothing_but_the_case() -> None:
    reading = an_open_reading()
    client = client_of(reader_of(reading))
    opened = client.post(reverse("open-reading", args=[reading.assignment.uid]))
    assert opened.headers["Location"] == reverse("reading", args=[reading.uid])
    page = client.get(opened.headers["Location"]).content.decode()
    assert f'data-reading-uid="{reading.uid}"' in page
    assert "For research, not for diagnosis" in page
    assert reading.completion_a.model_version.name not in page
    reading.refresh_from_db()
    assert reading.opened_at is not None


def test_a_reader_sees_the_studies_of_their_own_cases_alone() -> None:
    mine, other = an_open_reading(), an_open_reading()
    assert list(visible_studies(reader_of(mine))) == [mine.assignment.case.study]
    assert other.assignment.case.study not in visible_studies(reader_of(mine))
    assert not visible_studies(ExpertFactory.create()).exists()
