"""Reads XrayBench (Qika/xraybench on Hugging Face), and says whether all of it is there.

The published sizes are known, its columns are not: they were never seen here. So each column is looked for by
the names that such data sets use, may be named outright, and what is missing is told with what was found.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rl_feedback.evaluation.samples import Sample, Task, rows_of

HUB_NAME = "Qika/xraybench"
MIMIC, OPEN_I, CXR_VQA, EXT_VQA = "MIMIC-CXR", "OPEN-I", "CXR-VQA", "Ext-VQA"
# Numbers of samples by set and category (arXiv 2509.03906): 14,213 in all.
SIZES: dict[tuple[str, str], int] = {
    (MIMIC, "findings"): 1906,
    (MIMIC, "impression"): 1927,
    (OPEN_I, "findings"): 329,
    (OPEN_I, "impression"): 385,
    (CXR_VQA, "presence"): 1220,
    (CXR_VQA, "abnormality"): 1170,
    (CXR_VQA, "location"): 622,
    (CXR_VQA, "level"): 607,
    (CXR_VQA, "view"): 600,
    (CXR_VQA, "type"): 447,
    (EXT_VQA, "presence"): 1997,
    (EXT_VQA, "abnormality"): 1089,
    (EXT_VQA, "attribute"): 703,
    (EXT_VQA, "anatomy"): 525,
    (EXT_VQA, "size"): 331,
    (EXT_VQA, "plane"): 189,
    (EXT_VQA, "gender"): 166,
}
REPORT_SETS = (MIMIC, OPEN_I)
# What each column may be called, the likeliest first.
COLUMNS: dict[str, tuple[str, ...]] = {
    "question": ("question", "problem", "prompt", "query", "instruction"),
    "answer": ("answer", "solution", "ground_truth", "reference", "label", "response"),
    "dataset": ("dataset", "source", "data_source", "dataset_name"),
    "category": ("category", "type", "content_type", "question_type", "semantic_type", "task"),
}
# Columns that tell rows of one picture, of which a study may have several.
OF_PICTURE = ("image_id", "image_path")
MAY_BE_THERE: dict[str, tuple[str, ...]] = {
    "id": ("id", "uid", "qid", "sample_id", "question_id"),
    "study": ("study", "study_id", *OF_PICTURE),
    "image": ("images", "image", "image_path"),
}
_PIXELS = ("image", "images")
_SETS = {"mimic": MIMIC, "openi": OPEN_I, "iuxray": OPEN_I, "cxrvqa": CXR_VQA, "extvqa": EXT_VQA}


def read_folder(folder: Path, *, columns: Mapping[str, str] | None = None) -> tuple[Sample, ...]:
    """XrayBench from a folder as the hub's snapshot is laid out: Parquet, JSON lines or JSON files, wherever
    in it. `columns` names a column outright ("answer": "solution"). Raises ValueError, saying what was
    expected and what was found."""
    tables = [(path, list(_rows(path))) for path in files_in(folder)]
    if not any(rows for _, rows in tables):
        raise ValueError(no_rows_in(folder))
    samples: list[Sample] = []
    for path, rows in tables:
        samples += _samples(rows, named=path.stem, columns=columns or {})
    return _all_different(samples)


def files_in(folder: Path) -> list[Path]:
    """The files below a folder that may hold rows, in the order in which they are read."""
    paths = (path for path in folder.rglob("*") if path.suffix in (".parquet", ".jsonl", ".json"))
    return sorted(path for path in paths if path.name != "dataset_infos.json")


def no_rows_in(folder: Path) -> str:
    """What was expected in a folder without rows, and what was found."""
    there = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) if folder.is_dir() else ""
    return (
        f"{folder} holds no rows of XrayBench. Expected .parquet, .jsonl or .json files as `hf download "
        f"--repo-type dataset {HUB_NAME}` writes them; found {there or 'no such folder'}."
    )


def columns_named(options: Iterable[str]) -> dict[str, str]:
    """What `--column` says of columns. Raises ValueError for what is not written so.

    >>> columns_named(["answer=solution"])
    {'answer': 'solution'}
    """
    columns = {}
    for option in options:
        key, _, name = option.partition("=")
        if not key or not name:
            raise ValueError(f"--column is written answer=NAME, not {option}.")
        columns[key] = name
    return columns


def read_hub(*, revision: str = "", columns: Mapping[str, str] | None = None) -> tuple[Sample, ...]:
    """The same from the hub, by `datasets`; where it can't be reached, a ValueError says the way out."""
    import datasets

    try:
        splits = datasets.load_dataset(HUB_NAME, revision=revision or None)
    except Exception as error:  # of the network, the hub and the cache, of many kinds
        raise ValueError(
            f"{HUB_NAME} can't be read from the hub ({type(error).__name__}). Download it where there is a "
            f"network (hf download --repo-type dataset {HUB_NAME}) and name its folder."
        ) from error
    samples: list[Sample] = []
    for split, table in splits.items():
        pictures = [name for name in table.column_names if name in _PIXELS]
        samples += _samples(table.remove_columns(pictures), named=split, columns=columns or {})
    return _all_different(samples)


