"""What can't be asked of a model from a shell is refused in a sentence that says the way out."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from inference.__main__ import main
from inference.phantom_dicom import write_phantom_dicom


def a_film(folder: Path) -> Path:
    path = folder / "film.dcm"
    write_phantom_dicom(path, seed=1, size=64)
    return path


def a_picture(folder: Path) -> Path:
    path = folder / "film.png"
    Image.new("L", (64, 64)).save(path)
    return path


def one_cut_off(folder: Path) -> Path:
    path = folder / "cut.dcm"
    path.write_bytes(a_film(folder).read_bytes()[:400])
    return path


@pytest.mark.parametrize(
    ("film", "said"),
    [
        (a_picture, "film.png is no DICOM file, and only DICOM films are read here."),
        (one_cut_off, "The file may be damaged or cut off"),
        (lambda folder: folder, "is a folder. Name its films, as in "),
        (lambda folder: folder / "nowhere.dcm", "nowhere.dcm: No such file or directory"),
    ],
)
def test_what_is_no_film_is_refused_before_the_model_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], film: Callable[[Path], Path], said: str
) -> None:
    assert main(["generate", str(film(tmp_path)), "--model", str(tmp_path / "no-model")]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert ("Traceback" in told.err, told.out) == (False, "")


def test_a_folder_without_a_model_and_one_with_a_broken_model_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = str(a_film(tmp_path))
    assert main(["generate", film, "--model", str(tmp_path)]) == 2
    assert f"There is no model in {tmp_path}: config.json is missing." in capsys.readouterr().err
    (tmp_path / "config.json").write_text("{")
    assert main(["generate", film, "--model", str(tmp_path)]) == 2
    assert f"The model in {tmp_path} could not be read" in capsys.readouterr().err


def test_films_are_drawn_into_no_file_and_in_no_size_that_a_film_has_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = a_picture(tmp_path)
    assert main(["phantoms", str(file / "inner")]) == 2
    assert capsys.readouterr().err == f"{file / 'inner'}: Not a directory\n"
    assert main(["phantoms", str(tmp_path / "films"), "--size", "3"]) == 2
    assert "A phantom needs at least 56 pixels on each side" in capsys.readouterr().err
