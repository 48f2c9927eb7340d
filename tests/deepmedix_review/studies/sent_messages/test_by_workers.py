"""A real web server keeps messages and real workers bring them in; each may be killed in the middle."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connection
from pytest_django import Settings

from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.models import JobState
from deepmedix_review.config import postgres
from deepmedix_review.studies.models import ImportItem, SentMessage, Study
from deepmedix_review.studies.sent_messages.folders import message_folder
from tests.deepmedix_review.studies.archive_imports.an_archive import films_of
from tests.deepmedix_review.studies.archive_imports.test_by_workers import held_at
from tests.deepmedix_review.studies.dicomweb.test_multipart_reading import HEADER, message
from tests.deepmedix_review.studies.dicomweb.the_service import token_of
from tests.factories.accounts import AdminFactory
from tests.home import HOME
from tests.servers import WebServer
from tests.workers import Workers, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
NUM_FILMS = 5


@pytest.fixture(autouse=True)
def _where_workers_look(settings: Settings) -> None:
    settings.MESSAGE_FOLDER = HOME / "messages"


@pytest.fixture
def web(transactional_db: None) -> Iterator[WebServer]:
    name = str(connection.settings_dict["NAME"])
    web = WebServer(home=HOME, database_url=postgres.database_url(postgres.cluster_in(HOME), name=name))
    web.start()
    yield web
    web.stop()


def leave(web: WebServer, token: str, *films: bytes) -> Any:
    headers = {
        "Authorization": f"Bearer {token}",
        "Prefer": "respond-async",
        "Content-Type": HEADER.format("edge"),
    }
    return requests.post(f"{web.url}/dicom-web/studies", data=message(*films), headers=headers, timeout=60)


def num_in() -> int:
    return ImportItem.objects.count()


def test_a_left_message_outlives_the_server_and_its_worker_and_brings_nothing_twice(
    celery_workers: Workers, web: WebServer, tmp_path: Path
) -> None:
    films = list(films_of(tmp_path, num=NUM_FILMS).values())
    token = token_of(AdminFactory.create(), Capability.IMPORT_STUDIES)
    with held_at(films[2]):
        answer = leave(web, token, *films)
        assert answer.status_code == 202
        web.kill()
        wait_until(lambda: num_in() == 2, what="two films are in")
        celery_workers.kill("io")
    left = SentMessage.objects.get()
    assert (left.state, num_in()) == (JobState.RUNNING, 2)
    celery_workers.start("io")
    web.start()
    authorized = {"Authorization": f"Bearer {token}"}
    address = answer.headers["Location"]

    def is_told() -> bool:
        return requests.get(address, headers=authorized, timeout=60).status_code == 200

    wait_until(is_told, what="the message is taken up again and told of")
    told = requests.get(address, headers=authorized, timeout=60).json()
    assert len(told["00081199"]["Value"]) == NUM_FILMS
    left.refresh_from_db()
    assert (left.state, left.attempt, left.num_done) == (JobState.DONE, 2, NUM_FILMS), left.error
    assert Study.objects.count() == NUM_FILMS
    assert AuditEvent.objects.filter(action="receive_film").count() == NUM_FILMS
    assert not list(message_folder(left).glob("*.dcm"))


def test_messages_of_one_film_follow_each_other_without_waiting_for_a_sweep(
    celery_workers: Workers, web: WebServer, tmp_path: Path
) -> None:
    films = list(films_of(tmp_path, num=NUM_FILMS).values())
    token = token_of(AdminFactory.create(), Capability.IMPORT_STUDIES)
    celery_workers.stop("beat")
    assert [leave(web, token, one).status_code for one in films] == [202] * NUM_FILMS
    wait_until(
        lambda: SentMessage.objects.filter(state=JobState.DONE).count() == NUM_FILMS, what="all are in"
    )
    assert Study.objects.count() == NUM_FILMS
    assert set(SentMessage.objects.values_list("attempt", flat=True)) == {1}
