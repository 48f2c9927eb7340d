"""Every family of models answers through the same engine, and it is known which picture each one saw."""

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference.devices import Placement
from inference.engines import (
    Done,
    Engine,
    EngineError,
    EngineSettings,
    Failed,
    GenerationRequest,
    Token,
    load_engine,
)
from inference.engines.families import load_family
from inference.engines.image_features import RememberedFeatures
from inference.engines.sampling import SeededSampling
from inference.engines.transformers_engine import TransformersEngine
from inference.phantoms import draw_phantom
from inference.regions import Preparation
from tests.factories.families import FAMILIES, SQUARES, write_tiny_model, write_tiny_text_model


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def engine(folder: Path) -> Engine:
    return load_engine(settings_for(folder))


def family_of(folder: Path) -> str:
    return str(json.loads((folder / "config.json").read_text("utf-8"))["model_type"])


def settings_for(folder: Path, **fields: Any) -> EngineSettings:
    preparation = Preparation.PAD if family_of(folder) in SQUARES else Preparation.ASPECT
    wanted = {"min_pixels": 64 * 64, "max_pixels": 128 * 128, "preparation": preparation, **fields}
    return EngineSettings(folder=folder, micro_batch=3, **wanted)


def ask(key: str, **fields: Any) -> GenerationRequest:
    wanted = {"prompt": "What is there?", "temperature": 1.0, "seed": 1, "max_new_tokens": 8, **fields}
    film = draw_phantom(seed=1, width=112, height=168).to_uint8()
    return GenerationRequest(key=key, film=film, **wanted)


def answers(engine: Engine, *requests: GenerationRequest) -> dict[str, Done]:
    return {event.key: event for event in engine.generate(requests) if isinstance(event, Done)}


def test_a_batch_is_answered_token_by_token_and_the_picture_is_told(folder: Path, engine: Engine) -> None:
    requests = [ask(str(n), seed=n, max_new_tokens=4 + n, prompt="Why? " * (n + 1)) for n in range(5)]
    events = list(engine.generate(requests))
    done = {event.key: event for event in events if isinstance(event, Done)}
    assert set(done) == {request.key for request in requests}
    for request in requests:
        told = [e.num_tokens for e in events if isinstance(e, Token) and e.key == request.key]
        assert told == list(range(1, done[request.key].num_tokens + 1))
        assert request.prompt.strip() in done[request.key].prompt
    # 112 x 168 in its own ratio and in multiples of 32.
    assert {one.model_size for one in done.values()} == {SQUARES.get(family_of(folder), (96, 128))}


def test_a_seed_gives_the_same_text_alone_and_among_others(engine: Engine) -> None:
    alone = answers(engine, ask("x", seed=5))["x"]
    among = answers(engine, ask("x", seed=5), ask("y", seed=6, prompt="And here, on the left side?"))
    assert among["x"].text == alone.text
    assert among["y"].text != alone.text


def test_it_is_stopped_by_closing_by_deadline_and_by_length(engine: Engine) -> None:
    events = engine.generate([ask("x", max_new_tokens=900)])
    assert [event.num_tokens for event in islice(events, 2) if isinstance(event, Token)] == [1, 2]
    events.close()
    (late,) = [
        event for event in engine.generate([ask("x", deadline_seconds=0.0)]) if isinstance(event, Failed)
    ]
    assert late.reason.startswith("It was stopped after 0 s")
    assert answers(engine, ask("x", max_new_tokens=1))["x"].ended in ("length", "stop")


