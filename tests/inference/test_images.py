"""A film's picture follows the standard: rescale, window or table, polarity, padding."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence

from inference.images import looks_of, picture_of, prepare_image, render_reference, render_values
from inference.phantom_dicom import TRANSFER_SYNTAXES, FilmEncoding, write_phantom_dicom
from tests.factories.odd_films import ODD_FILMS


def film(**attributes: object) -> Dataset:
    dataset = Dataset()
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelRepresentation = 0
    dataset.BitsStored = 12
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


@pytest.mark.parametrize("name", ODD_FILMS)
def test_a_film_has_the_greys_of_the_standards_formulae(name: str, tmp_path: Path) -> None:
    film = ODD_FILMS[name]
    picture = render_reference(film.write(tmp_path / "film.dcm", seed=1))
    assert np.abs(picture - film.expected(film.stored(seed=1))).max() <= 0.5 + 1e-9


def test_a_film_offers_its_windows_its_tables_and_its_whole_range_by_name(tmp_path: Path) -> None:
    film = ODD_FILMS["several VOI tables"]
    dataset = dcmread(film.write(tmp_path / "film.dcm", seed=1))
    looks = looks_of(dataset.pixel_array, dataset)
    assert [look.name for look in looks] == ["NORMAL", "HARDER", "Full range"]
    harder = render_values(dataset.pixel_array, dataset, look=looks[1])
    expected = film.expected(film.stored(seed=1), preset="As stored: HARDER")
    assert np.abs(harder - expected).max() <= 0.5 + 1e-9


RAMP = np.arange(0, 4096, dtype=np.uint16).reshape(64, 64)


def test_without_a_window_the_whole_range_is_shown() -> None:
    picture = render_values(RAMP, film())
    assert picture.shape == (64, 64)
    assert picture.dtype == np.uint8
    assert (int(picture.min()), int(picture.max())) == (0, 255)


def test_a_flat_film_is_black_and_no_error() -> None:
    assert render_values(np.full((4, 4), 7, dtype=np.uint16), film()).max() == 0


@pytest.mark.parametrize(
    ("function", "at_center", "at_quarter"),
    [("LINEAR", 128, 64), ("LINEAR_EXACT", 128, 64), ("SIGMOID", 128, 69)],
)
def test_windows_map_as_the_standard_says(function: str, at_center: int, at_quarter: int) -> None:
    dataset = film(WindowCenter=2000, WindowWidth=1000, VOILUTFunction=function)
    picture = render_values(RAMP, dataset).ravel()
    assert int(picture[2000]) == pytest.approx(at_center, abs=1)
    assert int(picture[1750]) == pytest.approx(at_quarter, abs=1)
    if function != "SIGMOID":
        assert (picture[1400], picture[2600]) == (0, 255)


def test_the_first_of_several_windows_counts() -> None:
    two = render_values(RAMP, film(WindowCenter=[2000, 100], WindowWidth=[1000, 10]))
    assert (two == render_values(RAMP, film(WindowCenter=2000, WindowWidth=1000))).all()


@pytest.mark.parametrize("width", [0, -5])
def test_a_window_without_width_is_passed_over(width: int) -> None:
    assert (render_values(RAMP, film(WindowCenter=5, WindowWidth=width)) == render_values(RAMP, film())).all()


def test_the_window_is_in_rescaled_values() -> None:
    plain = render_values(RAMP, film(WindowCenter=2000, WindowWidth=1000))
    scaled = film(WindowCenter=2000 * 2 - 100, WindowWidth=2000, RescaleSlope=2, RescaleIntercept=-100)
    assert np.abs(render_values(RAMP, scaled).astype(int) - plain).max() <= 1


def test_monochrome1_is_turned_over() -> None:
    negative = render_values(RAMP, film(PhotometricInterpretation="MONOCHROME1"))
    assert (negative == 255 - render_values(RAMP, film())).all()


def test_a_voi_table_is_applied() -> None:
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 8]
    table.LUTData = [255 - value // 16 for value in range(4096)]
    table["LUTData"].VR = "US"
    picture = render_values(RAMP, film(VOILUTSequence=Sequence([table])))
    assert (picture[0, 0], picture[-1, -1]) == (255, 0)


def test_padding_is_black_in_both_polarities_and_stretches_no_range() -> None:
    values = np.clip(RAMP, 1000, 2000)
    values[:8] = 4095
    for polarity in ("MONOCHROME1", "MONOCHROME2"):
        picture = render_values(values, film(PhotometricInterpretation=polarity, PixelPaddingValue=4095))
        assert picture[:8].max() == 0
        assert (picture[8:].min(), picture[8:].max()) == (0, 255)


def test_values_of_32_bits_are_shown_too() -> None:
    picture = render_values(RAMP.astype(np.uint32) * 1_000_000, film())
    assert (picture == render_values(RAMP, film())).all()


@pytest.mark.parametrize(("preparation", "size"), [("aspect", (84, 112)), ("square", (112, 112))])
def test_the_models_image_has_the_models_size(preparation: str, size: tuple[int, int]) -> None:
    image = prepare_image(
        np.zeros((300, 250), dtype=np.uint8),
        preparation=preparation,
        min_pixels=112 * 112,
        max_pixels=112 * 112,
    )
    assert (image.size, image.mode) == (size, "RGB")


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("syntax", sorted(TRANSFER_SYNTAXES))
def test_a_film_looks_the_same_however_it_is_stored(
    syntax: str, photometric: Literal["MONOCHROME1", "MONOCHROME2"], tmp_path: Path
) -> None:
    path = tmp_path / "film.dcm"
    encoding = FilmEncoding(photometric=photometric, bits_stored=12, transfer_syntax=syntax)
    drawn = write_phantom_dicom(path, seed=3, size=96, encoding=encoding).to_uint8().astype(int)
    assert np.abs(render_reference(path) - drawn).mean() < 2


def test_real_films_are_grey_from_black_to_white(shared_data: Path) -> None:
    for path in sorted((shared_data / "dicom").glob("*.dcm")):
        picture = render_reference(path)
        assert picture.std() > 30, path.name
        assert picture.max() > 240, path.name


@pytest.mark.parametrize(
    ("preparation", "expected"),
    [
        ("crop", [[2, 3], [4, 5]]),
        ("pad", [[9, 0, 1, 9], [9, 2, 3, 9], [9, 4, 5, 9], [9, 6, 7, 9]]),
        ("aspect", [[0, 1], [2, 3], [4, 5], [6, 7]]),
    ],
)
def test_a_picture_shows_the_middle_of_a_film_or_pads_it(preparation: str, expected: list[list[int]]) -> None:
    film = np.arange(8, dtype=np.uint8).reshape(4, 2)
    size = (len(expected[0]), len(expected))
    picture = picture_of(film, preparation=preparation, size=size, padding=(9, 9, 9))
    assert (picture.mode, picture.size) == ("RGB", size)
    assert np.asarray(picture)[:, :, 0].tolist() == expected
