"""An export is whole or not at all, however it is asked for and whatever happens meanwhile."""

import errno
import io
import shutil
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.exports import files, finishing, scope, tables, writing
from deepmedix_review.exports.folders import archive_path, parts_folder
from deepmedix_review.exports.models import Export
from deepmedix_review.exports.services import (
    Asked,
    cancel_export,
    claim_new_export,
    delete_expired_exports,
    forget_left_parts,
    queue_export,
)
from deepmedix_review.exports.tasks import write_claimed, write_export
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.studies.models import Study
from tests.deepmedix_review.exports.an_export import USE, a_read_study, done, files_of, unpacked, written
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.reviews import a_signed_reading, an_open_reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> ReaderStudy:
    return a_signed_reading().assignment.case.reader_study


def run(*arguments: str) -> str:
    said = io.StringIO()
    call_command("export_dataset", *arguments, stdout=said)
    return said.getvalue()


def test_the_command_writes_the_archive_and_the_record_tells_of_it(
    study: ReaderStudy, tmp_path: Path
) -> None:
    AdminFactory.create(username="ada")
    out = tmp_path / "out.zip"
    said = run("--actor", "ada", "--out", str(out), "--use", USE, "--format", "parquet", "--format", "csv")
    export = Export.objects.get()
    assert said.startswith(export.sha256)
    assert {"data/ratings.parquet", "data/ratings.csv", "manifest.json"} <= set(unpacked(out.read_bytes()))
    assert export.archive_bytes is None
    assert not archive_path(export).exists()
    assert not parts_folder(export).exists()
    assert [event.action for event in AuditEvent.objects.filter(subject_uid=str(export.uid))] == [
        "request_export",
        "write_export",
        "download_export",
        "delete_export",
    ]
    with pytest.raises(CommandError, match="is there already"):
        run("--actor", "ada", "--out", str(out), "--use", USE)
    with pytest.raises(CommandError, match="There is no folder"):
        run("--actor", "ada", "--out", str(tmp_path / "no" / "out.zip"), "--use", USE)


REFUSED = [
    ({"data_use": "  "}, "Say in a sentence"),
    ({"data_use": "x" * 1001}, "1000 characters"),
    ({"formats": ()}, "Choose among the formats"),
    ({"formats": ("xlsx",)}, "Choose among the formats"),
    ({"reader_studies": ()}, "Choose a reader study"),
    ({"as_of": timezone.now() + timedelta(days=365)}, "Choose a moment that is over"),
    ({"as_of": timezone.now() - timedelta(days=365)}, "Nothing of what you chose was signed by"),
]


@pytest.mark.parametrize(("asked", "sentence"), REFUSED)
def test_what_cannot_be_exported_is_refused_with_a_sentence(study: ReaderStudy, asked, sentence: str) -> None:
    with pytest.raises(RefusedByRule, match=sentence):
        queue_export(Asked(**{"data_use": USE, **asked}), actor=ResearcherFactory.create())
    assert not Export.objects.exists()


def test_only_admins_and_researchers_export_and_nothing_that_a_design_hides(study: ReaderStudy) -> None:
    with pytest.raises(NotYours, match="may not take data sets out"):
        queue_export(Asked(USE), actor=ExpertFactory.create())
    ReaderStudy.objects.filter(pk=study.pk).update(hides_results=True)
    with pytest.raises(RefusedByRule, match="hides its results until it is locked"):
        queue_export(Asked(USE, [study.uid]), actor=AdminFactory.create())
    with pytest.raises(RefusedByRule, match="Nothing of what you chose"):
        queue_export(Asked(USE), actor=AdminFactory.create())
    ReaderStudy.objects.filter(pk=study.pk).update(state=ReaderStudy.State.LOCKED, locked_at=timezone.now())
    assert done(study).num_rows


