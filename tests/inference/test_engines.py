"""An engine answers each request for itself: by its seed, within its limits, and it can be stopped."""

import shutil
import weakref
from collections.abc import Generator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.engines import (
    Done,
    EngineError,
    EngineSettings,
    Event,
    Failed,
    GenerationRequest,
    ServingEngine,
    Stopped,
    Token,
    folder_sha256,
    load_engine,
)
from inference.engines.sampling import SeededSampling
from inference.engines.transformers_engine import TransformersEngine
from inference.phantoms import draw_phantom
from inference.regions import Preparation
from tests.factories.models import write_untrained_model

AREA = 112 * 112


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def engine(folder: Path) -> ServingEngine:
    return load_engine(settings_for(folder))


def settings_for(folder: Path) -> EngineSettings:
    return EngineSettings(
        folder=folder, min_pixels=AREA, max_pixels=AREA, preparation=Preparation.SQUARE, micro_batch=3
    )


def ask(key: str, *, film_seed: int = 1, width: int = 112, **fields: Any) -> GenerationRequest:
    film = draw_phantom(seed=film_seed, width=width, height=140).to_uint8()
    wanted: dict[str, Any] = {
        "prompt": "What is there?",
        "temperature": 1.0,
        "seed": 1,
        "max_new_tokens": 12,
        **fields,
    }
    return GenerationRequest(key=key, film=film, **wanted)


def results(events: Sequence[Event]) -> dict[str, Done]:
    return {event.key: event for event in events if isinstance(event, Done)}


def test_every_request_of_a_batch_is_answered_and_its_tokens_are_told(engine: ServingEngine) -> None:
    requests = [ask(str(n), seed=n, width=112 + 28 * (n % 2), max_new_tokens=5 + n) for n in range(5)]
    events = list(engine.generate(requests))
    answered = results(events)
    assert set(answered) == {request.key for request in requests}
    for request in requests:
        told = [e.num_tokens for e in events if isinstance(e, Token) and e.key == request.key]
        done = answered[request.key]
        assert told == list(range(1, done.num_tokens + 1))
        assert done.num_tokens <= request.max_new_tokens
        assert done.model_size == (112, 112)
        assert "What is there?" in done.prompt


