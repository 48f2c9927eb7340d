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
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy, Reading
from deepmedix_review.reviews.services import amend_reading
from deepmedix_review.reviews.study_services import (
    lock_reader_study,
)
from deepmedix_review.reviews.worklist import offers
from deepmedix_review.studies.holding import hold_study
from deepmedix_review.studies.looking.services import report_name
from deepmedix_review.studies.models import Instance
from rl_feedback.preferences.kinds import without_boxes
from tests.deepmedix_review.reviews.conduct.the_page import address, client_of, detail, readers_of
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.reader_studies import a_draft, running, sign_unsaid
from tests.factories.reviews import (
    a_signed_reading,
    complete,
    reader_of,
    reader_study,
    sign,
)

pytestmark = pytest.mark.django_db

TWO = ReaderStudyDesign()
DAY = (timezone.localdate() + timedelta(days=9)).isoformat()


def test_the_page_has_what_readers_are_told_where_they_are_told_anything(admin: Client) -> None:
    study = reader_study(num_cases=1, readers=[ExpertFactory.create()])
    told = "What its readers are told before the first case"
    assert told not in admin.get(detail(study)).content.decode()
    ReaderStudy.objects.filter(pk=study.pk).update(instructions="Read as in a clinic.\n\n<b>Slowly</b>.")
    page = admin.get(detail(study)).content.decode()
    assert told in page
    assert "<p>Read as in a clinic.</p>" in page
    assert "&lt;b&gt;Slowly&lt;/b&gt;" in page


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


def test_what_every_reader_reads_stands_in_no_block(admin: Client) -> None:
    split = replace(TWO, design="split_plot", num_blocks=2, control_share=0.25)
    study = running(a_draft(num_cases=8, num_readers=4, design=split))
    page = admin.get(detail(study)).content.decode().split("part-cases")[2]
    shown = Counter(re.findall(r'<td class="mono">(\d|all)</td>\s*<td><progress', page))
    assert shown == {"1": 3, "2": 3, "all": 2}
    rows = csv.DictReader(io.StringIO(b"".join(admin.get(address(study, "lists"))).decode()))
    assert {(row["role"], row["block"]) for row in rows} == {("data", "1"), ("data", "2"), ("control", "")}


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
