"""Pictures with a table of one's own."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies.known_sets import receiving
from deepmedix_review.studies.models import (
    ImportItem,
    Instance,
    Reference,
    ReferenceRegion,
    SourceDataset,
    Study,
)
from tests.deepmedix_review.studies.known_sets.made_sets import brought_in, write_picture, write_rows
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory

pytestmark = pytest.mark.django_db

ABOUT: dict[str, Any] = {"name": "Ward 7", "licence": "Ours, for research", "text_free": True}
COLUMNS = ("image", "patient", "study", "view", "split", "study_date", "findings", "impression", "labels")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two patients: one with a study of two films and a later one, one with a study of one film."""
    folder = tmp_path / "ward"
    for seed, name in enumerate(("a1.png", "a2.png", "later.jpg", "b.png"), start=1):
        write_picture(folder / "films" / name, seed=seed)
    write_rows(
        folder / "metadata.csv",
        COLUMNS,
        ("films/a1.png", "DOE^JANE", "s1", "PA", "train", "2024-01-05", "A nodule.", "Nodule.", "Nodule"),
        ("films/a2.png", "DOE^JANE", "s1", "LATERAL", "train", "2024-01-05", "", "", ""),
        ("films/later.jpg", "DOE^JANE", "s2", "AP", "train", "2024-03-05", "", "", "Nodule:absent|Edema"),
        ("films/b.png", "NR-4711", "s1", "", "test", "", "", "", "Effusion:uncertain"),
    )
    box = ("films/a1.png", "Nodule", 10, 20.5, 30, 96.4)
    write_rows(folder / "boxes.csv", ("image", "label", "x_min", "y_min", "x_max", "y_max"), box)
    return folder


