"""Films sent over the DICOM network to a listener that runs: by pynetdicom, and by dcmtk where it is."""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.db import connection
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from pytest_django import Settings

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.config import postgres
from deepmedix_review.studies.listening.spooling import SpooledFilm
from deepmedix_review.studies.models import ImportBatch, ImportItem, Instance
from deepmedix_review.studies.status_codes import is_disk_full
from inference.phantom_dicom import FilmEncoding, write_phantom_dicom
from tests.deepmedix_review.studies.listening.the_listener import ListenerProcess, contexts_of, send
from tests.factories.studies import write_film
from tests.home import HOME

pytestmark = pytest.mark.django_db(transaction=True)
MOST_AT_ONCE = 4


def listener_with(**settings: str) -> ListenerProcess:
    name = str(connection.settings_dict["NAME"])
    url = postgres.database_url(postgres.cluster_in(HOME), name=name)
    return ListenerProcess(database_url=url, settings=settings)


@pytest.fixture(scope="module")
def listener(django_db_setup: None) -> Iterator[ListenerProcess]:
    # Of processes that tests before these killed.
    for folder in left_behind():
        shutil.rmtree(folder, ignore_errors=True)
    process = listener_with(
        DICOM_CALLERS="PACS,STORESCU,ECHOSCU,ROOM 1",
        DICOM_PROFILES="ROOM 1=keep-device",
        DICOM_MAX_ASSOCIATIONS=str(MOST_AT_ONCE),
        DICOM_IDLE_SECONDS="30",
    )
    process.start()
    yield process
    process.kill()


def film(folder: Path, name: str = "film.dcm", **attributes: Any) -> Path:
    denied: dict[str, Any] = {"BurnedInAnnotation": "NO"}
    return write_film(folder / name, **(denied | attributes))


def left_behind() -> list[Path]:
    return [*(HOME / "uploads").glob("sent-*"), *(HOME / "uploads").glob("decoding-*")]


def test_each_caller_has_its_profile(listener: ListenerProcess, tmp_path: Path) -> None:
    said = {"StationName": "ROOM-1-DX", "ManufacturerModelName": "DigitalOne"}
    for number, title in enumerate(("PACS", "ROOM 1")):
        (status,) = send(listener, film(tmp_path, seed=number + 1, **said), calling=title)
        assert status.Status == 0x0000
    plain, own = (dcmread(HOME / "films" / one.file_path) for one in Instance.objects.order_by("pk"))
    assert plain.get("StationName") is None
    assert (own.StationName, own.ManufacturerModelName) == tuple(said.values())
    profiles = ImportBatch.objects.order_by("pk").values_list("profile", flat=True)
    assert list(profiles) == ["keep-dates-shifted", "keep-device"]


def test_a_film_is_kept_and_the_record_says_who_sent_it(listener: ListenerProcess, tmp_path: Path) -> None:
    sent = film(tmp_path, PatientName="DOE^JANE", PatientID="4711")
    (status,) = send(listener, sent)
    assert (status.Status, "ErrorComment" in status) == (0x0000, False)
    stored = Instance.objects.get()
    assert stored.sop_instance_uid != dcmread(sent).SOPInstanceUID
    batch = ImportBatch.objects.get()
    assert (batch.source, batch.requested_by) == (ImportBatch.Source.LISTENER, None)
    assert batch.items.get().file_name == "film 1 from PACS"
    event = AuditEvent.objects.get(action="receive_film")
    assert event.details == {
        "outcome": "accepted",
        "study": str(stored.study.uid),
        "state": str(stored.study.state),
        "profile": "keep-dates-shifted",
        "ae_title": "PACS",
        "address": "127.0.0.1",
    }
    (again,) = send(listener, sent)
    assert again.Status == 0x0000
    assert Instance.objects.count() == 1
    for identifier in ("DOE", "4711", dcmread(sent).SOPInstanceUID):
        assert identifier not in listener.log
    assert left_behind() == []


def test_what_waits_for_a_person_is_a_warning_and_what_can_not_be_kept_an_error(
    listener: ListenerProcess, tmp_path: Path
) -> None:
    held = film(tmp_path, "held.dcm", Modality="CT", seed=2)
    unseen = film(tmp_path, "unseen.dcm", BurnedInAnnotation=None, seed=3)
    empty = film(tmp_path, "empty.dcm", Rows=None, seed=4)
    short = film(tmp_path, "short.dcm", seed=6)
    dataset = dcmread(short)
    dataset.PixelData = dataset.PixelData[:100]
    dataset.save_as(short)
    statuses = send(listener, held, unseen, empty, short)
    assert [(one.Status, one.ErrorComment) for one in statuses] == [
        (0xB000, "Kept, and waits for a decision"),
        (0xB000, "Kept, and waits until a person has looked for names"),
        (0x0122, "There is no picture in this object"),
        (0xC000, "Damaged, or no film: the list of imports says why"),
    ]
    assert left_behind() == []


