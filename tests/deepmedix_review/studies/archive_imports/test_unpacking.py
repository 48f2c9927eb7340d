"""A worker brings each file of an archive in by itself, once, whatever stops it in between."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.studies import tasks
from deepmedix_review.studies.archive_imports import running, services
from deepmedix_review.studies.archive_imports.folders import archive_path
from deepmedix_review.studies.archives import receive_unpacked
from deepmedix_review.studies.models import ArchiveImport, ImportItem, Instance, Study
from deepmedix_review.studies.taking import NOT_TAKEN
from tests.deepmedix_review.studies.archive_imports.an_archive import (
    NO_FILM,
    begun,
    films_of,
    outcomes,
    tar_of,
    waiting,
    zip_of,
)
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.studies import receive, write_film

pytestmark = pytest.mark.django_db


def run(job: ArchiveImport) -> ArchiveImport:
    tasks.run_archive_import(job.pk)
    job.refresh_from_db()
    return job


def stops_at(number: int, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The file of this place raises; the answer takes that back."""

    def stop(file: Any, **how: Any) -> ImportItem:
        if how["number"] == number:
            raise error
        return receive_unpacked(file, **how)

    monkeypatch.setattr(running, "receive_unpacked", stop)
    return lambda: monkeypatch.setattr(running, "receive_unpacked", receive_unpacked)


