"""PadChest and PadChest-GR, in a small folder laid out as BIMCV lays it out; reports are made up."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies.known_sets.padchest import TABLE, labels_of
from deepmedix_review.studies.models import (
    ImportItem,
    Instance,
    Label,
    Reference,
    ReferenceRegion,
    SourceDataset,
    Study,
)
from inference.phantoms import draw_phantom
from tests.deepmedix_review.studies.known_sets.made_sets import brought_in, write_picture, write_rows

LAYOUT = "padchest"
COLUMNS = (
    *("", "ImageID", "ImageDir", "StudyDate_DICOM", "StudyID", "PatientID", "PatientBirth"),
    *("PatientSex_DICOM", "ViewPosition_DICOM", "Projection", "ReportID", "Report", "MethodLabel", "Labels"),
)
FRONTAL, SIDE, LATER, OTHER = (f"2168401113669640_0{n}-094-102.png" for n in range(4))
GROUNDED = "grounded_reports_20240819.json"


def row_of(image: str, study: str, patient: str, **said: str) -> tuple[str, ...]:
    usual = {"ImageDir": "0", "StudyDate_DICOM": "20140915", "PatientBirth": "1950", "PatientSex_DICOM": "F"}
    read = {"Projection": "PA", "Report": "sin hallazg .", "Labels": "['normal']"}
    given = {"ImageID": image, "StudyID": study, "PatientID": patient, **usual, **read, **said}
    return tuple(given.get(column, "") for column in COLUMNS)


ROWS = (
    row_of(FRONTAL, "10001", "7", Report="derram pleural .", Labels="['pleural effusion', ' nodule', '']"),
    row_of(SIDE, "10001", "7", Projection="L", Report="derram pleural .", Labels="['pleural effusion']"),
    row_of(LATER, "10002", "7", ImageDir="12", Projection="AP_horizontal", StudyDate_DICOM="20140925"),
    row_of(OTHER, "10003", "00f3", Projection="", ViewPosition_DICOM="POSTEROANTERIOR", Labels="", Report=""),
)


def finding_of(sentence: str, **said: Any) -> dict[str, Any]:
    return {"sentence_en": sentence, "sentence_es": "Derrame.", "abnormal": bool(said), **said}


ENTRY = {
    "StudyID": "10001",
    "ImageID": FRONTAL,
    "findings": [
        finding_of("Small left effusion.", labels=["pleural effusion"], boxes=[[0.5, 0.625, 0.75, 1.0]]),
        finding_of(
            "Two nodules.",
            labels=["nodule", "mass"],
            boxes=[[0, 0.25, 0.125, 0.5]],
            extra_boxes=[[0.1, 0.2, 0.3, 0.4]],
        ),
        finding_of("No pneumothorax."),
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two patients; films in the folders of their archives but for one of 16 bits, which lies beside."""
    folder = tmp_path / "padchest"
    write_picture(folder / "0" / FRONTAL, seed=1)
    write_picture(folder / "0" / SIDE, seed=2)
    write_picture(folder / "12" / LATER, seed=3)
    grey = draw_phantom(seed=4, width=96, height=96).to_uint8().astype(np.uint16) * 16
    Image.fromarray(grey).save(folder / OTHER)
    write_rows(folder / f"{TABLE}.gz", COLUMNS, *ROWS)
    return folder


def add_grounded(folder: Path, *entries: Any) -> None:
    (folder / GROUNDED).write_text(json.dumps(entries))
    write_rows(
        folder / "master_table.csv",
        ("ImageID", "StudyID", "label", "split"),
        (FRONTAL, "10001", "pleural effusion", "validation"),
        (FRONTAL, "10001", "nodule", "validation"),
        (LATER, "10002", "Normal", "train"),
    )


