"""What the boxes cover is the film's background; every other pixel is as it was, however the film came in."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.uid import HTJ2KLossless

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.masking.boxes import Box
from deepmedix_review.studies.models import Instance
from inference.images import render_reference
from inference.phantom_dicom import TRANSFER_SYNTAXES, FilmEncoding, write_phantom_dicom
from tests.deepmedix_review.studies.masking.a_masking import (
    film_with_text,
    inside,
    masked,
    stored,
    values,
)
from tests.factories.accounts import AdminFactory
from tests.factories.studies import receive, write_film

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


def written(path: Path, pixels: NDArray[Any], *, bits: int, **attributes: Any) -> Path:
    """A film of these stored values, signed where they are."""
    write_film(path, BurnedInAnnotation=None, WindowCenter=None, WindowWidth=None, **attributes)
    dataset = dcmread(path)
    dataset.BitsStored, dataset.HighBit, dataset.BitsAllocated = bits, bits - 1, pixels.dtype.itemsize * 8
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.save_as(path)
    return path


def padded(path: Path, value: int) -> Instance:
    dataset = dcmread(write_film(path, BurnedInAnnotation=None))
    dataset.add_new("PixelPaddingValue", "US", value)
    dataset.save_as(path)
    film = receive(path).instance
    assert film is not None
    return film


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("bits", [8, 12])
def test_of_every_syntax_and_polarity(
    admin: User, tmp_path: Path, syntax: str, photometric: Any, bits: int
) -> None:
    how = FilmEncoding(photometric=photometric, bits_stored=bits, transfer_syntax=syntax)
    write_phantom_dicom(tmp_path / "film.dcm", seed=1, size=96, encoding=how)
    film = receive(tmp_path / "film.dcm").instance
    assert film is not None
    before, where = values(film), inside((96, 96))
    masking = masked(film, admin)
    assert (masking.state, masking.error) == ("done", "")
    after = values(film)
    assert after.dtype == before.dtype
    assert np.array_equal(after[~where], before[~where])
    darkest = before.max() if photometric == "MONOCHROME1" else before.min()
    assert set(after[where]) == {darkest}
    assert not np.array_equal(after, before)
    assert stored(film).file_meta.TransferSyntaxUID == HTJ2KLossless
    # The screen's picture and a model's are black there, whatever the polarity.
    shown = render_reference(tmp_path / "film.dcm")
    assert shown[where].max() > 0
    assert np.all(render_reference(stored(film).filename)[where] == 0)


@pytest.mark.parametrize(
    ("dtype", "bits", "low", "high"),
    [("<i2", 12, -1024, 1023), ("<i2", 16, -30000, 30000), ("<u2", 16, 7, 65535), ("<i1", 8, -100, 100)],
)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_of_signed_values_and_of_16_bits(
    admin: User, tmp_path: Path, dtype: str, bits: int, low: int, high: int, photometric: str
) -> None:
    pixels = np.linspace(low, high, 96 * 96).astype(dtype).reshape(96, 96)
    shape = "INVERSE" if photometric == "MONOCHROME1" else "IDENTITY"
    film = receive(
        written(
            tmp_path / "film.dcm",
            pixels,
            bits=bits,
            PhotometricInterpretation=photometric,
            PresentationLUTShape=shape,
        )
    ).instance
    assert film is not None
    where = inside(pixels.shape)
    assert masked(film, admin).state == "done"
    after = values(film)
    assert np.array_equal(after[~where], pixels[~where])
    assert set(after[where]) == {high if photometric == "MONOCHROME1" else low}


def test_a_film_that_names_its_padding_gets_that(admin: User, tmp_path: Path) -> None:
    film = padded(tmp_path / "film.dcm", 4095)
    assert masked(film, admin).state == "done"
    assert set(values(film)[inside((96, 96))]) == {4095}


def test_padding_that_no_value_of_the_film_can_be_is_not_taken(admin: User, tmp_path: Path) -> None:
    film = padded(tmp_path / "film.dcm", 60000)
    lowest = values(film).min()
    assert masked(film, admin).state == "done"
    assert set(values(film)[inside((96, 96))]) == {lowest}


def test_all_frames_are_overwritten(admin: User, tmp_path: Path) -> None:
    frames = np.random.default_rng(1).integers(10, 4000, (2, 96, 96)).astype("<u2")
    path = written(tmp_path / "film.dcm", frames[0], bits=12)
    dataset = dcmread(path)
    dataset.NumberOfFrames, dataset.PixelData = 2, frames.tobytes()
    dataset.save_as(path)
    film = receive(path).instance
    assert film is not None
    assert masked(film, admin, accept=False, boxes=(Box(0, 0, 5, 5),)).state == "done"
    after = stored(film).pixel_array
    assert np.all(after[:, :5, :5] == frames.min())
    assert np.array_equal(after[:, 5:], frames[:, 5:])


def test_the_file_says_that_its_pixels_were_cleaned_and_keeps_all_else(admin: User, tmp_path: Path) -> None:
    film = film_with_text(tmp_path / "film.dcm")
    before = stored(film)
    masked(film, admin)
    masked(film, admin, boxes=(Box(0, 50, 9, 60),))
    after = stored(film)
    codes = [code.CodeValue for code in after.DeidentificationMethodCodeSequence]
    assert codes == [*(code.CodeValue for code in before.DeidentificationMethodCodeSequence), "113101"]
    assert after.BurnedInAnnotation == "NO"
    assert after.file_meta == before.file_meta
    for dataset in (before, after):
        del dataset.PixelData, dataset.DeidentificationMethodCodeSequence
        dataset.pop("BurnedInAnnotation", None)
    assert after == before
    assert film.masked_at is not None
