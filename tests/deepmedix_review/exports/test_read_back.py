"""Other people's libraries read the files of an export back, and all formats say the same."""

import json
from pathlib import Path
from typing import Any

import pandas
import pytest
from datasets import load_dataset
from pyarrow import parquet

from deepmedix_review.exports.models import TABULAR, Export
from deepmedix_review.reviews.models import MissedFinding
from tests.deepmedix_review.exports.an_export import a_read_study, done, files_of
from tests.factories.reviews import an_open_reading, complete, say_first, sign

pytestmark = pytest.mark.django_db

WORDS = 'a "quoted" nodule,\nof 5 mm \\ at the left; ünlike\tothers'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An export of everything, unpacked."""
    a_read_study()
    reading = an_open_reading(num_completions=1, asks_first_read=True)
    say_first(reading, impression=WORDS)
    complete(reading)
    MissedFinding.objects.create(reading=reading, completion=reading.completion_a, text=WORDS)
    sign(reading)
    export = done(formats=TABULAR)
    for name, content in files_of(export).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert Export.objects.count() == 1
    return tmp_path


def tables(folder: Path) -> list[Path]:
    """Of each table its Parquet file."""
    found = sorted(folder.rglob("*.parquet"))
    assert len(found) == 10 + 9 + 1
    return found


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_pyarrow_reads_from_parquet_what_the_json_lines_say(folder: Path) -> None:
    for path in tables(folder):
        assert parquet.read_table(path).to_pylist() == lines_of(path.with_suffix(".jsonl")), path.name


def test_pandas_reads_from_csv_what_parquet_has(folder: Path) -> None:
    for path in tables(folder):
        exact = pandas.read_parquet(path)
        read = pandas.read_csv(path.with_suffix(".csv"))
        assert list(read.columns) == list(exact.columns)
        for name in exact.columns:
            if exact[name].dtype.kind in "fib":
                assert read[name].equals(exact[name].astype(read[name].dtype)), (path.name, name)
            else:
                said = read[name].astype(object).where(read[name].notna(), "")
                truth = exact[name].astype(object).where(exact[name].notna(), "")
                if path.stem == "ratings" or all(isinstance(one, str) for one in said):
                    assert said.map(str).tolist() == truth.map(str).tolist(), (path.name, name)


def test_datasets_loads_the_ratings_in_each_format(folder: Path, tmp_path: Path) -> None:
    exact = lines_of(folder / "data" / "ratings.jsonl")
    assert len(exact) > 100
    for kind, ending in (("parquet", "parquet"), ("json", "jsonl"), ("csv", "csv")):
        loaded = load_dataset(
            kind,
            data_files=str(folder / "data" / f"ratings.{ending}"),
            split="train",
            streaming=True,
        )
        rows = list(loaded)
        assert len(rows) == len(exact)
        for name in ("reading", "reader", "criterion", "value", "value_number", "stands", "step", "model"):
            assert [row[name] for row in rows] == [row[name] for row in exact], (kind, name)


def test_words_come_back_as_they_were_written(folder: Path) -> None:
    for name, column in (("first_reads", "impression"), ("missed_findings", "text")):
        path = folder / "data" / name
        assert [row[column] for row in lines_of(path.with_suffix(".jsonl"))] == [WORDS]
        assert parquet.read_table(path.with_suffix(".parquet"))[column].to_pylist() == [WORDS]
        assert pandas.read_csv(path.with_suffix(".csv"))[column].tolist() == [WORDS]


def test_the_frame_of_imrmc_has_its_four_columns(folder: Path) -> None:
    frame = pandas.read_csv(folder / "data" / "imrmc" / "plausibility-v1.csv")
    assert list(frame.columns) == ["readerID", "caseID", "modalityID", "score"]
    assert frame["score"].between(1, 5).all()
    assert not frame.duplicated(["readerID", "caseID", "modalityID"]).any()
