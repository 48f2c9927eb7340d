"""Messages that programs leave: durable before the answer, brought in after it, and told of once asked."""

import errno
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure.scope import study_scope
from deepmedix_review.studies import services
from deepmedix_review.studies.dicomweb.sent_message_views import wants_to_go
from deepmedix_review.studies.intake.decoding import decode_film
from deepmedix_review.studies.models import ImportBatch, ImportItem, Instance, SentMessage, Study
from deepmedix_review.studies.sent_messages.folders import message_folder
from deepmedix_review.studies.sent_messages.services import (
    cancel_message,
    delete_message,
    retry_message,
    tidy_messages,
)
from deepmedix_review.studies.storage import store_film
from deepmedix_review.studies.tasks import run_sent_messages
from tests.deepmedix_review.erasure.an_erasure import erased
from tests.deepmedix_review.studies.dicomweb.test_multipart_reading import message
from tests.deepmedix_review.studies.dicomweb.test_storing import film, send, told
from tests.deepmedix_review.studies.dicomweb.the_service import token_of
from tests.factories.accounts import AdminFactory, ResearcherFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender() -> str:
    return token_of(AdminFactory.create(), Capability.IMPORT_STUDIES)


def leave(body: bytes, *, token: str, prefer: str = "respond-async", address: str = "studies") -> Any:
    return send(body, token=token, address=address, Prefer=prefer)


def asked(answer: Any, *, token: str, **headers: str) -> Any:
    address = answer["Location"].removeprefix("http://testserver")
    return Client().get(address, headers={"Authorization": f"Bearer {token}", **headers})


def kept() -> list[str]:
    return sorted(path.name for path in message_folder(SentMessage.objects.get()).iterdir())


@pytest.mark.parametrize(
    ("prefer", "goes"),
    [
        ("respond-async", True),
        ("return=minimal, respond-async, wait=10", True),
        ("Respond-Async; foo=bar", True),
        ('note="respond-async, please"', False),
        ("respond-asynchronously", False),
        ("", False),
    ],
)
def test_a_sender_goes_where_it_says_so(prefer: str, goes: bool) -> None:
    assert wants_to_go(prefer) is goes


def test_a_left_message_is_kept_and_told_of_once_its_films_are_in(tmp_path: Path, sender: str) -> None:
    plain = film(tmp_path, seed=1, StudyInstanceUID="1.2.3", PatientName="DOE^JANE")
    odd = film(tmp_path, seed=2, Modality="CT")
    answer = leave(message(plain, odd, b"nothing"), token=sender)
    assert (answer.status_code, answer["Preference-Applied"]) == (202, "respond-async")
    assert (answer.json()["state"], answer.json()["num_films"]) == ("queued", 3)
    assert kept() == ["1.dcm", "2.dcm", "3.dcm"]
    assert Instance.objects.count() == 0
    waiting = asked(answer, token=sender)
    assert (waiting.status_code, waiting["Retry-After"], waiting.json()["num_done"]) == (202, "2", 0)

    run_sent_messages()
    done = asked(answer, token=sender)
    assert done.status_code == 200
    report = told(done)
    first, second = report.ReferencedSOPSequence
    stored = Instance.objects.order_by("pk").first()
    assert stored is not None
    assert first.ReferencedSOPInstanceUID == stored.sop_instance_uid
    study = stored.study.study_instance_uid
    assert first.RetrieveURL.startswith(f"http://testserver/dicom-web/studies/{study}/series/")
    came_as = first.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
    assert came_as.StudyInstanceUID == "1.2.3"
    assert second.WarningReason == 0xB000
    assert [item.FailureReason for item in report.OtherFailuresSequence] == [0xC000]
    assert "waits for an admin's decision" in done["Warning"]
    assert b"DOE" not in done.content
    assert kept() == ["1.json", "2.json", "3.json"]
    left = SentMessage.objects.get()
    assert (left.state, left.num_done, left.attempt) == (JobState.DONE, 3, 1)
    assert list(ImportItem.objects.order_by("number").values_list("number", "outcome")) == [
        (1, "accepted"),
        (2, "held"),
        (3, "refused"),
    ]
    assert ImportBatch.objects.get().source == ImportBatch.Source.STOW
    actions = AuditEvent.objects.filter(subject_uid=left.uid).order_by("sequence")
    assert list(actions.values_list("action", flat=True)) == ["leave_message", "end_message"]
    # Each film names the token, too, as one that was waited for does.
    came_by = [event.details["by_token"] for event in AuditEvent.objects.filter(action="receive_film")]
    assert came_by == [actions[0].details["by_token"]] * 3


