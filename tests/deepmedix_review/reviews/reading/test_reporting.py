"""A reader reports a name on a film: from then on nobody gets the film, until a person has looked."""

import hashlib
import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.services import require_ready
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.models import Assignment, Reading, StepRating, Vote
from deepmedix_review.reviews.reading.changes import CastVote
from deepmedix_review.reviews.selectors import signed_readings
from deepmedix_review.reviews.study_services import release_expired_leases, take_next_case
from deepmedix_review.reviews.worklist.endings import ending_of_pool
from deepmedix_review.studies.looking.selectors import sheet
from deepmedix_review.studies.masking.boxes import Box
from deepmedix_review.studies.masking.services import queue_masking
from deepmedix_review.studies.models import Instance, Sighting, Study
from deepmedix_review.studies.selectors import film_for, films_ready
from deepmedix_review.studies.tasks import run_masking
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.reader_studies import a_draft, running, studies
from tests.factories.reviews import (
    a_signed_reading,
    an_open_reading,
    change,
    complete,
    reader_of,
    reader_study,
)
from tests.factories.studies import InstanceFactory, store_phantom

pytestmark = pytest.mark.django_db

LOOK = "/studies/look/"


def desk_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def report(
    reading: Reading,
    *,
    client: Client | None = None,
    film: Instance | None = None,
    change_id: uuid.UUID | None = None,
) -> Any:
    asked = {
        "change_id": str(change_id or uuid.uuid4()),
        "film": str((film or reading.completion_a.instance).uid),
    }
    client = client or desk_of(reader_of(reading))
    address = reverse("api-reading-name-on-film", args=[reading.uid])
    return client.post(address, asked, content_type="application/json")


def state_of(reading: Reading) -> str:
    return Study.objects.get(pk=reading.assignment.case.study_id).state


def test_a_reported_film_is_closed_on_every_way_and_the_work_comes_back_when_a_person_lets_it_in() -> None:
    first, second = ExpertFactory.create(), ExpertFactory.create()
    study = reader_study(num_cases=2, readers=[first, second])
    mine, following = Reading.objects.filter(assignment__reader=first).order_by("pk")
    theirs = Reading.objects.get(
        assignment__reader=second, assignment__case=mine.assignment.case, assignment__case__reader_study=study
    )
    complete(mine)
    num_said = StepRating.objects.filter(reading=mine).count()
    film = mine.completion_a.instance
    answer = report(mine).json()
    assert answer["closes_case"] is True
    assert (answer["next"], answer["ending"]) == (reverse("reading", args=[following.uid]), None)
    assert state_of(mine) == Study.State.UNSEEN

    researcher = desk_of(ResearcherFactory.create())
    desks = {desk_of(first): mine, desk_of(second): theirs}
    films = [reverse(name, args=[film.uid]) for name in ("film", "film-picture")]
    for desk, reading in desks.items():
        assert [desk.get(address).status_code for address in films] == [404, 404]
        for name in ("reading", "api-reading", "api-reading-completions"):
            refused = desk.get(reverse(name, args=[reading.uid]))
            assert refused.status_code == 409
            assert "out of use until a person has looked" in refused.content.decode()
        opened = desk.post(reverse("api-reading-open", args=[reading.uid]), content_type="application/json")
        assert (opened.status_code, opened.json()["is_out_of_use"]) == (409, True)
        page = desk.get(reverse("worklist")).content.decode()
        assert "a person looks; what you said is kept" in page
        assert reverse("open-reading", args=[reading.assignment.uid]) not in page
    assert [researcher.get(address).status_code for address in films] == [404, 404]
    assert researcher.get(reverse("study-detail", args=[film.study.uid])).status_code == 404
    assert film not in films_ready()
    with pytest.raises(RefusedByRule):
        require_ready(film.study)
    with pytest.raises(RefusedByRule):
        change(mine, CastVote(Vote.Side.B))

    admin = AdminFactory.create()
    [waiting] = sheet(admin).reported
    desk_of(admin).post(LOOK, {"study": [waiting.token]})
    assert state_of(mine) == Study.State.READY
    assert StepRating.objects.filter(reading=mine).count() == num_said > 0
    assert desk_of(first).get(reverse("api-reading", args=[mine.uid])).status_code == 200
    assert film_for(second, film.uid) == film


