"""A real worker that is killed by kill -9 leaves the old film or the new one, and the next one goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psycopg
import pytest
from django.conf import settings
from django.db import connection

from deepmedix_review.audit.selectors import check_chain
from deepmedix_review.studies.models import Instance, Study, TextMasking
from deepmedix_review.studies.storage import film_path, picture_path
from deepmedix_review.studies.tasks import request_masking
from tests.deepmedix_review.studies.masking.a_masking import BOXES, inside, values
from tests.factories.accounts import AdminFactory
from tests.factories.studies import store_phantom
from tests.workers import Workers, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def film_folder() -> None:
    """The worker's own."""


@contextmanager
def gate(table: str, when: str) -> Iterator[None]:
    """Whoever does this to the table waits until the block ends."""
    told = connection.settings_dict
    with psycopg.connect(
        host=told["HOST"], port=told["PORT"] or None, user=told["USER"], dbname=told["NAME"]
    ) as beside:
        beside.execute(
            f"""CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NEW; END $$;
            CREATE TRIGGER the_gate BEFORE {when.replace("ON", f"ON {table} FOR EACH ROW", 1)}
                EXECUTE FUNCTION wait_at_the_gate()"""
        )
        beside.commit()
        try:
            beside.execute("SELECT pg_advisory_xact_lock(42)")
            yield
        finally:
            beside.rollback()
            beside.execute(f"DROP TRIGGER the_gate ON {table}; DROP FUNCTION wait_at_the_gate()")
            beside.commit()


def waits(what: str) -> bool:
    """Whether a session waits for this lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s",
            [f"%{what}%"],
        )
        return bool(cursor.fetchone() != (0,))


def ask(film: Instance) -> TextMasking:
    return request_masking(film, boxes=BOXES, accept=True, has_looked=True, actor=AdminFactory.create())


def ended(masking: TextMasking) -> bool:
    masking.refresh_from_db()
    return masking.is_final and masking.is_original_deleted


def check_done(masking: TextMasking, film: Instance) -> None:
    assert (masking.state, masking.error) == ("done", "")
    film.refresh_from_db()
    assert len(set(values(film)[inside((96, 96))])) == 1
    assert picture_path(film).is_file()
    assert Study.objects.get().state == Study.State.READY
    assert check_chain().broken_at is None


def test_killed_before_the_film_is_replaced(celery_workers: Workers) -> None:
    film = store_phantom(seed=1)
    before, old = values(film), film_path(film)
    with gate("studies_maskedpicture", "INSERT ON"):
        masking = ask(film)
        # The new file is written by now, and in the middle of its transaction nobody else sees it.
        wait_until(lambda: waits("studies_maskedpicture"), what="the worker stands at the gate")
        masking.refresh_from_db()
        assert (settings.FILM_FOLDER / masking.written_path).is_file()
        celery_workers.kill("io")
        film.refresh_from_db()
        assert film_path(film) == old
        assert np.array_equal(values(film), before)
        assert Study.objects.get().state == Study.State.HELD
    celery_workers.start("io")
    wait_until(lambda: ended(masking), what="the masking is taken up again")
    assert masking.attempt >= 2
    assert not old.exists()
    assert not old.with_suffix(".png").exists()
    check_done(masking, film)


def test_killed_before_the_original_is_noted_as_deleted(celery_workers: Workers) -> None:
    film = store_phantom(seed=2)
    old = film_path(film)
    noted = "UPDATE ON WHEN (OLD.original_path <> '' AND NEW.original_path = '')"
    with gate("studies_textmasking", noted):
        masking = ask(film)
        wait_until(lambda: waits("studies_textmasking"), what="the original is deleted, and it is not noted")
        celery_workers.kill("io")
        film.refresh_from_db()
        masking.refresh_from_db()
        assert (masking.state, masking.is_original_deleted) == ("done", False)
        assert film_path(film) != old
        assert len(set(values(film)[inside((96, 96))])) == 1
    celery_workers.start("io")
    wait_until(lambda: ended(masking), what="the next sweep deletes and notes it")
    assert not old.exists()
    check_done(masking, film)
