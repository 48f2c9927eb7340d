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
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.study_services import (
    design_reader_study,
    lock_reader_study,
    start_reader_study,
)
from deepmedix_review.reviews.worklist import offers
from deepmedix_review.reviews.worklist.endings import ending_after, ending_of_pool
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.reader_studies import a_draft, list_of, running, sign_unsaid
from tests.factories.reviews import complete, completed_study, reader_of, reader_study, sign

pytestmark = pytest.mark.django_db

TWO = ReaderStudyDesign()
ROTATION = ReaderStudyDesign(design="k_readers", readers_per_case=2, shows="one")
DAY = (timezone.localdate() + timedelta(days=9)).isoformat()
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


def address(study: ReaderStudy, word: str) -> str:
    return reverse(f"reader-study-{word}", args=[study.uid])


def agreed(admin: Client, where: str, said: dict[str, str], *, to: str) -> str:
    """The page after what was asked back was agreed to: the button with these words was pressed."""
    page = admin.post(where, said).content.decode()
    [shown] = re.findall(rf'name="shown" value="(\w+)">{to}<', page)
    return admin.post(where, {**said, "shown": shown}, follow=True).content.decode()


def rows_of(page: str, *, within: str) -> list[list[str]]:
    """The cells of the table in the block of this class, without the names beside pseudonyms."""
    [table] = re.findall(rf'class="banner {within}".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    return [
        [
            re.sub(r"<span.*?</span>|<[^>]+>", "", cell).strip()
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row)
        ]
        for row in table.split("</tr>")[:-1]
    ]


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


def test_a_reader_is_invited_into_the_middle_and_taken_out_again(admin: Client) -> None:
    study = reader_study(num_cases=2)
    newcomer = ExpertFactory.create(pseudonym="E-NEW")
    assert "E-NEW" in admin.get(detail(study)).content.decode()
    said = {"invite-reader": str(newcomer.uid), "invite-deadline": DAY}
    page = agreed(admin, address(study, "invite"), said, to="Invite E-NEW")
    assert "E-NEW is invited." in page
    assert DAY in page
    assert Assignment.objects.filter(reader=newcomer, withdrawn_at=None).count() == 2
    page = agreed(admin, address(study, "remove"), {"reader": str(newcomer.uid)}, to="Remove E-NEW")
    assert "E-NEW reads here no more." in page
    assert not Assignment.objects.filter(reader=newcomer, withdrawn_at=None).exists()


def test_before_a_reader_comes_or_leaves_the_page_shows_whose_unread_cases_move(admin: Client) -> None:
    study = running(a_draft(num_cases=12, num_readers=3, design=ROTATION))
    first, *others = sorted(readers_of(study), key=lambda reader: reader.pseudonym)
    sign_unsaid(list_of(study, first)[0])
    newcomer = ExpertFactory.create(pseudonym="A-NEW")
    page = admin.post(address(study, "invite"), {"invite-reader": str(newcomer.uid)}).content.decode()
    assert rows_of(page, within="asked") == [
        ["A-NEW", "0", "0", "+5", "5"],
        [first.pseudonym, "1", "7", "−1", "6"],
        *([reader.pseudonym, "0", "8", "−2", "6"] for reader in others),
    ]
    assert "Then readers have 5 to 6 cases to read." in page
    assert not Assignment.objects.filter(reader=newcomer).exists()
    page = admin.post(address(study, "remove"), {"reader": str(first.uid)}).content.decode()
    assert rows_of(page, within="asked")[0] == [first.pseudonym, "1", "7", "−7", "0"]
    assert "1 signed reading stays and counts." in page
    assert len(list_of(study, first)) == 8


