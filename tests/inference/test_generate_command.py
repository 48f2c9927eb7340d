"""What can't be asked of a model from a shell is refused in a sentence that says the way out."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from inference.__main__ import main
from inference.dialects import Dialect
from inference.dialects.shapes import shape_of
from inference.grounding import format_completion
from inference.phantom_dicom import write_phantom_dicom
from tests.factories.simulated_model_server import ANSWER, MODEL, SimulatedServer


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


def test_a_model_on_another_server_is_asked_and_its_regions_are_in_film_pixels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = SimulatedServer()
    try:
        film = str(a_film(tmp_path))
        asked = ["generate", film, "--endpoint", f"{server.origin}/v1", "--preset", "deepmedix-r1"]
        assert main([*asked, "--served-model", MODEL, "--num-samples", "3"]) == 0
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert sorted(one["seed"] for one in told) == [1, 2, 3]
        # A film of 64 pixels is seen at 56.
        box = [round(edge * 64 / 56, 1) for edge in (10, 20, 30, 40)]
        for one in told:
            assert (one["text"], one["answer"], one["problems"]) == (ANSWER, "big", [])
            assert one["steps"][0]["regions"] == [{"box": box, "problem": ""}]
            assert (one["num_prompt_tokens"], one["is_shaped"]) == (300, False)
        assert main([*asked, "--served-model", "other"]) == 0
        assert "has no model named other" in json.loads(capsys.readouterr().out)["error"]
    finally:
        server.kill()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--endpoint", "http://10.0.0.1/v1", "--served-model", "x"],
            "may be sent to 10.0.0.1:80.",
        ),
        (["--endpoint", "http://127.0.0.1:1/v1"], "Name the model as its server names it"),
        (
            ["--endpoint", "http://127.0.0.1:1/v1", "--served-model", "x", "--num-in-flight", "0"],
            "at least 1",
        ),
        (
            ["--model", ".", "--preset", "maira-2"],
            "MAIRA-2 brings code of its own, which never runs from a shell.",
        ),
    ],
)
def test_a_server_that_can_not_be_asked_is_refused_before_any_film_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["generate", str(a_film(tmp_path)), *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("template", "dialect", "fitting"),
    [
        ("deepmedix-r1", Dialect.DEEPMEDIX, format_completion(["Large heart [1, 2, 3, 4]; clear"], "big")),
        ("json-boxes", Dialect.JSON_BOXES, '[{"bbox_2d": [1, 2, 3, 4], "label": "heart"}]\n\\boxed{big}'),
        ("json-boxes", Dialect.JSON_BOXES, "[]\n\\boxed{clear}"),
    ],
)
def test_a_shape_lets_pass_what_the_dialect_reads(template: str, dialect: Dialect, fitting: str) -> None:
    shape = shape_of(template, dialect=dialect, reasons=dialect is Dialect.DEEPMEDIX)
    assert shape is not None
    assert re.fullmatch(shape.regex, fitting)
    assert shape.fits(fitting)
    assert not shape.fits('{"bbox_2d": [1, 2, 3')
    assert not re.fullmatch(shape.regex, "The heart is large.")
    assert shape_of("prose", dialect=Dialect.PROSE, reasons=False) is None
