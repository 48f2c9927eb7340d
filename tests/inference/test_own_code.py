"""Code of a model folder's own runs only where the settings say so, and only what lies in the folder."""

import json
from pathlib import Path
from typing import Any

import pytest

from inference.engines import Done, EngineError, EngineSettings, GenerationRequest, folder_sha256, load_engine
from inference.engines.own_code import code_files, own_classes
from inference.phantoms import draw_phantom
from inference.regions import Preparation
from tests.factories.families import write_tiny_model
from tests.factories.own_code import write_model_with_own_code


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "ran"


@pytest.fixture
def folder(tmp_path: Path, mark: Path) -> Path:
    return write_model_with_own_code(tmp_path / "model", mark=mark)


def settings_for(folder: Path, **fields: Any) -> EngineSettings:
    side = 56 * 56
    return EngineSettings(
        folder=folder, min_pixels=side, max_pixels=side, preparation=Preparation.CROP, device="cpu", **fields
    )


def test_its_code_runs_where_it_is_allowed_and_the_model_answers(folder: Path, mark: Path) -> None:
    engine = load_engine(settings_for(folder, runs_own_code=True, sha256=folder_sha256(folder)))
    assert mark.exists()
    request = GenerationRequest(
        key="x",
        film=draw_phantom(seed=1, width=112, height=140).to_uint8(),
        prompt="What is there?",
        temperature=1.0,
        seed=1,
        max_new_tokens=5,
    )
    (done,) = [event for event in engine.generate([request]) if isinstance(event, Done)]
    assert done.num_tokens > 0
    assert done.model_size == (56, 56)


@pytest.mark.parametrize("model_type", ["own_code", "llava"])
def test_it_does_not_run_where_nobody_says_so(folder: Path, mark: Path, model_type: str) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "model_type": model_type}))
    settings = settings_for(folder, sha256=folder_sha256(folder))
    if model_type == "llava":
        load_engine(settings)
    else:
        with pytest.raises(EngineError, match="holds a model of type own_code"):
            load_engine(settings)
    assert not mark.exists()


def test_it_does_not_run_without_the_sha256_of_what_was_read(folder: Path, mark: Path) -> None:
    with pytest.raises(EngineError, match="only where the sha256 of what was read is named"):
        load_engine(settings_for(folder, runs_own_code=True))
    assert not mark.exists()


@pytest.mark.parametrize("change", ["a file changed", "a file came", "a file went"])
def test_code_that_changed_does_not_run(folder: Path, mark: Path, change: str) -> None:
    sha256 = folder_sha256(folder)
    match change:
        case "a file changed":
            path = folder / "modeling_own.py"
            path.write_text(path.read_text() + "\n")
        case "a file came":
            (folder / "another.py").write_text("")
        case _:
            (folder / "modeling_own.py").unlink()
    with pytest.raises(EngineError, match="are not those that were registered"):
        load_engine(settings_for(folder, runs_own_code=True, sha256=sha256))
    assert not mark.exists()


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("config.json", "other/model--modeling_own.OwnModel"),
        ("config.json", "../outside.OwnModel"),
        ("config.json", "absent.OwnModel"),
        ("config.json", "modeling_own"),
        ("tokenizer_config.json", [None, "other/model--tokens.Own"]),
        ("preprocessor_config.json", "other/model--images.Own"),
    ],
)
def test_code_that_lies_elsewhere_is_neither_fetched_nor_run(
    folder: Path, mark: Path, file: str, named: Any
) -> None:
    path = folder / file
    told = json.loads(path.read_text("utf-8")) if path.exists() else {}
    told.setdefault("auto_map", {})["AutoProcessor"] = named
    path.write_text(json.dumps({"nested": [told], **told} if file == "config.json" else told))
    with pytest.raises(EngineError, match=f"{file} names code that does not lie in the folder"):
        load_engine(settings_for(folder, runs_own_code=True, sha256=folder_sha256(folder)))
    assert not mark.exists()


def test_a_folder_without_code_brings_none(tmp_path: Path) -> None:
    folder = write_tiny_model("llava", tmp_path)
    assert code_files(folder) == []
    with pytest.raises(EngineError, match="brings no code of its own"):
        own_classes(folder)


def test_its_files_are_listed_by_name(folder: Path) -> None:
    (folder / "below").mkdir()
    (folder / "below" / "hidden.py").write_text("")
    assert [file.name for file in code_files(folder)] == ["configuration_own.py", "modeling_own.py"]
    assert code_files(folder)[1].num_bytes == (folder / "modeling_own.py").stat().st_size
