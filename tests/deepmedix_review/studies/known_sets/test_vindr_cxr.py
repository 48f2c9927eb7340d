"""VinDr-CXR, in a small folder laid out as PhysioNet lays it out. Films are drawn, answers are made up."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pydicom import dcmread

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies.models import (
    ImportItem,
    Instance,
    Reference,
    ReferenceRegion,
    SourceDataset,
    Study,
)
from deepmedix_review.studies.selectors import film_path
from tests.deepmedix_review.studies.known_sets.made_sets import brought_in, write_picture, write_rows
from tests.factories.studies import write_film

pytestmark = pytest.mark.django_db

LAYOUT = "vindr-cxr"
ONE, TWO, THREE = "000434271f63a053c4128a0ba6352c7f", "00053190460d56c53cc3e57321387478", "a0" * 16
TRAIN_BOXES = ("image_id", "rad_id", "class_name", "x_min", "y_min", "x_max", "y_max")
TEST_BOXES = ("image_id", "class_name", "x_min", "y_min", "x_max", "y_max")
FINDINGS = ("Cardiomegaly", "Pleural effusion", "Pneumonia", "No finding")
# Two say cardiomegaly, one an effusion, nobody pneumonia; the second says nothing of the last.
READ = (
    (ONE, "R8", 1, 0, 0, 0),
    (ONE, "R9", 1, 1, 0, ""),
    (ONE, "R10", 0, 0, 0, "0.0"),
    (TWO, "R8", 0, 0, 0, 1),
    (TWO, "R9", 0, 0, 0, 1),
    (TWO, "R10", 0, 0, 0, 1),
)
# What is left of a header after the publishers' own de-identification, and names that must not come through.
BARE: dict[str, Any] = {
    **dict.fromkeys(("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")),
    **dict.fromkeys(("Modality", "BodyPartExamined", "ViewPosition", "PatientID", "StudyDate", "ImageType")),
    "PatientName": "NGUYEN^BINH",
    "IssuerOfPatientID": "HOSPITAL 108",
    "PatientSex": "F",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "1.0.0"
    for seed, name in enumerate((f"train/{ONE}", f"train/{TWO}", f"test/{THREE}"), start=1):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_film(folder / f"{name}.dicom", seed=seed, **BARE)
    tables = folder / "annotations"
    write_rows(tables / "image_labels_train.csv", ("image_id", "rad_id", *FINDINGS), *READ)
    write_rows(tables / "image_labels_test.csv", ("image_id", *FINDINGS), (THREE, 0, 1, 0, 0))
    write_rows(
        tables / "annotations_train.csv",
        TRAIN_BOXES,
        (ONE, "R8", "Cardiomegaly", 20.5, 40, 80, 70),
        (ONE, "R9", "Cardiomegaly", 22, 41, 81, 69.5),
        (ONE, "R9", "Pleural effusion", 10, 60, 30, 96.4),
        (ONE, "R10", "No finding", "", "", "", ""),
        (TWO, "R8", "No finding", "", "", "", ""),
    )
    write_rows(tables / "annotations_test.csv", TEST_BOXES, (THREE, "Pleural effusion", 50, 60, 90, 90))
    return folder


def test_films_come_in_with_what_most_readers_say_and_the_boxes_of_all(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "VinDr-CXR: 3 studies. Films: 3 accepted, 0 held, 0 duplicate, 0 refused" in told
    first, second, third = Study.objects.order_by("pk")
    assert len({study.patient_pseudonym for study in (first, second, third)}) == 3
    assert (first.patient_sex, first.study_date) == ("F", None)
    assert first.reference.labels == {
        "Cardiomegaly": "present",
        "Pleural effusion": "uncertain",
        "Pneumonia": "absent",
        "No finding": "absent",
    }
    assert second.reference.labels == {**dict.fromkeys(FINDINGS, "absent"), "No finding": "present"}
    assert third.reference.labels == {**dict.fromkeys(FINDINGS, "absent"), "Pleural effusion": "present"}
    splits = Reference.objects.order_by("pk").values_list("published_split", flat=True)
    assert list(splits) == ["train", "train", "test"]
    boxes = ReferenceRegion.objects.order_by("pk").values_list("label", "x_min", "y_min", "x_max", "y_max")
    assert list(boxes) == [
        ("Cardiomegaly", 20.5, 40, 80, 70),
        ("Cardiomegaly", 22, 41, 81, 69.5),
        ("Pleural effusion", 10, 60, 30, 96),
        ("Pleural effusion", 50, 60, 90, 90),
    ]
    source = SourceDataset.objects.get()
    assert source.is_credentialed
    assert "PhysioNet Credentialed Health Data License 1.5.0" in source.licence


def test_the_header_is_taken_as_of_any_film_without_its_names_and_filled_where_it_is_silent(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_film(folder / "train" / f"{ONE}.dicom", seed=1, **{**BARE, "SOPInstanceUID": ONE})
    write_film(folder / "train" / f"{TWO}.dicom", seed=2, ViewPosition="AP", PatientName="NGUYEN^BINH")
    write_film(folder / "test" / f"{THREE}.dicom", seed=3, BodyPartExamined="HAND")
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "Films: 2 accepted, 1 held" in told
    assert "image_labels_test.csv, row 2: held: Its body part is HAND, not CHEST." in told
    first, second, _ = Instance.objects.order_by("pk")
    assert (first.view_position, first.body_part, first.series.modality) == ("PA", "CHEST", "RG")
    assert (second.view_position, second.series.modality) == ("AP", "DX")
    for film in (first, second):
        stored = film_path(film).read_bytes()
        for name in (b"NGUYEN", b"HOSPITAL 108", ONE.encode(), TWO.encode()):
            assert name not in stored
        assert dcmread(film_path(film)).PatientID == film.study.patient_pseudonym


def test_without_a_word_for_it_each_film_waits_to_be_looked_at(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = {**BARE, "BurnedInAnnotation": None}
    for seed, name in enumerate((f"train/{ONE}", f"train/{TWO}", f"test/{THREE}"), start=1):
        write_film(folder / f"{name}.dicom", seed=seed, **bare)
    assert "3 studies wait to be looked at" in brought_in(LAYOUT, folder, capsys)
    assert set(Study.objects.values_list("state", flat=True)) == {Study.State.UNSEEN}


def test_the_same_again_finds_nothing_new(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    brought_in(LAYOUT, folder, capsys, text_free=True)
    before = (ImportItem.objects.count(), AuditEvent.objects.count(), ReferenceRegion.objects.count())
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "3 here already. New references: 0." in told
    assert "Nothing new" in told
    after = (ImportItem.objects.count(), AuditEvent.objects.count(), ReferenceRegion.objects.count())
    assert after == before


def test_one_side_alone_comes_in_from_packed_tables(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in [*(folder / "train").iterdir(), *(folder / "annotations").glob("*_train.csv")]:
        path.unlink()
    (folder / "train").rmdir()
    labels = folder / "annotations" / "image_labels_test.csv"
    labels.unlink()
    write_rows(labels.with_suffix(".csv.gz"), ("image_id", *FINDINGS), (THREE, 1, 0, 0, 0))
    assert "1 studies. Films: 1 accepted" in brought_in(LAYOUT, folder, capsys, text_free=True)
    assert Reference.objects.get().published_split == "test"


def test_what_is_broken_is_told_by_its_row_and_the_rest_comes_in(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = folder / "annotations"
    with (tables / "image_labels_train.csv").open("a") as table:
        table.write(f"{ONE},R9,1,1,1,1\n{ONE},R11,2,0,0,0\n{TWO},,0,0,0,0\n")
        table.write(f"gone,R8,0,0,0,0\ngone,R9,0,0,0,0\n../test/{THREE},R8,0,0,0,0\npicture,R8,0,0,0,0\n")
    with (tables / "annotations_train.csv").open("a") as table:
        table.write(f"{TWO},R8,Cardiomegaly,,,,\n{TWO},R8,Cardiomegaly,1,1,900,2\n{TWO},R8\n")
        table.write(f"{TWO},R8,Cardiomegaly,1,2,nan,4\n")
    with (tables / "image_labels_test.csv").open("a") as table:
        table.write(f"{THREE},0,0,0,0\n")
    write_picture(folder / "train" / "picture.png", seed=9).rename(folder / "train" / "picture.dicom")
    told = brought_in(LAYOUT, folder, capsys, fails=True, text_free=True)
    for line in (
        "image_labels_train.csv, row 8: An earlier row is of the same film by the same reader.",
        "image_labels_train.csv, row 9: Its labels are not 0, 1 or empty.",
        "image_labels_train.csv, row 10: Its rad_id is empty.",
        "image_labels_train.csv, row 11: Its film is not in train.",
        "image_labels_train.csv, row 13: Its image_id is empty, too long, or more than letters and digits.",
        "image_labels_train.csv, row 14: refused: This is no DICOM file, where the data set has them.",
        "image_labels_test.csv, row 3: An earlier row is of the same film.",
        "annotations_train.csv, row 7: Its box is not four numbers.",
        "annotations_train.csv, row 8: Its box has no area, no name, or leaves its film of 96 x 96 pixels.",
        "annotations_train.csv, row 9: It has 2 values, the header 7.",
        "annotations_train.csv, row 10: Its box has no area, no name, or leaves its film of 96 x 96 pixels.",
    ):
        assert line in told, line
    assert "row 12" not in told
    assert "Left, as said above: 10 rows" in told
    assert (Study.objects.count(), ReferenceRegion.objects.count()) == (3, 4)
    assert Study.objects.order_by("pk")[0].reference.labels["Pleural effusion"] == "uncertain"


def test_another_layout_is_refused_before_anything_is_stored(folder: Path) -> None:
    def refused(sentence: str) -> None:
        with pytest.raises(CommandError, match=sentence):
            call_command("import_dataset", LAYOUT, folder)
        assert not SourceDataset.objects.exists()
        assert not Study.objects.exists()

    tables = folder / "annotations"
    write_rows(tables / "image_labels_test.csv", ("image_id",))
    refused("image_labels_test.csv was expected to have a column for each label beside image_id")
    write_rows(tables / "annotations_train.csv", TEST_BOXES)
    refused("annotations_train.csv was expected to have .* It lacks rad_id; it has image_id, class_name")
    (tables / "annotations_train.csv").unlink()
    refused("annotations_train.csv or annotations_train.csv.gz was expected in annotations. Neither is there")
    for name in ("train", "test"):
        (folder / name).rename(folder / f"{name}_png")
    refused("train or test was expected in 1.0.0, with films. Neither is there.")
    tables.rename(folder / "labels")
    refused("annotations was expected in 1.0.0, with the tables. It is not there.")