def deviations(samples: Iterable[Sample]) -> tuple[str, ...]:
    """In what these samples are not the whole published XrayBench, a sentence each; none where all is there.

    >>> deviations([])[0]
    'MIMIC-CXR findings: 0 of 1,906.'
    """
    found = Counter((sample.dataset, sample.category) for sample in samples)
    told = [
        f"{dataset} {category}: {found[dataset, category]:,} of {number:,}."
        for (dataset, category), number in SIZES.items()
        if found[dataset, category] != number
    ]
    return (
        *told,
        *(
            f"{dataset} {category}: {found[dataset, category]:,}, which XrayBench has not."
            for dataset, category in sorted(set(found) - set(SIZES))
        ),
    )


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.suffix == ".jsonl":
        yield from (row for _, row in rows_of(path))
        return
    if path.suffix == ".parquet":
        import pyarrow.parquet

        try:
            file = pyarrow.parquet.ParquetFile(path)
        except pyarrow.ArrowInvalid as error:
            raise ValueError(f"{path.name} is no Parquet file. Download it again.") from error
        # Never the pixels: they are most of the file, and no metric reads them.
        names = [name for name in file.schema_arrow.names if name not in _PIXELS]
        for batch in file.iter_batches(columns=names):
            yield from batch.to_pylist()
        return
    try:
        rows = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is no JSON. Download it again.") from error
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        yield from rows


def _samples(
    rows: Iterable[Mapping[str, Any]], *, named: str, columns: Mapping[str, str]
) -> Iterator[Sample]:
    names: dict[str, str] | None = None
    for number, row in enumerate(rows, start=1):
        if names is None:
            names = columns_in(row, named=named, columns=columns)
        try:
            yield sample_in(row, names, named=named, number=number)
        except ValueError as error:
            raise ValueError(f"{named}, row {number}: {error}") from None


def columns_in(there: Collection[str], *, named: str, columns: Mapping[str, str]) -> dict[str, str]:
    """Which of a file's columns is which; "" for one that may be there and is not. A file may be `named`
    after its set, as mimic_findings is. Raises ValueError, saying what was expected and what was found."""
    if unknown := sorted(set(columns) - set(COLUMNS) - set(MAY_BE_THERE)):
        known = ", ".join(COLUMNS | MAY_BE_THERE)
        raise ValueError(f"{unknown[0]} is no column to name. There are {known}.")
    names = {
        key: next((name for name in wanted if name in there), "")
        for key, wanted in (COLUMNS | MAY_BE_THERE).items()
    }
    names |= columns
    by_file = {"dataset": _set_of(named), "category": _category_of(named)}
    missing = [key for key in COLUMNS if names[key] not in there and not by_file.get(key)]
    if missing:
        expected = "; ".join(f"{key} (as {', '.join(COLUMNS[key])})" for key in missing)
        raise ValueError(
            f"{named} has not the layout of XrayBench. Expected columns for {expected}; found "
            f"{', '.join(sorted(there)) or 'none'}. Name a column with --column {missing[0]}=NAME."
        )
    return names


def sample_in(row: Mapping[str, Any], names: Mapping[str, str], *, named: str, number: int) -> Sample:
    """One row by the `names` of `columns_in`. Raises ValueError where it is none of XrayBench."""
    told = {key: row.get(name) for key, name in names.items() if name in row}
    dataset = _set_of(str(told.get("dataset") or "")) or _set_of(named)
    if not dataset:
        raise ValueError(
            f"{told.get('dataset')!r} is no set of XrayBench. There are {MIMIC}, {OPEN_I}, "
            f"{CXR_VQA}, {EXT_VQA}."
        )
    category = _category_of(str(told.get("category") or "")) or _category_of(named)
    if (dataset, category) not in SIZES:
        known = ", ".join(name for of_set, name in SIZES if of_set == dataset)
        raise ValueError(f"{told.get('category')!r} is no category of {dataset}. There are {known}.")
    answer = told.get("answer")
    if isinstance(answer, list):
        answer = "|".join(map(str, answer))
    if not isinstance(answer, str) or not answer.strip():
        raise ValueError(f"its answer is no text, but {answer!r}.")
    uid = str(told.get("id") if told.get("id") is not None else f"{named}-{number}")
    return Sample(
        uid=uid,
        task=Task.REPORT if dataset in REPORT_SETS else Task.VQA,
        dataset=dataset,
        category=category,
        reference=answer,
        study=str(told.get("study") or uid),
        question=str(told.get("question") or ""),
    )


def _set_of(words: str) -> str:
    """ "mimic_cxr_findings" is of MIMIC-CXR."""
    plain = re.sub(r"[^a-z]", "", words.lower())
    return next((name for sign, name in _SETS.items() if sign in plain), "")


def _category_of(words: str) -> str:
    found = re.findall(r"[a-z]+", words.lower())
    return next((name for _, name in SIZES if name in found or f"{name}s" in found), "")


def _all_different(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    twice = [uid for uid, number in Counter(sample.uid for sample in samples).items() if number > 1]
    if twice:
        raise ValueError(f"{len(twice)} ids stand on several rows of XrayBench, {twice[0]} first.")
    return tuple(samples)
