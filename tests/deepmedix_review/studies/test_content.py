"""What a file is, told from its first bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepmedix_review.studies.intake.content import Content, FilmRefused, recognise


def _file(tmp_path: Path, content: bytes, name: str = "film.dcm") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (bytes(128) + b"DICM" + bytes(20), Content.DICOM),
        (b"MZ" + bytes(126) + b"DICM" + bytes(20), Content.DICOM),
        (b"\x02\x00\x00\x00UL\x04\x00" + bytes(20), Content.DICOM),
        (b"\x08\x00\x05\x00\x0a\x00\x00\x00ISO_IR 100", Content.DICOM),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), Content.PNG),
        (b"\xff\xd8\xff\xe0" + bytes(20), Content.JPEG),
    ],
)
def test_a_film_is_known_by_its_bytes_whatever_its_name(
    tmp_path: Path, content: bytes, expected: Content
) -> None:
    assert recognise(_file(tmp_path, content, name="picture.txt")) is expected


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"PK\x03\x04" + bytes(300), "This is a zip archive. Unpack it first."),
        (b"\x1f\x8b" + bytes(300), "This is a gzip archive. Unpack it first."),
        (bytes(257) + b"ustar" + bytes(50), "This is a tar archive. Unpack it first."),
        (b"MZ" + bytes(300), "This is a Windows program."),
        (b"%PDF-1.7" + bytes(300), "This is a PDF document."),
        (b"file,x,y\n" * 40, "This is neither a DICOM file nor a picture that can be read."),
    ],
)
def test_anything_else_is_refused_by_what_it_is(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(FilmRefused) as refusal:
        recognise(_file(tmp_path, content))
    assert str(refusal.value).startswith(sentence)


@given(content=st.binary(max_size=300))
def test_no_bytes_break_it(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = _file(tmp_path_factory.getbasetemp(), content, name="any")
    said = "."
    try:
        recognise(path)
    except FilmRefused as refusal:
        said = str(refusal)
    assert said.endswith(".")