def test_a_move_that_is_no_longer_the_one_that_was_shown_is_shown_anew(admin: Client) -> None:
    study = running(a_draft(num_cases=4, num_readers=2, design=ROTATION))
    said = {"invite-reader": str(ExpertFactory.create().uid), "shown": "of an hour ago"}
    answer = admin.post(address(study, "invite"), said)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Meanwhile somebody read on" in page
    assert len(rows_of(page, within="asked")) == 3
    assert study.invitations.count() == 2
    said = {"reader": str(readers_of(study)[0].uid), "shown": "of an hour ago"}
    answer = admin.post(address(study, "remove"), said)
    assert answer.status_code == 409
    assert len(rows_of(answer.content.decode(), within="asked")) == 2


@pytest.mark.parametrize(
    ("word", "said", "sentence", "kept"),
    [
        ("invite", {}, "Choose a reader.", None),
        (
            "invite",
            {"invite-reader": "x", "invite-deadline": DAY},
            "Choose somebody from the list",
            f'"{DAY}"',
        ),
        ("invite", {"invite-deadline": "soon"}, "This is no day.", 'value="soon"'),
        ("remove", {"reader": "x"}, "No reader was named.", None),
        ("extend", {}, "Nothing was added.", None),
        ("extend", {"extend-deadline": "soon"}, "This is no day.", 'value="soon"'),
        ("extend", {"extend-deadline": "2020-01-01"}, "That deadline has passed.", 'value="2020-01-01"'),
        ("extend", {"extend-studies": "x"}, "One of the studies is no longer offered.", None),
        ("adjudicate", {}, "No case was named.", None),
        ("move", {"move": "explode"}, "Say what to do", None),
    ],
)
def test_what_is_refused_is_said_in_place_and_keeps_what_was_entered(
    admin: Client, word: str, said: dict[str, str], sentence: str, kept: str | None
) -> None:
    study = reader_study()
    ExpertFactory.create()
    completed_study()
    answer = admin.post(address(study, word), said)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert sentence in page
    assert "Invite a reader</h2>" in page
    assert page.count(" autofocus") == 1
    assert kept is None or kept in page


def test_studies_that_were_ticked_stay_ticked_where_the_extension_is_refused(admin: Client) -> None:
    study, more = reader_study(), completed_study()
    said = {"extend-studies": str(more.uid), "extend-deadline": "2020-01-01"}
    page = admin.post(address(study, "extend"), said).content.decode()
    assert f'value="{more.uid}" checked' in page
    assert "<details open><summary>Add cases" in page


def test_an_admin_sees_whom_a_pseudonym_stands_for(admin: Client) -> None:
    study = reader_study(readers=[ExpertFactory.create(pseudonym="E-WINTER", username="dr.winter")])
    ExpertFactory.create(pseudonym="E-SPRING", username="dr.spring")
    page = admin.get(detail(study)).content.decode()
    assert 'E-WINTER <span class="quiet">dr.winter</span>' in page
    assert ">E-SPRING · dr.spring</option>" in page


def test_a_study_gets_more_cases_and_more_time(admin: Client) -> None:
    study = reader_study(num_cases=1)
    more = completed_study()
    assert more.label in admin.get(detail(study)).content.decode()
    extend = reverse("reader-study-extend", args=[study.uid])
    day = timezone.localdate() + timedelta(days=9)
    said = {"extend-studies": [str(more.uid)], "extend-deadline": day.isoformat()}
    page = admin.post(extend, said).content.decode()
    [reader] = readers_of(study)
    assert "Add 1 case?" in page
    assert re.search(rf"{reader.pseudonym}.*>1</td>.*\+1.*>2</td>", page)
    [shown] = re.findall(r'name="shown" value="(\w+)">Add 1 case<', page)
    study.refresh_from_db()
    assert (study.deadline, study.cases.count()) == (None, 1)
    others = admin.post(extend, {**said, "shown": "others"})
    assert (others.status_code, study.cases.count()) == (409, 1)
    assert "Nothing was changed: look at it again." in others.content.decode()
    page = admin.post(extend, {**said, "shown": shown}, follow=True).content.decode()
    assert "is extended." in page
    study.refresh_from_db()
    assert (study.deadline, study.cases.count()) == (day, 2)


