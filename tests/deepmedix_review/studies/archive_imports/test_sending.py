"""An archive is sent in parts, by the page and by programs; what breaks off goes on where it was cut off."""

import errno
import io
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.archive_imports import receiving
from deepmedix_review.studies.archive_imports.folders import archive_path
from deepmedix_review.studies.models import ArchiveImport, ImportBatch, Study
from deepmedix_review.studies.tasks import run_archive_import
from tests.deepmedix_review.studies.archive_imports.an_archive import NO_FILM, begun, films_of, zip_of
from tests.deepmedix_review.studies.dicomweb.the_service import token_of
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.studies import write_film

pytestmark = pytest.mark.django_db
CONTENT = bytes(range(256)) * 4


@pytest.fixture
def admin(client: Client) -> User:
    admin = AdminFactory.create()
    client.force_login(admin)
    return admin


def put(client: Client, job: ArchiveImport, part: bytes, *, place: str | None = None) -> Any:
    headers = {} if place is None else {"Content-Range": f"bytes {place}"}
    return client.put(
        reverse("api-archive-import-content", args=[job.uid]),
        part,
        content_type="application/octet-stream",
        headers=headers,
    )


def test_a_program_sends_an_archive_whole_and_sees_what_became_of_it(tmp_path: Path) -> None:
    token = token_of(AdminFactory.create(), Capability.IMPORT_STUDIES)
    program = Client(headers={"Authorization": f"Bearer {token}"})
    content = zip_of({**films_of(tmp_path, num=2), NO_FILM: b"%PDF-1.4"})
    answer = program.post(
        reverse("api-archive-import-list"),
        {"file_name": "a/films.zip", "num_bytes": len(content)},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["state"]) == (201, "receiving")
    assert answer.json()["file_name"] == "films.zip"
    job = ArchiveImport.objects.get(uid=answer.json()["uid"])
    sent = put(program, job, content).json()
    assert (sent["state"], sent["num_received"]) == ("queued", len(content))
    run_archive_import(job.pk)
    found = program.get(reverse("api-archive-import", args=[job.uid])).json()
    assert (found["state"], found["num_done"], found["num_files"]) == ("done", 3, 3)
    assert (found["num_accepted"], found["num_refused"]) == (2, 1)
    assert found["batch"] == str(ImportBatch.objects.get(source="archive").uid)
    files = program.get(reverse("api-archive-import-files", args=[job.uid]) + "?outcome=refused").json()
    assert [(one["file_name"], one["outcome"]) for one in files["results"]] == [(NO_FILM, "refused")]
    listed = program.get(reverse("api-archive-import-list")).json()
    assert [one["uid"] for one in listed["results"]] == [str(job.uid)]
    begin = AuditEvent.objects.get(action="begin_archive")
    assert set(begin.details) == {"num_bytes", "by_token"}


def test_what_breaks_off_goes_on_where_it_was_cut_off(admin: User, client: Client) -> None:
    job = begun(len(CONTENT), actor=admin)
    total = len(CONTENT)
    assert put(client, job, CONTENT[:300], place=f"0-299/{total}").json()["num_received"] == 300
    # What a server that was killed wrote, and never told.
    with archive_path(job).open("ab") as file:
        file.write(b"lost")
    wrong = put(client, job, CONTENT[400:], place=f"400-{total - 1}/{total}")
    assert (wrong.status_code, wrong.json()["num_received"]) == (409, 300)
    assert "Send on from there" in wrong.json()["detail"]
    last = put(client, job, CONTENT[300:], place=f"300-{total - 1}/{total}").json()
    assert (last["state"], last["num_received"]) == ("queued", total)
    assert archive_path(job).read_bytes() == CONTENT
    over = put(client, job, b"x", place=f"{total}-{total}/{total}")
    assert (over.status_code, "here already" in over.json()["detail"]) == (409, True)


def test_a_sender_that_breaks_off_loses_nothing_of_what_came(admin: User) -> None:
    job = begun(len(CONTENT), actor=admin)
    line = io.BytesIO(CONTENT[:700])
    received = receiving.receive_part(job, offset=0, num_bytes=len(CONTENT), read=line.read, actor=admin)
    assert (received.state, received.num_received) == ("receiving", 700)
    rest = io.BytesIO(CONTENT[700:])
    receiving.receive_part(job, offset=700, num_bytes=324, read=rest.read, actor=admin)
    assert archive_path(job).read_bytes() == CONTENT


