"""A real worker writes exports; one that is killed in the middle is followed by one that goes on."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from deepmedix_review.common.models import JobState
from deepmedix_review.exports.folders import parts_folder
from deepmedix_review.exports.models import FORMATS, Export
from deepmedix_review.exports.services import Asked
from deepmedix_review.exports.tasks import request_export
from tests.deepmedix_review.exports.an_export import USE, a_read_study, archive_of, files_of
from tests.factories.accounts import ResearcherFactory
from tests.workers import Workers, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def ended(export: Export) -> bool:
    export.refresh_from_db()
    return export.is_final


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


def test_an_export_whose_worker_is_killed_in_the_middle_goes_on_and_keeps_what_is_whole(
    celery_workers: Workers, beside: psycopg.Connection
) -> None:
    a_read_study()
    rita = ResearcherFactory.create()
    # Whatever writes since before that moment would be waited for.
    as_of = timezone.now()
    beside.execute("LOCK TABLE reviews_missedfinding IN ACCESS EXCLUSIVE MODE")
    export = request_export(Asked(USE, formats=FORMATS, as_of=as_of), actor=rita)

    def stands_before_the_lock() -> bool:
        export.refresh_from_db()
        return "data/votes.parquet" in export.files

    wait_until(stands_before_the_lock, what="the first tables are whole", seconds=120)
    celery_workers.kill("io")
    whole = {one.name for one in export.written}
    assert {one.attempt for one in export.written} == {1}
    assert export.state == JobState.RUNNING
    beside.rollback()
    celery_workers.start("io")
    wait_until(lambda: ended(export), what="the export is taken up again")
    assert (export.state, export.attempt) == (JobState.DONE, 2), export.error
    assert {one.name for one in export.written if one.attempt == 1} == whole
    # Once the archive can be fetched they are taken away.
    wait_until(lambda: not parts_folder(export).exists(), what="the parts are taken away")

    again = request_export(Asked(USE, formats=FORMATS, as_of=as_of), actor=rita)
    wait_until(lambda: ended(again), what="the same export once more")
    assert again.state == JobState.DONE, again.error
    assert archive_of(again) == archive_of(export)
    assert set(files_of(again)) == {one.name for one in export.written} | {
        "README.txt",
        "croissant.json",
        "manifest.json",
    }
