"""CheXpert, in a small folder laid out as Stanford lays it out. Numbers and findings are made up."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies.known_sets.mimic_cxr_jpg import FINDINGS
from deepmedix_review.studies.models import ImportItem, Instance, Reference, SourceDataset, Study
from tests.deepmedix_review.studies.known_sets.made_sets import brought_in, write_picture, write_rows

pytestmark = pytest.mark.django_db

LAYOUT = "chexpert"
HEADER = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *FINDINGS)
FRONTAL = "train/patient90001/study1/view1_frontal.jpg"
SIDE = "train/patient90001/study1/view2_lateral.jpg"
LATER = "train/patient90001/study2/view1_frontal.jpg"
OTHER = "valid/patient94541/study1/view1_frontal.jpg"


def row_of(
    path: str, *, sex: str = "Female", view: str = "Frontal", way: str = "AP", **says: str
) -> list[str]:
    labels = [says.get(name.replace(" ", "_"), "") for name in FINDINGS]
    return [path, sex, "68", view, way, *labels]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two patients: one with a study of two films and a later one, one of the valid side."""
    folder = tmp_path / "CheXpert-v1.0-small"
    for seed, path in enumerate((FRONTAL, SIDE, LATER, OTHER), start=1):
        write_picture(folder / path, seed=seed)
    said = {"Pleural_Effusion": "0.0", "Edema": "-1.0", "No_Finding": "1.0"}
    small = "CheXpert-v1.0-small"
    write_rows(
        folder / "train.csv",
        HEADER,
        row_of(f"{small}/{FRONTAL}", **said),
        row_of(f"{small}/{LATER}", way="PA"),
        row_of(f"{small}/{SIDE}", view="Lateral", way="", **said),
    )
    write_rows(folder / "valid.csv", HEADER, row_of(f"{small}/{OTHER}", sex="Unknown", Edema="1"))
    return folder


def test_films_labels_views_and_splits_come_in(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "CheXpert: 3 studies. Films: 4 accepted, 0 held, 0 duplicate, 0 refused" in told
    first, later, other = Study.objects.order_by("pk")
    assert first.patient_pseudonym == later.patient_pseudonym != other.patient_pseudonym
    assert [first.patient_sex, other.patient_sex] == ["F", ""]
    views = Instance.objects.order_by("pk").values_list("view_position", flat=True)
    assert list(views) == ["AP", "LATERAL", "PA", "AP"]
    assert first.reference.labels == {
        "Edema": "uncertain",
        "No Finding": "present",
        "Pleural Effusion": "absent",
    }
    splits = Reference.objects.order_by("pk").values_list("published_split", flat=True)
    assert list(splits) == ["train", "train", "tune"]
    source = SourceDataset.objects.get()
    assert source.is_credentialed
    assert "Stanford University Dataset Research Use Agreement" in source.licence


def test_the_same_again_finds_nothing_new(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    brought_in(LAYOUT, folder, capsys, text_free=True)
    before = (ImportItem.objects.count(), AuditEvent.objects.count())
    told = brought_in(LAYOUT, folder, capsys, text_free=True)
    assert "4 here already. New references: 0." in told
    assert "Nothing new" in told
    assert (ImportItem.objects.count(), AuditEvent.objects.count()) == before


def test_archives_of_stanford_lie_beside_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tmp_path / "CheXpert-v1.0 batch 1 (validate & csv)"
    write_picture(first / OTHER, seed=1)
    write_picture(tmp_path / "CheXpert-v1.0 batch 2 (train 1)" / FRONTAL.removeprefix("train/"), seed=2)
    later = LATER.replace("patient90001", "patient90002")
    write_picture(tmp_path / "CheXpert-v1.0 batch 4 (train 3)" / later.removeprefix("train/"), seed=3)
    rows = [row_of(f"CheXpert-v1.0/{path}") for path in (FRONTAL, later)]
    write_rows(first / "train.csv", HEADER, *rows)
    write_rows(first / "valid.csv", HEADER, row_of(f"CheXpert-v1.0/{OTHER}"))
    assert "Films: 3 accepted" in brought_in(LAYOUT, tmp_path, capsys, text_free=True)


def test_what_is_broken_is_told_by_its_row_and_the_rest_comes_in(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / SIDE).unlink()
    write_rows(
        folder / "train.csv",
        HEADER,
        row_of(FRONTAL, Edema="1.0"),
        row_of(SIDE, view="Lateral", way="", Edema="0.0"),
        row_of(FRONTAL),
        row_of(LATER, Edema="2"),
        row_of("train/../patient90001/study1/view1_frontal.jpg"),
        row_of(FRONTAL)[:-1],
    )
    write_rows(folder / "valid.csv", HEADER, row_of(OTHER, way="LL"))
    told = brought_in(LAYOUT, folder, capsys, fails=True, text_free=True)
    for line in (
        "train.csv, row 3: Its picture is not there.",
        "train.csv, row 3: Its labels are not those of an earlier film of its study, which stay.",
        "train.csv, row 4: An earlier row names the same picture.",
        "train.csv, row 5: Its labels are not 1.0, 0.0, -1.0 or empty; none of them was kept.",
        "train.csv, row 6: Its Path is not written as CheXpert-v1.0/train/patient00001/study1/view1_frontal",
        "train.csv, row 7: It has 18 values, the header 19.",
        "valid.csv, row 2: held:",
    ):
        assert line in told, line
    assert "Left, as said above: 6 rows" in told
    assert "patient90001" not in told
    assert Study.objects.earliest("pk").reference.labels == {"Edema": "present"}
    assert Instance.objects.count() == 3


def test_numbers_of_the_set_are_stored_nowhere(
    folder: Path, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    brought_in(LAYOUT, folder, capsys, text_free=True)
    for model in (Study, Instance, Reference, AuditEvent, SourceDataset, ImportItem):
        said = repr(list(model.objects.values()))
        assert "90001" not in said, model
    for film in Instance.objects.all():
        assert b"90001" not in (settings.FILM_FOLDER / film.file_path).read_bytes()


def test_another_layout_is_refused_before_anything_is_stored(folder: Path) -> None:
    def refused(sentence: str) -> None:
        with pytest.raises(CommandError, match=sentence):
            call_command("import_dataset", LAYOUT, folder)
        assert not SourceDataset.objects.exists()
        assert not Study.objects.exists()

    for side in ("train", "valid"):
        (folder / side).rename(folder / f"films of {side}")
    refused(
        "train or valid was expected in CheXpert-v1.0-small, or in CheXpert-v1.0 or CheXpert-v1.0-small in it"
    )
    write_rows(folder / "valid.csv", [name for name in HEADER if name not in ("Sex", "Edema")])
    refused("valid.csv was expected to have the columns Path, Sex, .* It lacks Sex, Edema; it has Path, Age")
    for name in ("train.csv", "valid.csv"):
        (folder / name).unlink()
    refused("train.csv or valid.csv was expected in CheXpert-v1.0-small. Neither is there.")