def test_controls_and_repeats_are_listed_for_the_staff_alone(admin: Client) -> None:
    design = replace(TWO, control_share=0.25, repeat_share=0.5, washout_cases=1)
    study = running(a_draft(num_cases=8, num_readers=1, design=design))
    page = admin.get(detail(study)).content.decode()
    assert re.search(r"a (box in a wrong place|sentence of another case)", page)
    assert page.count("waits for its first reading") == 3
    repeated = Assignment.objects.filter(kind=Assignment.Kind.REPEAT).earliest("pk").repeat_of
    assert repeated is not None
    Assignment.objects.filter(pk=repeated.pk).update(signed_at=timezone.now())
    page = admin.get(detail(study)).content.decode()
    assert page.count("waits for its first reading") == 2
    assert "in its washout: more cases come between" in page
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
    page = admin.post(address(study, "adjudicate"), said, follow=True).content.decode()
    assert f"Case 1 is on the worklist of {settler.pseudonym}." in page
    assert "on the worklist</span>" in page
    assert "1 disputed case is not settled and would stay so." in page
    worklist = client_of(settler).get(reverse("worklist")).content.decode()
    assert "to settle</span>" in worklist
    assert "“To settle”: readers of that case disagree." in worklist
    again = admin.post(address(study, "adjudicate"), said)
    assert again.status_code == 409
    assert "being adjudicated already" in again.content.decode()
    admin.post(address(study, "move"), {"move": "lock"})
    assert "to settle" not in client_of(settler).get(reverse("worklist")).content.decode()


def test_why_somebody_cannot_settle_a_case_is_said_in_its_row(admin: Client) -> None:
    two_of_three = ReaderStudyDesign(design="k_readers", readers_per_case=2)
    study = running(a_draft(num_cases=1, num_readers=3, design=two_of_three, adjudication="third_reader"))
    for reading, plausibility in zip(Reading.objects.order_by("pk"), (1, 5), strict=True):
        complete(reading, plausibility=plausibility)
        sign(reading)
    [third] = set(readers_of(study)) - {reader_of(reading) for reading in Reading.objects.all()}
    page = admin.get(detail(study)).content.decode()
    row = page[page.index('id="disputes"') :]
    offered = re.findall(r"<option[^>]*>(.*?)</option>", row)
    assert offered == ["Choose …", f"{third.pseudonym} · {third.username}"]
    said = {"case": str(study.cases.get().uid), "reader": str(reader_of(Reading.objects.earliest("pk")).uid)}
    answer = admin.post(address(study, "adjudicate"), said)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "has read this case. Choose a reader who has not" in page[page.index('id="disputes"') :]
    unnamed = admin.post(address(study, "adjudicate"), {"case": said["case"], "reader": ""})
    assert "Choose who settles this case." in unnamed.content.decode()
    third.is_active = False
    third.save()
    assert "every expert has read it" in admin.get(detail(study)).content.decode()


def test_a_study_that_is_read_says_that_it_waits_for_its_lock(admin: Client) -> None:
    study = running(a_draft(num_cases=1, num_readers=2, adjudication="consensus"))
    pages = [detail(study), reverse("reader-study-results", args=[study.uid]), reverse("reader-study-list")]
    hints = ["Lock the study, so that its results stay", "until an admin locks it", "all signed: lock it"]
    first, last = Reading.objects.filter(assignment__case__reader_study=study)
    sign_unsaid(first.assignment)
    for page, hint in zip(pages, hints, strict=True):
        assert hint not in admin.get(page).content.decode()
    sign_unsaid(last.assignment)
    for page, hint in zip(pages, hints, strict=True):
        assert hint in admin.get(page).content.decode()
    assert "what is not signed stays unread" in admin.get(pages[0]).content.decode()