def test_a_full_disk_leaves_a_sentence_and_nothing_half_stored(
    study: ReaderStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for part, name in ((files.CsvFile, "close"), (finishing, "pack")):
        with monkeypatch.context() as patch:
            patch.setattr(part, name, full if name == "close" else lambda *_, **__: full())
            export = written(study)
        assert export.state == JobState.FAILED
        assert export.error.startswith("The disk is full: the export was given up and nothing of it is kept.")
        assert not parts_folder(export).exists()
        assert not list(archive_path(export).parent.glob(f"*{export.uid}*"))
    assert done(study).sha256


def test_an_export_leaves_the_database_room_on_the_disk(study: ReaderStudy, settings: Settings) -> None:
    settings.SPARE_DISK_BYTES = shutil.disk_usage("/").total * 1000
    export = written(study)
    assert export.error.startswith("The disk is full: the export was given up and nothing of it is kept.")
    assert not parts_folder(export).exists()
    settings.SPARE_DISK_BYTES = 0
    assert done(study).sha256


def test_an_export_waits_for_a_transaction_that_is_under_way_and_not_for_ever(
    study: ReaderStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LONGEST_WAIT", 0.3)
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_current_xact_id()")
        refused = written(study)
    assert refused.state == JobState.FAILED
    assert "so what was signed by then is not certain. Ask again" in refused.error
    assert not parts_folder(refused).exists()
    # Within the transaction of a test the activity is looked at once, then remembered.
    connection.cursor().execute("SELECT pg_stat_clear_snapshot()")
    assert written(study).state == JobState.DONE


def test_with_more_readers_than_columns_the_manifest_says_that_a_table_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scope, "MOST_READERS_SIDE_BY_SIDE", 1)
    monkeypatch.setattr(tables, "MOST_READERS_SIDE_BY_SIDE", 1)
    export = done(a_read_study())
    assert "data/agreement.csv" not in files_of(export)
    assert {"reason": "the table of agreement: more readers than it has columns", "num": 2} in export.left_out


def test_a_cancelled_export_leaves_nothing(study: ReaderStudy) -> None:
    actor = ResearcherFactory.create()
    waiting = queue_export(Asked(USE), actor=actor)
    cancel_export(waiting, actor=actor)
    write_export(waiting.pk)
    running = claim_new_export(Asked(USE), actor=actor)
    cancel_export(running, actor=actor)
    write_claimed(running)
    for export in (waiting, running):
        export.refresh_from_db()
        assert (export.state, export.sha256) == (JobState.CANCELLED, "")
        assert not list(archive_path(export).parent.glob(f"*{export.uid}*"))


def test_a_film_that_is_withdrawn_while_it_is_written_is_in_no_file(
    study: ReaderStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = a_signed_reading().assignment.case
    measured = files.measure
    withdrawn: list[int] = []

    def withdraw_once(path: Path) -> files.Counted:
        if not withdrawn:
            withdrawn.append(Study.objects.filter(pk=other.study_id).update(state=Study.State.HELD))
        return measured(path)

    monkeypatch.setattr(writing, "measure", withdraw_once)
    export = done()
    everything = b"".join(files_of(export).values())
    assert other.study.study_instance_uid.encode() not in everything
    assert study.cases.get().study.study_instance_uid.encode() in everything


def test_files_that_are_whole_are_kept_when_an_export_is_taken_up_again_and_damaged_ones_are_not(
    study: ReaderStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As kill -9 would: nothing is cleaned up."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    export = claim_new_export(Asked(USE), actor=ResearcherFactory.create())
    with monkeypatch.context() as patch:
        patch.setattr(finishing, "pack", die)
        with pytest.raises(Killed):
            write_claimed(export)
    # Not one of the attempts that were for nothing.
    assert Export.objects.get().kept_attempt == 1
    (parts_folder(export) / "data" / "votes.csv").write_text("half")
    Export.objects.update(state=JobState.QUEUED)
    write_export(export.pk)
    export.refresh_from_db()
    assert export.state == JobState.DONE, export.error
    assert {one.name for one in export.written if one.attempt == 2} == {"data/votes.csv"}
    # The audit chain is the same as of then, and so is every byte.
    assert files_of(export) == files_of(done(as_of=export.as_of))


def test_what_is_left_of_a_worker_that_died_before_a_cancelled_export_ended_is_forgotten(
    study: ReaderStudy,
) -> None:
    actor = ResearcherFactory.create()
    left, going_on = (claim_new_export(Asked(USE), actor=actor) for _ in range(2))
    for export in (left, going_on):
        (parts_folder(export) / "data").mkdir(parents=True)
        archive_path(export).with_name(f".{export.uid}.zip.1").write_bytes(b"half")
    Export.objects.filter(pk=left.pk).update(state=JobState.CANCELLED)
    forget_left_parts()
    assert not list(archive_path(left).parent.glob(f"*{left.uid}*"))
    assert parts_folder(going_on).is_dir()


def test_a_reader_study_that_is_made_later_changes_no_byte_of_what_was_before_it(study: ReaderStudy) -> None:
    export = done()
    later = an_open_reading().assignment.case.reader_study
    again = done(as_of=export.as_of)
    assert again.sha256 == export.sha256
    assert str(later.uid).encode() not in b"".join(files_of(done()).values())
    # Nor does one whose results are hidden, once it is there.
    ReaderStudy.objects.filter(pk=later.pk).update(hides_results=True)
    assert done(as_of=export.as_of).sha256 == export.sha256


def test_archives_are_deleted_when_their_time_is_over(study: ReaderStudy) -> None:
    kept, expired = done(study), done(study)
    Export.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert delete_expired_exports() == 1
    expired.refresh_from_db()
    assert (expired.archive_bytes, expired.state) == (None, JobState.DONE)
    assert not archive_path(expired).exists()
    assert archive_path(kept).exists()


def test_an_unsigned_reading_is_no_data() -> None:
    an_open_reading()
    with pytest.raises(RefusedByRule, match="Nothing of what you chose"):
        queue_export(Asked(USE), actor=AdminFactory.create())