@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_each_file_is_judged_as_if_it_came_by_itself(
    tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    known = write_film(tmp_path / "known.dcm", seed=9)
    receive(known)
    silent = write_film(
        tmp_path / "silent.dcm", seed=7, BurnedInAnnotation=None, SOPClassUID="1.2.840.10008.5.1.4.1.1.7"
    )
    odd = write_film(tmp_path / "odd.dcm", seed=8, BodyPartExamined="ABDOMEN", BurnedInAnnotation="NO")
    files = {
        **films_of(tmp_path, num=1),
        NO_FILM: b"%PDF-1.4",
        "known.dcm": known.read_bytes(),
        "odd.dcm": odd.read_bytes(),
        "silent.dcm": silent.read_bytes(),
    }
    job = run(waiting(tmp_path, pack(files)))
    assert (job.state, job.error) == (JobState.DONE, "")
    assert outcomes(job)[:4] == [(1, "accepted"), (2, "refused"), (3, "duplicate"), (4, "held")]
    assert (job.num_files, job.num_done, job.num_refused, job.num_duplicate) == (5, 5, 1, 1)
    refused = ImportItem.objects.get(batch=job.batch, outcome="refused")
    assert (refused.file_name, refused.reason[:22]) == (NO_FILM, "This is a PDF document")
    assert (job.is_here, archive_path(job).exists()) == (False, False)
    end = AuditEvent.objects.get(action="end_archive")
    assert end.actor == job.requested_by
    assert (end.details["state"], end.details["num_files"]) == ("done", 5)
    everything = [str(event.details) for event in AuditEvent.objects.all()]
    assert "Doe" not in "".join(everything)
    assert "films.zip" not in "".join(everything)


def test_one_that_is_cut_off_goes_on_behind_the_last_file_that_was_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = waiting(tmp_path, tar_of(films_of(tmp_path, num=4)))
    begin_again = stops_at(3, SystemExit(1), monkeypatch)
    with pytest.raises(SystemExit):
        run(job)
    begin_again()
    job.refresh_from_db()
    assert (job.state, len(outcomes(job))) == (JobState.RUNNING, 2)
    first = set(Instance.objects.values_list("pk", flat=True))
    ArchiveImport.objects.filter(pk=job.pk).update(lease_expires_at=job.created_at)
    tasks.tend_archive_imports()
    run(job)
    assert (job.state, job.attempt, job.num_accepted) == (JobState.DONE, 2, 4)
    assert outcomes(job) == [(number, "accepted") for number in (1, 2, 3, 4)]
    assert first < set(Instance.objects.values_list("pk", flat=True))
    assert Study.objects.count() == 4


def test_one_that_is_cut_off_again_and_again_gets_to_its_end_while_each_time_something_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(running, "TELL_EVERY", 0.0)
    settings.MAX_ATTEMPTS = 2
    job = waiting(tmp_path, tar_of(films_of(tmp_path, num=4)))
    for place in (2, 3, 4):
        begin_again = stops_at(place, SystemExit(1), monkeypatch)
        with pytest.raises(SystemExit):
            run(job)
        begin_again()
        ArchiveImport.objects.filter(pk=job.pk).update(lease_expires_at=job.created_at)
        tasks.tend_archive_imports()
    run(job)
    assert (job.state, job.attempt, job.num_accepted) == (JobState.DONE, 4, 4)


def test_a_worker_that_lost_the_archive_keeps_nothing_of_a_file_that_another_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = waiting(tmp_path, zip_of(films_of(tmp_path, num=2)))

    def late(file: Any, **how: Any) -> ImportItem:
        # Another worker was quicker, and has the archive.
        receive_unpacked(file, **how)
        ArchiveImport.objects.filter(pk=job.pk).update(attempt=2)
        return receive_unpacked(file, **how)

    monkeypatch.setattr(running, "receive_unpacked", late)
    run(job)
    assert (job.state, job.attempt) == (JobState.RUNNING, 2)
    assert outcomes(job) == [(1, "accepted")]
    assert AuditEvent.objects.filter(action="receive_film").count() == 1


def test_the_database_keeps_one_judgement_of_each_place(tmp_path: Path) -> None:
    job = waiting(tmp_path, zip_of(films_of(tmp_path, num=1)))
    item = ImportItem.objects.create(batch=job.batch, file_name="1", outcome="refused", number=1)
    item.pk = None
    item.uid = job.uid
    with pytest.raises(IntegrityError, match="a_file_of_an_archive_is_judged_once"):
        item.save(force_insert=True)


def test_a_full_disk_is_said_and_the_archive_is_tried_again_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = waiting(tmp_path, zip_of(films_of(tmp_path, num=3)))
    there_is_space = stops_at(2, OSError(errno.ENOSPC, "full: Doe^Jane"), monkeypatch)
    run(job)
    assert (job.state, job.error) == (
        JobState.FAILED,
        "The disk is full. 1 of 3 files are done, and stay so. Free some space, then try again: it goes on "
        "from here.",
    )
    assert (job.is_here, job.may_be_tried_again, job.num_accepted) == (True, True, 1)
    there_is_space()
    tasks.retry_archive(job, actor=AdminFactory.create())
    run(job)
    assert (job.state, job.error, job.num_accepted) == (JobState.DONE, "", 3)
    assert outcomes(job) == [(number, "accepted") for number in (1, 2, 3)]


def test_a_file_that_the_platform_stumbles_over_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    job = waiting(tmp_path, zip_of(films_of(tmp_path, num=3)))
    stops_at(2, ValueError("of Doe^Jane"), monkeypatch)
    run(job)
    assert job.state == JobState.DONE
    assert outcomes(job) == [(1, "accepted"), (2, "refused"), (3, "accepted")]
    assert ImportItem.objects.get(number=2).reason == NOT_TAKEN
    assert "ValueError" in caplog.text
    assert "Doe" not in caplog.text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x1f\x8bno gzip", "damaged or cut off"),
        (zip_of({}), "holds no file"),
        (zip_of({f"{number}.dcm": b"1" for number in range(4)}), "over 3 files"),
    ],
)
def test_one_that_can_not_be_unpacked_says_why_and_is_deleted(
    tmp_path: Path, settings: Any, content: bytes, sentence: str
) -> None:
    settings.MAX_ARCHIVE_FILES = 3
    job = run(waiting(tmp_path, content))
    assert (job.state, sentence in job.error, job.may_be_tried_again) == (JobState.FAILED, True, False)
    assert not archive_path(job).exists()
    assert not ImportItem.objects.exists()
    with pytest.raises(RefusedByRule, match="not here any more"):
        services.retry_archive(job, actor=AdminFactory.create())


