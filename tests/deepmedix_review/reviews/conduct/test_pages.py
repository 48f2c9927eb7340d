"""The page of a running reader study, what an admin does there, and what its readers see on the worklist."""

import csv
import io
import re
import uuid
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.reasoning.models import ReasoningStep, Region
from deepmedix_review.reasoning.region_labels import place_on_film
from deepmedix_review.reviews.conduct import overview
from deepmedix_review.reviews.conduct.controls import control_cases
from deepmedix_review.reviews.conduct.disputes import minutes_each
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.services import amend_reading, mark_opened
from deepmedix_review.reviews.study_services import (
    lock_reader_study,
    queue_adjudications,
)
from deepmedix_review.reviews.worklist import offers
from deepmedix_review.studies.looking.services import report_name
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.services import hold_study
from rl_feedback.preferences.kinds import without_boxes
from tests.deepmedix_review.reviews.conduct.the_page import address, client_of, detail, readers_of
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.reader_studies import a_draft, running, sign_unsaid
from tests.factories.reviews import (
    a_signed_reading,
    an_open_reading,
    complete,
    reader_of,
    reader_study,
    say_first,
    sign,
)

pytestmark = pytest.mark.django_db

TWO = ReaderStudyDesign()
ROTATION = ReaderStudyDesign(design="k_readers", readers_per_case=2, shows="one")
DAY = (timezone.localdate() + timedelta(days=9)).isoformat()
POOL = ReaderStudyDesign(design="k_readers", readers_per_case=1, is_pool=True)


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


def test_cases_whose_films_nobody_gets_are_counted_and_named_with_the_way_to_them(admin: Client) -> None:
    study = reader_study(num_cases=4)
    assert "out of use" not in admin.get(detail(study)).content.decode()
    reported, held, missed, _ = Case.objects.filter(reader_study=study).order_by("position")
    film = Instance.objects.get(series__study=reported.study)
    for _ in range(2):
        report_name(film=film, reader=ExpertFactory.create(), change_id=uuid.uuid4())
    hold_study(held.study, reason="A caption covers the lung.", actor=AdminFactory.create())
    Instance.objects.filter(series__study=missed.study).update(file_missed_at=timezone.now())
    page = admin.get(detail(study)).content.decode()
    assert re.search(r'href="#out-of-use"><span class="mono">3</span> cases', page)
    [section] = re.findall(r'<section class="panel" id="out-of-use".*?</section>', page, re.DOTALL)
    rows = re.findall(r"<tr>\s*<td.*?</tr>", section, re.DOTALL)
    for row, case, said in zip(
        rows,
        (reported, held, missed),
        ("2 readers saw a name on a film", "A caption covers the lung.", "is gone or can't be read"),
        strict=True,
    ):
        assert said in row
        assert reverse("study-detail", args=[case.study.uid]) in row
        assert (reverse("study-look") in row) == (case == reported)
    assert page.count('<span class="chip warn">out of use</span>') == 3


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


def test_controls_and_repeats_are_listed_for_the_staff_alone(admin: Client) -> None:
    design = replace(TWO, control_share=0.25, repeat_share=0.5, washout_cases=1)
    study = running(a_draft(num_cases=8, num_readers=1, design=design))
    page = admin.get(detail(study)).content.decode()
    for case in study.cases.filter(role=Case.Role.CONTROL):
        [what] = (case.known_answer or {})["alterations"]
        step = ReasoningStep.objects.select_related("completion__model_version").get(uid=what["step"])
        output = f"{step.completion.model_version}, sample {step.completion.seed}"
        place = f"{step.position}, region" if what["region"] else f"{step.position} <span"
        shown = page.split(">Controls</h2>")[1].split("</section>")[0]
        assert f"{case.study.label}</a></th><td>{output}</td><td>{place}" in shown
        # In words: a statement without the numbers of its box, and where on the picture the box lies and lay.
        assert f"“{without_boxes(step.text)}”" in shown
        assert not re.search(r"\[ ?\d", shown)
        row = next(row for row in control_cases(study) if row.case == case)
        original = step.completion.altered_from
        assert original is not None
        before = original.steps.get(position=step.position)
        if what["region"]:
            moved = Region.objects.get(uid=what["region"])
            stood = before.regions.get(position=moved.position)
            size = (original.image_width, original.image_height)
            places = [
                place_on_film((one.x_min, one.y_min, one.x_max, one.y_max), size) for one in (moved, stood)
            ]
            assert [row.place, row.stood_at] == places
            assert f"<td>a box in a wrong place: {row.place}<span" in shown
            assert (row.moved_to != "") == (row.place == row.stood_at)
        else:
            assert (row.place, row.said) == ("", without_boxes(before.text))
            assert f'a sentence of another case <span class="quiet">in place of “{row.said}”' in shown
    assert page.count("waits for its first reading") == 3
    repeated = Assignment.objects.filter(kind=Assignment.Kind.REPEAT).earliest("pk").repeat_of
    assert repeated is not None
    Assignment.objects.filter(pk=repeated.pk).update(signed_at=timezone.now())
    page = admin.get(detail(study)).content.decode()
    assert page.count("waits for its first reading") == 2
    assert "in its washout: more cases come between" in page
    ReaderStudy.objects.filter(pk=study.pk).update(state=ReaderStudy.State.LOCKED)
    assert admin.get(detail(study)).content.decode().count("<td>not signed before the lock") == 3
    ReaderStudy.objects.filter(pk=study.pk).update(state=ReaderStudy.State.RUNNING)
    [reader] = readers_of(study)
    seen = client_of(reader).get(reverse("worklist")).content.decode()
    for word in ("control", "repeat", "wrong place"):
        assert word not in seen.lower()


