"""CheXpert Plus, in a small folder laid out as Stanford lays it out. Numbers and reports are made up."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies.known_sets.mimic_cxr_jpg import FINDINGS
from deepmedix_review.studies.models import ImportItem, Instance, Reference, SourceDataset, Study
from tests.deepmedix_review.studies.known_sets.made_sets import brought_in, write_picture, write_rows

pytestmark = pytest.mark.django_db

LAYOUT = "chexpert-plus"
TABLE = "df_chexpert_plus_240401.csv"
HEADER = (
    *("path_to_image", "path_to_dcm", "frontal_lateral", "ap_pa", "deid_patient_id"),
    *("patient_report_date_order", "report", "section_narrative", "section_clinical_history"),
    *("section_history", "section_comparison", "section_technique", "section_procedure_comments"),
    *("section_findings", "section_impression", "section_end_of_impression", "section_summary"),
    *("section_accession_number", "age", "sex", "race", "ethnicity", "interpreter_needed"),
    *("insurance_type", "recent_bmi", "deceased", "split"),
)
FRONTAL = "train/patient90001/study1/view1_frontal.jpg"
SIDE = "train/patient90001/study1/view2_lateral.jpg"
LATER = "train/patient90001/study2/view1_frontal.jpg"
OTHER = "valid/patient94541/study1/view1_frontal.jpg"
SECTIONS = {
    "section_clinical_history": "68 years old with cough.",
    "section_history": "Cough.",
    "section_findings": "The heart is normal.\nNo effusion.",
    "section_impression": "1. No acute process.",
}
WHOLE = "NARRATIVE:\nChest, one view. Clear.\n\nACCESSION NUMBER:\nQX77123\nAll dates are shifted."


def row_of(path: str, **says: str) -> list[str]:
    patient = path.split("/")[1]
    said = {
        "path_to_image": path,
        "path_to_dcm": path.replace(".jpg", ".dcm"),
        "frontal_lateral": "Frontal",
        "ap_pa": "AP",
        "deid_patient_id": patient,
        "patient_report_date_order": "3",
        "sex": "Male",
        "race": "White",
        "split": path.split("/")[0],
        **says,
    }
    return [said.get(name, "") for name in HEADER]


def line_of(path: str, **says: Any) -> str:
    labels = {name: says.get(name.replace(" ", "_")) for name in FINDINGS}
    return json.dumps({"path_to_image": path, **labels})


def write_lines(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two patients: one with a study of two films and a later one, one of the valid side."""
    folder = tmp_path / "chexpertplus"
    for seed, path in enumerate((FRONTAL, SIDE, LATER, OTHER), start=1):
        write_picture(folder / "PNG" / path.replace(".jpg", ".png"), seed=seed)
    write_rows(
        folder / TABLE,
        HEADER,
        row_of(FRONTAL, report="whole", **SECTIONS),
        row_of(LATER, report=WHOLE, ap_pa="PA"),
        row_of(SIDE, frontal_lateral="Lateral", ap_pa="", report="whole", **SECTIONS),
        row_of(OTHER, sex="Female", section_impression="Edema?", report="whole"),
    )
    said = {"Pleural_Effusion": 0.0, "Edema": -1.0, "No_Finding": 1.0}
    write_lines(
        folder / "chexbert_labels" / "impression_fixed.json",
        line_of(OTHER, Edema=1),
        line_of(FRONTAL, **said),
        line_of(SIDE, **said),
        line_of(LATER, No_Finding=1.0),
        line_of("train/patient99999/study1/view1_frontal.jpg", Edema=1.0),
    )
    write_lines(folder / "chexbert_labels" / "report_fixed.json", line_of(FRONTAL, Fracture=1.0))
    return folder


