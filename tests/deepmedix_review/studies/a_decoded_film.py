"""Films as the decoder gives them, within the limits that tests set."""

from pathlib import Path

import pytest

from deepmedix_review.studies.intake.content import FilmRefused
from deepmedix_review.studies.intake.decoding import DecodedFilm, decode_film
from deepmedix_review.studies.intake.limits import Limits

LIMITS = Limits(max_file_bytes=512 * 1024**2, max_pixels=64 * 1024**2, memory_bytes=2 * 1024**3, seconds=60)


def decoded(path: Path, tmp_path: Path, *, limits: Limits = LIMITS) -> DecodedFilm:
    work = tmp_path / "work"
    work.mkdir()
    return decode_film(path, limits=limits, work=work)


def refusal_of(path: Path, tmp_path: Path, *, limits: Limits = LIMITS) -> str:
    with pytest.raises(FilmRefused) as refusal:
        decoded(path, tmp_path, limits=limits)
    return str(refusal.value)
