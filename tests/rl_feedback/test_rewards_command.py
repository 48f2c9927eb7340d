"""`python -m rl_feedback rewards` scores a file line by line and names the line that can't be scored."""

import json
from pathlib import Path

import pytest

from rl_feedback.__main__ import main
from tests.rl_feedback.rewards.defects import said


def written(folder: Path, *rows: object) -> str:
    path = folder / "completions.jsonl"
    path.write_text(
        "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n\n", "utf-8"
    )
    return str(path)


def test_every_completion_gets_a_line_with_its_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"completion": said("yes"), "answer": "yes", "step_scores": [0.5]}
    assert main(["rewards", "--data", written(tmp_path, row, {**row, "answer": "no"})]) == 0
    first, second = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (first["answer"], second["answer"], first["steps"]) == (1, 0, 0.5)
    assert first["version"] == "grounded-2"
    assert main(["rewards", "--reward", "paper", "--data", written(tmp_path, row)]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == 1.5


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("not json", "Line 2 of .*completions.jsonl"),
        ("[1]", "Line 2 .*`completion`"),
        ({"completion": "a"}, "Line 2 .*`answer`"),
        ({"completion": "a", "answer": "b", "step_scores": [1, 2]}, "Line 2 .*step scores"),
        ({"completion": "a", "answer": "b", "step_scores": "high"}, "Line 2 .*`step_scores`"),
    ],
)
def test_a_line_that_cannot_be_scored_is_named(tmp_path: Path, row: object, sentence: str) -> None:
    with pytest.raises(SystemExit, match=sentence):
        main(["rewards", "--data", written(tmp_path, {"completion": "a", "answer": "b"}, row)])
