"""The small model is a true Qwen2.5-VL, can be trained in pieces, and reads films as its card says."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional as F

from inference.canary_films import NOTHING_TO_SAY, draw_without_chest
from inference.phantoms import HELD_OUT_SEEDS, REPORT_QUERY, TRAIN_SEEDS, ideal_reasoning
from inference.qwen_vl import NEVER_SAMPLED, LoadedModel, film_prompt, load_model_and_processor
from rl_feedback.phantom_figures import share_inside
from rl_feedback.small_model import train as training
from rl_feedback.small_model import truth
from rl_feedback.small_model.build import build_model, build_processor
from rl_feedback.small_model.evaluate import (
    LONGEST_COMPLETION_TOKENS,
    describe_films,
    evaluate_on_canaries,
    evaluate_small_model,
    write_card,
)
from rl_feedback.small_model.evaluate_command import SHIPPED_MODEL
from rl_feedback.small_model.films import draw_films, shift_and_brighten
from rl_feedback.small_model.forward import ReportPrompt, one_size_attention, see, to_patches
from rl_feedback.small_model.train import RECIPE, Recipe, train_small_model
from rl_feedback.small_model.truth import CEILING, train_on_truth

TRIAL = replace(RECIPE, num_films=24, num_processes=1)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fresh() -> LoadedModel:
    films = draw_films(range(40))
    processor = build_processor([*(ideal_reasoning(truth) for truth in films.truths), REPORT_QUERY])
    return LoadedModel(model=build_model(processor, seed=3).eval(), processor=processor, suppressed_tokens=())


def as_images(pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> list[Image.Image]:
    return [Image.fromarray(film).convert("RGB") for film in pixels]


def test_the_fast_way_sees_exactly_what_the_published_classes_see(fresh: LoadedModel) -> None:
    pixels = draw_films(range(3)).pixels
    inputs = fresh.processor(text=["<|image_pad|>"] * 3, images=as_images(pixels), return_tensors="pt")
    assert torch.equal(inputs["pixel_values"], to_patches(pixels))
    with torch.inference_mode():
        slow = fresh.model.model.visual(
            inputs["pixel_values"], grid_thw=inputs["image_grid_thw"]
        ).pooler_output
        with one_size_attention(fresh.model):
            fast = see(fresh.model, pixels).flatten(0, 1)
        after = see(fresh.model, pixels).flatten(0, 1)
    assert torch.allclose(slow, fast, atol=1e-5)
    assert torch.equal(slow, after)


def test_the_training_loss_is_the_models_own_loss(fresh: LoadedModel) -> None:
    films = draw_films(range(3))
    tokenizer = fresh.processor.tokenizer
    texts = [ideal_reasoning(truth) for truth in films.truths]
    tokens = [[*tokenizer(text)["input_ids"], tokenizer.eos_token_id] for text in texts]
    with torch.inference_mode():
        prompt = ReportPrompt(fresh.model, fresh.processor)
        ours = prompt.loss(fresh.model, see(fresh.model, films.pixels), tokens)
        losses = []
        for text, image in zip(texts, as_images(films.pixels), strict=True):
            whole = film_prompt(fresh.processor, REPORT_QUERY) + text + "<|im_end|>"
            inputs = fresh.processor(text=[whole], images=[image], return_tensors="pt")
            logits, ids = fresh.model(**inputs).logits[0], inputs["input_ids"][0]
            start = prompt.ids.shape[1]
            losses.append(F.cross_entropy(logits[start - 1 : -1], ids[start:], reduction="none"))
    assert ours.item() == pytest.approx(torch.cat(losses).mean().item(), abs=1e-4)


def test_words_weigh_as_much_more_than_digits_as_a_phase_says(fresh: LoadedModel) -> None:
    films, tokenizer = draw_films(range(2)), fresh.processor.tokenizer
    tokens = [tokenizer(ideal_reasoning(truth))["input_ids"] for truth in films.truths]
    prompt = ReportPrompt(fresh.model, fresh.processor)
    with torch.inference_mode():
        features = see(fresh.model, films.pixels)
        even, words_alone, mixed = (
            prompt.loss(fresh.model, features, tokens, words_weigh=weight).item() for weight in (1, 1e9, 5)
        )
    num_digits = sum(tokenizer.decode([token]).isdigit() for ids in tokens for token in ids)
    num_words = sum(map(len, tokens)) - num_digits
    of_digits = even * (num_digits + num_words) - words_alone * num_words
    due = (of_digits + 5 * words_alone * num_words) / (num_digits + 5 * num_words)
    assert mixed == pytest.approx(due, rel=1e-4)
    assert mixed != pytest.approx(even, rel=1e-4)


def test_every_digit_is_a_token_and_any_text_comes_back_whole(fresh: LoadedModel) -> None:
    tokenizer = fresh.processor.tokenizer
    text = "<think> Größe 1024, π; [10, 2, 112, 7] </think>"
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids) == text
    pieces = [tokenizer.decode([token]) for token in ids]
    assert all(len(piece) == 1 for piece in pieces if any(character.isdigit() for character in piece))


def test_a_moved_film_and_its_moved_truth_stay_together() -> None:
    films = draw_films(range(12))
    pixels, truths = shift_and_brighten(films, np.arange(12), np.random.default_rng(0))
    for row in range(12):
        dx = round(truths[row].heart.x_min - films.truths[row].heart.x_min)
        dy = round(truths[row].heart.y_min - films.truths[row].heart.y_min)
        inside = films.pixels[row, 20:90, 20:90].astype(float)
        moved = pixels[row, 20 + dy : 90 + dy, 20 + dx : 90 + dx].astype(float)
        assert np.corrcoef(inside.ravel(), moved.ravel())[0, 1] > 0.999


def test_a_run_that_was_stopped_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(TRIAL, phases=tuple(replace(p, num_steps=4, batch_size=4) for p in RECIPE.phases))
    whole = train_small_model(tmp_path / "whole", recipe=recipe, checkpoint_every=2)
    write_loss, calls = training.Training.write_loss, []

    def stop_at_the_third(*given: object) -> torch.Tensor:
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return write_loss(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(training.Training, "write_loss", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        train_small_model(tmp_path / "stopped", recipe=recipe, checkpoint_every=2)
    monkeypatch.undo()
    taken_up = train_small_model(tmp_path / "stopped", recipe=recipe, checkpoint_every=2)
    first, second = (load_file(folder / "model.safetensors") for folder in (whole, taken_up))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert {weights.dtype for weights in first.values()} == {torch.bfloat16}


@pytest.mark.parametrize(("before_it", "phase"), [("both", "polish"), ("polish", "sharpen")])
def test_a_saved_model_goes_through_the_late_phases_as_if_nothing_had_lain_between(
    tmp_path: Path, before_it: str, phase: str
) -> None:
    snapshot = tmp_path / "whole" / f"after-{before_it}"
    recipe = replace(TRIAL, phases=tuple(replace(p, num_steps=2, batch_size=4) for p in RECIPE.phases))
    whole = train_small_model(tmp_path / "whole", recipe=recipe)
    polished = train_small_model(tmp_path / "polished", recipe=recipe, start=snapshot, first_phase=phase)
    first, second = (load_file(folder / "model.safetensors") for folder in (whole, polished))
    assert all(torch.equal(first[name], second[name]) for name in first)
    before = load_file(snapshot / "model.safetensors")
    assert not all(torch.equal(first[name], before[name]) for name in first)


def test_a_ceiling_that_was_stopped_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(
        CEILING, num_films=6, num_replayed=4, phase=replace(CEILING.phase, num_steps=4, batch_size=4)
    )

    def ceiling(name: str) -> Path:
        return train_on_truth(
            tmp_path / name, start=SHIPPED_MODEL, site="second", recipe=recipe, checkpoint_every=2
        )

    whole, both_loss, calls = ceiling("whole"), training.Training.both_loss, []

    def stop_at_the_fourth(*given: object) -> torch.Tensor:
        calls.append(given)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return both_loss(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(training.Training, "both_loss", stop_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        ceiling("stopped")
    monkeypatch.undo()
    first, second = (load_file(folder / "model.safetensors") for folder in (whole, ceiling("stopped")))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_ceilings_films_are_both_sites_training_films(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    learned_from = []
    monkeypatch.setattr(truth, "train_phase", lambda run, *_, **__: learned_from.append(run.films))
    recipe = replace(CEILING, num_films=3, num_replayed=2)
    train_on_truth(tmp_path, start=SHIPPED_MODEL, site="second", recipe=recipe)
    second, first = draw_films(TRAIN_SEEDS[:3], site="second"), draw_films(TRAIN_SEEDS[:2])
    assert np.array_equal(learned_from[0].pixels, np.concatenate([second.pixels, first.pixels]))
    assert learned_from[0].truths == second.truths + first.truths


def test_the_shipped_model_can_write_what_it_never_saw() -> None:
    tokenizer = load_model_and_processor(SHIPPED_MODEL).processor.tokenizer
    for film in draw_films(range(60), site="second").truths:
        text = ideal_reasoning(film)
        tokens = tokenizer(text)["input_ids"]
        assert tokenizer.decode(tokens) == text
        assert len(tokens) <= LONGEST_COMPLETION_TOKENS


def test_films_with_what_a_phase_favours_come_more_often_and_most_where_it_hides(tmp_path: Path) -> None:
    films, loaded = draw_films(range(400)), load_model_and_processor(SHIPPED_MODEL)
    run = training.Training(tmp_path, films=films, model=loaded.model, processor=loaded.processor, seed=1)
    nodules = [[lesion for lesion in t.lesions if lesion.kind == "nodule"] for t in films.truths]
    has_nodule = np.array([bool(of_film) for of_film in nodules])
    is_behind_heart = np.array(
        [
            any(share_inside(nodule.region, truth.heart) > 0.5 for nodule in of_film)
            for of_film, truth in zip(nodules, films.truths, strict=True)
        ]
    )
    assert 5 <= is_behind_heart.sum() < has_nodule.sum()
    phase = replace(RECIPE.phases[0], batch_size=4000)

    def shares(favours: tuple[str, ...]) -> tuple[float, float]:
        rows = run.rows(np.random.default_rng(0), replace(phase, favours=favours))
        return float(has_nodule[rows].mean()), float(is_behind_heart[rows].mean())

    plain, behind = has_nodule.mean(), is_behind_heart.mean()
    assert shares(()) == pytest.approx((plain, behind), abs=0.03)
    whole = 1 + 2 * plain + 7 * behind
    assert shares(("nodule",)) == pytest.approx(
        ((3 * plain + 7 * behind) / whole, 10 * behind / whole), abs=0.03
    )


def test_films_without_a_chest_take_the_share_of_a_phase_and_have_nothing_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films, loaded = draw_films(range(40)), load_model_and_processor(SHIPPED_MODEL)
    run = training.Training(tmp_path, films=films, model=loaded.model, processor=loaded.processor, seed=1)
    drawn: list[tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]] = []
    taught: list[str] = []

    def draw(chest: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", *, seed: int) -> object:
        drawn.append((seed, draw_without_chest(chest, seed=seed)))
        return drawn[-1][1]

    def keep(texts: list[str]) -> list[list[int]]:
        taught.extend(texts)
        return [[1]] * len(texts)

    monkeypatch.setattr(training, "draw_without_chest", draw)
    monkeypatch.setattr(run, "tokens_of", keep)
    phase = replace(RECIPE.phases[-1], batch_size=200, without_chest=0.2, favours=())
    with torch.inference_mode():
        run.both_loss(phase, np.random.default_rng(0))
    assert 20 <= len(drawn) <= 60
    assert all(seed in TRAIN_SEEDS for seed, _ in drawn)
    assert taught.count(NOTHING_TO_SAY) == len(drawn)
    assert taught[: len(drawn)] == [NOTHING_TO_SAY] * len(drawn)


def test_words_weigh_in_a_phase_as_it_says(tmp_path: Path) -> None:
    films, loaded = draw_films(range(8)), load_model_and_processor(SHIPPED_MODEL)
    run = training.Training(tmp_path, films=films, model=loaded.model, processor=loaded.processor, seed=1)
    phase = replace(RECIPE.phases[-1], batch_size=8, without_chest=0.0)

    def loss(words_weigh: float) -> float:
        with torch.inference_mode():
            return run.both_loss(replace(phase, words_weigh=words_weigh), np.random.default_rng(0)).item()

    # What this model is unsure of is digits, so the loss falls where words weigh more.
    assert loss(5.0) < 0.6 * loss(1.0)


def test_the_late_phases_show_films_without_a_chest() -> None:
    assert [phase.name for phase in RECIPE.phases if phase.without_chest] == list(training.LATE_PHASES)


def test_the_recipe_is_the_five_phases_on_training_seeds_alone() -> None:
    assert [phase.name for phase in Recipe().phases] == [
        "see",
        "write",
        "both",
        "polish",
        "sharpen",
    ]
    assert Recipe().num_films == 25_000


def test_the_shipped_folder_is_a_small_qwen_that_other_servers_know() -> None:
    assert sum(path.stat().st_size for path in SHIPPED_MODEL.iterdir()) < 5_000_000
    assert json.loads((SHIPPED_MODEL / "config.json").read_text())["model_type"] == "qwen2_5_vl"
    saved = json.loads((SHIPPED_MODEL / "processor_config.json").read_text())
    assert saved["processor_class"] == "Qwen2_5_VLProcessor"
    loaded = load_model_and_processor(SHIPPED_MODEL)
    assert len(loaded.suppressed_tokens) == len(NEVER_SAMPLED)
    assert sum(parameter.numel() for parameter in loaded.model.parameters()) < 5_000_000


def test_the_card_promises_what_its_own_site_must_keep() -> None:
    card = json.loads((SHIPPED_MODEL / "card.json").read_text())
    figures = {name: figure["mean"] for name, figure in card["figures"].items()}
    assert card["n"] == 500
    assert figures["well_formed"] == 1
    assert figures["exact_answer"] >= 0.97
    assert figures["heart_iou"] >= 0.93
    assert figures["lesion_iou"] >= 0.8
    assert figures["lesion_recall"] >= 0.98


def test_the_card_promises_that_nothing_is_cited_where_no_chest_is() -> None:
    canaries = json.loads((SHIPPED_MODEL / "card.json").read_text())["canaries"]
    assert canaries["n"] == 500
    for name in ("blank_cited", "other_part_cited", "shuffled_cited"):
        assert canaries["figures"][name]["mean"] <= 0.05
    assert canaries["figures"]["mirrored_sides"]["mean"] >= 0.9
    assert canaries["figures"]["image_dependence"]["mean"] >= 0.75


def test_the_shipped_model_says_of_films_without_a_chest_that_there_is_none() -> None:
    chest = draw_films(HELD_OUT_SEEDS[3000:3001]).pixels[0]
    films = [Image.fromarray(draw_without_chest(chest, seed=seed)) for seed in HELD_OUT_SEEDS[3000:3060]]
    texts = list(describe_films(load_model_and_processor(SHIPPED_MODEL), films))
    assert texts.count(NOTHING_TO_SAY) >= 58


def test_the_second_site_leaves_about_half_to_learn() -> None:
    second = json.loads((SHIPPED_MODEL / "card.json").read_text())["sites"]["second"]["figures"]
    assert 0.3 <= second["exact_answer"]["mean"] <= 0.6
    assert 0.4 <= second["lesion_recall"]["mean"] <= 0.7


@pytest.mark.parametrize("drawn_px", [112, 448])
def test_the_shipped_model_reads_films_as_its_card_says(drawn_px: int) -> None:
    seeds = HELD_OUT_SEEDS[2000:]
    measured = evaluate_small_model(
        SHIPPED_MODEL, site="first", num_films=60, seeds=seeds, drawn_px=drawn_px
    ).figures
    assert measured["well_formed"].mean >= 0.98
    assert measured["exact_answer"].mean >= 0.9
    assert measured["heart_iou"].mean >= 0.9
    assert measured["lesion_iou"].mean >= 0.7


def test_the_card_holds_every_site_with_its_intervals(tmp_path: Path) -> None:
    sites = [evaluate_small_model(SHIPPED_MODEL, site=site, num_films=4) for site in ("first", "second")]
    write_card(sites, evaluate_on_canaries(SHIPPED_MODEL, num_films=10), tmp_path / "card.json")
    card = json.loads((tmp_path / "card.json").read_text())
    assert set(card["sites"]) == {"first", "second"}
    assert {"blank_cited", "other_part_cited", "shuffled_cited"} < set(card["canaries"]["figures"])
    for figure in (*card["sites"]["second"]["figures"].values(), *card["canaries"]["figures"].values()):
        assert figure["low"] <= figure["mean"] <= figure["high"]


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"There is no model in .*config.json is missing"):
        load_model_and_processor(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(ValueError, match="of type gpt2; this loader reads qwen2_5_vl only"):
        load_model_and_processor(tmp_path)


def test_the_read_me_gives_the_cards_figures() -> None:
    card = json.loads((SHIPPED_MODEL / "card.json").read_text())
    read_me = (SHIPPED_MODEL / "README.md").read_text()
    told = [
        site["figures"][name]
        for site in card["sites"].values()
        for name in ("exact_answer", "lesion_recall", "heart_iou", "lesion_iou")
    ]
    for figure in (*told, *card["canaries"]["figures"].values()):
        assert f"{figure['mean']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]" in read_me