def test_placeholders_can_never_be_drawn(
    folder: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = load_family(settings_for(folder), placement=Placement("cpu", "float32"))
    signs = [token for token in family.tokenizer.get_vocab() if "image" in token]
    tokens = family.tokenizer.convert_tokens_to_ids(signs)
    drawn_from: list[torch.Tensor] = []

    class Watched(SeededSampling):
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            drawn_from.append(scores[:, tokens].exp())
            return super().__call__(input_ids, scores)

    monkeypatch.setattr("inference.engines.transformers_engine.SeededSampling", Watched)
    assert len(answers(engine, ask("x"), ask("y", seed=2))) == 2
    assert drawn_from
    assert all(bool((chances == 0).all()) for chances in drawn_from)


def test_the_familys_own_signs_are_refused_in_a_question_and_line_breaks_are_not(engine: Engine) -> None:
    asked = [ask("bad", prompt="a <image><|image_pad|><image_placeholder><start_of_image> b"), ask("x\n\ny")]
    (failed,) = [event for event in engine.generate(asked) if isinstance(event, Failed)]
    assert (failed.key, "reserved for the model" in failed.reason) == ("bad", True)


def test_the_model_sees_the_very_picture_that_was_prepared(folder: Path) -> None:
    family = load_family(settings_for(folder), placement=Placement("cpu", "float32"))
    picture = family.picture(ask("x").shown_film)
    batch = family.read([picture], [family.chat("What?", has_film=True)])
    seen = batch.get("high_res_pixel_values", batch["pixel_values"]).numpy().reshape(-1)
    shown = np.asarray(picture, dtype=np.float32)
    if family_of(folder) in SQUARES:
        assert seen.size == shown.size
        # Scaled and shifted per colour, and nothing else.
        planes = seen.reshape(3, *shown.shape[:2])
        assert all(np.corrcoef(planes[c].ravel(), shown[..., c].ravel())[0, 1] > 0.9999 for c in range(3))
    else:
        assert batch["image_grid_thw"].tolist() == [[1, picture.height // 16, picture.width // 16]]


@pytest.mark.parametrize("family", SQUARES)
def test_a_film_in_its_own_ratio_is_refused_where_the_model_sees_squares(family: str, tmp_path: Path) -> None:
    folder = write_tiny_model(family, tmp_path)
    with pytest.raises(EngineError, match="Choose the preparation square, crop or pad"):
        load_engine(settings_for(folder, preparation=Preparation.ASPECT))


@pytest.mark.parametrize("preparation", [Preparation.CROP, Preparation.SQUARE, Preparation.PAD])
def test_a_square_is_cut_stretched_or_padded_as_the_version_says(
    preparation: Preparation, tmp_path: Path
) -> None:
    folder = write_tiny_model("gemma3", tmp_path)
    family = load_family(settings_for(folder, preparation=preparation), placement=Placement("cpu", "float32"))
    white = np.full((200, 100), 255, dtype=np.uint8)
    picture = np.asarray(family.picture(white))
    assert picture.shape == (56, 56, 3)
    assert (picture[:, 0].max(), picture[:, 28].min()) == (0 if preparation == "pad" else 255, 255)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            {"model_type": "phi3_v", "auto_map": {"AutoModel": "code.Model"}},
            "a model of type phi3_v. Read here",
        ),
        ({}, "a model of type unknown. Read here are deepseek_vl_hybrid, gemma2, gemma3"),
        ([], "ask it through its endpoint"),
    ],
)
def test_a_model_of_another_family_is_refused_and_its_code_never_runs(
    told: object, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(told))
    (tmp_path / "code.py").write_text("raise SystemExit('ran')")
    with pytest.raises(EngineError, match=sentence):
        load_engine(EngineSettings(folder=tmp_path))


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{{ messages[0]['content'][1]['text'] }}", "leaves no place for the film"),
        ("{{ '<user>' + messages[0]['content'] }}", "can't write this question"),
    ],
)
def test_a_chat_template_that_knows_no_films_is_refused(template: str, sentence: str, tmp_path: Path) -> None:
    folder = write_tiny_model("llava", tmp_path)
    (folder / "chat_template.jinja").write_text(template)
    with pytest.raises(EngineError, match=sentence):
        load_engine(settings_for(folder))


def test_a_model_that_reads_text_is_asked_without_a_film_and_answers_alike_in_any_batch(
    tmp_path: Path,
) -> None:
    engine = load_engine(EngineSettings(folder=write_tiny_text_model(tmp_path), device="cpu"))
    requests = [
        GenerationRequest(key=prompt, film=None, prompt=prompt, temperature=0.7, seed=5, max_new_tokens=6)
        for prompt in ("Which report is better?", "A", "Is the heart large? " * 9)
    ]
    together = {event.key: event for event in engine.generate(requests) if isinstance(event, Done)}
    alone = [event for event in engine.generate(requests[:1]) if isinstance(event, Done)]
    assert set(together) == {request.key for request in requests}
    assert alone[0].text == together[requests[0].key].text
    assert alone[0].prompt == "<user>Which report is better?<model>"
    assert (alone[0].model_size, alone[0].num_prompt_tokens > 0) == ((0, 0), True)