def test_one_whose_file_is_gone_says_so(tmp_path: Path) -> None:
    job = waiting(tmp_path, zip_of(films_of(tmp_path, num=1)))
    archive_path(job).unlink()
    run(job)
    assert (job.state, "not on the disk of the worker" in job.error) == (JobState.FAILED, True)


def test_a_cancelled_one_stops_and_what_is_in_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = AdminFactory.create()
    job = waiting(tmp_path, zip_of(films_of(tmp_path, num=3)), actor=admin)

    def cancelled_meanwhile(file: Any, **how: Any) -> ImportItem:
        services.cancel_archive(ArchiveImport.objects.get(pk=job.pk), actor=admin)
        return receive_unpacked(file, **how)

    monkeypatch.setattr(running, "TELL_EVERY", 0.0)
    monkeypatch.setattr(running, "receive_unpacked", cancelled_meanwhile)
    run(job)
    assert (job.state, job.num_accepted, job.is_here) == (JobState.CANCELLED, 1, False)
    assert (Study.objects.count(), archive_path(job).exists()) == (1, False)
    assert AuditEvent.objects.filter(action="cancel_archive", actor=admin).count() == 1


@pytest.mark.parametrize("is_whole", [False, True])
def test_one_that_waits_is_cancelled_at_once(tmp_path: Path, is_whole: bool) -> None:
    job = waiting(tmp_path, zip_of(films_of(tmp_path, num=1))) if is_whole else begun(100)
    archive_path(job).touch()
    services.cancel_archive(job, actor=AdminFactory.create())
    assert (run(job).state, archive_path(job).exists()) == (JobState.CANCELLED, False)
    assert job.finished_at is not None
    assert not ImportItem.objects.exists()


def test_one_archive_has_its_turn_and_the_oldest_is_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archives = [waiting(tmp_path, zip_of({"1.dcm": b"1"})) for _ in range(3)]
    woken: list[int] = []
    monkeypatch.setattr(tasks.run_archive_import, "apply_async", lambda args, **_: woken.append(args[0]))
    first = jobs.claim_in_turn(ArchiveImport, job_id=archives[1].pk)
    assert first
    assert run(archives[0]).state == JobState.QUEUED
    tasks.tend_archive_imports()
    assert woken == []
    ArchiveImport.objects.filter(pk=first.pk).update(state=JobState.DONE)
    tasks.tend_archive_imports()
    assert woken == [archives[0].pk]


def test_what_is_done_with_is_deleted_in_time(tmp_path: Path, settings: Any) -> None:
    unsent, failed = begun(100), waiting(tmp_path, b"\x1f\x8b")
    archive_path(unsent).write_bytes(b"part")
    ArchiveImport.objects.filter(pk=failed.pk).update(state="failed", finished_at=failed.created_at)
    services.tidy_archives()
    assert (archive_path(unsent).exists(), archive_path(failed).exists()) == (True, True)
    settings.ARCHIVE_DAYS = 0
    services.tidy_archives()
    unsent.refresh_from_db()
    assert (unsent.state, "Nothing more of it came" in unsent.error) == ("cancelled", True)
    assert (archive_path(unsent).exists(), archive_path(failed).exists()) == (False, False)


def test_who_may_not_import_does_nothing_with_an_archive(tmp_path: Path) -> None:
    job, expert = waiting(tmp_path, zip_of({"1": b"1"})), ExpertFactory.create()
    for act in (services.cancel_archive, services.retry_archive, services.delete_archive):
        with pytest.raises(NotYours):
            act(job, actor=expert)
    with pytest.raises(NotYours):
        begun(1, actor=expert)
    with pytest.raises(RefusedByRule, match="Cancel it first"):
        services.delete_archive(job, actor=AdminFactory.create())
