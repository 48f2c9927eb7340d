"""MIMIC-CXR-JPG, in a small folder laid out as PhysioNet lays it out. Numbers and reports are made up."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies.known_sets.mimic_cxr_jpg import FINDINGS, MAX_REPORT_BYTES
from deepmedix_review.studies.models import ImportItem, Instance, Reference, SourceDataset, Study
from tests.deepmedix_review.studies.known_sets.made_sets import brought_in, write_picture, write_rows

pytestmark = pytest.mark.django_db

LAYOUT = "mimic-cxr-jpg"
METADATA = (
    *("dicom_id", "subject_id", "study_id", "PerformedProcedureStepDescription", "ViewPosition", "Rows"),
    *("Columns", "StudyDate", "StudyTime", "ProcedureCodeSequence_CodeMeaning"),
    *("ViewCodeSequence_CodeMeaning", "PatientOrientationCodeSequence_CodeMeaning"),
)
# Patient, study, film, view and day.
FRONTAL = ("10999991", "59999991", "0aaaaaaa-00000001", "PA", "21800506")
SIDE = ("10999991", "59999991", "0aaaaaaa-00000002", "LATERAL", "21800506")
LATER = ("10999991", "59999992", "0aaaaaaa-00000003", "AP", "21800605")
OTHER = ("17999993", "59999993", "0aaaaaaa-00000004", "", "21500101")
REPORT = """\
                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  ___-year-old with cough.

 COMPARISON:  None.

 FINDINGS:

 The heart is normal in size:
 no effusion.

 IMPRESSION:

 No acute process.
"""


def row_of(film: tuple[str, str, str, str, str]) -> tuple[str, ...]:
    subject, study, name, view, day = film
    return (name, subject, study, "CHEST", view, "96", "96", day, "213014.531", "", "", "Erect")


def labels_of(film: tuple[str, ...], **says: str) -> tuple[str, ...]:
    return (film[0], film[1], *(says.get(name.replace(" ", "_"), "") for name in FINDINGS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two patients: one with a study of two films and a later one, one with a study of one film."""
    folder = tmp_path / "2.1.0"
    for seed, (subject, study, name, _, _) in enumerate((FRONTAL, SIDE, LATER, OTHER), start=1):
        write_picture(
            folder / "files" / f"p{subject[:2]}" / f"p{subject}" / f"s{study}" / f"{name}.jpg", seed=seed
        )
    films = [row_of(film) for film in (FRONTAL, SIDE, LATER, OTHER)]
    write_rows(folder / "mimic-cxr-2.0.0-metadata.csv.gz", METADATA, *films)
    write_rows(
        folder / "mimic-cxr-2.0.0-chexpert.csv.gz",
        ("subject_id", "study_id", *FINDINGS),
        labels_of(FRONTAL, Pleural_Effusion="0.0", Edema="-1.0", No_Finding="1.0"),
        labels_of(LATER),
        labels_of(("17000000", "58000000"), Edema="1.0"),
    )
    sides = (("train", FRONTAL), ("train", SIDE), ("validate", LATER), ("test", OTHER))
    write_rows(
        folder / "mimic-cxr-2.0.0-split.csv.gz",
        ("dicom_id", "study_id", "subject_id", "split"),
        *((film[2], film[1], film[0], side) for side, film in sides),
    )
    write_report(folder, FRONTAL, REPORT)
    return folder


