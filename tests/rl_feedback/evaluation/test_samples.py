"""A benchmark of one's own and a model's predictions are read line by line; a bad line is named."""

import json
from pathlib import Path

import pytest

from inference.regions import Box
from rl_feedback.evaluation.samples import read_references, read_system

REPORT = {
    "id": 1,
    "task": "report",
    "answer": "Clear lungs.",
    "boxes": [[0, 0, 50, 50]],
    "image_size": [100, 200],
}
QUESTION = {"id": "q", "task": "vqa", "answer": ["yes", "no"], "category": "presence", "study": "s"}


def written(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    return path


def test_samples_and_predictions_are_matched_by_id(tmp_path: Path) -> None:
    samples = read_references(written(tmp_path / "r.jsonl", REPORT, "", QUESTION))
    assert [sample.uid for sample in samples] == ["1", "q"]
    assert (samples[1].reference, samples[1].study) == ("yes|no", "s")
    found = read_system(
        written(
            tmp_path / "p.jsonl",
            {"id": "q", "text": "yes", "prompt": "Is it?"},
            {"id": "q", "text": "no", "film": "blank"},
            {
                "id": "1",
                "text": "<think> Clear [10, 10, 20, 20] </think> \\boxed{Clear lungs}",
                "box_frame": "norm100",
            },
        ),
        samples,
    )
    first, second = found.own
    assert found.shuffled == (None, None)
    assert first
    assert second
    assert found.blank[1]
    assert (first.answer, first.boxes) == ("Clear lungs", (Box(10, 20, 20, 40),))
    assert (second.answer, found.blank[1].answer, found.name) == ("yes", "no", "p")


def test_a_region_that_a_model_names_in_plain_text_counts(tmp_path: Path) -> None:
    samples = read_references(written(tmp_path / "r.jsonl", REPORT, QUESTION))
    answer = {"id": 1, "text": "An effusion [10, 10, 20, 20].", "box_frame": "norm100"}
    found = read_system(written(tmp_path / "p.jsonl", answer), samples)
    assert found.own[0]
    assert found.own[0].boxes == (Box(10, 20, 20, 40),)


def test_a_preset_says_how_its_model_writes_and_what_it_saw(tmp_path: Path) -> None:
    samples = read_references(written(tmp_path / "r.jsonl", REPORT))
    text = "<think> Clear [14, 14, 28, 28] </think> no answer"
    found = read_system(written(tmp_path / "p.jsonl", {"id": 1, "text": text}), samples, preset="phantom")
    (prediction,) = found.own
    assert prediction
    assert prediction.answer is None
    assert "no_answer" in prediction.problems
    assert prediction.boxes == (Box(12.5, 25.0, 25.0, 50.0),)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("nothing", "line 1 is no JSON"),
        ("[1]", "line 1 is no object"),
        ({**REPORT, "colour": 1}, "colour is not known. There are answer"),
        ({**REPORT, "task": "poem"}, "`task` is one of report, vqa, grounding, not 'poem'"),
        ({**REPORT, "id": " "}, "`id` is missing"),
        ({**REPORT, "answer": ""}, "`answer` is the right text"),
        ({**REPORT, "boxes": [[1, 2, 3]]}, "`boxes` is a list of"),
        ({**REPORT, "image_size": None}, "`image_size` is a width and a height"),
        ({**QUESTION, "options": "ab"}, "`options` is a list of texts"),
        ({"id": 1, "task": "grounding"}, "grounding needs `boxes`"),
    ],
)
def test_a_bad_line_of_the_references_is_named(tmp_path: Path, row: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"r\.jsonl, line 1") as error:
        read_references(written(tmp_path / "r.jsonl", row))
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"id": 1}, "`text` is what the model wrote"),
        ({"id": 1, "text": "a", "film": "grey"}, "`film` is one of own, blank, shuffled, not 'grey'"),
        ({"id": 1, "text": "a", "box_frame": "miles"}, "`box_frame` is one of processed"),
        ({"id": 1, "text": "a", "box_frame": "processed"}, "need `model_size`"),
        ({"id": 7, "text": "a"}, "1 predictions are for no sample of the references, the first for 7"),
        ({"id": 1, "text": "a", "answer": "b"}, "answer is not known"),
    ],
)
def test_a_bad_line_of_the_predictions_is_named(tmp_path: Path, row: object, sentence: str) -> None:
    samples = read_references(written(tmp_path / "r.jsonl", REPORT))
    with pytest.raises(ValueError, match=r"p\.jsonl") as error:
        read_system(written(tmp_path / "p.jsonl", row), samples)
    assert sentence in str(error.value)


def test_nothing_is_read_twice_and_an_empty_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the id 1 stands on an earlier line"):
        read_references(written(tmp_path / "r.jsonl", REPORT, REPORT))
    with pytest.raises(ValueError, match="holds no sample"):
        read_references(written(tmp_path / "r.jsonl", ""))
    samples = read_references(written(tmp_path / "r.jsonl", REPORT))
    line = {"id": 1, "text": "a"}
    with pytest.raises(ValueError, match="there is a prediction for 1 on its own film already"):
        read_system(written(tmp_path / "p.jsonl", line, line), samples)
    with pytest.raises(ValueError, match="holds no prediction"):
        read_system(written(tmp_path / "p.jsonl", ""), samples)
    (tmp_path / "p.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="no text in UTF-8"):
        read_system(tmp_path / "p.jsonl", samples)