def test_a_film_that_is_another_object_than_was_said_is_refused(
    listener: ListenerProcess, tmp_path: Path
) -> None:
    whole = dcmread(film(tmp_path))
    association = listener.call(contexts_of(whole))
    say = association.dimse.send_msg

    def say_otherwise(announced: Any, context: int) -> None:
        announced.AffectedSOPInstanceUID = "1.2.3"
        say(announced, context)

    association.dimse.send_msg = say_otherwise
    status = association.send_c_store(whole)
    association.release()
    assert (status.Status, Instance.objects.count()) == (0xA900, 0)


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        ("implicit", "1.2.840.10008.1.2"),
        ("explicit", "1.2.840.10008.1.2.1"),
        ("deflated", "1.2.840.10008.1.2.1.99"),
        ("rle", "1.2.840.10008.1.2.5"),
        ("jpeg-lossless", "1.2.840.10008.1.2.4.57"),
        ("jpeg-ls", "1.2.840.10008.1.2.4.80"),
        ("jpeg-2000", "1.2.840.10008.1.2.4.90"),
        ("htj2k", "1.2.840.10008.1.2.4.201"),
    ],
)
def test_films_come_in_every_syntax_that_can_be_decoded(
    listener: ListenerProcess, tmp_path: Path, syntax: str, name: str
) -> None:
    path = tmp_path / "film.dcm"
    encoding = FilmEncoding(photometric="MONOCHROME2", bits_stored=12, transfer_syntax=syntax)
    write_phantom_dicom(path, seed=1, size=96, encoding=encoding)
    assert dcmread(path).file_meta.TransferSyntaxUID == name
    (status,) = send(listener, path)
    assert status.Status in (0x0000, 0xB000)
    assert Instance.objects.count() == 1


def test_strangers_are_turned_away_by_either_title(listener: ListenerProcess) -> None:
    wanted = [(Verification, ExplicitVRLittleEndian)]
    known = listener.call(wanted)
    assert known.send_c_echo().Status == 0x0000
    known.release()
    for titles in ({"called": "OTHER"}, {"calling": "STRANGER"}):
        association = listener.call(wanted, **titles)
        assert association.is_rejected
    other = listener.call([("1.2.840.10008.5.1.4.1.1.88.11", ExplicitVRLittleEndian)])
    assert not other.is_established


def test_who_is_not_among_the_peers_is_not_talked_to(tmp_path: Path) -> None:
    process = listener_with(DICOM_PEERS="10.9.8.7")
    process.start()
    try:
        assert not process.call([(Verification, ExplicitVRLittleEndian)]).is_established
        assert "Turned away 127.0.0.1" in process.log
        assert process.end() == 0
    finally:
        process.kill()


def test_many_send_at_once_and_one_too_many_is_told_so(listener: ListenerProcess, tmp_path: Path) -> None:
    paths = [film(tmp_path, f"{seed}.dcm", seed=seed) for seed in range(MOST_AT_ONCE)]
    sent = [dcmread(path) for path in paths]
    lines = [listener.call(contexts_of(one)) for one in sent]
    assert all(line.is_established for line in lines)
    assert listener.call(contexts_of(sent[0])).is_rejected
    with ThreadPoolExecutor(MOST_AT_ONCE) as senders:
        statuses = list(senders.map(lambda line, one: line.send_c_store(one), lines, sent))
    assert {status.Status for status in statuses} <= {0x0000, 0xB000}
    for line in lines:
        line.release()
    assert Instance.objects.count() == MOST_AT_ONCE


def test_a_line_that_breaks_leaves_nothing(listener: ListenerProcess, tmp_path: Path) -> None:
    whole = dcmread(film(tmp_path, size=1200))
    association = listener.call(contexts_of(whole))
    line = association.dul.socket
    passed: list[int] = []
    real = line.send

    def send_until_cut(content: bytes) -> None:
        passed.append(len(content))
        if sum(passed) > 1_000_000:
            line.socket.shutdown(socket.SHUT_RDWR)
        real(content)

    line.send = send_until_cut
    assert "Status" not in association.send_c_store(whole)
    assert sum(passed) < whole.Rows * whole.Columns * 2
    (status,) = send(listener, film(tmp_path, "other.dcm", seed=2))
    assert status.Status == 0x0000
    assert (Instance.objects.count(), ImportItem.objects.count()) == (1, 1)
    assert left_behind() == []


def test_noise_and_messages_of_no_end_do_no_harm(listener: ListenerProcess, tmp_path: Path) -> None:
    assert listener.process is not None
    before = psutil.Process(listener.process.pid).memory_info().rss
    for noise in (
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x01\x00\xff\xff\xff\xff" + bytes(10_000),
        b"\x04\x00\x7f\xff\xff\xff" + bytes(10_000),
        b"\x01\x00\x00\x00\x00\x04abcd",
    ):
        with socket.create_connection(("127.0.0.1", listener.port), timeout=60) as line:
            line.sendall(noise)
            line.shutdown(socket.SHUT_WR)
            while line.recv(4096):
                pass
    (status,) = send(listener, film(tmp_path))
    assert status.Status == 0x0000
    assert psutil.Process(listener.process.pid).memory_info().rss - before < 64 * 1024**2


