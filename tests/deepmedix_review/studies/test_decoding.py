"""Every way to store a film comes out the same."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian

from deepmedix_review.studies.intake.decoding import decode_film
from deepmedix_review.studies.intake.deidentification import name_film
from deepmedix_review.studies.intake.display import write_display_film
from deepmedix_review.studies.intake.profiles import KEEP_DATES_SHIFTED
from inference.images import render_reference, render_values
from inference.phantom_dicom import TRANSFER_SYNTAXES, FilmEncoding, stored_pixels, write_phantom_dicom
from tests.deepmedix_review.studies.a_decoded_film import LIMITS, decoded, refusal_of
from tests.factories.studies import write_film


@pytest.mark.parametrize("syntax", list(TRANSFER_SYNTAXES))
def test_pixels_of_every_syntax_are_stored_bit_by_bit(tmp_path: Path, syntax: str) -> None:
    encoding = FilmEncoding(photometric="MONOCHROME1", bits_stored=14, transfer_syntax=syntax)
    phantom = write_phantom_dicom(tmp_path / "film", seed=3, size=64, encoding=encoding)
    film = decoded(tmp_path / "film", tmp_path)
    identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
    write_display_film(tmp_path / "stored.dcm", film, identity, profile=KEEP_DATES_SHIFTED)
    stored = dcmread(tmp_path / "stored.dcm")
    assert np.array_equal(stored.pixel_array, stored_pixels(phantom, encoding))
    assert stored.BitsStored == 14
    shown = render_values(stored_pixels(phantom, encoding), dcmread(tmp_path / "film"))
    assert np.array_equal(render_reference(tmp_path / "stored.dcm"), shown)


def test_what_is_written_passes_the_dicom_validator(tmp_path: Path) -> None:
    """dciodvfy does not know HTJ2K, so the same header is judged around plain pixels."""
    film = decoded(write_film(tmp_path / "film"), tmp_path)
    identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
    write_display_film(tmp_path / "stored.dcm", film, identity, profile=KEEP_DATES_SHIFTED)
    stored = dcmread(tmp_path / "stored.dcm")
    stored.decompress(generate_instance_uid=False)
    stored.save_as(tmp_path / "plain.dcm")
    said = subprocess.run(
        ["dciodvfy", str(tmp_path / "plain.dcm")], capture_output=True, text=True, check=False
    )
    assert [line for line in said.stderr.splitlines() if line.startswith("Error")] == []
    assert "DXImage" in said.stderr


@pytest.mark.parametrize("mode", ["L", "I;16", "RGB", "P", "LA"])
def test_a_grey_picture_becomes_a_film_whatever_its_mode(tmp_path: Path, mode: str) -> None:
    grey = np.linspace(0, 255, 64 * 48).reshape(64, 48).astype(np.uint8)
    picture = (
        Image.fromarray(grey.astype(np.uint16) * 257)
        if mode == "I;16"
        else Image.fromarray(grey).convert(mode)
    )
    picture.save(tmp_path / "film.png")
    film = decoded(tmp_path / "film.png", tmp_path)
    assert (film.rows, film.columns, film.bits_stored) == (64, 48, 16 if mode == "I;16" else 8)


def test_a_coloured_picture_is_refused(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[..., 0] = np.arange(64)
    Image.fromarray(pixels).save(tmp_path / "photo.jpg")
    assert "coloured picture" in refusal_of(tmp_path / "photo.jpg", tmp_path)


def test_bits_above_the_stored_ones_are_cleared_where_an_overlay_lies_there(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film")
    dataset = dcmread(path)
    clean = dataset.pixel_array.copy()
    dirty = clean.copy()
    dirty[10:20, 10:20] |= 0x8000
    dataset.PixelData = dirty.tobytes()
    dataset.add_new(0x60000010, "US", 96)
    dataset.add_new(0x60000102, "US", 15)
    dataset.save_as(path)
    film = decoded(path, tmp_path)
    identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
    write_display_film(tmp_path / "stored.dcm", film, identity, profile=KEEP_DATES_SHIFTED)
    assert np.array_equal(dcmread(tmp_path / "stored.dcm").pixel_array, clean)


def _window(dataset: Dataset) -> None:
    dataset.WindowCenter, dataset.WindowWidth = [1500, 2000], [900, 4000]


def _sigmoid(dataset: Dataset) -> None:
    dataset.WindowCenter, dataset.WindowWidth, dataset.VOILUTFunction = 2000, 1500, "SIGMOID"


def _tables(dataset: Dataset) -> None:
    """A modality table, then a table of values of interest, both 4,096 long."""
    values = np.arange(4096, dtype=np.uint16)
    for keyword, table in (("ModalityLUTSequence", 4095 - values), ("VOILUTSequence", values // 2 + 1000)):
        lut = Dataset()
        bits = 16 if keyword == "ModalityLUTSequence" else 12
        lut.LUTDescriptor, lut.LUTData = [4096, 0, bits], table.astype("<u2").tobytes()
        lut["LUTData"].VR = "OW"
        if keyword == "ModalityLUTSequence":
            lut.ModalityLUTType = "US"
        setattr(dataset, keyword, Sequence([lut]))
    for keyword in ("WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept", "RescaleType"):
        dataset.pop(keyword, None)


def _signed_and_padded(dataset: Dataset) -> None:
    values = dataset.pixel_array.astype(np.int16) - 2048
    values[:10] = -2048
    dataset.PixelData, dataset.PixelRepresentation = values.tobytes(), 1
    dataset.add_new("PixelPaddingValue", "SS", -2048)
    dataset.WindowCenter, dataset.WindowWidth = 0, 4096


@pytest.mark.parametrize(
    ("change", "is_implicit"),
    [
        (_window, False),
        (_sigmoid, False),
        (_tables, False),
        (_tables, True),
        (_signed_and_padded, False),
        (_signed_and_padded, True),
    ],
)
def test_what_shapes_the_display_survives(
    tmp_path: Path, change: Callable[[Dataset], None], is_implicit: bool
) -> None:
    """Implicit VR says of no value whether it is signed."""
    path = write_film(tmp_path / "film")
    dataset = dcmread(path)
    as_it_was = render_reference(path)
    change(dataset)
    if is_implicit:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.save_as(path)
    film = decoded(path, tmp_path)
    identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
    write_display_film(tmp_path / "stored.dcm", film, identity, profile=KEEP_DATES_SHIFTED)
    expected = render_reference(path)
    assert np.array_equal(render_reference(tmp_path / "stored.dcm"), expected)
    assert not np.array_equal(expected, as_it_was)


def test_an_attribute_that_can_not_be_read_is_left_out(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film", ImagerPixelSpacing=[6.25, 6.25])
    path.write_bytes(path.read_bytes().replace(b"6.25\\6.25", b"6.2p\\6.25"))
    film = decoded(path, tmp_path)
    assert "ImagerPixelSpacing" not in film.tags
    assert film.tags.Modality == "DX"


def test_a_film_with_broken_tables_is_refused_for_that(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film")
    dataset = dcmread(path)
    _tables(dataset)
    dataset.ModalityLUTSequence[0].LUTData = bytes(6)
    dataset.save_as(path)
    assert "tables for display are damaged" in refusal_of(path, tmp_path)


def test_every_shared_film_shows_the_same_after_it_was_stored(shared_data: Path, tmp_path: Path) -> None:
    """In the same pixels, by the same rule of display; lossy and reversed films included."""
    for path in sorted((shared_data / "dicom").iterdir()):
        work = tmp_path / path.stem
        work.mkdir()
        film = decode_film(path, limits=LIMITS, work=work)
        identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
        write_display_film(work / "stored.dcm", film, identity, profile=KEEP_DATES_SHIFTED)
        assert np.array_equal(render_reference(work / "stored.dcm"), render_reference(path)), path.name
    for path in sorted((shared_data / "png_with_boxes").glob("*.png")):
        work = tmp_path / path.stem
        work.mkdir()
        film = decode_film(path, limits=LIMITS, work=work)
        identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
        write_display_film(work / "stored.dcm", film, identity, profile=KEEP_DATES_SHIFTED)
        assert np.array_equal(dcmread(work / "stored.dcm").pixel_array, np.asarray(Image.open(path))), (
            path.name
        )
