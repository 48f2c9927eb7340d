"""Films sent over DICOMweb: through the one door, told of one by one, and not one more than was told."""

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pydicom import Dataset, dcmread
from pytest_django import Settings

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies import services
from deepmedix_review.studies.dicomweb import storing_views
from deepmedix_review.studies.holding import decide_held
from deepmedix_review.studies.intake.decoding import decode_film
from deepmedix_review.studies.models import ImportBatch, ImportItem, Instance, Study
from deepmedix_review.studies.selectors import film_path
from tests.deepmedix_review.studies.dicomweb.test_multipart_reading import HEADER, message
from tests.deepmedix_review.studies.dicomweb.the_service import token_of
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.studies import write_film

pytestmark = pytest.mark.django_db

Films = Any


@pytest.fixture
def sender() -> str:
    return token_of(AdminFactory.create(), Capability.IMPORT_STUDIES)


def send(
    body: bytes,
    *,
    token: str = "",
    address: str = "studies",
    kind: str = HEADER.format("edge"),
    **headers: str,
) -> Any:
    authorized = {"Authorization": f"Bearer {token}"} if token else {}
    return Client().post(f"/dicom-web/{address}", body, content_type=kind, headers={**authorized, **headers})


def told(answer: Any) -> Dataset:
    assert answer["Content-Type"] == "application/dicom+json"
    return Dataset.from_json(answer.content.decode())


def film(folder: Path, **attributes: Any) -> bytes:
    return write_film(folder / "sent.dcm", **attributes).read_bytes()


def test_a_film_sent_by_dicomweb_comes_in_by_that_doors_own_profile(
    tmp_path: Path, sender: str, settings: Settings
) -> None:
    settings.DICOMWEB_PROFILE = "research"
    assert send(message(film(tmp_path, StudyDate="20260417")), token=sender).status_code == 200
    stored = dcmread(film_path(Instance.objects.get()))
    assert ImportBatch.objects.get().profile == "research"
    assert stored.LongitudinalTemporalInformationModified == "REMOVED"
    assert not stored.get("StudyDate")


def test_a_film_is_stored_and_its_sender_told_under_which_names(tmp_path: Path, sender: str) -> None:
    sent = dcmread(write_film(tmp_path / "film.dcm", StudyInstanceUID="1.2.3", PatientName="DOE^JANE"))
    answer = send(message((tmp_path / "film.dcm").read_bytes()), token=sender)
    assert answer.status_code == 200
    stored = Instance.objects.get()
    report = told(answer)
    (item,) = report.ReferencedSOPSequence
    address = f"http://testserver/dicom-web/studies/{stored.study.study_instance_uid}"
    assert report.RetrieveURL == address
    assert item.ReferencedSOPInstanceUID == stored.sop_instance_uid
    assert item.ReferencedSOPClassUID == sent.SOPClassUID
    assert item.RetrieveURL == (
        f"{address}/series/{stored.series.series_instance_uid}/instances/{stored.sop_instance_uid}"
    )
    assert item.WarningReason == 0xB000
    (original,) = item.OriginalAttributesSequence
    (came_as,) = original.ModifiedAttributesSequence
    assert (came_as.StudyInstanceUID, came_as.SOPInstanceUID) == ("1.2.3", sent.SOPInstanceUID)
    assert original.ReasonForTheAttributeModification == "COERCE"
    assert b"DOE" not in answer.content
    batch = ImportBatch.objects.get()
    assert (batch.source, batch.items.get().file_name) == (
        ImportBatch.Source.STOW,
        f"part 1 of {batch.label}",
    )
    event = AuditEvent.objects.get(action="receive_film")
    assert event.actor == batch.requested_by
    assert "by_token" in event.details
    assert "1.2.3" not in str(event.details)