def test_a_full_disk_is_said_and_the_rest_comes_in_later(
    folder: Path, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    spare, settings.SPARE_DISK_BYTES = settings.SPARE_DISK_BYTES, shutil.disk_usage("/").total * 1000
    with pytest.raises(CommandError, match=r"The disk is full. What came in before stays. Free some space"):
        brought_in("table", folder, capsys, **ABOUT)
    settings.SPARE_DISK_BYTES = spare
    assert "3 studies. Films: 4 accepted" in brought_in("table", folder, capsys, **ABOUT)


def test_films_of_a_study_come_together_with_what_the_table_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = brought_in("table", folder, capsys, reports_name_nobody=True, **ABOUT)
    assert "Ward 7: 3 studies. Films: 4 accepted, 0 held, 0 duplicate, 0 refused" in told
    assert "New references: 3." in told
    first, later, other = Study.objects.order_by("pk")
    assert first.patient_pseudonym == later.patient_pseudonym != other.patient_pseudonym
    assert first.study_date is not None
    assert later.study_date is not None
    assert (later.study_date - first.study_date).days == 60
    assert str(first.study_date) != "2024-01-05"
    assert other.study_date is None
    views = (
        Instance.objects.filter(series__study=first).order_by("pk").values_list("view_position", flat=True)
    )
    assert list(views) == ["PA", "LATERAL"]
    assert {study.source.name for study in (first, later, other) if study.source} == {"Ward 7"}
    assert (first.reference.findings, first.reference.impression) == ("A nodule.", "Nodule.")
    assert (first.reference.labels, first.reference.published_split) == ({"Nodule": "present"}, "train")
    assert later.reference.labels == {"Nodule": "absent", "Edema": "present"}
    assert (other.reference.labels, other.reference.published_split) == ({"Effusion": "uncertain"}, "test")
    region = ReferenceRegion.objects.get()
    assert (region.x_min, region.y_min, region.x_max, region.y_max) == (10, 20.5, 30, 96)
    assert region.film.view_position == "PA"


def test_what_names_the_patient_outside_is_stored_nowhere(
    folder: Path, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    brought_in("table", folder, capsys, **ABOUT)
    for model in (Study, Instance, Reference, ReferenceRegion, ImportItem, AuditEvent, SourceDataset):
        said = repr(list(model.objects.values()))
        assert not [name for name in ("DOE^JANE", "NR-4711") if name in said], model
    for film in Instance.objects.all():
        assert b"DOE^JANE" not in (settings.FILM_FOLDER / film.file_path).read_bytes()


def test_the_same_again_finds_nothing_new_and_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    brought_in("table", folder, capsys, **ABOUT)
    before = (ImportItem.objects.count(), AuditEvent.objects.count())
    told = brought_in("table", folder, capsys, **ABOUT)
    assert "Films: 0 accepted, 0 held, 0 duplicate, 0 refused, 4 here already." in told
    assert "Nothing new: what could be read of it was here already." in told
    assert (ImportItem.objects.count(), AuditEvent.objects.count()) == before


def test_an_import_that_was_killed_in_a_study_is_completed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*args: Any, **kwargs: Any) -> bool:
        raise Killed

    kept = receiving.keep_reference
    monkeypatch.setattr(receiving, "keep_reference", kill)
    with pytest.raises(Killed):
        call_command("import_dataset", "table", folder, **ABOUT)
    monkeypatch.setattr(receiving, "keep_reference", kept)
    assert (Instance.objects.count(), Reference.objects.count()) == (2, 0)
    told = brought_in("table", folder, capsys, **ABOUT)
    assert "Films: 2 accepted" in told
    assert (Study.objects.count(), Instance.objects.count(), Reference.objects.count()) == (3, 4, 3)


def test_reports_are_left_unless_somebody_answers_for_them_and_can_come_later(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = brought_in("table", folder, capsys, **ABOUT)
    assert "Left too: reports, of 1 of them." in told
    assert not Reference.objects.exclude(findings="").exists()
    told = brought_in("table", folder, capsys, reports_name_nobody=True, **ABOUT)
    assert "New references: 1." in told
    assert Reference.objects.get(impression="Nodule.").findings == "A nodule."


def test_a_broken_row_or_a_missing_picture_is_told_by_its_row_and_stops_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = write_picture(folder.parent / "outside.png", seed=9)
    (folder / "films" / "link.png").symlink_to(outside)
    (folder / "films" / "text.png").write_text("no picture")
    rows = (
        ("films/gone.png", "p1", "", "PA", "", "", "", "", ""),
        ("../outside.png", "p2", "", "PA", "", "", "", "", ""),
        ("films/link.png", "p3", "", "PA", "", "", "", "", ""),
        ("films/b.png", "", "", "PA", "", "", "", "", ""),
        ("films/b.png", "p5", "", "PA", "most", "", "", "", ""),
        ("films/b.png", "p6"),
        ("films/text.png", "p7", "", "PA", "", "", "", "", ""),
        ("films/b.png", "p8", "", "PA", "", "5.1.24", "", "", ""),
        ("films/b.png", "p9", "", "PA", "", "", "", "", "Edema:maybe"),
        ("films/a1.png", "p10", "", "PA", "", "", "", "", "Edema"),
    )
    write_rows(folder / "metadata.csv", COLUMNS, *rows, ("films/a1.png", "good", "", "", "", "", "", "", ""))
    write_rows(
        folder / "boxes.csv",
        ("image", "label", "x_min", "y_min", "x_max", "y_max"),
        ("films/b.png", "Nodule", 1, 2, 3, 4),
        ("films/a1.png", "Nodule", 1, 2, "x", 4),
        ("films/a1.png", "Nodule", 10, 20, 10, 40),
        ("films/a1.png", "Nodule", 10, 20, 120, 40),
        ("films/a1.png", "", 1, 2, 3, 4),
    )
    told = brought_in("table", folder, capsys, fails=True, **ABOUT)
    for number in (2, 3, 4):
        assert f"metadata.csv, row {number}: Its picture is not in the folder." in told
    assert "metadata.csv, row 5: It says no patient." in told
    assert "metadata.csv, row 6: Its split is none of train, tune and test." in told
    assert "metadata.csv, row 7: It has 2 values, the header 9." in told
    assert "metadata.csv, row 8: refused: This is neither a DICOM file nor a picture" in told
    assert "metadata.csv, row 9: Its study_date is not written as 2024-12-31." in told
    assert "metadata.csv, row 10: Its labels are not written as" in told
    assert "metadata.csv, row 12: The same picture is here already as S-" in told
    assert "boxes.csv, row 2: metadata.csv has no picture of this name." in told
    assert "boxes.csv, row 3: Its edges are no numbers." in told
    for number in (4, 5, 6):
        assert f"boxes.csv, row {number}: Its box has no area, no name, or leaves its film" in told
    study = Study.objects.get()
    assert study.reference.labels == {"Edema": "present"}
    assert not ReferenceRegion.objects.exists()


def test_what_a_later_table_says_otherwise_is_told_and_changes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    brought_in("table", folder, capsys, **ABOUT)
    row = ("films/b.png", "NR-4711", "s1", "", "train", "", "", "", "Effusion:present|Edema:absent")
    write_rows(folder / "metadata.csv", COLUMNS, row)
    (folder / "boxes.csv").unlink()
    told = brought_in("table", folder, capsys, fails=True, **ABOUT)
    assert "metadata.csv, row 2: Its published split is not the one kept here, which stays." in told
    assert "metadata.csv, row 2: Its label Effusion is not the one kept here, which stays." in told
    kept = Reference.objects.get(published_split="test")
    assert kept.labels == {"Effusion": "uncertain", "Edema": "absent"}


def test_another_layout_says_what_was_expected_before_anything_is_stored(
    tmp_path: Path, folder: Path
) -> None:
    def refused(sentence: str, **options: Any) -> None:
        with pytest.raises(CommandError, match=sentence):
            call_command("import_dataset", "table", folder, **{**ABOUT, **options})
        assert not SourceDataset.objects.exists()
        assert not Study.objects.exists()

    refused("Say what the data set is called", name="")
    refused("There is no active account nobody", actor="nobody")
    write_rows(folder / "boxes.csv", ("image", "x", "y"))
    refused(r"boxes.csv was expected to have .* It lacks label, x_min, .*; it has image, x, y\.")
    (folder / "boxes.csv").unlink()
    write_rows(folder / "metadata.csv", ("file_name", "patient"))
    refused(r"metadata.csv was expected to have the columns image, patient. It lacks image; it has file_name")
    write_rows(folder / "metadata.csv", ("image", "patient", "ward"))
    refused("has columns that mean nothing here: ward")
    write_rows(folder / "metadata.csv", ("image", "patient"))
    refused("name no study")
    (folder / "metadata.csv").write_bytes(b"")
    refused("it has none")
    (folder / "metadata.csv").unlink()
    refused("metadata.csv was expected in ward, a row per picture. It is not there.")


def test_a_source_keeps_its_licence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    brought_in("table", folder, capsys, **ABOUT)
    with pytest.raises(CommandError, match=r"Ward 7 came in as layout table, open, under this licence: Ours"):
        call_command("import_dataset", "table", folder, **{**ABOUT, "name": "ward 7", "credentialed": True})
    with pytest.raises(CommandError, match="Ward 7 came in as"):
        call_command("import_dataset", "table", folder, **{**ABOUT, "licence": "Free"})
    assert SourceDataset.objects.count() == 1


def test_an_odd_view_is_held_and_films_wait_for_a_look_as_others_do(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(
        folder / "metadata.csv",
        ("image", "patient", "view"),
        ("films/b.png", "NR-4711", "swimmers"),
        ("films/a1.png", "4712", "PA"),
    )
    (folder / "boxes.csv").unlink()
    told = brought_in("table", folder, capsys, **{**ABOUT, "text_free": False})
    assert "metadata.csv, row 2: held: Its view is SWIMMERS, not PA, AP or lateral." in told
    assert "1 study waits to be looked at by an admin, on /studies/look/" in told
    assert set(Study.objects.values_list("state", flat=True)) == {"held", "unseen"}


def test_admins_see_the_reference_and_nobody_else(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    brought_in("table", folder, capsys, reports_name_nobody=True, **ABOUT)
    study = Study.objects.earliest("pk")
    address, client = reverse("study-detail", args=[study.uid]), Client()
    client.force_login(AdminFactory.create())
    page = client.get(address).content.decode()
    for said in ("What its source says", "A nodule.", "Nodule", "Ward 7 (Ours, for research)", "10, 20"):
        assert said in page
    client.force_login(ResearcherFactory.create())
    page = client.get(address).content.decode()
    assert "Ward 7 (Ours, for research)" in page
    assert "What its source says" not in page
    assert "A nodule." not in page
    client.force_login(ExpertFactory.create())
    assert client.get(address).status_code == 403
