"""Disputes on the page of a reader study: what an admin is told of each, and whom it is given to."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.reviews import study_services
from deepmedix_review.reviews.conduct.disputes import minutes_each
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment, Case, Invitation, Reading
from deepmedix_review.reviews.services import amend_reading, mark_opened
from deepmedix_review.reviews.study_services import queue_adjudications, start_adjudication
from tests.deepmedix_review.reviews.conduct.the_page import address, client_of, detail, readers_of
from tests.factories.accounts import ExpertFactory
from tests.factories.reader_studies import a_draft, running
from tests.factories.reviews import (
    an_open_reading,
    complete,
    reader_of,
    say_first,
    sign,
)

pytestmark = pytest.mark.django_db

TWO = ReaderStudyDesign()
TWO_OF_THREE = ReaderStudyDesign(design="k_readers", readers_per_case=2)


def test_a_dispute_is_given_to_a_reader_who_finds_it_on_the_worklist(admin: Client) -> None:
    study = running(a_draft(num_cases=3, num_readers=2, design=TWO, adjudication="consensus"))
    for number, reading in enumerate(Reading.objects.order_by("assignment__case", "pk")):
        complete(reading, plausibility=(1, 5)[number % 2])
        Reading.objects.filter(pk=reading.pk).update(active_seconds=120)
        sign(reading)
    page = admin.get(detail(study)).content.decode()
    assert page.count("Plausibility of 4 steps lies 2 points apart or more.") == 3
    case, settler = study.cases.get(position=1), readers_of(study)[0]
    assert f"{settler.pseudonym} · {settler.username} · has read 3 of them</option>" in page
    assert page[page.index('id="disputes"') :].count(f'value="{settler.uid}">') == 1
    assert "rate one item 2 points apart or more" in page
    said = {"case": str(case.uid), "reader": str(settler.uid)}
    asked = admin.post(address(study, "adjudicate"), said)
    assert asked.status_code == 200
    page = asked.content.decode()
    assert "It costs 1 more reading, about 2 min by what a case took its readers so far." in page
    assert "reads nothing else here" not in page
    assert "Look twice" not in page
    elsewhere = an_open_reading(reader=settler)
    Case.objects.filter(assignments=elsewhere.assignment_id).update(study=case.study_id)
    mark_opened(elsewhere, reader=settler)
    known = (
        f"{settler.pseudonym} has seen the film of this case in another reader study. Who knows a film reads "
        "it with another eye: name somebody else where you can."
    )
    assert known in admin.post(address(study, "adjudicate"), said).content.decode()
    rest = {"all": "1", "reader": str(settler.uid)}
    known = known.replace("the film of this case", "1 of these films").replace(
        "name somebody else where you can", "such a case can be given to somebody else, in its row"
    )
    assert known in admin.post(address(study, "adjudicate"), rest).content.decode()
    assert "on the worklist at once, with what the earlier readers said beside each item" in page
    assert f'<option value="{settler.uid}" selected>' in page
    assert page.count(" autofocus") == 1
    assert not Assignment.objects.filter(kind=Assignment.Kind.ADJUDICATION).exists()
    said["confirmed"] = "1"
    page = admin.post(address(study, "adjudicate"), said, follow=True).content.decode()
    assert f"Case 1 is on the worklist of {settler.pseudonym}." in page
    assert "on the worklist</span>" in page
    assert "3 disputed cases are not settled and would stay so." in page
    worklist = client_of(settler).get(reverse("worklist")).content.decode()
    assert "to settle</span>" in worklist
    assert "“To settle”: readers of that case disagree, or one of them" in worklist
    again = admin.post(address(study, "adjudicate"), said)
    assert again.status_code == 409
    assert "being adjudicated already" in again.content.decode()
    nobody = admin.post(address(study, "adjudicate"), {"all": "1", "reader": ""})
    assert "Choose who settles these cases." in nobody.content.decode()
    page = admin.post(address(study, "adjudicate"), rest).content.decode()
    assert "It costs 2 more readings, about 4 min by what a case took its readers so far." in page
    assert "Look twice" not in page
    assert Assignment.objects.filter(kind=Assignment.Kind.ADJUDICATION).count() == 1
    for shown in ("1", "3", "none"):
        otherwise = admin.post(address(study, "adjudicate"), rest | {"confirmed": shown})
        page = otherwise.content.decode()
        assert otherwise.status_code == 409
        assert "Meanwhile more or fewer cases wait for somebody than were shown." in page
        assert 'name="confirmed" value="2"' in page
        assert page.count(" autofocus") == 1
    assert Assignment.objects.filter(kind=Assignment.Kind.ADJUDICATION).count() == 1
    rest["confirmed"] = "2"
    page = admin.post(address(study, "adjudicate"), rest, follow=True).content.decode()
    assert f"2 disputed cases are on the worklist of {settler.pseudonym}." in page
    assert "Give all" not in page
    again = admin.post(address(study, "adjudicate"), rest)
    assert (again.status_code, "has been given to somebody already" in again.content.decode()) == (409, True)
    settling = Reading.objects.get(assignment__case=case, assignment__kind="adjudication")
    complete(settling)
    sign(settling)
    signed = client_of(settler).get(reverse("worklist"), {"show": "signed"}).content.decode()
    assert signed.count("settled</span>") == 1
    admin.post(address(study, "move"), {"move": "lock"})
    assert "to settle" not in client_of(settler).get(reverse("worklist")).content.decode()


def test_what_a_third_reader_reads_first_is_said_before_a_dispute_is_given(admin: Client) -> None:
    design = ReaderStudyDesign(shows="one", first_reads="on")
    study = running(a_draft(num_cases=1, num_readers=3, design=design, adjudication="third_reader"))
    for reading, plausibility in zip(Reading.objects.order_by("pk"), (1, 5, 5), strict=True):
        say_first(reading, impression="Clear lungs")
        complete(reading, plausibility=plausibility)
        sign(reading)
    settler = ExpertFactory.create()
    said = {"case": str(study.cases.get().uid), "reader": str(settler.uid)}
    page = admin.post(address(study, "adjudicate"), said).content.decode()
    assert "on the worklist at once: first the film alone, where its readers read it so, then with" in page
    assert "the reading comes from outside this reader study" in page


def test_what_a_case_took_is_that_of_its_first_readings_not_of_their_amendments() -> None:
    study = running(a_draft(num_cases=3, num_readers=1))
    timed, untimed, waiting = Reading.objects.order_by("assignment__position")
    for reading, seconds in ((timed, 120), (untimed, 0)):
        complete(reading)
        Reading.objects.filter(pk=reading.pk).update(active_seconds=seconds)
        sign(reading)
    sign(amend_reading(reading=timed, reader=reader_of(timed), reason="a slip"))
    assert minutes_each(study) == 2.0
    Reading.objects.filter(pk=waiting.pk).update(active_seconds=900)
    assert minutes_each(study) == 2.0


def test_why_somebody_cannot_settle_a_case_is_said_in_its_row(admin: Client) -> None:
    study = running(a_draft(num_cases=1, num_readers=3, design=TWO_OF_THREE, adjudication="third_reader"))
    for reading, plausibility in zip(Reading.objects.order_by("pk"), (1, 5), strict=True):
        complete(reading, plausibility=plausibility)
        sign(reading)
    [third] = set(readers_of(study)) - {reader_of(reading) for reading in Reading.objects.all()}
    listed = admin.get(reverse("reader-study-list")).content.decode()
    waits = "1 disputed case goes to a third reader by itself now"
    assert f"all signed: {waits}, unless the study is locked without" in listed
    results = admin.get(reverse("reader-study-results", args=[study.uid])).content.decode()
    assert f" {waits}.</div>" in results
    page = admin.get(detail(study)).content.decode()
    row = page[page.index('id="disputes"') :]
    assert "goes to a third reader by itself now" in row
    assert "Give" not in row
    waits = "not settled yet: wait, since it goes to a third reader by itself, or lock"
    assert f"1 disputed case is {waits} the study without." in page
    admin.post(address(study, "move"), {"move": "pause"})
    page = admin.get(detail(study)).content.decode()
    row = page[page.index('id="disputes"') :]
    assert "by itself" not in row
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
    admin.post(address(study, "move"), {"move": "resume"})
    waits = "1 disputed case waits until an admin names who settles it"
    listed = admin.get(reverse("reader-study-list")).content.decode()
    assert f"all signed: {waits}, unless the study is locked without" in listed
    results = admin.get(reverse("reader-study-results", args=[study.uid])).content.decode()
    assert f' {waits}: <a href="{detail(study)}#disputes">give it to somebody</a>, or lock' in results


def test_why_readers_disagree_stays_hidden_until_the_lock_where_the_design_says_so(admin: Client) -> None:
    study = running(
        a_draft(num_cases=1, num_readers=2, design=TWO, adjudication="consensus", hides_results=True)
    )
    for reading, plausibility in zip(Reading.objects.order_by("pk"), (1, 5), strict=True):
        complete(reading, plausibility=plausibility)
        sign(reading)
    page = admin.get(detail(study)).content.decode()
    assert "hidden until the lock" in page
    assert "Results after the lock" in page
    assert address(study, "results") not in page
    assert "Plausibility of" not in page
    admin.post(reverse("reader-study-move", args=[study.uid]), {"move": "lock"})
    assert "Plausibility of 4 steps" in admin.get(detail(study)).content.decode()


def test_a_dispute_that_awaits_an_accepted_invitation_says_whose(admin: Client) -> None:
    study = running(a_draft(num_cases=3, num_readers=3, design=TWO_OF_THREE, adjudication="third_reader"))
    late = readers_of(study)[0]
    invitation = study.invitations.filter(reader=late)
    invitation.update(state=Invitation.State.INVITED)
    listed = admin.get(reverse("reader-study-list")).content.decode()
    for reading in Reading.objects.exclude(assignment__reader=late).order_by("pk"):
        is_first = reading.assignment.case.assignments.earliest("pk") == reading.assignment
        complete(reading, plausibility=1 if is_first else 5)
        sign(reading)
    assert "all signed" not in listed
    waits = f'{late.pseudonym} <span class="quiet">{late.username}</span> accepts the invitation'
    listed = admin.get(reverse("reader-study-list")).content.decode()
    assert "all signed but what waits until its reader accepts the invitation" in listed
    assert f": 1 disputed case waits until {waits}, unless the study is locked without" in listed
    page = admin.get(detail(study)).content.decode()
    row = page[page.index('id="disputes"') :]
    assert f"waits until {waits}, or" in row
    assert "by itself" not in row
    # Nor does the clock give it: what it does and what the pages say is one rule.
    assert queue_adjudications(reader_study=study) == 0
    invitation.update(state=Invitation.State.ACCEPTED)
    page = admin.get(detail(study)).content.decode()
    assert "goes to a third reader by itself now" in page[page.index('id="disputes"') :]
    assert queue_adjudications(reader_study=study) == 1
    assert Assignment.objects.get(kind=Assignment.Kind.ADJUDICATION).reader == late


def test_a_dispute_that_its_reader_leaves_lying_is_given_to_another(admin: Client) -> None:
    study = running(a_draft(num_cases=1, num_readers=3, design=TWO_OF_THREE, adjudication="third_reader"))
    for number, reading in enumerate(Reading.objects.order_by("pk")):
        complete(reading, plausibility=(1, 5)[number % 2])
        sign(reading)
    case = study.cases.get()
    idle, other = ExpertFactory.create(), ExpertFactory.create()
    given = start_adjudication(case=case, reader=idle, actor=None)
    page = admin.get(detail(study)).content.decode()
    row = page[page.index('id="disputes"') :]
    assert "Give to another …" in row
    assert f'value="{idle.uid}"' not in row
    assert f'value="{other.uid}"' in row
    said = {"again": str(case.uid), "reader": str(other.uid)}
    asked = admin.post(address(study, "adjudicate"), said).content.decode()
    assert "has not opened it. It goes from that worklist, which says so." in asked
    assert f'name="again" value="{case.uid}"' in asked
    given.refresh_from_db()
    assert given.withdrawn_at is None
    mark_opened(given.readings.get(), reader=idle)
    assert "begun</span>" in admin.get(detail(study)).content.decode()
    asked = admin.post(address(study, "adjudicate"), said).content.decode()
    assert "what was said of it so far stays unsigned and counts for nothing" in asked
    done = admin.post(address(study, "adjudicate"), said | {"confirmed": "1"}, follow=True)
    assert f"Case 1 is on the worklist of {other.pseudonym}." in done.content.decode()
    held = Assignment.objects.get(kind=Assignment.Kind.ADJUDICATION, withdrawn_at=None)
    assert held.reader == other
    worklist = client_of(idle).get(reverse("worklist")).content.decode()
    assert "1 of your unread cases in" in worklist
    assert client_of(idle).get(reverse("api-reading", args=[given.readings.get().uid])).status_code == 409
    actions = set(AuditEvent.objects.filter(subject_uid=str(given.uid)).values_list("action", flat=True))
    assert {"start_adjudication", "take_adjudication"} <= actions
    # Nor to whoever has it, nor once it is signed.
    again = admin.post(address(study, "adjudicate"), said)
    assert again.status_code == 409
    assert f"{other.pseudonym} has this case already. Choose somebody else." in again.content.decode()
    settling = held.readings.get()
    complete(settling)
    sign(settling)
    assert "Give to another …" not in admin.get(detail(study)).content.decode()
    late = admin.post(address(study, "adjudicate"), said | {"reader": str(idle.uid), "confirmed": "1"})
    assert "Nobody has this case to settle any more." in late.content.decode()


def test_what_a_doubt_asks_is_asked_of_whoever_gets_the_case_next(admin: Client) -> None:
    study = running(a_draft(num_cases=1, num_readers=3, design=TWO_OF_THREE, adjudication="third_reader"))
    for reading in Reading.objects.order_by("pk"):
        complete(reading)
        sign(reading)
    case, idle, other = study.cases.get(), ExpertFactory.create(), ExpertFactory.create()
    start_adjudication(case=case, reader=idle, actor=None, doubts=["Edema"])
    said = {"again": str(case.uid), "reader": str(other.uid), "confirmed": "1"}
    assert admin.post(address(study, "adjudicate"), said, follow=True).status_code == 200
    held = Assignment.objects.get(kind=Assignment.Kind.ADJUDICATION, withdrawn_at=None)
    assert (held.reader, held.asks_everything) == (other, True)
    assert [doubt.finding for doubt in held.doubts.all()] == ["Edema"]


def test_a_dispute_that_is_signed_while_somebody_else_is_named_for_it_stays_with_its_reader(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = running(a_draft(num_cases=1, num_readers=3, design=TWO_OF_THREE, adjudication="third_reader"))
    for number, reading in enumerate(Reading.objects.order_by("pk")):
        complete(reading, plausibility=(1, 5)[number % 2])
        sign(reading)
    case, other = study.cases.get(), ExpertFactory.create()
    settling = start_adjudication(case=case, reader=ExpertFactory.create(), actor=None).readings.get()
    preview = study_services.preview_hand_over

    def sign_after(**asked: Any) -> None:
        preview(**asked)
        complete(settling)
        sign(settling)

    monkeypatch.setattr(study_services, "preview_hand_over", sign_after)
    late = admin.post(address(study, "adjudicate"), {"again": str(case.uid), "reader": str(other.uid)})
    assert late.status_code == 409
    assert "Nobody has this case to settle any more." in late.content.decode()
