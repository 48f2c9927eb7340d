"""A real worker erases; one that is killed in the middle is followed by one that goes on, and what comes in
at the same moment stays out."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection, connections

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.selectors import check_chain
from deepmedix_review.common import jobs
from deepmedix_review.common.erasing import ERASING_LOCK
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure.models import Erasure, FileToDelete
from deepmedix_review.erasure.retention.batches import AskedBatch
from deepmedix_review.erasure.scope import study_scope
from deepmedix_review.erasure.services import Asked
from deepmedix_review.erasure.tasks import request_batch, request_erasure
from deepmedix_review.feedback.models import HandOver, PreferenceDataset
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.studies.models import ImportItem, Instance, Study
from deepmedix_review.studies.storage import film_path, picture_path
from tests.deepmedix_review.erasure.a_due_study import a_rule, came_at, days_ago
from tests.factories.accounts import ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import receive, store_phantom, write_film
from tests.workers import Workers, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def beside() -> Iterator[psycopg.Connection]:
    """Another session, which can stand in the worker's way."""
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"] or None,
        user=settings["USER"],
        dbname=settings["NAME"],
    ) as other:
        yield other


@pytest.fixture
def gate(beside: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Closed between a file that is deleted and the note that it is, until it is rolled back."""
    beside.execute(
        """CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN OLD; END $$;
        CREATE TRIGGER the_gate BEFORE DELETE ON erasure_filetodelete
            FOR EACH ROW EXECUTE FUNCTION wait_at_the_gate()"""
    )
    beside.commit()
    beside.execute("SELECT pg_advisory_xact_lock(42)")
    yield beside
    beside.rollback()
    beside.execute("DROP TRIGGER the_gate ON erasure_filetodelete; DROP FUNCTION wait_at_the_gate()")
    beside.commit()


def ask(study: Study, *, admin: User) -> Erasure:
    scope = study_scope(admin, study.uid)
    return request_erasure(scope, Asked("withdrawn", "", scope.name), actor=admin)


def ended(erasure: Erasure) -> bool:
    erasure.refresh_from_db()
    return erasure.is_final


def waits(what: str) -> bool:
    """Whether a session waits for this lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s",
            [f"%{what}%"],
        )
        return bool(cursor.fetchone() != (0,))


def test_a_worker_that_is_killed_in_the_middle_is_followed_by_one_that_goes_on(
    celery_workers: Workers, beside: psycopg.Connection, admin: User
) -> None:
    film, other = store_phantom(seed=1), store_phantom(seed=2)
    beside.execute("LOCK TABLE studies_erasedname IN ACCESS EXCLUSIVE MODE")
    erasure = ask(film.study, admin=admin)
    # In the middle of its transaction nothing is gone for anybody else.
    wait_until(lambda: waits("studies_erasedname"), what="the worker stands before the lock")
    celery_workers.kill("io")
    assert Instance.objects.filter(pk=film.pk).exists()
    assert film_path(film).is_file()
    beside.rollback()

    celery_workers.start("io")
    wait_until(lambda: ended(erasure), what="the erasure is taken up again")
    assert (erasure.state, erasure.error) == (JobState.DONE, "")
    assert erasure.attempt >= 2
    assert not film_path(film).exists()
    assert not picture_path(film).exists()
    assert not FileToDelete.objects.exists()
    assert film_path(other).is_file()
    assert check_chain().broken_at is None


def test_a_batch_of_due_studies_whose_worker_is_killed_between_rows_and_files_ends_with_the_next(
    celery_workers: Workers, gate: psycopg.Connection, admin: User
) -> None:
    films = [store_phantom(seed=seed) for seed in (1, 2, 3)]
    for place, film in enumerate(films):
        came_at(film.study, days_ago(50 - place))
    a_rule(admin, 30)
    batch = request_batch(AskedBatch(3), actor=admin)
    wait_until(lambda: waits("erasure_filetodelete"), what="the rows and the first file of one are gone")
    celery_workers.kill("io")
    batch.refresh_from_db()
    assert batch.state == JobState.RUNNING
    assert Study.objects.count() == 2
    assert [picture_path(film).exists() for film in films] == [True, True, True]
    gate.rollback()
    celery_workers.start("io")

    def is_done() -> bool:
        batch.refresh_from_db()
        states = set(Erasure.objects.values_list("state", flat=True))
        return batch.is_final and states == {JobState.DONE}

    wait_until(is_done, what="the batch, and the erasure that was left in the middle, are taken up again")
    assert (batch.state, batch.error) == (JobState.DONE, "")
    assert batch.studies.filter(erasure__state=JobState.DONE).count() == 3
    assert Erasure.objects.count() == 3
    assert not Study.objects.exists()
    assert not [film for film in films if film_path(film).exists() or picture_path(film).exists()]
    assert check_chain().broken_at is None


