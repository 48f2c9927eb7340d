"""Readings survive their file, what is none is named, and a shell makes training data of them."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from rl_feedback.__main__ import main
from rl_feedback.preferences import gather_preferences
from rl_feedback.readings_file import read_readings, write_readings
from rl_feedback.training.examples import TrainingPair, read_examples
from tests.rl_feedback.preferences.test_canonical import some_readings


def test_readings_survive_their_file(tmp_path: Path) -> None:
    path = tmp_path / "readings.jsonl"
    write_readings(path, some_readings())
    assert read_readings(path) == tuple(some_readings())
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    assert len(read_readings(path)) == len(some_readings())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"vote": "left"}, "line 2, is no reading: vote is one of a, b, tie, both_bad, not 'left'"),
        ({"reader": 7}, "reader must be of type str; it is 7"),
        ({"color": "red"}, "the reading has no field color"),
        ({"reader": None}, "reader must be of type str; it is None"),
        ({"completion_a": {}}, "completion_a lacks uid"),
        ({"completion_b": []}, "completion_b must be an object"),
    ],
)
def test_what_is_no_reading_is_named_with_its_line_and_field(tmp_path: Path, change, sentence) -> None:
    path = tmp_path / "readings.jsonl"
    write_readings(path, some_readings())
    lines = path.read_text("utf-8").splitlines()
    lines[1] = json.dumps({**json.loads(lines[1]), **change})
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(ValueError, match=sentence):
        read_readings(path)


def test_a_box_without_four_numbers_is_named(tmp_path: Path) -> None:
    path = tmp_path / "readings.jsonl"
    write_readings(path, some_readings()[:1])
    reading = json.loads(path.read_text("utf-8"))
    reading["completion_a"]["steps"][0]["regions"][0]["box"] = [1, 2, 3]
    path.write_text(json.dumps(reading), "utf-8")
    with pytest.raises(ValueError, match="box must have 4 entries; it has 3"):
        read_readings(path)


def test_a_shell_writes_rows_pairs_and_what_was_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "readings.jsonl", tmp_path / "data"
    learned = [replace(one, patient="patient 1", film="1.dcm") for one in some_readings()]
    write_readings(path, learned)
    assert main(["preferences", "--readings", str(path), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    found = gather_preferences(learned)
    assert found.sha256 in said
    assert hashlib.sha256((out / "rows.jsonl").read_bytes()).hexdigest() == found.sha256
    train = [pair for pair in found.pairs if pair.split == "train"]
    written = read_examples(out, TrainingPair)
    assert {one.film for one in written} == {"1.dcm"}
    assert [(one.chosen, one.prefix) for one in written] == [(pair.chosen, pair.prefix) for pair in train]
    assert len((out / "left_out.jsonl").read_text("utf-8").splitlines()) == len(found.disputes) + len(
        found.left_out
    )
    readers = json.loads((out / "readers.json").read_text("utf-8"))
    assert readers["ratings"]
    assert readers["struck"] == json.loads(json.dumps(found.struck.as_json()))