def write_report(folder: Path, film: tuple[str, ...], text: str, *, below: str = "files") -> None:
    path = folder / below / f"p{film[0][:2]}" / f"p{film[0]}" / f"s{film[1]}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_films_of_a_study_come_together_with_report_labels_and_split(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "MIMIC-CXR-JPG: 3 studies. Films: 4 accepted, 0 held, 0 duplicate, 0 refused" in told
    first, later, other = Study.objects.order_by("pk")
    assert first.patient_pseudonym == later.patient_pseudonym != other.patient_pseudonym
    assert first.study_date is not None
    assert later.study_date is not None
    assert (later.study_date - first.study_date).days == 30
    assert list(Instance.objects.order_by("pk").values_list("view_position", flat=True)) == [
        *("PA", "LATERAL", "AP", "")
    ]
    assert first.reference.indication == "___-year-old with cough."
    assert first.reference.findings == "The heart is normal in size:\nno effusion."
    assert (first.reference.impression, first.reference.report) == ("No acute process.", "")
    assert first.reference.labels == {
        "Edema": "uncertain",
        "No Finding": "present",
        "Pleural Effusion": "absent",
    }
    assert (later.reference.labels, other.reference.labels) == ({}, {})
    splits = Reference.objects.order_by("pk").values_list("published_split", flat=True)
    assert list(splits) == ["train", "tune", "test"]
    source = SourceDataset.objects.get()
    assert source.is_credentialed
    assert "PhysioNet Credentialed Health Data License 1.5.0" in source.licence