def test_films_for_a_reader_of_texts_are_refused(tmp_path: Path) -> None:
    engine = load_engine(settings_for(write_tiny_text_model(tmp_path)))
    (failed,) = engine.generate([ask("k")])
    assert isinstance(failed, Failed)
    assert "reads text alone and sees no films" in failed.reason


def test_a_reader_of_films_is_asked_by_text_alone_too_beside_films_as_without_them(engine: Engine) -> None:
    texts = [
        GenerationRequest(key=key, film=None, prompt=prompt, temperature=1.0, seed=3, max_new_tokens=6)
        for key, prompt in (("a", "Which is better?"), ("b", "Left or right? " * 5))
    ]
    films = [ask("film"), ask("wide", prompt="Where?")]
    together = answers(engine, texts[0], films[0], texts[1], films[1])
    apart = answers(engine, *texts) | answers(engine, *films)
    assert {key: one.text for key, one in together.items()} == {key: one.text for key, one in apart.items()}
    assert len(together) == 4
    assert together["a"].model_size == (0, 0)
    assert together["a"].num_prompt_tokens < together["wide"].num_prompt_tokens
    assert not any(sign in together["a"].prompt for sign in ("image", "IMG"))


def test_a_text_model_without_a_chat_template_is_refused_with_the_way_out(tmp_path: Path) -> None:
    write_tiny_text_model(tmp_path)
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(EngineError, match="has no chat template"):
        load_engine(EngineSettings(folder=tmp_path))


def test_a_further_question_on_a_film_looks_at_it_once_and_is_answered_the_same(folder: Path) -> None:
    keeping, forgetting = (load_engine(settings_for(folder, feature_bytes=most)) for most in (2**28, 0))
    assert isinstance(keeping, TransformersEngine)
    assert isinstance(forgetting, TransformersEngine)
    other = draw_phantom(seed=2, width=112, height=168).to_uint8()
    asked = [
        ask("first"),
        ask("follow-up", prompt="Where is it?"),
        replace(ask("other film"), film=other),
        ask("again", prompt="How large is it?"),
    ]
    said = [[answers(engine, one)[one.key] for one in asked] for engine in (keeping, forgetting)]
    texts = [[done.text for done in one] for one in said]
    assert texts[0] == texts[1]
    assert [done.is_film_remembered for done in said[0]] == [False, True, False, True]
    assert not any(done.is_film_remembered for done in said[1])
    assert keeping.features is not None
    assert forgetting.features is not None
    assert (keeping.features.num_made, forgetting.features.num_made) == (2, 4)
    assert keeping.features.num_bytes > 0
    assert forgetting.features.num_bytes == 0


def test_what_is_remembered_of_films_is_bounded_in_bytes() -> None:
    class Eye:
        def get_image_features(self, pixels: torch.Tensor, *, scale: float = 1.0) -> torch.Tensor:
            return pixels * scale

    eye = Eye()
    kept = RememberedFeatures(eye, most_bytes=2 * 400)
    one, two, three = (torch.full((100,), float(number)) for number in (1, 2, 3))
    for pixels in (one, two, one, three):
        assert torch.equal(eye.get_image_features(pixels), pixels)
    assert (kept.num_made, kept.num_bytes) == (3, 800)
    # The second was wanted longest ago, so it went.
    eye.get_image_features(one)
    assert (kept.num_made, kept.num_remembered) == (3, 2)
    eye.get_image_features(two)
    assert kept.num_made == 4
    assert torch.equal(eye.get_image_features(one, scale=2.0), one * 2)
    assert torch.equal(eye.get_image_features(torch.ones(500)), torch.ones(500))
    assert kept.num_bytes <= 800
    kept.forget()
    assert kept.num_bytes == 0
