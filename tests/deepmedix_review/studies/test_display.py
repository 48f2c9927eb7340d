"""The film that screens are given holds its frames as DICOM wants them, however many there are."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames

from deepmedix_review.studies.intake.decoding import DecodedFilm
from deepmedix_review.studies.intake.deidentification import name_film
from deepmedix_review.studies.intake.display import write_cleaned_film, write_display_film
from deepmedix_review.studies.intake.profiles import profile_named
from tests.deepmedix_review.studies.a_decoded_film import decoded
from tests.factories.studies import write_film

PLACEHOLDERS = (b"one frame, odd", b"two", b"the third frame is the longest of them")


@pytest.fixture
def film(tmp_path: Path) -> DecodedFilm:
    return decoded(write_film(tmp_path / "film.dcm"), tmp_path)


def with_frames(film: DecodedFilm, contents: tuple[bytes, ...], folder: Path) -> DecodedFilm:
    frames = []
    for number, content in enumerate(contents):
        frames.append(folder / f"frame {number}")
        frames[-1].write_bytes(content)
    return replace(film, frames=tuple(frames), num_frames=len(frames))


def written(film: DecodedFilm, path: Path) -> Path:
    identity = name_film(film.tags, key="key", pixel_sha256=film.pixel_sha256)
    told = write_display_film(path, film, identity, profile=profile_named("research"))
    assert "PixelData" not in told
    return path


@pytest.mark.parametrize("number", [1, 2, 3])
def test_frames_of_any_length_are_written_as_pydicom_writes_them(
    film: DecodedFilm, tmp_path: Path, number: int
) -> None:
    frames = PLACEHOLDERS[:number]
    path = written(with_frames(film, frames, tmp_path), tmp_path / "written.dcm")
    dataset = dcmread(path)
    assert dataset.PixelData == encapsulate(list(frames))
    found = list(generate_frames(dataset.PixelData, number_of_frames=number))
    assert found == [frame + bytes(len(frame) % 2) for frame in frames]
    dataset.save_as(tmp_path / "again.dcm", enforce_file_format=True)
    assert (tmp_path / "again.dcm").read_bytes() == path.read_bytes()


def test_a_cleaned_film_has_the_new_frames_and_the_tags_of_the_old_one(
    film: DecodedFilm, tmp_path: Path
) -> None:
    stored = written(film, tmp_path / "stored.dcm")
    cleaned = tmp_path / "cleaned.dcm"
    write_cleaned_film(cleaned, with_frames(film, (b"masked",), tmp_path), stored=stored)
    before, after = dcmread(stored), dcmread(cleaned)
    assert after.PixelData == encapsulate([b"masked"])
    assert after.BurnedInAnnotation == "NO"
    assert before.SOPInstanceUID == after.SOPInstanceUID
    with pytest.raises(ValueError, match="another size"):
        write_cleaned_film(cleaned, replace(film, rows=film.rows + 1), stored=stored)