def test_the_same_file_begun_again_is_the_one_that_was_begun(admin: User, client: Client) -> None:
    address = reverse("api-archive-import-list")
    about = {"file_name": "films.zip", "num_bytes": 10, "modified_ms": 1_700_000_000_000}
    first, again, newer = (
        client.post(address, asked, content_type="application/json").json()["uid"]
        for asked in (about, about, about | {"modified_ms": 1_700_000_000_001})
    )
    assert (first == again, first == newer) == (True, False)
    other = Client()
    other.force_login(AdminFactory.create())
    assert other.post(address, about, content_type="application/json").json()["uid"] != first


@pytest.mark.parametrize(
    ("part", "place", "sentence"),
    [
        (b"123", "0-2/11", "does not fit: 3 bytes come, of an archive of 10"),
        (b"123", "0-3/10", "does not fit"),
        (b"123", "one", "can't be read"),
        (b"12345678901", None, "More comes than was announced: 11 bytes, not 10"),
    ],
)
def test_a_part_that_does_not_fit_is_refused(
    admin: User, client: Client, part: bytes, place: str | None, sentence: str
) -> None:
    job = begun(10, actor=admin)
    answer = put(client, job, part, place=place)
    assert (answer.status_code, sentence in answer.json()["detail"]) == (409, True)
    job.refresh_from_db()
    assert job.num_received == 0


def test_two_senders_at_once_are_not_mixed(admin: User, client: Client) -> None:
    job = begun(10, actor=admin)
    answers: list[Any] = []

    def read(_: int) -> bytes:
        answers.append(put(client, job, b"xxxxx", place="0-4/10"))
        return b"" if len(answers) > 1 else b"01234"

    receiving.receive_part(job, offset=0, num_bytes=5, read=read, actor=admin)
    assert (answers[0].status_code, "from elsewhere" in answers[0].json()["detail"]) == (409, True)
    assert archive_path(job).read_bytes() == b"01234"


def test_an_archive_leaves_the_database_room_on_the_disk(
    admin: User, client: Client, settings: Settings
) -> None:
    job = begun(10, actor=admin)
    put(client, job, b"01234", place="0-4/10")
    settings.SPARE_DISK_BYTES = shutil.disk_usage("/").total * 1000
    assert put(client, job, b"56789", place="5-9/10").status_code == 507
    with pytest.raises(RefusedByRule, match="disk 0 MB free for it"):
        begun(10, actor=admin)
    settings.SPARE_DISK_BYTES = 0
    assert put(client, job, b"56789", place="5-9/10").json()["state"] == "queued"
    assert archive_path(job).read_bytes() == b"0123456789"


def test_a_full_disk_is_said_and_what_was_sent_is_kept(
    admin: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = begun(10, actor=admin)
    put(client, job, b"01234", place="0-4/10")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(receiving, "_write", full)
        answer = put(client, job, b"56789", place="5-9/10")
    assert (answer.status_code, "disk is full" in answer.json()["detail"]) == (507, True)
    assert put(client, job, b"56789", place="5-9/10").json()["state"] == "queued"
    assert archive_path(job).read_bytes() == b"0123456789"


@pytest.mark.parametrize(
    ("num_bytes", "sentence"),
    [
        (0, "The archive is empty."),
        (2 * 1024**4, "larger than 1024 GB. Bring it in parts."),
        (9 * 1024**2, "has 9 MB and the platform's disk 8 MB free for it. Free some space"),
    ],
)
def test_what_can_not_be_taken_is_said_before_it_is_sent(
    admin: User,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    num_bytes: int,
    sentence: str,
) -> None:
    settings.SPARE_DISK_BYTES = 0
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(8 * 1024**2))
    asked = {"file_name": "films.zip", "num_bytes": num_bytes}
    answer = client.post(reverse("api-archive-import-list"), asked, content_type="application/json")
    assert (answer.status_code, sentence in answer.json()["detail"]) == (409, True)
    assert not ArchiveImport.objects.exists()


