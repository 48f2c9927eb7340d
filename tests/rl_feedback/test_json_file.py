"""A file that should hold JSON and does not is named, with the status of a wrong command line."""

from pathlib import Path

import pytest

from rl_feedback.__main__ import main


@pytest.mark.parametrize(
    ("text", "said"), [("{", "is no JSON file: "), ("[1]", "must hold one JSON object.")]
)
def test_a_file_of_settings_that_is_no_json_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    file = tmp_path / "run.json"
    file.write_text(text)
    assert main(["compare-rounds", str(file), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith(f"{file} {said}")


def test_a_file_that_is_not_there_is_named_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "nowhere"
    given = ["preferences", "--readings", str(nowhere), "--out", str(tmp_path / "out")]
    assert main(given) == 2
    assert capsys.readouterr().err == f"{nowhere}: No such file or directory\n"