def test_only_the_readings_own_reader_reports_and_only_films_of_the_case() -> None:
    reading, elsewhere = an_open_reading(), InstanceFactory.create()
    for other in (ExpertFactory.create(), AdminFactory.create(), ResearcherFactory.create()):
        assert report(reading, client=desk_of(other)).status_code == 403
    assert report(reading, client=Client()).status_code == 401
    refused = report(reading, film=elsewhere)
    assert (refused.status_code, "not part of this case" in refused.json()["detail"]) == (409, True)
    client = desk_of(reader_of(reading))
    address = reverse("api-reading-name-on-film", args=[reading.uid])
    assert client.post(address, {"film": "x"}, content_type="application/json").status_code == 400
    assert not Sighting.objects.exists()
    assert state_of(reading) == Study.State.READY


def test_a_report_that_comes_again_changes_nothing_and_one_after_the_look_is_a_new_one() -> None:
    reading, change_id = an_open_reading(), uuid.uuid4()
    first = report(reading, change_id=change_id)
    assert report(reading, change_id=change_id).json() == first.json()
    events = AuditEvent.objects.filter(action="report_name")
    assert [event.actor for event in events] == [reader_of(reading)]
    assert events.get().details == {"film": str(reading.completion_a.instance.uid)}
    admin = AdminFactory.create()
    desk = desk_of(admin)
    shown = sheet(admin).reported[0].token
    desk.post(LOOK, {"study": [shown]})
    # A late repeat, from an outbox that never got its answer, does not close the film again.
    assert report(reading, change_id=change_id).status_code == 200
    assert state_of(reading) == Study.State.READY
    report(reading)
    assert state_of(reading) == Study.State.UNSEEN
    # Who still has the former sheet on the screen did not look at what was reported since.
    assert (
        "changed since the sheet was shown"
        in desk.post(LOOK, {"study": [shown]}, follow=True).content.decode()
    )
    assert state_of(reading) == Study.State.UNSEEN


def test_admins_see_what_readers_reported_at_the_top_and_by_pseudonym_alone() -> None:
    reading = an_open_reading()
    reader, admin = reader_of(reading), AdminFactory.create()
    reader.first_name, reader.last_name = "Given", "Family"
    reader.save()
    for _ in range(2):
        InstanceFactory.create(series__study__state=Study.State.UNSEEN)
    report(reading)
    desk = desk_of(admin)
    page = desk.get(LOOK).content.decode()
    label = reading.assignment.case.study.label
    assert "Reported by readers: 1" in page
    assert page.index(f"reported by a reader, {reader.pseudonym}") < page.index("Tick each film")
    assert page.index(label) < page.index("Tick each film")
    assert "1 reported by readers" in desk.get(reverse("study-list")).content.decode()
    detail = desk.get(reverse("study-detail", args=[reading.assignment.case.study.uid])).content.decode()
    assert f"reported by a reader, {reader.pseudonym}" in detail
    assert "Given" not in page + detail
    # Letting in all that is not ticked below leaves it alone; it is put on hold by its own answer.
    below = [unseen.token for unseen in sheet(admin).studies]
    desk.post(LOOK, {"study": below})
    assert state_of(reading) == Study.State.UNSEEN
    [reported] = sheet(admin).reported
    desk.post(LOOK, {"study": [reported.token], "marked": [reported.token]})
    assert state_of(reading) == Study.State.HELD
    assert "reported by readers" not in desk.get(reverse("study-list")).content.decode()


