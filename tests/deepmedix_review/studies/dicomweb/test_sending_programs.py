"""Films sent over the network to a web server that runs: by dicomweb-client, and by what breaks off."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dicomweb_client import DICOMwebClient
from django.db import connection
from pydicom import Dataset, dcmread

from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.config import postgres
from deepmedix_review.studies.models import ImportItem, Instance
from deepmedix_review.studies.storage import clear_leftovers
from tests.deepmedix_review.studies.dicomweb.the_service import token_of
from tests.factories.accounts import AdminFactory
from tests.factories.studies import write_film
from tests.home import HOME
from tests.servers import WebServer
from tests.workers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def web(django_db_setup: None) -> Iterator[WebServer]:
    name = str(connection.settings_dict["NAME"])
    web = WebServer(home=HOME, database_url=postgres.database_url(postgres.cluster_in(HOME), name=name))
    web.start()
    yield web
    web.stop()


@pytest.fixture
def token() -> str:
    return token_of(AdminFactory.create(), Capability.IMPORT_STUDIES, Capability.VIEW_ALL_STUDIES)


@pytest.fixture
def client(web: WebServer, token: str) -> DICOMwebClient:
    return DICOMwebClient(f"{web.url}/dicom-web", headers={"Authorization": f"Bearer {token}"})


def films(folder: Path, *, size: int = 96) -> list[Dataset]:
    made = (
        write_film(
            folder / f"{seed}.dcm",
            seed=seed,
            size=size,
            StudyInstanceUID="1.2.3",
            PatientID="P",
            BurnedInAnnotation="NO",
        )
        for seed in (1, 2)
    )
    return [dcmread(path) for path in made]


@pytest.mark.parametrize("size", [96, 900], ids=["at once", "in chunks"])
def test_dicomweb_client_stores_films_and_finds_them_again(
    client: DICOMwebClient, tmp_path: Path, size: int
) -> None:
    sent = films(tmp_path, size=size)
    report = client.store_instances(sent, study_instance_uid="1.2.3")
    assert len(report.ReferencedSOPSequence) == 2
    named = {
        item.OriginalAttributesSequence[0].ModifiedAttributesSequence[0].SOPInstanceUID: item
        for item in report.ReferencedSOPSequence
    }
    assert set(named) == {film.SOPInstanceUID for film in sent}
    study = report.RetrieveURL.rpartition("/")[2]
    found = client.search_for_instances(study_instance_uid=study)
    assert {item["00080018"]["Value"][0] for item in found} == {
        item.ReferencedSOPInstanceUID for item in named.values()
    }
    again = client.store_instances(sent)
    assert again.ReferencedSOPSequence[0].RetrieveURL == report.ReferencedSOPSequence[0].RetrieveURL
    assert Instance.objects.count() == 2


def request(body: bytes, token: str, *headers: str) -> bytes:
    head = (
        "POST /dicom-web/studies HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {token}",
        'Content-Type: multipart/related; type="application/dicom"; boundary=edge',
        *headers,
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def exchange(web: WebServer, sent: bytes, *, then_close: bool) -> bytes:
    """What comes back; `then_close`: the sender says that no more comes."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=60) as line:
        line.sendall(sent)
        if then_close:
            line.shutdown(socket.SHUT_WR)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = line.recv(65536)
            if not piece:
                break
            answer += piece
    return answer


def packed(folder: Path) -> bytes:
    first, second = (folder / "1.dcm", folder / "2.dcm")
    films(folder)
    parts = b"".join(b"--edge\r\n\r\n%b\r\n" % path.read_bytes() for path in (first, second))
    return parts + b"--edge--\r\n"


def test_a_connection_that_breaks_off_leaves_nothing(web: WebServer, token: str, tmp_path: Path) -> None:
    body = packed(tmp_path)
    middle = len(body) * 3 // 4
    chunk = b"%x\r\n%b\r\n" % (middle, body[:middle])
    for sent in (
        request(body[:middle], token, f"Content-Length: {len(body)}"),
        request(chunk, token, "Transfer-Encoding: chunked"),
    ):
        answer = exchange(web, sent, then_close=True)
        assert not answer.startswith(b"HTTP/1.1 2")
    assert ImportItem.objects.count() == 0
    assert list((HOME / "uploads").glob("sent-*")) == []
    # The server is well: the same, whole, is taken.
    whole = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    answer = exchange(web, request(whole, token, "Transfer-Encoding: chunked"), then_close=False)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert Instance.objects.count() == 2


def test_a_length_that_lies_leaves_nothing(web: WebServer, token: str, tmp_path: Path) -> None:
    body = packed(tmp_path)
    short = exchange(web, request(body, token, f"Content-Length: {len(body) // 2}"), then_close=False)
    assert short.startswith(b"HTTP/1.1 400")
    assert ImportItem.objects.count() == 0


def test_a_killed_server_leaves_nothing_half_stored(
    web: WebServer, token: str, client: DICOMwebClient, tmp_path: Path
) -> None:
    body = packed(tmp_path)
    with socket.create_connection(("127.0.0.1", web.port), timeout=60) as line:
        line.sendall(request(body[:-100], token, f"Content-Length: {len(body)}"))
        web.kill()
    web.start()
    assert Instance.objects.count() == 0
    report: Any = client.store_instances(films(tmp_path))
    assert len(report.ReferencedSOPSequence) == 2
    # Of a message that the killed process did not get whole an hour is waited, then nothing is left.
    for begun in (HOME / "uploads").glob("sent-*"):
        for each in (begun, *begun.rglob("*")):
            os.utime(each, (0, 0))
    clear_leftovers()
    # What the server itself is about to delete goes by itself.
    wait_until(lambda: not list((HOME / "uploads").glob("sent-*")), what="nothing of it is left")