def test_what_a_locked_study_refuses_is_said_at_the_top(admin: Client) -> None:
    study, newcomer = reader_study(), ExpertFactory.create()
    lock_reader_study(reader_study=study, actor=None)
    for word, said in (
        ("invite", {"invite-reader": str(newcomer.uid)}),
        ("remove", {"reader": str(readers_of(study)[0].uid)}),
        ("extend", {"extend-deadline": DAY}),
        ("move", {"move": "pause"}),
    ):
        answer = admin.post(address(study, word), said)
        assert answer.status_code == 409
        assert "This reader study is locked" in answer.content.decode()


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
        again = client.post(address, {"answer": "accept"})
        assert again.status_code == 409
        assert "This invitation was" in again.content.decode()
        assert ">Worklist</h1>" in again.content.decode()
        stranger = client_of(ExpertFactory.create()).post(address, {"answer": "accept"})
        assert stranger.status_code == 403


def test_a_case_of_a_pool_is_taken_held_and_given_back() -> None:
    study = running(a_draft(num_cases=1, num_readers=2, design=replace(POOL, shows="one")))
    first, second = (client_of(reader) for reader in readers_of(study))
    take, worklist = reverse("take-case", args=[study.uid]), reverse("worklist")
    assert "Take the first case" in first.get(worklist).content.decode()
    taken = first.post(take)
    reading = Reading.objects.get()
    assert taken.headers["Location"] == reverse("reading", args=[reading.uid])
    page = first.get(worklist).content.decode()
    assert "Go on with your case" in page
    assert "held for you until" in page
    waiting = second.get(worklist).content.decode()
    assert "No case is free at the moment." in waiting
    assert "Come back in a while" in waiting
    assert "All is read." not in waiting
    assert "No case is free at the moment." in second.post(take, follow=True).content.decode()
    back = reverse("give-case-back", args=[reading.assignment.uid])
    assert second.post(back).status_code == 403
    assert "The case is free for others." in first.post(back, follow=True).content.decode()
    assert "Take the first case" in second.get(worklist).content.decode()
    assert client_of(ExpertFactory.create()).post(take).status_code == 403


def test_the_end_of_a_pool_is_said_as_it_is(admin: Client) -> None:
    """Its planned places are what it is measured by, in the room and on the admin's pages."""
    design = replace(POOL, shows="one", readers_per_case=2)
    study = running(a_draft(num_cases=2, num_readers=3, design=design))
    page, listed = reverse("reader-study-detail", args=[study.uid]), reverse("reader-study-list")
    assert "0 of 4" in admin.get(page).content.decode()
    take, worklist = reverse("take-case", args=[study.uid]), reverse("worklist")
    *able, late = (client_of(reader) for reader in readers_of(study))
    for number in (1, 2):
        for client in able:
            uid = client.post(take).headers["Location"].split("/")[2]
            shown = client.get(reverse("api-reading", args=[uid])).json()
            assert (shown["position"], shown["num_cases"]) == (number, 2)
            sign_unsaid(Reading.objects.get(uid=uid).assignment)
            ending = ending_after(Reading.objects.get(uid=uid))
            assert ending.may_take == (number == 1)
    assert ending.sentence == "You have read every case of this pool."
    Case.objects.filter(reader_study=study).update(num_free=1)
    third = study.invitations.order_by("pk")[2].reader_id
    assert ending_of_pool(study, third).sentence == "2 cases are free for you in this pool at the moment."
    Case.objects.filter(reader_study=study, position=1).update(num_free=0)
    uid = late.post(take).headers["Location"].split("/")[2]
    # One case is left for this reader, however many the pool has.
    assert late.get(reverse("api-reading", args=[uid])).json()["num_cases"] == 1
    late.post(reverse("give-case-back", args=[Reading.objects.get(uid=uid).assignment.uid]))
    Case.objects.filter(reader_study=study).update(num_free=0)
    assert ending.sentence in able[0].post(take, follow=True).content.decode()
    assert "Every case of this pool has all its readers" in late.get(worklist).content.decode()
    for address in (page, listed):
        assert "4 of 4" in admin.get(address).content.decode()


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
        with django_assert_num_queries(4):
            overview.reader_studies()
        with django_assert_num_queries(2):
            overview.reader_rows(study)
        with django_assert_num_queries(3):
            overview.case_rows(study)
        with django_assert_num_queries(4):
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