def test_a_name_on_an_earlier_film_of_the_patient_closes_that_one_and_the_case_goes_on() -> None:
    reading = an_open_reading()
    study = reading.assignment.case.study
    Study.objects.filter(pk=study.pk).update(study_date=date(2026, 5, 2), order_date=date(2026, 5, 2))
    prior = InstanceFactory.create(
        series__study__patient_pseudonym=study.patient_pseudonym, series__study__study_date=date(2026, 1, 2)
    )
    client = desk_of(reader_of(reading))
    shown = client.get(reverse("api-reading", args=[reading.uid])).json()
    assert [film["uid"] for film in shown["films"]] == [str(prior.uid)]
    answer = report(reading, film=prior).json()
    assert (answer["closes_case"], answer["next"], answer["ending"]) == (False, None, None)
    assert client.get(reverse("film", args=[prior.uid])).status_code == 404
    shown = client.get(reverse("api-reading", args=[reading.uid])).json()
    assert (shown["films"], state_of(reading)) == ([], Study.State.READY)


def test_a_name_seen_again_in_a_signed_case_takes_it_out_of_use_too() -> None:
    reading = a_signed_reading()
    assert report(reading).status_code == 200
    assert list(signed_readings()) == []


def test_a_lease_stands_still_while_its_film_waits_for_a_look() -> None:
    readers = [ExpertFactory.create() for _ in range(2)]
    design = ReaderStudyDesign(design="k_readers", readers_per_case=1, is_pool=True)
    pool = running(a_draft(studies=studies(1), readers=readers, design=design))
    reading = take_next_case(reader_study=pool, reader=readers[0])
    assert reading is not None
    answer = report(reading).json()
    assert (answer["next"], answer["ending"]["may_take"]) == (None, False)
    assert "comes back once its film may be shown again" in answer["ending"]["sentence"]
    Assignment.objects.filter(pk=reading.assignment_id).update(
        lease_expires_at=timezone.now() - timedelta(minutes=1)
    )
    assert release_expired_leases() == 0
    admin = AdminFactory.create()
    desk_of(admin).post(LOOK, {"study": [sheet(admin).reported[0].token]})
    assert release_expired_leases() == 0
    assert ending_of_pool(pool, readers[0].pk).may_take is True
    assert ending_of_pool(pool, readers[1].pk).may_take is False
    assert take_next_case(reader_study=pool, reader=readers[0]) == reading


def test_masking_is_the_way_back_for_a_film_that_a_reader_closed() -> None:
    """What was said stays, and the same case shows the film without the text."""
    reading = an_open_reading()
    complete(reading)
    num_said, film, drawn = reading.step_ratings.count(), reading.completion_a.instance, store_phantom()
    told = {
        name: getattr(drawn, name)
        for name in (
            "rows",
            "columns",
            "bits_stored",
            "pixel_sha256",
            "file_path",
            "file_bytes",
            "file_sha256",
        )
    }
    drawn.study.delete()
    Instance.objects.filter(pk=film.pk).update(**told)
    film.refresh_from_db()
    desk, page = desk_of(reader_of(reading)), reverse("api-reading", args=[reading.uid])
    assert desk.get(page).json()["instance"]["file_sha256"] == told["file_sha256"]
    report(reading)
    assert desk.get(page).status_code == 409
    admin = AdminFactory.create()
    masking = queue_masking(film, boxes=[Box(0, 0, 30, 9)], accept=True, has_looked=True, actor=admin)
    # Asked for, and not done yet: nobody gets the film.
    assert desk.get(reverse("film", args=[film.uid])).status_code == 404
    assert desk.get(page).status_code == 409
    run_masking(masking.pk)
    film.refresh_from_db()
    shown = desk.get(page).json()
    assert shown["instance"]["file_sha256"] == film.file_sha256 != told["file_sha256"]
    assert reading.step_ratings.count() == num_said > 0
    sent = desk.get(reverse("film", args=[film.uid])).getvalue()
    assert hashlib.sha256(sent).hexdigest() == film.file_sha256
    assert not Sighting.objects.filter(looked_at=None).exists()