def test_files_that_a_killed_worker_left_go_with_the_next(
    celery_workers: Workers, gate: psycopg.Connection, admin: User
) -> None:
    film = store_phantom(seed=1)
    erasure = ask(film.study, admin=admin)
    wait_until(lambda: waits("erasure_filetodelete"), what="the rows and the first file are gone")
    celery_workers.kill("io")
    erasure.refresh_from_db()
    assert (erasure.state, erasure.erased_at is None) == (JobState.RUNNING, False)
    assert not Study.objects.exists()
    assert [film_path(film).exists(), picture_path(film).exists()] == [False, True]
    gate.rollback()
    celery_workers.start("io")
    wait_until(lambda: ended(erasure), what="the erasure is taken up again")
    assert (erasure.state, erasure.error, erasure.attempt) == (JobState.DONE, "", 2)
    assert not picture_path(film).exists()
    assert not film_path(film).exists()


def test_a_film_that_comes_in_at_the_same_moment_waits_and_stays_out(
    beside: psycopg.Connection, celery_workers: Workers, admin: User, tmp_path: Path
) -> None:
    path = write_film(tmp_path / "film.dcm")
    more = write_film(tmp_path / "more.dcm", SOPInstanceUID="1.9.9")
    item = receive(path, demo=True)
    assert item.instance is not None
    beside.execute("LOCK TABLE studies_erasedname IN ACCESS EXCLUSIVE MODE")
    erasure = ask(item.instance.study, admin=admin)
    wait_until(lambda: waits("studies_erasedname"), what="the worker stands before the lock")
    came: list[ImportItem] = []

    def bring() -> None:
        came.append(receive(more, demo=True))
        connections.close_all()

    thread = threading.Thread(target=bring)
    thread.start()
    wait_until(lambda: waits("pg_advisory_xact_lock"), what="the film waits for the erasure")
    beside.rollback()
    thread.join(60)
    assert [one.outcome for one in came] == [ImportItem.Outcome.REFUSED]
    assert came[0].reason.startswith("This study was erased on ")
    wait_until(lambda: ended(erasure), what="it is done")
    assert not Study.objects.exists()
    assert not list(film_path(item.instance).parent.glob("*.dcm"))


def test_a_freeze_at_the_same_moment_waits_and_takes_what_is_left(
    beside: psycopg.Connection, celery_workers: Workers, admin: User
) -> None:
    model = ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)
    gone, left = (a_reading_to_learn_from(model, seed=seed) for seed in (101, 201))
    researcher = ResearcherFactory.create()
    beside.execute("LOCK TABLE studies_erasedname IN ACCESS EXCLUSIVE MODE")
    erasure = ask(gone.assignment.case.study, admin=admin)
    wait_until(lambda: waits("studies_erasedname"), what="the worker stands before the lock")
    frozen: list[PreferenceDataset] = []

    def freeze() -> None:
        frozen.append(freeze_dataset(title="Round 1", actor=researcher))
        connections.close_all()

    thread = threading.Thread(target=freeze)
    thread.start()
    wait_until(lambda: waits("pg_advisory_xact_lock_shared"), what="the freeze waits for the erasure")
    beside.rollback()
    thread.join(60)
    [dataset] = frozen
    assert [row.reading_id for row in dataset.readings.all()] == [left.pk]
    wait_until(lambda: ended(erasure), what="it is done")
    assert erasure.state == JobState.DONE, erasure.error


def test_no_worker_begins_a_job_while_rows_go(beside: psycopg.Connection) -> None:
    job = HandOver.objects.create(
        dataset=freeze_of_one(),
        parent_version=ServingModelFactory.create(),
        created_by=ResearcherFactory.create(),
        reward="grounded",
        num_train=1,
        num_validation=1,
    )
    beside.execute("SELECT pg_advisory_xact_lock(%s)", [ERASING_LOCK])

    def claim() -> None:
        jobs.claim(HandOver, job_id=job.pk)
        connections.close_all()

    thread = threading.Thread(target=claim)
    thread.start()
    wait_until(lambda: waits("pg_advisory_xact_lock_shared"), what="the claim waits")
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    beside.rollback()
    thread.join(60)
    job.refresh_from_db()
    assert job.state != JobState.QUEUED


def freeze_of_one() -> PreferenceDataset:
    model = ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)
    a_reading_to_learn_from(model)
    return freeze_dataset(title="Round 1", actor=ResearcherFactory.create())