def test_the_same_again_finds_nothing_new(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    brought_in(LAYOUT, folder, capsys, text_free=True)
    before = (ImportItem.objects.count(), AuditEvent.objects.count())
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "4 here already. New references: 0." in told
    assert "Nothing new" in told
    assert (ImportItem.objects.count(), AuditEvent.objects.count()) == before


def test_reports_come_later_from_a_folder_of_their_own_and_whole_where_their_headings_are_not_known(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    brought_in(LAYOUT, folder, capsys, text_free=True)
    write_report(folder, LATER, "CHEST, PORTABLE AP:\n Lines as before.\n", below="mimic-cxr-reports/files")
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "New references: 1." in told
    kept = Reference.objects.get(published_split="tune")
    assert (kept.report, kept.findings) == ("CHEST, PORTABLE AP:\nLines as before.", "")


def test_plain_tables_do_as_well_and_negbio_speaks_where_chexpert_is_not_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(
        folder / "mimic-cxr-2.0.0-metadata.csv", METADATA, *(row_of(film) for film in (FRONTAL, OTHER))
    )
    write_rows(
        folder / "mimic-cxr-2.0.0-negbio.csv",
        ("subject_id", "study_id", *FINDINGS),
        labels_of(FRONTAL, Edema="1.0"),
    )
    for name in ("metadata", "chexpert", "split"):
        (folder / f"mimic-cxr-2.0.0-{name}.csv.gz").unlink()
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "Films: 2 accepted" in told
    kept = Reference.objects.get()
    assert (kept.labels, kept.published_split) == ({"Edema": "present"}, "")


def test_what_is_broken_is_told_by_its_row_and_the_rest_comes_in(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    films = [row_of(film) for film in (FRONTAL, FRONTAL, SIDE, LATER, OTHER)]
    films[2] = (*films[2][:7], "2180-05-06", *films[2][8:])
    write_rows(
        folder / "mimic-cxr-2.0.0-metadata.csv",
        METADATA,
        *films,
        row_of(("../../..", "59999994", "x", "PA", "21800506")),
        row_of(("10999991", "59999995", "../s59999991/0aaaaaaa-00000009", "PA", "21800506")),
        row_of(("10999991", "59999996", "", "PA", "21800506")),
    )
    write_rows(
        folder / "mimic-cxr-2.0.0-chexpert.csv",
        ("subject_id", "study_id", *FINDINGS),
        labels_of(FRONTAL, Edema="0.0"),
        labels_of(FRONTAL, Edema="1.0"),
        labels_of(LATER, Edema="2"),
        labels_of(OTHER, Edema="yes"),
    )
    sides = (("train", FRONTAL), ("test", SIDE), ("most", LATER), ("test", OTHER))
    write_rows(
        folder / "mimic-cxr-2.0.0-split.csv",
        ("dicom_id", "split"),
        *((film[2], side) for side, film in sides),
    )
    write_report(folder, OTHER, "x" * (MAX_REPORT_BYTES + 1))
    told = brought_in(LAYOUT, folder, capsys, fails=True, text_free=True)
    for line in (
        "mimic-cxr-2.0.0-chexpert.csv, row 3: An earlier row is of the same study.",
        "mimic-cxr-2.0.0-chexpert.csv, row 4: Its labels are not 1.0, 0.0, -1.0 or empty.",
        "mimic-cxr-2.0.0-chexpert.csv, row 5: Its labels are not 1.0, 0.0, -1.0 or empty.",
        "mimic-cxr-2.0.0-split.csv, row 4: Its split is none of train, validate and test.",
        "mimic-cxr-2.0.0-metadata.csv, row 7: Its subject_id or study_id is no number.",
        "mimic-cxr-2.0.0-metadata.csv, row 8: Its picture is not in files.",
        "mimic-cxr-2.0.0-metadata.csv, row 9: Its dicom_id is empty",
        "mimic-cxr-2.0.0-metadata.csv, row 3: An earlier row names the same picture.",
        "mimic-cxr-2.0.0-metadata.csv, row 2: The films of its study are in different splits; none was kept.",
        "mimic-cxr-2.0.0-metadata.csv, row 6: Its report has more than 256 KB and was left.",
    ):
        assert line in told, line
    assert "Left, as said above: 10 rows" in told
    assert "10999991" not in told
    assert (Study.objects.count(), Instance.objects.count()) == (3, 4)
    first = Study.objects.earliest("pk").reference
    assert (first.labels, first.published_split, first.findings != "") == ({"Edema": "absent"}, "", True)


def test_a_study_without_its_films_is_told_and_keeps_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in folder.glob("files/p10/*/s59999991/*.jpg"):
        path.unlink()
    told = brought_in(LAYOUT, folder, capsys, fails=True, text_free=True)
    for row in (2, 3):
        assert f"mimic-cxr-2.0.0-metadata.csv.gz, row {row}: Its picture is not in files." in told
    assert Study.objects.count() == Reference.objects.count() == 2


def test_numbers_of_the_set_are_stored_nowhere(
    folder: Path, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    brought_in(LAYOUT, folder, capsys, text_free=True)
    numbers = [number for film in (FRONTAL, LATER, OTHER) for number in film[:2]]
    for model in (Study, Instance, Reference, AuditEvent, SourceDataset):
        said = repr(list(model.objects.values()))
        assert not [number for number in numbers if number in said], model
    for film in Instance.objects.all():
        content = (settings.FILM_FOLDER / film.file_path).read_bytes()
        assert not [number for number in numbers if number.encode() in content]


def test_another_layout_is_refused_before_anything_is_stored(folder: Path) -> None:
    def refused(sentence: str, **options: Any) -> None:
        with pytest.raises(CommandError, match=sentence):
            call_command("import_dataset", LAYOUT, folder, **options)
        assert not SourceDataset.objects.exists()
        assert not Study.objects.exists()

    refused("--credentialed: only for layout table", credentialed=True)
    (folder / "files").rename(folder / "images")
    refused("files was expected in 2.1.0, with p10 and so on in it. It is not there.")
    write_rows(folder / "mimic-cxr-2.0.0-split.csv", ("study_id", "split"))
    refused("mimic-cxr-2.0.0-split.csv was expected to have the columns dicom_id, split. It lacks dicom_id")
    write_rows(folder / "mimic-cxr-2.0.0-chexpert.csv", ("study_id", *FINDINGS[1:]))
    refused("mimic-cxr-2.0.0-chexpert.csv was expected to have .* It lacks Atelectasis")
    (folder / "mimic-cxr-2.0.0-metadata.csv.gz").write_bytes(b"no table")
    refused(r"mimic-cxr-2.0.0-metadata.csv.gz can't be read as a table")
    (folder / "mimic-cxr-2.0.0-metadata.csv.gz").unlink()
    refused("mimic-cxr-2.0.0-metadata.csv or mimic-cxr-2.0.0-metadata.csv.gz was expected in 2.1.0. Neither")