def test_a_cancelled_one_takes_nothing_more(admin: User, client: Client) -> None:
    job = begun(10, actor=admin)
    put(client, job, b"01234", place="0-4/10")
    answer = client.post(reverse("api-archive-import-cancel", args=[job.uid]))
    assert answer.json()["state"] == "cancelled"
    assert not archive_path(job).exists()
    refused = put(client, job, b"56789", place="5-9/10")
    assert (refused.status_code, "was cancelled" in refused.json()["detail"]) == (409, True)


def test_an_archive_is_its_own_persons(admin: User, client: Client) -> None:
    job = begun(10)
    for name in ("api-archive-import", "api-archive-import-files", "archive-import"):
        assert client.get(reverse(name, args=[job.uid])).status_code == 404
    assert put(client, job, b"0123456789").status_code == 404
    assert client.post(reverse("archive-import-cancel", args=[job.uid])).status_code == 404
    client.force_login(ExpertFactory.create())
    for address in (
        reverse("api-archive-import-list"),
        reverse("archive-import-list"),
        reverse("archive-import-live"),
        reverse("archive-import", args=[job.uid]),
    ):
        assert client.get(address).status_code == 403
    assert put(client, job, b"0123456789").status_code == 403


def test_without_a_script_archives_are_handed_over_beside_films(
    admin: User, client: Client, tmp_path: Path, settings: Settings
) -> None:
    film = write_film(tmp_path / "film.dcm", seed=9, BurnedInAnnotation="NO")
    files = [
        SimpleUploadedFile("film.dcm", film.read_bytes()),
        SimpleUploadedFile("films.zip", zip_of(films_of(tmp_path, num=1))),
    ]
    page = client.post(reverse("study-import"), {"files": files}, follow=True).content.decode()
    assert "1 file: 1 accepted." in page
    assert "1 archive waits to be unpacked" in page
    assert "films.zip" in page
    assert "every 1s" in page
    assert list(Path(settings.UPLOAD_FOLDER).iterdir()) == []
    run_archive_import(ArchiveImport.objects.get().pk)
    assert Study.objects.count() == 2
    live = client.get(reverse("archive-import-live")).content.decode()
    assert "1 of 1" in live
    assert "every 1s" not in live


def test_its_page_shows_each_file_by_outcome_and_offers_the_way_out(
    admin: User, client: Client, tmp_path: Path
) -> None:
    content = zip_of({**films_of(tmp_path, num=1), NO_FILM: b"%PDF-1.4"})
    job = begun(len(content), actor=admin)
    address = reverse("archive-import", args=[job.uid])
    assert "being sent" in client.get(address).content.decode()
    put(client, job, content)
    page = client.get(address).content.decode()
    assert "every 1s" in page
    assert "Cancel" in page
    run_archive_import(job.pk)
    page = client.get(address).content.decode()
    assert "2 of 2 files done" in page
    assert "This is a PDF document" in page
    assert "every 1s" not in page
    assert "<h1>" in page
    assert "<h1>" not in client.get(address, headers={"HX-Request": "true"}).content.decode()
    accepted = client.get(f"{address}?outcome=accepted").content.decode()
    assert ("1.dcm" in accepted, NO_FILM in accepted) == (True, False)
    assert "No file of it was held." in client.get(f"{address}?outcome=held").content.decode()

    ArchiveImport.objects.filter(pk=job.pk).update(state="failed", is_here=True, error="The disk is full.")
    page = client.get(address).content.decode()
    assert "The disk is full." in page
    client.post(reverse("archive-import-retry", args=[job.uid]), {"back": "detail"})
    job.refresh_from_db()
    assert (job.state, job.error) == ("queued", "")
    ArchiveImport.objects.filter(pk=job.pk).update(state="failed")
    answer = client.post(reverse("archive-import-delete", args=[job.uid]), {"back": "detail"}, follow=True)
    assert "The archive is deleted." in answer.content.decode()
    assert not archive_path(job).exists()


def test_lists_take_as_many_queries_for_many_as_for_one(
    admin: User, client: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        begun(10, actor=admin)
    with django_assert_max_num_queries(6):
        client.get(reverse("archive-import-list"))
    with django_assert_max_num_queries(4):
        client.get(reverse("api-archive-import-list"))
