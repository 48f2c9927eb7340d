"""Completions made elsewhere are read whole or not at all, and answer like a model."""

import json
from pathlib import Path

import numpy as np
import pytest

from inference.__main__ import main
from inference.engines import (
    Done,
    EngineError,
    Failed,
    GenerationRequest,
    ReplaySettings,
    load_engine,
)
from inference.phantom_dicom import write_phantom_dicom
from inference.recorded import LONGEST_LINE, read_recorded

FILM = np.zeros((624, 512), dtype=np.uint8)


def written(path: Path, *rows: object) -> Path:
    file = path / "recorded.jsonl"
    file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return file


def row(image: str = "a", model: str = "R1", text: str = "big", **fields: object) -> dict[str, object]:
    return {"image": image, "model": model, "text": text, **fields}


def ask(key: str, seed: int = 1) -> GenerationRequest:
    return GenerationRequest(key=key, film=FILM, prompt="?", temperature=1.0, seed=seed, max_new_tokens=9)


def test_a_films_completions_are_its_samples_in_the_files_order(tmp_path: Path) -> None:
    file = written(tmp_path, row(text="one"), row("b"), row(text="two"), "", row(text="ten", seed=10))
    engine = load_engine(ReplaySettings(file=file))
    events = list(engine.generate([ask("a", 1), ask("a", 2), ask("a", 10), ask("a", 3), ask("c")]))
    assert [event.text for event in events if isinstance(event, Done)] == ["one", "two", "ten"]
    assert [event.reason for event in events if isinstance(event, Failed)] == [
        "recorded.jsonl holds no completion by R1 of a with seed 3.",
        "recorded.jsonl holds no completion by R1 of c with seed 1.",
    ]


def test_the_picture_is_the_presets_or_the_one_that_the_file_tells(tmp_path: Path) -> None:
    file = written(tmp_path, row(), row("b", model_size=[300, 200]))
    events = list(load_engine(ReplaySettings(file=file)).generate([ask("a"), ask("b")]))
    assert [event.model_size for event in events if isinstance(event, Done)] == [(448, 560), (300, 200)]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([row(), "{"], "line 2 is no JSON"),
        ([row(), "[" * 100_000], "line 2 is no JSON"),
        (["3"], "line 1 is no object"),
        ([{"image": "a", "model": "R1"}], "line 1 has no text"),
        ([row(" ")], "line 1 has no image"),
        ([row(text=3)], "line 1 has no text"),  # type: ignore[arg-type]
        ([row(patient="x")], "patient is not known"),
        ([row(seed="1")], "seed is no whole number"),
        ([row(seed=True)], "seed is no whole number"),
        ([row(seed=0), row(seed=-1)], "line 2: seed is not from 0 to 9223372036854775807"),
        ([row(seed=2**63)], "line 1: seed is not from 0"),
        ([row(), row(text="a\0b")], r"line 2: text holds the sign NUL \(\\u0000\)\. Take it out"),
        ([row(text="a\ud800b")], "line 1: text holds half of a sign"),
        ([row("a\udfff")], "line 1: image holds half of a sign"),
        ([row(model="R\0")], "line 1: model holds the sign NUL"),
        ([row(), "", row(model="R" * 201)], "line 3: model has over 200 characters"),
        ([row(model_size=[0, 5])], "model_size is no"),
        ([row(model_size=[1e9, 5])], "model_size is no"),
        ([row(), row(seed=1)], "line 2: R1 has a completion of a with seed 1 already"),
        ([""], "holds no completion"),
        (["x" * (LONGEST_LINE + 1)], "has a line of over"),
    ],
)
def test_a_file_with_one_bad_line_is_refused_and_the_line_is_named(
    rows: list[object], sentence: str, tmp_path: Path
) -> None:
    file = written(tmp_path, *rows)
    with pytest.raises(ValueError, match=sentence):
        read_recorded(file)
    with pytest.raises(EngineError, match=sentence):
        load_engine(ReplaySettings(file=file))


def test_the_largest_seed_whole_signs_and_the_longest_name_are_read(tmp_path: Path) -> None:
    (one,) = read_recorded(written(tmp_path, row(model="R" * 200, seed=2**63 - 1, text="\U0001f600")))
    assert (len(one.model), one.seed, one.text) == (200, 2**63 - 1, "\U0001f600")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "recorded.jsonl"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="no text in UTF-8"):
        read_recorded(file)


def test_of_several_models_one_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, row(), row(model="MAIRA-2", text="clear"))
    for model in ("", "other"):
        with pytest.raises(EngineError, match="holds completions of MAIRA-2, R1"):
            load_engine(ReplaySettings(file=file, model=model))
    (done,) = load_engine(ReplaySettings(file=file, model="MAIRA-2")).generate([ask("a")])
    assert isinstance(done, Done)
    assert done.text == "clear"


def test_the_command_reads_them_by_the_models_dialect_into_film_pixels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = tmp_path / "film-1.dcm"
    write_phantom_dicom(film, seed=1, size=100)
    text = "<obj>Effusion.<box><x55><y45><x70><y56></box></obj>"
    file = written(tmp_path, row("film-1", "MAIRA-2", text))
    assert main(["generate", str(film), "--recorded", str(file), "--preset", "maira-2"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["answer"], told["steps"][0]["text"]) == ("Effusion.", "Effusion.")
    assert told["steps"][0]["regions"][0]["box"] == pytest.approx([55.5, 45.5, 70.5, 56.5], abs=0.06)
