"""From a shell anyone can have a folder of films with the truth beside them."""

import json
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest

from inference.__main__ import COMMANDS, main
from inference.phantoms import DEMO_SEEDS


def test_a_folder_of_films_comes_with_what_is_on_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["phantoms", str(tmp_path / "films"), "--num-films", "2", "--size", "64"]) == 0
    assert "2 films and truth.json are in" in capsys.readouterr().out
    truth = json.loads((tmp_path / "films" / "truth.json").read_text())
    assert [note["seed"] for note in truth.values()] == list(DEMO_SEEDS[:2])
    for name, note in truth.items():
        film = pydicom.dcmread(tmp_path / "films" / name)
        assert (film.Rows, film.BitsStored) == (64, note["bits_stored"])
        assert note["answer"] in note["reasoning"]


def test_a_patient_can_come_with_other_films(tmp_path: Path) -> None:
    argv = ["phantoms", str(tmp_path), "--num-films", "1", "--size", "64", "--with-other-films"]
    assert main(argv) == 0
    films = [pydicom.dcmread(path) for path in sorted(tmp_path.glob("*.dcm"))]
    assert len({film.PatientID for film in films}) == 1
    assert sorted(film.ViewPosition for film in films) == ["AP", "PA", "PA"]
    studies = {film.StudyInstanceUID: film.StudyDate for film in films}
    assert len(studies) == 2
    assert "20250101" in studies.values()


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(name in said for name in COMMANDS)


def test_drawing_and_scoring_films_never_loads_torch() -> None:
    code = (
        "import sys, inference.phantom_dicom, inference.phantom_command, rl_feedback.phantom_figures, "
        "inference.__main__, rl_feedback.__main__; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