def test_of_several_films_each_is_judged_alone(tmp_path: Path, sender: str) -> None:
    plain = film(tmp_path, seed=1)
    odd = film(tmp_path, seed=2, Modality="CT")
    no_picture = film(tmp_path, seed=3, Rows=None)
    answer = send(message(plain, odd, no_picture, b"nothing", plain), token=sender)
    assert answer.status_code == 202
    report = told(answer)
    assert len(report.ReferencedSOPSequence) == 3
    assert [item.FailureReason for item in report.FailedSOPSequence] == [0x0122]
    assert report.FailedSOPSequence[0].ReferencedSOPInstanceUID
    assert [item.FailureReason for item in report.OtherFailuresSequence] == [0xC000]
    assert "RetrieveURL" not in report
    outcomes = list(ImportItem.objects.order_by("pk").values_list("outcome", flat=True))
    assert outcomes == ["accepted", "held", "refused", "refused", "duplicate"]
    warned = answer["Warning"]
    assert "1 of the films: The same picture was stored already." in warned
    assert "waits for an admin's decision" in warned
    assert "There is no picture in this object" in warned
    first, _, again = report.ReferencedSOPSequence
    assert first.ReferencedSOPInstanceUID == again.ReferencedSOPInstanceUID


def test_where_nothing_could_be_stored_the_message_conflicts(tmp_path: Path, sender: str) -> None:
    answer = send(message(b"nothing", b""), token=sender)
    assert answer.status_code == 409
    report = told(answer)
    assert [item.FailureReason for item in report.OtherFailuresSequence] == [0xC000, 0xC000]
    assert "ReferencedSOPSequence" not in report


def test_a_duplicate_is_a_success_whatever_became_of_the_first(tmp_path: Path, sender: str) -> None:
    odd = film(tmp_path, Modality="CT")
    assert send(message(odd), token=sender).status_code == 200
    decide_held(Study.objects.get(), accept=False, actor=AdminFactory.create())
    answer = send(message(odd), token=sender)
    assert answer.status_code == 200
    assert "stored already" in answer["Warning"]
    assert "an admin rejected" in answer["Warning"]


def test_a_film_may_name_the_study_that_it_is_sent_to_by_either_name(tmp_path: Path, sender: str) -> None:
    one = film(tmp_path, StudyInstanceUID="1.2.3", PatientID="P")
    other = film(tmp_path, seed=2, StudyInstanceUID="1.2.4")
    refused = send(message(one, other), token=sender, address="studies/1.2.3")
    assert refused.status_code == 202
    assert [item.FailureReason for item in told(refused).FailedSOPSequence] == [0xA900]
    known_as = Study.objects.get().study_instance_uid
    again = film(tmp_path, seed=4, StudyInstanceUID="1.2.3", PatientID="P")
    assert send(message(again), token=sender, address=f"studies/{known_as}").status_code == 200
    assert Instance.objects.filter(series__study=Study.objects.get()).count() == 2
    assert send(message(one), token=sender, address="studies/..").status_code == 400


def test_one_film_may_come_without_parts(tmp_path: Path, sender: str) -> None:
    assert send(film(tmp_path), token=sender, kind="application/dicom").status_code == 200
    picture = b"\x89PNG\r\n\x1a\n" + bytes(300)
    refused = send(picture, token=sender, kind="application/dicom")
    assert (refused.status_code, "This is a picture" in refused["Warning"]) == (409, True)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b" ", HEADER.format("edge"), 400),
        (message(b"film")[:-12], HEADER.format("edge"), 400),
        (message(b"film"), "multipart/related; type=application/dicom", 400),
        (message(b"film"), 'multipart/related; type="application/dicom+json"; boundary=edge', 415),
        (message(b"film", head=b"Content-Type: image/png"), HEADER.format("edge"), 415),
        (b"film", "image/png", 415),
        (message(*[b""] * 2001), HEADER.format("edge"), 413),
    ],
)
def test_a_message_that_can_not_be_read_leaves_nothing(
    sender: str, film_folder: Path, body: bytes, kind: str, status: int
) -> None:
    answer = send(body, token=sender, kind=kind)
    assert answer.status_code == status
    assert answer.json()["detail"].endswith(".")
    assert ImportItem.objects.count() == 0
    assert list((film_folder.parent / "uploads").iterdir()) == []