def test_who_looks_on_is_told_the_text_so_far_and_nobody_else_is(
    engine: ServingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [ask("told", width=140, tells_text=True), ask("not told", seed=2)]

    def told(seconds_between: float) -> dict[str, list[tuple[int, str]]]:
        monkeypatch.setattr("inference.engines.text_so_far.SECONDS_BETWEEN_TEXTS", seconds_between)
        events, found = list(engine.generate(requests)), dict[str, list[tuple[int, str]]]()
        whole = results(events)["told"]
        for event in events:
            if isinstance(event, Token) and event.so_far is not None:
                assert event.so_far.model_size == whole.model_size
                assert whole.text.startswith(event.so_far.text)
                found.setdefault(event.key, []).append((event.num_tokens, event.so_far.text))
        return found

    each = told(0.0)
    assert list(each) == ["told"]
    assert [num_tokens for num_tokens, _ in each["told"]] == list(range(1, 13))
    assert len({text for _, text in each["told"]}) > 6
    # However fast it writes.
    assert [num_tokens for num_tokens, _ in told(3600.0)["told"]] == [1]
    monkeypatch.setattr("inference.engines.text_so_far.MOST_TOLD_TOKENS", 4)
    assert len(told(0.0)["told"]) == 4


def test_a_seed_gives_the_same_text_alone_and_among_others(engine: ServingEngine) -> None:
    alone = results(list(engine.generate([ask("x", seed=5)])))["x"]
    among = results(
        list(engine.generate([ask("x", seed=5), ask("y", seed=6, prompt="And here, on the left?")]))
    )
    assert among["x"].text == alone.text
    assert among["y"].text != alone.text


def test_films_of_several_shapes_share_a_batch_and_each_is_seen_in_its_own(folder: Path) -> None:
    engine = load_engine(EngineSettings(folder=folder, min_pixels=3136, max_pixels=2 * AREA, micro_batch=4))
    requests = [
        ask(str(width), film_seed=width, width=width, prompt="What is there?" * (width // 60))
        for width in (80, 140, 260, 400)
    ]
    together = results(list(engine.generate(requests)))
    assert {done.model_size for done in together.values()} == {(84, 140), (140, 140), (196, 112), (252, 84)}
    for request in requests:
        assert results(list(engine.generate([request])))[request.key].text == together[request.key].text


def test_at_temperature_zero_the_seed_means_nothing(engine: ServingEngine) -> None:
    texts = {
        done.text
        for done in results(
            list(engine.generate([ask(str(n), temperature=0.0, seed=n) for n in (1, 2)]))
        ).values()
    }
    assert len(texts) == 1


def test_sampling_follows_the_models_probabilities() -> None:
    rows = [replace(ask("x"), seed=seed) for seed in range(3)]
    logits = torch.tensor([0.5, 0.3, 0.2, 0.0]).log().repeat(len(rows), 1)
    sampling = SeededSampling(rows, device=torch.device("cpu"))
    drawn = [sampling(torch.zeros(1, 1), logits).argmax(dim=-1).tolist() for _ in range(1500)]
    for row in zip(*drawn, strict=True):
        assert np.bincount(row, minlength=4) / len(row) == pytest.approx([0.5, 0.3, 0.2, 0.0], abs=0.06)


def test_a_closed_iterator_stops_the_model(engine: ServingEngine) -> None:
    events = engine.generate([ask("x", max_new_tokens=900)])
    assert [event.num_tokens for event in islice(events, 3) if isinstance(event, Token)] == [1, 2, 3]
    events.close()
    assert list(events) == []
    assert results(list(engine.generate([ask("y")])))


def test_a_request_that_is_taken_back_ends_alone_and_the_others_go_on(engine: ServingEngine) -> None:
    alone = results(list(engine.generate([ask("x", max_new_tokens=30)])))["x"]
    wanted, events = {"x", "long"}, list[Event]()
    requests = [ask("x", max_new_tokens=30), ask("never"), ask("long", max_new_tokens=900)]
    for event in engine.generate(requests, is_wanted=wanted.__contains__):
        events.append(event)
        if event == Token("long", 3):
            wanted.remove("long")
    assert [event for event in events if isinstance(event, Stopped)] == [Stopped("never"), Stopped("long")]
    assert {event.key for event in events if isinstance(event, Token)} == {"x", "long"}
    done = results(events)
    assert done.keys() == {"x"}
    assert done["x"].text == alone.text


def test_an_answer_is_told_as_soon_as_it_is_there(engine: ServingEngine) -> None:
    events = engine.generate([ask("long", max_new_tokens=900), ask("x", max_new_tokens=5)])
    for event in events:
        if isinstance(event, Done):
            break
    assert event.key == "x"
    following = next(events)
    assert isinstance(following, Token)
    assert (following.key, following.num_tokens < 9) == ("long", True)
    events.close()


def test_a_batch_that_is_too_large_is_halved_and_what_it_answered_is_not_asked_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TransformersEngine(settings_for(folder))
    run, sizes = engine._run, []

    def fill_up(rows: Any, is_wanted: Any) -> Generator[Event]:
        sizes.append(len(rows))
        for event in run(rows, is_wanted):
            yield event
            if isinstance(event, Done) and len(rows) > 1:
                raise torch.OutOfMemoryError

    monkeypatch.setattr(engine, "_run", fill_up)
    events = list(engine.generate([ask(str(n), max_new_tokens=3 + n) for n in range(3)]))
    assert sizes == [3, 1, 1]
    assert sorted(event.key for event in events if isinstance(event, Done)) == ["0", "1", "2"]


def test_what_a_batch_held_is_given_back_before_its_halves_are_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TransformersEngine(settings_for(folder))
    generate = engine._model.generate
    held: list[weakref.ref[torch.Tensor]] = []

    def fill_up(**given: Any) -> Any:
        assert not any(one() is not None for one in held), "tensors of the batch before are kept"
        if len(given["input_ids"]) > 1:
            tensor = torch.zeros(8)
            held.append(weakref.ref(tensor))
            raise torch.OutOfMemoryError
        return generate(**given)

    monkeypatch.setattr(engine._model, "generate", fill_up)
    events = list(engine.generate([ask(str(n), max_new_tokens=3) for n in range(3)]))
    assert len(held) == 2
    assert sorted(event.key for event in events if isinstance(event, Done)) == ["0", "1", "2"]


def test_a_request_past_its_deadline_fails_with_a_sentence(engine: ServingEngine) -> None:
    events = list(engine.generate([ask("late", max_new_tokens=900, deadline_seconds=0.0), ask("x")]))
    assert results(events).keys() == {"x"}
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.reason.startswith("It was stopped after 0 s, before its end.")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"prompt": "What is <|image_pad|>?"}, "reserved for the model"),
        ({"prompt": "why " * 2000}, "Ask a shorter question"),
    ],
)
def test_a_question_that_no_model_can_take_is_refused_and_the_others_are_answered(
    engine: ServingEngine, fields: dict[str, Any], sentence: str
) -> None:
    events = list(engine.generate([ask("bad", **fields), ask("x")]))
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert sentence in failed.reason
    assert "x" in results(events)


def test_the_film_and_the_question_never_outgrow_the_model(engine: ServingEngine) -> None:
    done = results(list(engine.generate([ask("x", prompt="a " * 960, max_new_tokens=4096)])))["x"]
    assert done.ended == "length"


def test_image_placeholders_are_never_sampled(engine: ServingEngine) -> None:
    hot = [ask(str(n), seed=n, temperature=50.0, max_new_tokens=30) for n in range(3)]
    assert len(results(list(engine.generate(hot)))) == 3


def test_a_folder_is_named_by_what_makes_the_model(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    assert folder_sha256(copy) == folder_sha256(folder)
    (copy / "README.md").write_text("a card")
    (copy / "card.json").write_text("{}")
    assert folder_sha256(copy) == folder_sha256(folder)
    (copy / "generation_config.json").write_text("{}")
    assert folder_sha256(copy) != folder_sha256(folder)
    with pytest.raises(EngineError, match="not those that were registered"):
        load_engine(EngineSettings(folder=copy, sha256=folder_sha256(folder)))


def test_an_empty_or_broken_folder_is_refused_with_a_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no model"):
        load_engine(EngineSettings(folder=tmp_path))
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(EngineError, match="could not be read"):
        load_engine(settings_for(copy))


def test_a_model_with_broken_weights_says_so(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    weights = load_file(copy / "model.safetensors")
    save_file(
        {name: weight * float("nan") for name, weight in weights.items()},
        copy / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(EngineError, match="weights are broken"):
        list(load_engine(settings_for(copy)).generate([ask("x")]))


def test_no_model_attends_by_what_is_planned_anew_for_each_length(engine: ServingEngine) -> None:
    assert not torch.backends.cuda.cudnn_sdp_enabled()
