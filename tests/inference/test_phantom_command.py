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