@pytest.mark.django_db
def test_films_of_a_study_come_together_with_report_and_labels(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "PadChest: 3 studies. Films: 4 accepted, 0 held, 0 duplicate, 0 refused" in told
    first, later, other = Study.objects.order_by("pk")
    assert first.patient_pseudonym == later.patient_pseudonym != other.patient_pseudonym
    assert first.study_date is not None
    assert later.study_date is not None
    assert (later.study_date - first.study_date).days == 10
    assert first.patient_sex == "F"
    views = Instance.objects.order_by("pk").values_list("view_position", flat=True)
    assert list(views) == ["PA", "LATERAL", "AP", "PA"]
    assert Instance.objects.order_by("pk")[3].bits_stored > 8
    assert first.reference.labels == {"pleural effusion": "present", "nodule": "present"}
    assert (first.reference.report, first.reference.findings) == ("derram pleural .", "")
    assert later.reference.labels == {"normal": "present"}
    assert not Reference.objects.filter(study=other).exists()
    source = SourceDataset.objects.get()
    assert source.is_credentialed
    assert "For research alone" in source.licence


@pytest.mark.django_db
def test_boxes_sentences_and_splits_come_later_where_padchest_gr_lies_beside(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    brought_in(LAYOUT, folder, capsys, text_free=True)
    add_grounded(folder, ENTRY, {**ENTRY, "ImageID": "another.png"})
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "4 here already. New references: 2." in told
    first, later = Reference.objects.order_by("pk")
    assert (first.published_split, later.published_split) == ("tune", "train")
    assert first.findings == "Small left effusion.\nTwo nodules.\nNo pneumothorax."
    boxes = ReferenceRegion.objects.order_by("pk").values_list("label", "x_min", "y_min", "x_max", "y_max")
    assert list(boxes) == [
        ("pleural effusion", 48, 60, 72, 96),
        ("nodule", 0, 24, 12, 48),
        ("mass", 0, 24, 12, 48),
    ]
    assert {region.film.view_position for region in ReferenceRegion.objects.all()} == {"PA"}
    before = (ImportItem.objects.count(), AuditEvent.objects.count())
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "Nothing new" in told
    assert (ImportItem.objects.count(), AuditEvent.objects.count()) == before


@pytest.mark.django_db
def test_what_is_broken_is_told_by_its_row_and_the_rest_comes_in(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(
        folder / TABLE,
        COLUMNS,
        *ROWS,
        row_of(SIDE, "10001", "7", Report="otro ."),
        row_of("gone.png", "10004", "8"),
        row_of(f"../{'x' * 9}.png", "10005", "8"),
        row_of(FRONTAL, "", "8"),
        row_of(FRONTAL, "10006", "8", Labels="__import__('os').getcwd()"),
        row_of(FRONTAL, "10007", "8", Labels="['a' 'b']"),
        ("1", "2"),
    )
    table = (
        (folder / TABLE).read_text().replace("20140925", "25-9-2014").replace(",AP_horizontal,", ",EXCLUDE,")
    )
    (folder / TABLE).write_text(table)
    box = [0.1, 0.1, 0.2, 0.2]
    entry = {"StudyID": "10001", "ImageID": FRONTAL}
    findings = [
        finding_of("Effusion.", labels=["pleural effusion"], boxes=[box]),
        finding_of("Far out.", labels=["nodule"], boxes=[[0.1, 0.1, 0.2, 1.5]]),
        finding_of("Odd.", labels=["nodule"], boxes=[[True, 0.1, 0.2, 0.3]]),
        finding_of("No label.", boxes=[box]),
        finding_of("A word.", labels="nodule"),
        "a sentence",
    ]
    add_grounded(
        folder,
        {**entry, "findings": findings},
        {**entry, "findings": []},
        entry,
        5,
        {"ImageID": "\ud800", "findings": []},
    )
    with (folder / "master_table.csv").open("a") as splits:
        splits.write(f"{LATER},10002,Normal,test\n{LATER},10002,Normal,most\n")
    told = brought_in(LAYOUT, folder, capsys, fails=True, text_free=True)
    for line in (
        f"{GROUNDED}, entry 1, finding 2: Its labels are not names, or a box is not four numbers from 0",
        f"{GROUNDED}, entry 1, finding 3: Its labels are not names, or a box is not four numbers from 0",
        f"{GROUNDED}, entry 1, finding 4: Its box has no area, no name",
        f"{GROUNDED}, entry 1, finding 5: Its sentence_en is no text, or its labels or boxes are no list.",
        f"{GROUNDED}, entry 1, finding 6: It is no finding with a sentence.",
        f"{GROUNDED}, entry 2: An earlier entry is of the same picture.",
        f"{GROUNDED}, entry 3: It has no ImageID, or no list of findings.",
        f"{GROUNDED}, entry 4: It has no ImageID, or no list of findings.",
        f"{GROUNDED}, entry 5: It has no ImageID, or no list of findings.",
        "master_table.csv, row 6: It names no study, or its split is none of",
        f"{TABLE}, row 4: Its study is in different splits; none was kept.",
        f"{TABLE}, row 4: Its StudyDate_DICOM is not written as 20141231.",
        f"{TABLE}, row 4: held: Its view is EXCLUDE, not PA, AP or lateral.",
        f"{TABLE}, row 6: Its Report is not the one of an earlier row of its study, which stays.",
        f"{TABLE}, row 6: An earlier row names the same picture.",
        f"{TABLE}, row 7: Its picture is not there.",
        f"{TABLE}, row 8: Its picture is not there.",
        f"{TABLE}, row 9: Its ImageID, StudyID or PatientID is empty or too long.",
        f"{TABLE}, row 10: Its Labels are not a list of names in quotes.",
        f"{TABLE}, row 11: Its Labels are not a list of names in quotes.",
        f"{TABLE}, row 12: It has 2 values, the header 14.",
    ):
        assert line in told, line
    assert "Left, as said above: 20 rows" in told
    assert (Study.objects.count(), Instance.objects.count()) == (3, 4)
    assert ReferenceRegion.objects.get().label == "pleural effusion"


@pytest.mark.django_db
def test_another_layout_is_refused_before_anything_is_stored(folder: Path) -> None:
    def refused(sentence: str) -> None:
        with pytest.raises(CommandError, match=sentence):
            call_command("import_dataset", LAYOUT, folder)
        assert not SourceDataset.objects.exists()
        assert not Study.objects.exists()

    add_grounded(folder, ENTRY)
    write_rows(folder / "master_table.csv", ("StudyID", "side"))
    refused("master_table.csv was expected to have the columns StudyID, split. It lacks split")
    (folder / GROUNDED).write_text('{"findings": []}')
    refused(f"{GROUNDED} was expected to be a list of reports. It is something else.")
    (folder / GROUNDED).write_text("[")
    refused(f"{GROUNDED} can't be read as JSON.")
    for path in list(folder.rglob("*.png")):
        path.unlink()
    refused("PNG files were expected in padchest, or in the folders that ImageDir names")
    write_rows(folder / f"{TABLE}.gz", COLUMNS[:-1])
    refused(".csv.gz was expected to have .* It lacks Labels")
    (folder / f"{TABLE}.gz").unlink()
    refused("160K_01.02.19.csv.gz was expected in padchest. Neither is there.")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("[]", []),
        ("['normal']", ["normal"]),
        ("[' a  b', \"c's\" , '']", ["a b", "c's"]),
        ("['a', 'a']", ["a"]),
        ("'a'", None),
        ("['a'] + ['b']", None),
        ("['a', 5]", None),
        ("[['a']]", None),
        ("['a\\'']", None),
        (f"['{'x' * 81}']", None),
        ("[" + ",".join(f"'{n}'" for n in range(201)) + "]", None),
    ],
)
def test_labels_are_read_as_a_list_of_names_and_as_nothing_else(text: str, names: list[str] | None) -> None:
    assert labels_of(text) == (None if names is None else dict.fromkeys(names, Label.PRESENT))
