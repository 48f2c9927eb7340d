"""NIH ChestX-ray14, in a small folder laid out as its publishers lay it out."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from deepmedix_review.studies.models import Instance, Reference, ReferenceRegion, SourceDataset, Study
from tests.deepmedix_review.studies.known_sets.made_sets import brought_in, write_picture

pytestmark = pytest.mark.django_db

HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
)
BOX_HEADER = "Image Index,Finding Label,Bbox [x,y,w,h],,,"
LAYOUT = "nih-chestxray14"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "nih"
    write_picture(folder / "images_001" / "images" / "00000001_000.png", seed=1, size=128)
    write_picture(folder / "images_001" / "images" / "00000001_001.png", seed=2, size=128)
    write_picture(folder / "images_012" / "images" / "00000013_005.png", seed=3, size=128)
    rows = (
        HEADER,
        "00000001_000.png,Cardiomegaly|Effusion,0,1,058Y,M,PA,2682,2749,0.143,0.143,",
        "00000001_001.png,No Finding,1,1,058Y,M,AP,2894,2729,0.143,0.143,",
        "00000013_005.png,Infiltration,5,13,060Y,F,AP,3056,2544,0.139,0.139,",
    )
    (folder / "Data_Entry_2017.csv").write_text("\n".join(rows) + "\n")
    boxes = (
        BOX_HEADER,
        "00000001_000.png,Cardiomegaly,240.5,320,400,200,,,",
        "00000013_005.png,Infiltrate,8,8,80,96",
    )
    (folder / "BBox_List_2017.csv").write_text("\n".join(boxes) + "\n")
    (folder / "train_val_list.txt").write_text("00000001_000.png\n00000001_001.png\n")
    (folder / "test_list.txt").write_text("00000013_005.png")
    return folder


def test_films_labels_boxes_and_splits_come_in(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "NIH ChestX-ray14: 3 studies. Films: 3 accepted" in told
    first, second, other = Study.objects.order_by("pk")
    assert first.patient_pseudonym == second.patient_pseudonym != other.patient_pseudonym
    assert [study.patient_sex for study in (first, second, other)] == ["M", "M", "F"]
    assert list(Instance.objects.order_by("pk").values_list("view_position", flat=True)) == ["PA", "AP", "AP"]
    assert first.reference.labels == {"Cardiomegaly": "present", "Effusion": "present"}
    assert second.reference.labels == {"No Finding": "present"}
    splits = Reference.objects.order_by("pk").values_list("published_split", flat=True)
    assert list(splits) == ["train", "train", "test"]
    box, small = ReferenceRegion.objects.order_by("pk")
    assert (box.label, box.x_min, box.y_min, box.x_max, box.y_max) == (
        "Cardiomegaly",
        30.0625,
        40,
        80.0625,
        65,
    )
    assert (small.label, small.x_min, small.y_min, small.x_max, small.y_max) == ("Infiltrate", 1, 1, 11, 13)
    source = SourceDataset.objects.get()
    assert (source.name, source.is_credentialed) == ("NIH ChestX-ray14", False)
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "3 here already. New references: 0." in told
    assert "Nothing new" in told


def test_the_corrected_table_and_a_flat_folder_of_images_do_as_well(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "images").mkdir()
    for path in folder.glob("images_*/images/*.png"):
        path.rename(folder / "images" / path.name)
    table = (folder / "Data_Entry_2017.csv").read_text().replace("Patient Gender", "Patient Sex")
    (folder / "Data_Entry_2017_v2020.csv").write_text(table)
    for name in ("Data_Entry_2017.csv", "BBox_List_2017.csv", "test_list.txt", "train_val_list.txt"):
        (folder / name).unlink()
    brought_in(LAYOUT, folder, capsys, text_free=True)
    assert list(Study.objects.order_by("pk").values_list("patient_sex", flat=True)) == ["M", "M", "F"]
    assert set(Reference.objects.values_list("published_split", flat=True)) == {""}


def test_what_is_broken_is_told_by_its_row_and_the_rest_comes_in(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "images_001" / "images" / "00000001_001.png").unlink()
    with (folder / "Data_Entry_2017.csv").open("a") as table:
        table.write("00000014_000.png,Mass\n")
        table.write(f"00000015_000.png,{'x' * 100},0,15,058Y,M,PA,1,1,1,1,\n")
    with (folder / "BBox_List_2017.csv").open("a") as boxes:
        boxes.write("00000001_000.png,Nodule,a,1,2,3\n")
        boxes.write("00000001_000.png,Nodule,1000,1000,200,3\n")
    told = brought_in(LAYOUT, folder, capsys, fails=True, text_free=True)
    assert (
        "Data_Entry_2017.csv, row 3: Its picture is in none of images_001/images, images_012/images" in told
    )
    assert "Data_Entry_2017.csv, row 5: It has 2 values, the header 11." in told
    assert "Data_Entry_2017.csv, row 6: Its Finding Labels are not names" in told
    assert "BBox_List_2017.csv, row 4: Its box is not four numbers." in told
    assert "BBox_List_2017.csv, row 5: Its box has no area, no name, or leaves its film of 128 x 128" in told
    assert (Study.objects.count(), ReferenceRegion.objects.count()) == (2, 2)


def test_another_layout_is_refused_before_anything_is_stored(folder: Path) -> None:
    def refused(sentence: str, **options: Any) -> None:
        with pytest.raises(CommandError, match=sentence):
            call_command("import_dataset", LAYOUT, folder, **options)
        assert not SourceDataset.objects.exists()

    refused("--licence: only for layout table", licence="Mine")
    for path in folder.glob("images_*"):
        path.rename(folder / path.name.replace("images", "pictures"))
    refused("images, or images_001 and so on, was expected in nih. None is there.")
    (folder / "BBox_List_2017.csv").write_text("Image Index,Finding Label,x,y,w,h\n")
    refused(r"BBox_List_2017.csv was expected to have .* It lacks Bbox \[x, h\]")
    (folder / "Data_Entry_2017.csv").write_text("Image,Labels\n")
    refused("Data_Entry_2017.csv was expected to have the columns Image Index, Finding Labels, Patient ID")
    (folder / "Data_Entry_2017.csv").unlink()
    refused("Data_Entry_2017.csv or Data_Entry_2017_v2020.csv was expected in nih. Neither is there.")
