"""What Croissant says of a shared folder is what its files hold, and no word of a person is markup in it."""

import hashlib
import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rl_feedback.__main__ import main
from rl_feedback.hugging_face import SUBSETS
from tests.croissants import records_of, validated
from tests.factories.shared_folder import NUM_FILMS, USE


def as_arrow_has_it(folder: Path, subset: str) -> list[dict[str, Any]]:
    """Rows of all splits in the order of their files; pictures as their size and pixels."""
    from pyarrow import parquet

    found = []
    for path in sorted((folder / subset).glob("*.parquet")):
        for row in parquet.read_table(path).to_pylist():
            pictures = [Image.open(io.BytesIO(image["bytes"])) for image in row["images"]]
            row["images"] = [(picture.size, picture.tobytes()) for picture in pictures]
            found.append({"split": path.name.partition("-")[0], **row})
    return found


def test_mlcroissant_reads_of_every_subset_what_its_files_hold(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    described = validated(folder)
    assert records_of(described, "splits") == [
        {"name": "train", "url": "cr:TrainingSplit"},
        {"name": "validation", "url": "cr:ValidationSplit"},
    ]
    num_read = 0
    for subset in SUBSETS:
        expected = as_arrow_has_it(folder, subset.name)
        for row in expected:
            # It knows no list that is null, but one whose parts are.
            if "regions" in row and row["regions"] is None:
                row["regions"] = [{"finding": None, "box": None, "tolerance": None}]
        read = records_of(described, subset.name)
        assert read == expected, subset.name
        num_read += len(read)
    assert num_read == NUM_FILMS * 5 + 2 + 3
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


def test_croissant_says_what_is_known_of_the_folder_and_the_sha256_of_each_file(folder: Path) -> None:
    told = json.loads((folder / "croissant.json").read_text("utf-8"))
    assert told["conformsTo"] == [
        "http://mlcommons.org/croissant/1.1",
        "http://mlcommons.org/croissant/RAI/1.0",
    ]
    assert told["name"] == "Round [1]: # first"
    assert [work["description"] for work in told["license"]] == [USE]
    assert told["datePublished"] == "2026-11-29"
    assert told["url"].startswith("urn:uuid:")
    assert "title = {Round [1]: \\# first}" in told["citeAs"]
    assert told["rai:dataUseCases"] == [USE]
    assert told["rai:annotationsPerItem"] == f"Of steps: {2 * NUM_FILMS} items by 2 readers."
    assert told["rai:annotatorDemographics"] == ["Steps were rated by 2 readers."]
    # Nobody said who publishes it.
    assert "creator" not in told
    files = {one["@id"]: one["sha256"] for one in told["distribution"] if one["@type"] == "cr:FileObject"}
    lie_there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(files) == lie_there - {"croissant.json", "manifest.json"}
    for name, sha256 in files.items():
        assert sha256 == hashlib.sha256((folder / name).read_bytes()).hexdigest()


HOSTILE = '}}, note = {x} \\" {"@id": "http://evil"} <script> \u202e\x00 ${jndi} https://a.b _:b0 @language'


def test_whatever_a_title_or_a_sentence_holds_is_words_in_croissant(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "out"
    told = ("--title", HOSTILE, "--use", HOSTILE, "--made-by", HOSTILE, "--as-of", "2026-11-29")
    assert main(["hugging-face", "--data", str(data), "--out", str(out), *told]) == 0
    described = validated(out)
    metadata = described.metadata
    assert metadata.name == HOSTILE
    assert [work.description for work in metadata.license] == [HOSTILE]
    assert metadata.data_use_cases == [HOSTILE]
    assert [one.name for one in metadata.creators] == [HOSTILE]
    # The title ends where its brace does, and opens no field of its own.
    assert metadata.cite_as.count("note = {x}") == 0
    assert len(records_of(described, "preference")) == NUM_FILMS
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]
