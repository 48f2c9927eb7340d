"""Real workers and a real web server bring archives in; each may be killed in the middle."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pydicom
import pytest
import requests
from django.conf import settings as django_settings
from django.db import connection
from pytest_django import Settings

from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.models import JobState
from deepmedix_review.config import postgres
from deepmedix_review.studies.archive_imports.folders import archive_path
from deepmedix_review.studies.archive_imports.running import TELL_EVERY
from deepmedix_review.studies.archive_imports.services import cancel_archive
from deepmedix_review.studies.erased import number_of
from deepmedix_review.studies.intake.deidentification import keyed_uid
from deepmedix_review.studies.models import ArchiveImport, Study
from deepmedix_review.studies.tasks import take_archive
from tests.deepmedix_review.studies.archive_imports.an_archive import films_of, outcomes, tar_of, zip_of
from tests.deepmedix_review.studies.dicomweb.the_service import token_of
from tests.factories.accounts import AdminFactory
from tests.home import HOME
from tests.servers import WebServer
from tests.workers import Workers, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
NUM_FILMS = 12


@pytest.fixture(autouse=True)
def _where_workers_look(settings: Settings) -> None:
    settings.ARCHIVE_FOLDER = HOME / "archives"


@pytest.fixture
def web(transactional_db: None) -> Iterator[WebServer]:
    name = str(connection.settings_dict["NAME"])
    web = WebServer(home=HOME, database_url=postgres.database_url(postgres.cluster_in(HOME), name=name))
    web.start()
    yield web
    web.stop()


def taken(folder: Path, content: bytes) -> ArchiveImport:
    path = folder / "sent"
    path.write_bytes(content)
    return take_archive(path, file_name="films.zip", actor=AdminFactory.create())


def fresh(job: ArchiveImport) -> ArchiveImport:
    job.refresh_from_db()
    return job


@contextmanager
def held_at(film: bytes) -> Iterator[None]:
    """A worker that comes to this film waits with it, however fast it is: its study's name is locked."""
    study = str(pydicom.dcmread(io.BytesIO(film), stop_before_pixels=True).StudyInstanceUID)
    name = keyed_uid(study, key=django_settings.DEIDENTIFICATION_KEY)
    there = connection.settings_dict
    with psycopg.connect(
        host=there["HOST"], port=there["PORT"] or None, user=there["USER"], dbname=there["NAME"]
    ) as beside:
        beside.execute("SELECT pg_advisory_xact_lock(%s)", [number_of(name)])
        yield


@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_an_archive_whose_worker_is_killed_goes_on_and_brings_nothing_twice(
    celery_workers: Workers, tmp_path: Path, pack: Any
) -> None:
    films = films_of(tmp_path, num=NUM_FILMS)
    with held_at(list(films.values())[3]):
        job = taken(tmp_path, pack(films))
        wait_until(lambda: len(outcomes(job)) == 3, what="some films are in")
        celery_workers.kill("io")
    assert len(outcomes(job)) == 3
    assert fresh(job).state == JobState.RUNNING
    celery_workers.start("io")
    wait_until(lambda: fresh(job).is_final, what="the archive is taken up again")
    assert (job.state, job.attempt, job.num_accepted) == (JobState.DONE, 2, NUM_FILMS), job.error
    assert outcomes(job) == [(number, "accepted") for number in range(1, NUM_FILMS + 1)]
    assert Study.objects.count() == NUM_FILMS
    assert AuditEvent.objects.filter(action="receive_film").count() == NUM_FILMS
    wait_until(lambda: not archive_path(job).exists(), what="the archive is deleted")


def test_two_archives_follow_each_other_and_a_running_one_is_cancelled(
    celery_workers: Workers, tmp_path: Path
) -> None:
    files = films_of(tmp_path, num=NUM_FILMS)
    with held_at(list(files.values())[1]):
        first, second = taken(tmp_path, zip_of(files)), taken(tmp_path, tar_of(files))
        wait_until(lambda: len(outcomes(first)) == 1, what="the first archive has its turn")
        assert fresh(second).state == JobState.QUEUED
        cancel_archive(first, actor=AdminFactory.create())
        cancelled_at = time.monotonic()
        # A worker asks for the row's word no more often than so.
        wait_until(lambda: time.monotonic() - cancelled_at > TELL_EVERY, what="it is time to ask")
    wait_until(lambda: fresh(first).is_final, what="the first one ends")
    assert first.state == JobState.CANCELLED
    # The film that was under way comes in.
    assert len(outcomes(first)) == first.num_accepted == 2
    wait_until(lambda: fresh(second).is_final, what="the second one is brought in")
    assert (second.state, second.num_duplicate) == (JobState.DONE, first.num_accepted), second.error
    assert second.num_accepted == NUM_FILMS - first.num_accepted
    assert Study.objects.count() == NUM_FILMS


def test_an_archive_whose_server_is_killed_while_it_comes_goes_on(
    celery_workers: Workers, web: WebServer, tmp_path: Path
) -> None:
    content = zip_of(films_of(tmp_path, num=2))
    token = token_of(AdminFactory.create(), Capability.IMPORT_STUDIES)
    api = requests.Session()
    api.headers["Authorization"] = f"Bearer {token}"
    address = f"{web.url}/api/archive-imports/"
    job = api.post(address, json={"file_name": "films.zip", "num_bytes": len(content)}).json()
    there = f"{address}{job['uid']}/"

    def send(first: int, end: int) -> Any:
        place = {"Content-Range": f"bytes {first}-{end - 1}/{len(content)}"}
        return api.put(f"{there}content", data=content[first:end], headers=place).json()

    assert send(0, 1000)["num_received"] == 1000

    class BreaksOff(io.BytesIO):
        def read(self, num_bytes: int | None = -1) -> bytes:
            if self.tell():
                web.kill()
            return super().read(500)

    with pytest.raises(requests.ConnectionError):
        api.put(
            f"{there}content",
            data=BreaksOff(content[1000:]),
            headers={"Content-Range": f"bytes 1000-{len(content) - 1}/{len(content)}"},
        )
    web.start()
    here = api.get(there).json()["num_received"]
    assert 1000 <= here < len(content)
    assert send(here, len(content))["state"] == "queued"
    wait_until(lambda: api.get(there).json()["state"] not in ("queued", "running"), what="it is in")
    ended = api.get(there).json()
    assert (ended["state"], ended["num_accepted"]) == ("done", 2), ended["error"]