def test_a_larger_message_or_film_than_the_limits_is_refused(
    tmp_path: Path, sender: str, settings: Any
) -> None:
    whole = film(tmp_path)
    settings.MAX_FILM_BYTES = 4000
    refused = send(message(whole), token=sender)
    assert refused.status_code == 409
    assert [item.FailureReason for item in told(refused).FailedSOPSequence] == [0xA700]
    settings.MAX_UPLOAD_BYTES = 5000
    assert send(message(whole), token=sender).status_code == 413


def test_who_may_not_import_sends_nothing(tmp_path: Path) -> None:
    body = message(film(tmp_path))
    assert send(body).status_code in (401, 403)
    viewer = token_of(ResearcherFactory.create(), Capability.VIEW_ALL_STUDIES)
    assert send(body, token=viewer).status_code == 403
    assert send(body, token="dmr_wrong").status_code == 401
    assert ImportBatch.objects.count() == 0


@pytest.mark.parametrize(("person", "status"), [(AdminFactory, 200), (ExpertFactory, 403)])
def test_a_session_needs_its_token_against_forgery(tmp_path: Path, person: Any, status: int) -> None:
    user: User = person.create()
    body, kind = message(film(tmp_path)), HEADER.format("edge")
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.post("/dicom-web/studies", body, content_type=kind).status_code == 403
    client.cookies["csrftoken"] = "a" * 32
    answer = client.post("/dicom-web/studies", body, content_type=kind, headers={"X-CSRFToken": "a" * 32})
    assert answer.status_code == status


def test_a_program_is_asked_to_wait_where_others_send(
    tmp_path: Path, sender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = message(film(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(storing_views._turns, "acquire", lambda blocking: False)
        refused = send(body, token=sender)
    assert (refused.status_code, refused["Retry-After"]) == (503, "10")
    assert send(body, token=sender).status_code == 200


@pytest.mark.parametrize(
    ("error", "code"),
    [(OSError(errno.ENOSPC, "full: DOE^JANE"), 0xA700), (ValueError("DOE^JANE"), 0x0110)],
)
def test_what_can_not_be_stored_is_told_without_its_words(
    tmp_path: Path, sender: str, monkeypatch: Any, caplog: Any, error: Exception, code: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    good, bad = film(tmp_path, seed=1), film(tmp_path, seed=2)
    calls = iter([1, 2])
    monkeypatch.setattr(
        services, "decode_film", lambda *a, **k: decode_film(*a, **k) if next(calls) == 1 else fail()
    )
    answer = send(message(good, bad), token=sender)
    assert answer.status_code == 202
    assert [item.FailureReason for item in told(answer).FailedSOPSequence] == [code]
    assert "DOE" not in answer.content.decode() + answer["Warning"] + caplog.text
    assert Instance.objects.count() == 1


def test_a_full_disk_is_said_before_anything_is_kept(
    tmp_path: Path, sender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    body = message(film(tmp_path))
    monkeypatch.setattr("deepmedix_review.studies.dicomweb.multipart_reading._write", full)
    answer = send(body, token=sender)
    assert answer.status_code == 507
    assert ImportBatch.objects.count() == 0


def test_what_would_fill_the_disk_is_not_received(
    tmp_path: Path, sender: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def receive(*_: object, **__: object) -> None:
        raise AssertionError("it was received")

    body = message(film(tmp_path))
    monkeypatch.setattr("deepmedix_review.studies.dicomweb.multipart_reading._write", receive)
    usage = shutil.disk_usage(settings.UPLOAD_FOLDER)
    room = usage._replace(free=settings.SPARE_DISK_BYTES + len(body) // 2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room)
    assert send(body, token=sender).status_code == 507


def test_an_answer_in_another_form_is_refused_before_anything_is_kept(tmp_path: Path, sender: str) -> None:
    refused = send(message(film(tmp_path)), token=sender, Accept="application/dicom+xml")
    assert refused.status_code == 406
    assert ImportBatch.objects.count() == 0
