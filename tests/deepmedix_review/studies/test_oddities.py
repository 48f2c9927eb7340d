"""What a film is flagged for: nearly the same picture, blank, the wrong side, too small; and what is not."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pytest_django import Settings

from deepmedix_review.studies.fingerprints import take_fingerprints
from deepmedix_review.studies.intake.fingerprint import MOST_BITS_APART, bands_of, is_blank
from deepmedix_review.studies.intake.odd import OddKind, gravest
from deepmedix_review.studies.models import ImportItem, Instance, Study
from tests.factories.studies import InstanceFactory, receive, write_film

pytestmark = pytest.mark.django_db
HELD, ACCEPTED = ImportItem.Outcome.HELD, ImportItem.Outcome.ACCEPTED
NAMES = {"StudyInstanceUID": "1.2.3", "SOPInstanceUID": "1.2.3.4", "PatientID": "other"}


def smaller(path: Path, **attributes: Any) -> Path:
    """The same film at half its size and 8 bits, as another export of it."""
    film = dcmread(path)
    stored = film.pixel_array.astype(float)
    half = (stored[::2, ::2] + stored[1::2, ::2] + stored[::2, 1::2] + stored[1::2, 1::2]) / 64
    film.Rows, film.Columns = half.shape
    film.BitsAllocated, film.BitsStored, film.HighBit = 8, 8, 7
    film.PixelData = half.astype(np.uint8).tobytes()
    film["PixelData"].VR = "OB"
    film.WindowCenter, film.WindowWidth = film.WindowCenter / 16, film.WindowWidth / 16
    for keyword, value in attributes.items():
        setattr(film, keyword, value)
    film.save_as(path.with_name("smaller.dcm"))
    return path.with_name("smaller.dcm")


def kind(item: ImportItem) -> str:
    assert item.instance is not None
    return item.instance.study.held_for


def test_another_export_of_a_stored_film_is_held_beside_it_and_can_be_compared(tmp_path: Path) -> None:
    first = write_film(tmp_path / "film.dcm", size=384)
    stored = receive(first).instance
    again = receive(smaller(first, **NAMES))
    assert stored is not None
    assert again.instance is not None
    assert (again.outcome, kind(again), again.instance.near_to) == (HELD, OddKind.NEAR, stored)
    assert f"nearly the same as {stored.study.label}, of another patient" in again.reason
    assert receive(write_film(tmp_path / "another.dcm", size=384, seed=2)).outcome == ACCEPTED


def test_two_exports_of_one_film_in_one_study_are_no_oddity(tmp_path: Path) -> None:
    first = write_film(tmp_path / "film.dcm", size=192)
    assert receive(first).outcome == ACCEPTED
    assert receive(smaller(first, SOPInstanceUID="1.2.3.4")).outcome == ACCEPTED


@pytest.mark.parametrize(("day", "flag"), [("20260101", OddKind.NEAR), ("20260102", "")])
def test_the_same_patient_on_another_day_looks_alike_and_is_no_oddity(
    tmp_path: Path, day: str, flag: str
) -> None:
    first = write_film(tmp_path / "film.dcm", size=384, StudyDate="20260101", PatientID="one")
    assert receive(first).outcome == ACCEPTED
    again = receive(smaller(first, **{**NAMES, "PatientID": "one", "StudyDate": day}))
    assert kind(again) == flag
    assert ("of the same patient" in again.reason) is bool(flag)


def test_films_from_before_get_their_fingerprint_by_a_sweep(tmp_path: Path) -> None:
    film = receive(write_film(tmp_path / "film.dcm")).instance
    assert film is not None
    bands = film.picture_bands
    lost = InstanceFactory.create()
    Instance.objects.update(picture_bands=None)
    assert (take_fingerprints(), take_fingerprints()) == (2, 0)
    assert Instance.objects.get(pk=film.pk).picture_bands == bands
    assert Instance.objects.get(pk=lost.pk).picture_bands == []


@pytest.mark.parametrize(
    ("grain", "edge"), [(0, 0), (300, 0), (0, 24)], ids=["one grey", "noise alone", "collimated"]
)
def test_a_blank_film_is_held_and_no_other_blank_one_is_nearly_the_same(
    tmp_path: Path, grain: int, edge: int
) -> None:
    drawn = np.random.default_rng(7)
    for number in (1, 2):
        path = write_film(tmp_path / f"{number}.dcm", size=128, seed=number)
        film = dcmread(path)
        inside = 2000 + number + drawn.normal(0, grain, (128 - 2 * edge, 128 - 2 * edge))
        film.PixelData = np.pad(inside, edge).astype(np.uint16).tobytes()
        film.save_as(path)
        item = receive(path)
        assert (item.outcome, kind(item), item.reason) == (
            HELD,
            OddKind.BLANK,
            "It is blank: one grey in its middle, or noise alone.",
        )


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"PatientOrientation": ["R", "F"]}, "stored mirrored"),
        ({"PatientOrientation": ["L", "H"]}, "upside down"),
        ({"PatientOrientation": ["A", "F"]}, "its view is PA, its orientation a lateral's"),
        ({"ViewPosition": "LL", "PatientOrientation": ["L", "F"]}, "its view is LL, its orientation a fron"),
        ({"ImageLaterality": "R"}, "shows one side alone (R)"),
        ({"ViewPosition": "LL", "ImageLaterality": "R"}, "its view is LL, its laterality R"),
        ({"PatientOrientation": ["L", "F"], "ImageLaterality": "U"}, ""),
        ({"ImageLaterality": "B"}, ""),
        ({"ViewPosition": "LL", "PatientOrientation": ["A", "F"], "ImageLaterality": "L"}, ""),
        ({"ViewPosition": "RL", "PatientOrientation": ["P", "F"], "ImageLaterality": "R"}, ""),
    ],
)
def test_a_header_that_contradicts_itself_on_the_side_is_held(
    tmp_path: Path, attributes: dict[str, Any], told: str
) -> None:
    orientation = {"PatientOrientation": None, **attributes}
    item = receive(write_film(tmp_path / "film.dcm", size=128, **orientation))
    assert told in item.reason
    assert (item.outcome, kind(item)) == ((HELD, OddKind.LATERALITY) if told else (ACCEPTED, ""))


@pytest.mark.parametrize(
    ("spacing", "told"),
    [
        ([3.0, 3.0], ""),
        ([0.6, 0.6], ""),
        ([9.0, 9.0], "it is 1152 x 1152 mm large"),
        ([0.1, 0.1], "it is 13 x 13 mm large"),
    ],
)
def test_a_size_that_no_chest_film_has_is_held(tmp_path: Path, spacing: list[float], told: str) -> None:
    item = receive(write_film(tmp_path / "film.dcm", size=128, PixelSpacing=spacing))
    assert told in item.reason
    assert (item.outcome, kind(item)) == ((HELD, OddKind.RESOLUTION) if told else (ACCEPTED, ""))


def test_a_film_with_too_few_pixels_a_side_is_held(tmp_path: Path, settings: Settings) -> None:
    settings.SMALLEST_FILM_SIDE = 129
    item = receive(write_film(tmp_path / "film.dcm", size=128))
    assert item.reason == "It has 128 x 128 pixels, too few to be read: less than 129."
    assert receive(write_film(tmp_path / "drawn.dcm", size=128, seed=3), demo=True).outcome == ACCEPTED
    settings.SMALLEST_FILM_SIDE = 128
    assert receive(write_film(tmp_path / "other.dcm", size=128, seed=2)).outcome == ACCEPTED


def test_real_films_are_flagged_for_what_is_odd_of_them_and_nothing_else(
    shared_data: Path, settings: Settings
) -> None:
    settings.SMALLEST_FILM_SIDE = 256
    found = {}
    for path in [
        *sorted((shared_data / "dicom").iterdir()),
        *sorted((shared_data / "png_with_boxes").glob("*.png")),
    ]:
        item = receive(path)
        found[path.stem] = kind(item) if item.outcome == HELD else ""
    odd = {name: flag for name, flag in found.items() if flag}
    assert odd == {
        "dog_thorax": OddKind.BODY_PART,
        "nih_body_part_ribcage": OddKind.SAME,
        "nih_modality_ct": OddKind.SAME,
    }
    assert not Study.objects.filter(held_for=OddKind.NEAR).exists()


@pytest.mark.parametrize("quality", [30, 80])
def test_real_films_are_known_again_smaller_and_compressed_with_loss(
    shared_data: Path, tmp_path: Path, quality: int
) -> None:
    fingerprints = []
    for path in sorted((shared_data / "png_with_boxes").glob("*.png")):
        film = Image.open(path).convert("L")
        film.resize((320, 320)).save(tmp_path / "small.jpg", quality=quality)
        assert not is_blank(film)
        fingerprints.append((bands_of(film), bands_of(Image.open(tmp_path / "small.jpg"))))
    for number, (one, _) in enumerate(fingerprints):
        near = [
            other for other, (_, again) in enumerate(fingerprints) if _apart(one, again) <= MOST_BITS_APART
        ]
        assert near == [number]


def _apart(one: list[int], other: list[int]) -> int:
    return sum((mine ^ theirs).bit_count() for mine, theirs in zip(one, other, strict=True))


def test_the_gravest_kind_comes_first() -> None:
    assert gravest([OddKind.VIEW, "", OddKind.NAME, OddKind.SAME]) == OddKind.NAME
    assert gravest([""]) == ""


def test_reasons_from_before_are_read_by_how_they_begin(tmp_path: Path) -> None:
    kind_of = import_module("deepmedix_review.studies.migrations.0019_read_odd_kinds").kind_of
    said = receive(write_film(tmp_path / "film.dcm", Modality="CT", ViewPosition="SWIMMERS")).reason
    assert kind_of(re.split(r"(?<=\.) ", said)) == OddKind.BODY_PART
    assert kind_of(["Its view is SWIMMERS, not PA, AP or lateral."]) == OddKind.VIEW
    assert kind_of(["The ward asked for it."]) == OddKind.BY_HAND