def test_every_readers_list_is_taken_away_as_it_was_drawn_without_a_rating(admin: Client) -> None:
    design = replace(TWO, control_share=0.25, repeat_share=0.5, washout_cases=1)
    study = running(a_draft(num_cases=8, num_readers=2, design=design, hides_results=True))
    assert address(study, "lists") in admin.get(detail(study)).content.decode()
    first, second, *_ = Reading.objects.order_by("assignment__reader__pseudonym", "assignment__position")
    complete(first)
    sign(first)
    Assignment.objects.filter(pk=second.assignment_id).update(withdrawn_at=timezone.now())
    content = b"".join(admin.get(address(study, "lists"))).decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    assert len(rows) == Assignment.objects.filter(case__reader_study=study).count() == 22
    assert [row["state"] for row in rows[:3]] == ["signed", "taken away", "not opened"]
    assert rows[0]["name of the case for the reader"] == first.assignment.label
    assert (rows[0]["output A"], rows[0]["output B"]) == (
        str(first.completion_a.uid),
        str(first.completion_b and first.completion_b.uid),
    )
    by_role = Counter((row["role"], row["reading"]) for row in rows)
    assert by_role == {("data", "first"): 12, ("control", "first"): 4, ("data", "hidden repeat"): 6}
    event = AuditEvent.objects.get(action="download_lists")
    assert (event.subject_uid, event.details) == (str(study.uid), {"readings": 22})


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
    known = f"{settler.pseudonym} has seen 1 of these films in another reader study."
    assert known in admin.post(address(study, "adjudicate"), said).content.decode()
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
    rest = {"all": "1", "reader": str(settler.uid)}
    nobody = admin.post(address(study, "adjudicate"), {"all": "1", "reader": ""})
    assert "Choose who settles these cases." in nobody.content.decode()
    page = admin.post(address(study, "adjudicate"), rest).content.decode()
    assert "It costs 2 more readings, about 4 min by what a case took its readers so far." in page
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
    two_of_three = ReaderStudyDesign(design="k_readers", readers_per_case=2)
    study = running(a_draft(num_cases=1, num_readers=3, design=two_of_three, adjudication="third_reader"))
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
    assert "Results after the lock" in page
    assert address(study, "results") not in page
    assert "Plausibility of" not in page
    admin.post(reverse("reader-study-move", args=[study.uid]), {"move": "lock"})
    assert "Plausibility of 4 steps" in admin.get(detail(study)).content.decode()


def test_a_dispute_that_awaits_an_accepted_invitation_says_whose(admin: Client) -> None:
    two_of_three = ReaderStudyDesign(design="k_readers", readers_per_case=2)
    study = running(a_draft(num_cases=3, num_readers=3, design=two_of_three, adjudication="third_reader"))
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


def test_a_readers_last_signature_may_be_that_of_an_amendment() -> None:
    signed = a_signed_reading()
    study, reader = signed.assignment.case.reader_study, reader_of(signed)
    amendment = amend_reading(reading=signed, reader=reader, reason="Sides mixed up")
    assert [row.last_signed_at for row in overview.reader_rows(study)] == [signed.signed_at]
    sign(amendment)
    assert [row.last_signed_at for row in overview.reader_rows(study)] == [amendment.signed_at]


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