def test_films_come_with_sections_labels_and_split(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "CheXpert Plus: 3 studies. Films: 4 accepted, 0 held, 0 duplicate, 0 refused" in told
    first, later, other = Study.objects.order_by("pk")
    assert first.patient_pseudonym == later.patient_pseudonym != other.patient_pseudonym
    assert [first.patient_sex, other.patient_sex] == ["M", "F"]
    views = Instance.objects.order_by("pk").values_list("view_position", flat=True)
    assert list(views) == ["AP", "LATERAL", "PA", "AP"]
    kept = first.reference
    assert kept.indication == "68 years old with cough.\nCough."
    assert kept.findings == "The heart is normal.\nNo effusion."
    assert (kept.impression, kept.report) == ("1. No acute process.", "")
    assert kept.labels == {"Edema": "uncertain", "No Finding": "present", "Pleural Effusion": "absent"}
    assert (other.reference.impression, other.reference.labels) == ("Edema?", {"Edema": "present"})
    splits = Reference.objects.order_by("pk").values_list("published_split", flat=True)
    assert list(splits) == ["train", "train", "tune"]
    source = SourceDataset.objects.get()
    assert source.is_credentialed
    assert "Stanford University Dataset Research Use Agreement" in source.licence


def test_a_report_without_sections_is_kept_whole_without_its_number_and_without_labels_of_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    brought_in(LAYOUT, folder, capsys, text_free=True)
    _, later, _ = Study.objects.order_by("pk")
    kept = later.reference
    assert kept.report.startswith("NARRATIVE:\nChest, one view. Clear.")
    assert kept.report.endswith("All dates are shifted.")
    assert "QX77123" not in kept.report
    assert (kept.findings, kept.impression, kept.labels) == ("", "", {})


def test_the_same_again_finds_nothing_new(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    brought_in(LAYOUT, folder, capsys, text_free=True)
    before = (ImportItem.objects.count(), AuditEvent.objects.count())
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "4 here already. New references: 0." in told
    assert "Nothing new" in told
    assert (ImportItem.objects.count(), AuditEvent.objects.count()) == before


def test_labels_come_later_beside_the_table_and_are_of_the_whole_report_where_no_others_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = folder / "chexbert_labels"
    labels.rename(folder / "elsewhere")
    brought_in(LAYOUT, folder, capsys, text_free=True)
    assert not Reference.objects.exclude(labels={}).exists()
    (folder / "elsewhere" / "report_fixed.json").rename(folder / "report_fixed.json")
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "New references: 1." in told
    assert Reference.objects.earliest("pk").labels == {"Fracture": "present"}


@pytest.mark.parametrize("below", ["PNG/PNG", ".", "CheXpert-v1.0", "CheXpert-v1.0-small"])
def test_films_may_be_png_or_those_of_chexpert(
    folder: Path, capsys: pytest.CaptureFixture[str], below: str
) -> None:
    (folder / "PNG").rename(folder / "elsewhere")
    ending = "png" if below.startswith("PNG") else "jpg"
    for seed, path in enumerate((FRONTAL, SIDE, LATER, OTHER), start=1):
        write_picture(folder / below / path.replace("jpg", ending), seed=seed)
    assert "Films: 4 accepted" in brought_in(LAYOUT, folder, capsys, text_free=True)


def test_what_is_broken_is_told_by_its_row_and_the_rest_comes_in(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "PNG" / SIDE.replace(".jpg", ".png")).unlink()
    write_rows(
        folder / TABLE,
        HEADER,
        row_of(FRONTAL, split="most", **SECTIONS),
        row_of(SIDE, **SECTIONS),
        row_of(LATER, deid_patient_id=""),
        row_of("../train/patient90001/study2/view1_frontal.jpg"),
        row_of(OTHER, **SECTIONS),
        row_of(OTHER, **SECTIONS),
        row_of(OTHER, **SECTIONS)[:-1],
    )
    write_lines(
        folder / "chexbert_labels" / "impression_fixed.json",
        line_of(FRONTAL, Edema=1.0),
        line_of(FRONTAL, Edema=0.0),
        line_of(SIDE, Edema=0.0),
        line_of(LATER, Edema=2),
        line_of(OTHER, Edema="yes"),
        line_of("/etc/passwd", Edema=1.0),
        "[" * 100_000,
    )
    told = brought_in(LAYOUT, folder, capsys, fails=True, text_free=True)
    for line in (
        "impression_fixed.json, line 2: An earlier line is of the same film.",
        "impression_fixed.json, line 4: Its labels are not 1, 0, -1 or null.",
        "impression_fixed.json, line 5: Its labels are not 1, 0, -1 or null.",
        "impression_fixed.json, line 6: It is no line of JSON with a path_to_image.",
        "impression_fixed.json, line 7: It is no line of JSON with a path_to_image.",
        f"{TABLE}, row 2: Its split is none of train and valid; none was kept.",
        f"{TABLE}, row 3: Its picture is not there.",
        f"{TABLE}, row 3: Its labels are not those of an earlier film of its study, which stay.",
        f"{TABLE}, row 4: Its deid_patient_id is empty",
        f"{TABLE}, row 5: Its path_to_image is not written as train/patient00001/study1/view1_frontal.jpg.",
        f"{TABLE}, row 7: An earlier row names the same picture.",
        f"{TABLE}, row 8: It has 26 values, the header 27.",
    ):
        assert line in told, line
    assert "Left, as said above: 12 rows" in told
    assert "patient90001" not in told
    assert Instance.objects.count() == 2
    kept = Study.objects.earliest("pk").reference
    assert (kept.labels, kept.published_split) == ({"Edema": "present"}, "train")


def test_films_of_a_study_in_different_splits_keep_none(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(folder / TABLE, HEADER, row_of(FRONTAL), row_of(SIDE, split="valid"))
    told = brought_in(LAYOUT, folder, capsys, fails=True, text_free=True)
    assert f"{TABLE}, row 2: The films of its study are in different splits; none was kept." in told


def test_numbers_of_the_set_are_stored_nowhere(
    folder: Path, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    brought_in(LAYOUT, folder, capsys, text_free=True)
    for model in (Study, Instance, Reference, AuditEvent, SourceDataset, ImportItem):
        said = repr(list(model.objects.values()))
        assert not [number for number in ("90001", "94541", "QX77123") if number in said], model
    for film in Instance.objects.all():
        assert b"90001" not in (settings.FILM_FOLDER / film.file_path).read_bytes()


def test_another_layout_is_refused_before_anything_is_stored(folder: Path) -> None:
    def refused(sentence: str) -> None:
        with pytest.raises(CommandError, match=sentence):
            call_command("import_dataset", LAYOUT, folder)
        assert not SourceDataset.objects.exists()
        assert not Study.objects.exists()

    (folder / "PNG").rename(folder / "films")
    refused("train or valid was expected in chexpertplus, or in PNG or PNG/PNG or CheXpert-v1.0 or")
    labels = folder / "chexbert_labels" / "impression_fixed.json"
    write_lines(labels, json.dumps({"path_to_image": FRONTAL, "Edema": 1}))
    refused("impression_fixed.json was expected .* It begins with a line with path_to_image, Edema.")
    write_lines(labels, "[", "{}")
    refused("impression_fixed.json was expected .* It begins with no such line.")
    write_rows(folder / TABLE, [name for name in HEADER if name != "section_impression"])
    refused(f"{TABLE} was expected to have the columns path_to_image, .* It lacks section_impression; it has")
    (folder / TABLE).unlink()
    refused(f"{TABLE} or {TABLE}.gz was expected in chexpertplus. Neither is there.")
