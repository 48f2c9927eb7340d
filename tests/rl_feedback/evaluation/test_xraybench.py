"""XrayBench is read from a folder in whichever of its shapes, and a wrong one is told by what it lacks."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from rl_feedback.evaluation.samples import Sample, Task
from rl_feedback.evaluation.xraybench import SIZES, deviations, read_folder, read_hub
from tests.rl_feedback.evaluation.made_up import rows


def written(path: Path, lines) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", "utf-8")
    return path


def test_the_published_sizes_add_up() -> None:
    by_set: dict[str, int] = {}
    for (dataset, _), number in SIZES.items():
        by_set[dataset] = by_set.get(dataset, 0) + number
    assert by_set == {"MIMIC-CXR": 3833, "OPEN-I": 714, "CXR-VQA": 4665 + 1, "Ext-VQA": 5000}
    assert sum(by_set.values()) == 14213


def test_parquet_json_lines_and_json_are_read_alike(tmp_path: Path) -> None:
    made = list(rows())
    written(tmp_path / "a" / "data" / "test.jsonl", made)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "test.json").write_text(json.dumps(made), "utf-8")
    (tmp_path / "c").mkdir()
    with_pixels = [{**row, "image": {"bytes": b"pixels", "path": "a.png"}} for row in made]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(with_pixels), tmp_path / "c" / "test.parquet")
    first, second, third = (read_folder(tmp_path / name) for name in "abc")
    assert first == second == third
    assert {sample.task for sample in first} == {Task.REPORT, Task.VQA}
    assert len(first) == len(made)


def test_a_file_named_after_its_set_needs_no_columns_for_it_and_a_column_can_be_named(tmp_path: Path) -> None:
    written(tmp_path / "mimic_findings.jsonl", [{"problem": "Write.", "truth": "Clear lungs."}])
    (sample,) = read_folder(tmp_path, columns={"answer": "truth"})
    assert sample == Sample(
        uid="mimic_findings-1",
        task=Task.REPORT,
        dataset="MIMIC-CXR",
        category="findings",
        reference="Clear lungs.",
        study="mimic_findings-1",
        question="Write.",
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"answer": None}, "no text, but None"),
        ({"dataset": "PadChest"}, "'PadChest' is no set of XrayBench. There are MIMIC-CXR, OPEN-I"),
        ({"category": "colour"}, "'colour' is no category of MIMIC-CXR. There are findings, impression"),
    ],
)
def test_a_row_that_is_none_of_its_is_named(tmp_path: Path, change, sentence: str) -> None:
    written(tmp_path / "test.jsonl", [{**next(rows()), **change}])
    with pytest.raises(ValueError, match="test, row 1: ") as error:
        read_folder(tmp_path)
    assert sentence in str(error.value)


def test_another_layout_is_told_with_what_was_expected_and_found(tmp_path: Path) -> None:
    written(tmp_path / "test.jsonl", [{"text": "Clear.", "film": 1}])
    with pytest.raises(ValueError, match=r"Expected columns for question .* found film, text\."):
        read_folder(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"Expected \.parquet, \.jsonl or \.json"):
        read_folder(tmp_path / "empty")
    (tmp_path / "empty" / "a.parquet").write_text("none", "utf-8")
    with pytest.raises(ValueError, match=r"a\.parquet is no Parquet file"):
        read_folder(tmp_path / "empty")
    with pytest.raises(ValueError, match=r"found no such folder"):
        read_folder(tmp_path / "nowhere")
    (tmp_path / "empty" / "a.parquet").unlink()
    with pytest.raises(ValueError, match="colour is no column to name"):
        read_folder(tmp_path, columns={"colour": "a"})


def test_an_id_on_two_rows_is_refused(tmp_path: Path) -> None:
    row = next(rows())
    written(tmp_path / "test.jsonl", [row, row])
    with pytest.raises(ValueError, match="1 ids stand on several rows"):
        read_folder(tmp_path)


def test_the_checksum_tells_what_is_missing_and_what_is_too_much() -> None:
    one = Sample("1", Task.VQA, "CXR-VQA", "view", "PA", "1")
    whole = [
        replace(one, dataset=dataset, category=category)
        for (dataset, category), number in SIZES.items()
        for _ in range(number)
    ]
    assert deviations(whole) == ()
    assert deviations([*whole, replace(one, dataset="own")]) == ("own view: 1, which XrayBench has not.",)
    assert deviations(whole[1:]) == ("MIMIC-CXR findings: 1,905 of 1,906.",)


def test_a_hub_that_cannot_be_reached_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def lost(*_: object, **__: object) -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr(datasets, "load_dataset", lost)
    with pytest.raises(ValueError, match="Download it where there is a network"):
        read_hub()


def test_the_hubs_splits_are_read_without_their_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    made = [{**row, "image": None} for row in rows()]
    table = datasets.Dataset.from_list(made)
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: {"test": table})
    assert len(read_hub()) == len(made)