def test_memory_stays_flat_however_large_a_film_is(listener: ListenerProcess, tmp_path: Path) -> None:
    assert listener.process is not None
    watched = psutil.Process(listener.process.pid)
    send(listener, film(tmp_path, seed=1))
    before = watched.memory_info().rss
    large = dcmread(film(tmp_path, seed=2))
    large.PixelData = bytes(100 * 1024**2)
    association = listener.call(contexts_of(large))
    status = association.send_c_store(large)
    association.release()
    assert "Status" in status
    assert watched.memory_info().rss - before < 48 * 1024**2
    assert left_behind() == []


@pytest.mark.parametrize(("attribute", "told"), [("MAX_FILM_BYTES", True), ("most_open", False)])
def test_a_film_that_comes_in_grows_no_further_than_the_limit(
    film_folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, attribute: str, told: bool
) -> None:
    if attribute == "MAX_FILM_BYTES":
        settings.MAX_FILM_BYTES = 1000
    else:
        monkeypatch.setattr(SpooledFilm, "most_open", 0)
    spooled = SpooledFilm(mode="wb")
    for _ in range(10):
        spooled.write(bytes(200))
    assert (spooled.is_too_large, spooled.error is None) == (told, told)
    written = list((film_folder.parent / "uploads").iterdir())
    assert sum(path.stat().st_size for path in written) == (1000 if told else 0)
    spooled.discard()
    assert list((film_folder.parent / "uploads").iterdir()) == []


def test_a_full_disk_is_noted_and_told_once_all_has_come(
    film_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    spooled = SpooledFilm()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert spooled.write(b"some") == 4
    assert spooled.write(b"more") == 4
    assert spooled.error is not None
    assert is_disk_full(spooled.error)
    spooled.discard()


def test_a_film_is_not_spooled_where_it_would_fill_the_disk(film_folder: Path, settings: Settings) -> None:
    settings.SPARE_DISK_BYTES = shutil.disk_usage("/").total * 1000
    spooled = SpooledFilm()
    assert spooled.write(b"some") == 4
    assert is_disk_full(spooled.error)
    assert not spooled.name
    spooled.discard()


def test_a_silent_line_is_let_go(tmp_path: Path) -> None:
    process = listener_with(DICOM_IDLE_SECONDS="1", DICOM_MAX_ASSOCIATIONS="1")
    process.start()
    try:
        whole = dcmread(film(tmp_path))
        association = process.call(contexts_of(whole))
        assert association.is_established
        association.join(timeout=60)
        assert association.is_aborted
        with socket.create_connection(("127.0.0.1", process.port), timeout=60) as line:
            # Of a message of 4096 bytes.
            line.sendall(b"\x01\x00\x00\x00\x10\x00some")
            while line.recv(4096):
                pass
        assert process.end(signal.SIGINT) == 0
    finally:
        process.kill()


def test_stopped_in_the_middle_it_loses_nothing_that_it_told(tmp_path: Path) -> None:
    process = listener_with()
    process.start()
    films = [dcmread(film(tmp_path, f"{seed}.dcm", seed=seed)) for seed in range(1, 40)]
    acknowledged: list[str] = []
    first_is_kept = threading.Event()

    def send_all() -> None:
        association = process.call(contexts_of(films[0]))
        for one in films:
            if not association.is_established:
                break
            status = association.send_c_store(one)
            if "Status" in status and status.Status in (0x0000, 0xB000):
                acknowledged.append(one.SOPInstanceUID)
                first_is_kept.set()
        if association.is_established:
            association.release()

    sender = threading.Thread(target=send_all)
    sender.start()
    try:
        assert first_is_kept.wait(timeout=120)
        assert process.end(signal.SIGTERM) == 0
    finally:
        sender.join()
        process.kill()
    assert 1 <= len(acknowledged) < len(films)
    assert len(acknowledged) <= Instance.objects.count() <= len(acknowledged) + 1
    assert left_behind() == []
    for stored in Instance.objects.all():
        assert (HOME / "films" / stored.file_path).exists()


def test_other_programs_send(listener: ListenerProcess, tmp_path: Path) -> None:
    """dcmtk's, where it is installed, and pynetdicom's own."""
    for seed in (1, 2, 3):
        film(tmp_path, f"{seed}.dcm", seed=seed)
    where = ["127.0.0.1", str(listener.port)]
    titles = ["-aec", "DEEPMEDIX"]
    programs = [
        [sys.executable, "-m", "pynetdicom", "echoscu", *where, *titles, "-aet", "ECHOSCU"],
        [sys.executable, "-m", "pynetdicom", "storescu", *where, *titles, "-cx", str(tmp_path / "1.dcm")],
    ]
    if shutil.which("storescu"):
        programs = [
            ["echoscu", *titles, *where],
            ["storescu", *titles, "+sd", *where, str(tmp_path)],
            *programs,
        ]
    for program in programs:
        ended = subprocess.run(program, capture_output=True, text=True, timeout=300, check=False)
        assert ended.returncode == 0, (program, ended.stdout, ended.stderr)
    assert Instance.objects.count() == (3 if shutil.which("storescu") else 1)