def test_one_film_may_be_left_without_parts_and_at_its_study(tmp_path: Path, sender: str) -> None:
    one = film(tmp_path, StudyInstanceUID="1.2.3")
    headers = {"Authorization": f"Bearer {sender}", "Prefer": "respond-async"}
    address = "/dicom-web/studies/1.2.4"
    answer = Client().post(address, one, content_type="application/dicom", headers=headers)
    assert answer.status_code == 202
    assert "addressed.json" in kept()
    run_sent_messages()
    report = told(asked(answer, token=sender))
    assert [item.FailureReason for item in report.FailedSOPSequence] == [0xA900]
    assert ImportItem.objects.get().outcome == "refused"


@pytest.mark.parametrize(
    ("body", "status"),
    [(message(b"film")[:-12], 400), (message(b"film", head=b"Content-Type: image/png"), 415)],
)
def test_a_message_that_can_not_be_read_is_refused_at_once(sender: str, body: bytes, status: int) -> None:
    assert leave(body, token=sender).status_code == status
    assert not SentMessage.objects.exists()


def test_a_full_disk_is_said_at_once_and_nothing_is_kept(
    tmp_path: Path, sender: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = message(film(tmp_path))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = leave(body, token=sender)
    assert answer.status_code == 507
    assert not SentMessage.objects.exists()
    assert not ImportBatch.objects.exists()
    assert list(Path(settings.MESSAGE_FOLDER).iterdir()) == []


def test_a_message_that_met_a_full_disk_goes_on_behind_what_is_in(
    tmp_path: Path, sender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = leave(message(film(tmp_path, seed=1), film(tmp_path, seed=2)), token=sender)
    calls = iter([1, 2])

    def full_at_the_second(*arguments: Any, **options: Any) -> Any:
        if next(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device: DOE^JANE")
        return store_film(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(services, "store_film", full_at_the_second)
        run_sent_messages()
    left = SentMessage.objects.get()
    assert (left.state, left.num_done) == (JobState.FAILED, 1)
    assert "The disk is full. 1 of 2 films are done, and stay so." in left.error
    assert kept() == ["1.json", "2.dcm"]
    failed = asked(answer, token=sender)
    assert (failed.status_code, "try again" in failed.json()["detail"]) == (409, True)
    assert "DOE" not in failed.content.decode()

    retry_message(left, actor=AdminFactory.create())
    run_sent_messages()
    report = told(asked(answer, token=sender))
    assert len(report.ReferencedSOPSequence) == Instance.objects.count() == 2


def test_a_film_that_the_platform_stumbles_over_stops_no_other(
    tmp_path: Path, sender: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = leave(message(film(tmp_path, seed=1), film(tmp_path, seed=2)), token=sender)
    calls = iter([1, 2])

    def stumbles_at_the_first(*arguments: Any, **options: Any) -> Any:
        if next(calls) == 1:
            raise RuntimeError("DOE^JANE")
        return decode_film(*arguments, **options)

    monkeypatch.setattr(services, "decode_film", stumbles_at_the_first)
    run_sent_messages()
    report = told(asked(answer, token=sender))
    assert len(report.ReferencedSOPSequence) == 1
    assert [item.FailureReason for item in report.FailedSOPSequence] == [0x0110]
    assert "DOE" not in caplog.text


def test_what_a_killed_worker_did_not_write_down_is_told_without_the_senders_names(
    tmp_path: Path, sender: str
) -> None:
    answer = leave(message(film(tmp_path)), token=sender)
    run_sent_messages()
    (message_folder(SentMessage.objects.get()) / "1.json").unlink()
    (item,) = told(asked(answer, token=sender)).ReferencedSOPSequence
    assert item.ReferencedSOPInstanceUID == Instance.objects.get().sop_instance_uid
    assert "OriginalAttributesSequence" not in item


def test_what_became_of_a_message_is_told_to_its_sender_alone_and_for_a_while(
    tmp_path: Path, sender: str, settings: Settings
) -> None:
    answer = leave(message(film(tmp_path)), token=sender)
    run_sent_messages()
    other = token_of(AdminFactory.create(), Capability.IMPORT_STUDIES)
    assert asked(answer, token=other).status_code == 404
    viewer = token_of(ResearcherFactory.create(), Capability.VIEW_ALL_STUDIES)
    assert asked(answer, token=viewer).status_code == 403
    assert asked(answer, token=sender, Accept="application/dicom+xml").status_code == 406
    tidy_messages()
    assert asked(answer, token=sender).status_code == 200
    long_ago = timezone.now() - timedelta(hours=settings.MESSAGE_ANSWER_HOURS + 1)
    SentMessage.objects.update(finished_at=long_ago)
    tidy_messages()
    assert asked(answer, token=sender).status_code == 410
    assert not message_folder(SentMessage.objects.get()).exists()


def test_one_that_waits_is_cancelled_and_deleted_with_its_films(tmp_path: Path, sender: str) -> None:
    answer = leave(message(film(tmp_path)), token=sender)
    admin, left = AdminFactory.create(), SentMessage.objects.get()
    with pytest.raises(RefusedByRule, match="Cancel it first"):
        delete_message(left, actor=admin)
    cancel_message(left, actor=admin)
    assert not message_folder(left).exists()
    run_sent_messages()
    assert Study.objects.count() == 0
    gone = asked(answer, token=sender)
    assert (gone.status_code, gone.json()["state"]) == (409, "cancelled")


def test_with_an_erased_study_goes_by_which_names_its_films_came(tmp_path: Path, sender: str) -> None:
    answer = leave(message(film(tmp_path)), token=sender)
    run_sent_messages()
    admin, left = AdminFactory.create(), SentMessage.objects.get()
    assert message_folder(left).exists()
    erasure = erased(study_scope(admin, Study.objects.get().uid), actor=admin)
    assert erasure.state == JobState.DONE, erasure.error
    assert not message_folder(left).exists()
    assert asked(answer, token=sender).status_code == 410


def test_films_without_a_row_are_deleted_once_they_are_old(settings: Settings, film_folder: Path) -> None:
    root = Path(settings.MESSAGE_FOLDER)
    for name, hours in (("a" * 32, 2), ("b" * 32, 0.5)):
        (root / name).mkdir(parents=True)
        then = time.time() - hours * 3600
        os.utime(root / name, (then, then))
    tidy_messages()
    assert [path.name for path in root.iterdir()] == ["b" * 32]


def test_the_import_page_shows_what_waits_and_takes_a_cancel(tmp_path: Path, sender: str) -> None:
    client = Client()
    client.force_login(AdminFactory.create())
    assert "Messages that programs left" not in client.get("/studies/import/").content.decode()
    leave(message(film(tmp_path, seed=1), film(tmp_path, seed=2)), token=sender)
    page = client.get("/studies/import/").content.decode()
    assert "Messages that programs left" in page
    assert "0 of 2" in page
    left = SentMessage.objects.get()
    part = client.post(
        f"/studies/import/messages/{left.uid}/cancel/", headers={"HX-Request": "true"}
    ).content.decode()
    assert "Messages that programs left" not in part
    left.refresh_from_db()
    assert left.state == JobState.CANCELLED
    researcher = Client()
    researcher.force_login(ResearcherFactory.create())
    assert researcher.get("/studies/import/messages/live/").status_code == 403


def test_a_failed_message_is_tried_again_or_deleted_on_the_page(tmp_path: Path, sender: str) -> None:
    client = Client()
    client.force_login(AdminFactory.create())
    leave(message(film(tmp_path)), token=sender)
    left = SentMessage.objects.get()
    SentMessage.objects.update(state=JobState.FAILED, error="The disk is full.", finished_at=timezone.now())
    assert "The disk is full." in client.get("/studies/import/").content.decode()
    client.post(f"/studies/import/messages/{left.uid}/retry/")
    left.refresh_from_db()
    assert left.state == JobState.QUEUED
    SentMessage.objects.update(state=JobState.FAILED, finished_at=timezone.now())
    client.post(f"/studies/import/messages/{left.uid}/delete/")
    assert not message_folder(left).exists()
    assert "The disk is full." not in client.get("/studies/import/").content.decode()
