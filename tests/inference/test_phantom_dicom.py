"""A phantom film is a DICOM object that the strictest checker accepts, with its exact pixels inside."""

import subprocess
from datetime import date
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.encaps import generate_frames

from inference.phantom_dicom import (
    BITS_STORED,
    TRANSFER_SYNTAXES,
    FilmEncoding,
    Visit,
    encoding_of,
    stored_pixels,
    write_phantom_dicom,
)
from inference.phantoms import draw_phantom

# dciodvfy of Debian 12 reads neither of them, and says so by an error about the file's structure.
UNKNOWN_TO_DCIODVFY = {"deflated", "htj2k"}


def decoded(path: Path) -> NDArray[np.generic]:
    dataset = pydicom.dcmread(path)
    if dataset.file_meta.TransferSyntaxUID == TRANSFER_SYNTAXES["jpeg-lossless"]:
        frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
        return np.asarray(imagecodecs.ljpeg_decode(frame))
    return np.asarray(dataset.pixel_array)


@pytest.mark.parametrize("syntax", sorted(TRANSFER_SYNTAXES))
@pytest.mark.parametrize("bits", BITS_STORED)
def test_every_encoding_is_accepted_by_dciodvfy_and_lossless(syntax: str, bits: int, tmp_path: Path) -> None:
    path = tmp_path / "film.dcm"
    encoding = FilmEncoding("MONOCHROME1" if bits in (8, 12) else "MONOCHROME2", bits, syntax)
    phantom = write_phantom_dicom(path, seed=5, size=96, encoding=encoding)
    assert np.array_equal(decoded(path), stored_pixels(phantom, encoding))
    if syntax not in UNKNOWN_TO_DCIODVFY:
        checked = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        said = checked.stdout + checked.stderr
        assert "DXImageForPresentation" in said
        assert "Error" not in said


def test_the_same_call_writes_the_same_object_and_another_seed_another(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.dcm", "b.dcm", "c.dcm")]
    for path, seed in zip(paths, (3, 3, 4), strict=True):
        write_phantom_dicom(path, seed=seed, size=64)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    uids = [pydicom.dcmread(path).SOPInstanceUID for path in paths]
    assert uids[0] != uids[2]
    assert all(len(uid) <= 64 and uid.is_valid for uid in uids)


def test_two_encodings_of_one_patient_are_one_study_with_two_objects(tmp_path: Path) -> None:
    paths = [tmp_path / "plain.dcm", tmp_path / "reversed.dcm"]
    for path, encoding in zip(paths, (FilmEncoding("MONOCHROME2"), FilmEncoding("MONOCHROME1")), strict=True):
        write_phantom_dicom(path, seed=3, size=64, encoding=encoding)
    plain, reversed_ = (pydicom.dcmread(path) for path in paths)
    assert plain.StudyInstanceUID == reversed_.StudyInstanceUID
    assert plain.SOPInstanceUID != reversed_.SOPInstanceUID
    assert np.array_equal(plain.pixel_array, 4095 - reversed_.pixel_array)


def test_a_seed_is_another_patient_at_another_site(tmp_path: Path) -> None:
    for site in ("first", "second"):
        write_phantom_dicom(tmp_path / site, seed=3, size=64, site=site)
    first, second = (pydicom.dcmread(tmp_path / site) for site in ("first", "second"))
    assert (first.PatientID, second.PatientID) == ("PHANTOM-3", "PHANTOM-SECOND-3")
    assert first.StudyInstanceUID != second.StudyInstanceUID


def test_a_run_of_seeds_comes_in_every_syntax_depth_and_polarity() -> None:
    encodings = [encoding_of(seed) for seed in range(48)]
    assert {encoding.transfer_syntax for encoding in encodings} == set(TRANSFER_SYNTAXES)
    assert {encoding.bits_stored for encoding in encodings} == set(BITS_STORED)
    assert {encoding.photometric for encoding in encodings} == {"MONOCHROME1", "MONOCHROME2"}


def test_an_impossible_encoding_is_refused_with_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"there are explicit, implicit"):
        FilmEncoding(transfer_syntax="jpeg-xl")
    with pytest.raises(ValueError, match=r"\(8, 10, 12, 14\) bits, not in 9"):
        FilmEncoding(bits_stored=9)


def test_the_visits_of_one_patient_are_films_of_one_body(tmp_path: Path) -> None:
    visits = {
        "first": Visit(),
        "again": Visit(take=1, view_position="AP"),
        "before": Visit(study_date=date(2024, 3, 1), is_earlier=True),
    }
    seed = next(seed for seed in range(20) if len(draw_phantom(seed=seed).truth.findings) > 1)
    drawn, films = {}, {}
    for name, visit in visits.items():
        drawn[name] = write_phantom_dicom(tmp_path / name, seed=seed, size=96, visit=visit)
        films[name] = pydicom.dcmread(tmp_path / name)
    assert len({film.PatientID for film in films.values()}) == 1
    assert len({film.SOPInstanceUID for film in films.values()}) == 3
    assert films["again"].StudyInstanceUID == films["first"].StudyInstanceUID
    assert films["again"].ViewPosition == "AP"
    assert films["before"].StudyInstanceUID != films["first"].StudyInstanceUID
    assert films["before"].StudyDate == "20240301"
    assert not (drawn["again"].pixels == drawn["first"].pixels).all()
    assert {finding.name for finding in drawn["before"].truth.findings} <= {"cardiomegaly"}
    assert drawn["before"].truth.heart == drawn["first"].truth.heart
