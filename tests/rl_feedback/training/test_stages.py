"""Real runs of every stage on a real, untrained Qwen2.5-VL: it learns, stops when told, survives a kill."""

import math
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel

from inference.engines import EngineSettings, GenerationRequest, load_engine
from inference.phantom_dicom import FilmEncoding, write_phantom_dicom
from inference.phantoms import REPORT_QUERY, draw_phantom, ideal_reasoning
from inference.regions import Preparation
from rl_feedback.rewards.truth import phantom_case
from rl_feedback.training.checkpoints import CheckpointFailed, is_whole
from rl_feedback.training.config import CONFIGS
from rl_feedback.training.examples import (
    JudgedText,
    KeptText,
    RewardedCase,
    SampledFilm,
    TaughtText,
    TrainingPair,
    write_examples,
)
from rl_feedback.training.figures import StepFigures, TakenSample
from rl_feedback.training.running import train_stage
from rl_feedback.training.view import FilmView
from tests.factories.models import write_untrained_model

VIEW = FilmView(preparation="square", min_pixels=12544, max_pixels=12544)
OTHER_QUERY = "Which findings does this radiograph show?"
NUM_STEPS = 6
KINDS = tuple(CONFIGS)
QUICK = {
    "num_steps": NUM_STEPS,
    "examples_per_step": 3,
    "replay_per_step": 2,
    "checkpoint_every": 2,
    "learning_rate": 0.01,
    "sample_every": 4,
    "sample_tokens": 5,
}
# Gentler: an untrained model that is rewarded for chance jumps at ten times this rate.
QUICK_ATTEMPTS = {"examples_per_step": 2, "num_rollouts": 3, "max_new_tokens": 8, "learning_rate": 0.003}
OF_KIND: dict[str, dict[str, Any]] = {"grpo": QUICK_ATTEMPTS, "dpo": {"loss": "sigmoid"}}


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained_model(tmp_path_factory.mktemp("model") / "parent")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three films, on each what is true of it and what is true of the next. One is asked something longer, so
    that prompts of two lengths stand side by side in a step."""
    folder = tmp_path_factory.mktemp("data")
    examples: dict[type, list[Any]] = {
        kind: [] for kind in (TrainingPair, TaughtText, KeptText, JudgedText, RewardedCase, SampledFilm)
    }
    write_phantom_dicom(folder / "14.dcm", seed=14, size=128, encoding=FilmEncoding())
    examples[SampledFilm].append(SampledFilm("14.dcm", REPORT_QUERY, 1.0, "phantom"))
    for seed in (11, 12, 13):
        write_phantom_dicom(folder / f"{seed}.dcm", seed=seed, size=128, encoding=FilmEncoding())
        true, false = (ideal_reasoning(draw_phantom(seed=s).truth) for s in (seed, seed + 1))
        about: dict[str, Any] = {
            "film": f"{seed}.dcm",
            "prompt": OTHER_QUERY if seed == 12 else REPORT_QUERY,
            "weight": 1.0,
            "origin": "vote",
        }
        examples[TrainingPair].append(TrainingPair(**about, chosen=true, rejected=false))
        examples[TaughtText].append(TaughtText(**about, text=true))
        examples[KeptText].append(KeptText(**about, text=true))
        examples[JudgedText] += [
            JudgedText(**about, text=true, is_good=True),
            JudgedText(**about, text=false, is_good=False),
        ]
        truth = phantom_case(draw_phantom(seed=seed).truth)
        examples[RewardedCase].append(RewardedCase.of(truth, **about))
    for kind, rows in examples.items():
        write_examples(folder, rows, kind=kind)
    return folder


def train(
    kind: str,
    parent: Path,
    data: Path,
    place: Path,
    *,
    on_step: Callable[[StepFigures], None] = print,
    on_sample: Callable[[TakenSample], None] | None = None,
    **choices: object,
) -> Path:
    quick = QUICK | OF_KIND.get(kind, {})
    train_stage(
        CONFIGS[kind].from_json({**quick, **choices}),
        parent=parent,
        data=data,
        view=VIEW,
        work=place / "work",
        out=place / "out",
        on_step=on_step,
        on_sample=on_sample,
    )
    return place / "out"


# Of these kinds all weights learn, of the others adapters.
ALL_WEIGHTS = ("kto", "grpo")


def weights_of(kind: str) -> dict[str, Any]:
    return {"lora_rank": 0} if kind in ALL_WEIGHTS else {}


def test_attempts_at_questions_of_different_lengths_see_their_films(
    parent: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A film's tokens are counted in rows and columns, words in a row: the marks say which are which."""
    counted = Qwen2_5_VLModel.get_rope_index
    num_padded = 0

    def look(model: Any, input_ids: Any, mm_token_type_ids: Any, **more: Any) -> Any:
        nonlocal num_padded
        assert mm_token_type_ids.eq(1).equal(input_ids.eq(model.config.image_token_id))
        num_padded += int(more["attention_mask"][:, 0].eq(0).sum())
        return counted(model, input_ids, mm_token_type_ids, **more)

    monkeypatch.setattr(Qwen2_5_VLModel, "get_rope_index", look)
    train("grpo", parent, data, tmp_path, num_steps=2, examples_per_step=3)
    assert num_padded


WholeRun = tuple[str, Path, list[StepFigures], list[TakenSample]]


@pytest.fixture(scope="module", params=KINDS)
def whole_run(
    request: pytest.FixtureRequest, parent: Path, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> WholeRun:
    """An uninterrupted run: its kind, the candidate's folder, each step's figures and the samples."""
    seen: list[StepFigures] = []
    samples: list[TakenSample] = []
    kind, place = str(request.param), tmp_path_factory.mktemp(str(request.param))
    out = train(kind, parent, data, place, on_step=seen.append, on_sample=samples.append, **weights_of(kind))
    return kind, out, seen, samples


# Examples of a step, and of one part of it: more or fewer parts than the two texts that are replayed.
IN_PARTS = {"sft": (3, 1), "dpo": (3, 1), "kto": (4, 2), "grpo": (2, 3)}
# TRL takes the mean of the parts' means over words, where a whole step takes one mean over all words.
CLOSE = {"sft": 1e-2, "dpo": 1e-2, "kto": 1e-5, "grpo": 1e-5}


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_in_parts_that_keeps_no_values_learns_what_a_whole_one_does(
    kind: str, parent: Path, data: Path, tmp_path: Path
) -> None:
    per_step, at_once = IN_PARTS[kind]
    seen: list[StepFigures] = []
    in_parts: dict[str, Any] = {"examples_at_once": at_once, "recomputes": True}
    for name, choices in (("whole", {}), ("parts", in_parts)):
        train(
            kind,
            parent,
            data,
            tmp_path / name,
            on_step=seen.append,
            num_steps=1,
            examples_per_step=per_step,
            **choices,
        )
    whole, parts = (dict(one.values) for one in seen)
    for name in ("loss", "gradient_norm", "replay_loss"):
        assert parts[name] == pytest.approx(whole[name], rel=CLOSE[kind]), name


def values_of(figures: list[StepFigures]) -> list[tuple[int, dict[str, float]]]:
    """Without what differs from one run to the next: time and memory."""
    return [(one.step, dict(one.values)) for one in figures]


def test_each_step_is_told_and_what_is_replayed_is_learned(whole_run: WholeRun) -> None:
    kind, _, seen, _ = whole_run
    assert [figures.step for figures in seen] == list(range(1, NUM_STEPS + 1))
    assert {figures.num_steps for figures in seen} == {NUM_STEPS}
    assert seen[-1].values["replay_loss"] < seen[0].values["replay_loss"]
    assert all(figures.seconds > 0 and figures.memory_mb > 0 for figures in seen)
    told = {"sft": "token_accuracy", "dpo": "margin", "kto": "kl", "grpo": "reward"}
    assert all(told[kind] in figures.values for figures in seen)


def test_the_candidate_is_a_whole_model_that_the_engine_runs_and_its_weights_moved(
    parent: Path, whole_run: WholeRun
) -> None:
    _, out, _, _ = whole_run
    assert {path.name for path in out.iterdir()} >= {path.name for path in parent.iterdir()}
    before, after = load_file(parent / "model.safetensors"), load_file(out / "model.safetensors")
    assert before.keys() == after.keys()
    moved = {name for name in before if not before[name].equal(after[name])}
    assert moved
    assert not any("visual" in name for name in moved)
    engine = load_engine(
        EngineSettings(folder=out, min_pixels=12544, max_pixels=12544, preparation=Preparation.SQUARE)
    )
    request = GenerationRequest("1", draw_phantom(seed=1).to_uint8(), REPORT_QUERY, 0.0, 0, max_new_tokens=3)
    assert list(engine.generate([request]))[-1].key == "1"


def test_a_killed_run_ends_with_the_same_weights_as_one_that_was_not(
    parent: Path, data: Path, tmp_path: Path, whole_run: WholeRun
) -> None:
    kind, whole, figures, samples = whole_run

    def kill_in_step_5(told: StepFigures) -> None:
        if told.step == 5:
            raise Killed

    with pytest.raises(Killed):
        train(kind, parent, data, tmp_path, on_step=kill_in_step_5, **weights_of(kind))
    assert not (tmp_path / "out").exists()
    last, before = (tmp_path / "work" / f"checkpoint-{step}" for step in (4, 2))
    # A checkpoint whose file was cut off, or that was never sealed, gives way to the one before.
    if kind in ("sft", "kto"):
        weights = last / ("model.safetensors" if kind in ALL_WEIGHTS else "adapter_model.safetensors")
        weights.write_bytes(weights.read_bytes()[:1000])
    elif kind == "dpo":
        (last / "complete.json").unlink()
    falls_back = kind != "grpo"
    assert is_whole(before)
    assert is_whole(last) != falls_back
    seen: list[StepFigures] = []
    again: list[TakenSample] = []
    out = train(kind, parent, data, tmp_path, on_step=seen.append, on_sample=again.append, **weights_of(kind))
    # The first part was not sampled: what is written meanwhile changes nothing of what is learned.
    assert again == [sample for sample in samples if sample.step >= seen[0].step]
    assert seen[0].step == (3 if falls_back else 5)
    assert values_of(seen) == values_of(figures[seen[0].step - 1 :])
    expected, resumed = load_file(whole / "model.safetensors"), load_file(out / "model.safetensors")
    assert all(expected[name].equal(resumed[name]) for name in expected)


def test_the_model_writes_of_a_film_that_it_does_not_learn_from_before_meanwhile_and_after(
    whole_run: WholeRun,
) -> None:
    kind, _, _, samples = whole_run
    held_out = [sample for sample in samples if sample.kind == "held_out"]
    assert [(sample.step, sample.film) for sample in held_out] == [
        (0, "14.dcm"),
        (4, "14.dcm"),
        (6, "14.dcm"),
    ]
    assert {sample.model_size for sample in held_out} == {(112, 112)}
    assert held_out[0].text != held_out[-1].text
    attempts = [sample for sample in samples if sample.kind != "held_out"]
    assert [(sample.step, sample.kind) for sample in attempts] == (
        [(4, "best"), (4, "worst"), (6, "best"), (6, "worst")] if kind == "grpo" else []
    )
    for best, worst in zip(attempts[::2], attempts[1::2], strict=True):
        assert best.film == worst.film in {"11.dcm", "12.dcm", "13.dcm"}
        assert best.reward is not None
        assert worst.reward is not None
        assert best.reward >= worst.reward
        assert {"format", "answer"} <= set(best.parts)


@pytest.mark.parametrize("kind", KINDS)
def test_all_weights_can_be_trained_instead_of_adapters(
    parent: Path, data: Path, tmp_path: Path, kind: str
) -> None:
    out = train(kind, parent, data, tmp_path, num_steps=2, lora_rank=0, adapts_vision=True)
    before, after = load_file(parent / "model.safetensors"), load_file(out / "model.safetensors")
    moved = {name for name in before if not before[name].equal(after[name])}
    assert any("visual" in name for name in moved)
    assert any("visual" not in name for name in moved)


def test_a_disk_that_is_full_at_a_checkpoint_costs_no_more_than_the_steps_since_the_last(
    parent: Path, data: Path, tmp_path: Path
) -> None:
    most = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_the_disk(told: StepFigures) -> None:
        if told.step == 3:
            # To a process a full disk looks as this limit does: writing fails.
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, most[1]))

    try:
        with pytest.raises(CheckpointFailed, match="checkpoint of step 4 could not be written"):
            train("sft", parent, data, tmp_path, on_step=fill_the_disk)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    seen: list[StepFigures] = []
    train("sft", parent, data, tmp_path, on_step=seen.append)
    assert [figures.step for figures in seen] == [3, 4, 5, 6]


def test_a_run_killed_after_its_last_step_only_writes_its_candidate(
    parent: Path, data: Path, tmp_path: Path
) -> None:
    out = train("sft", parent, data, tmp_path, num_steps=2)
    (out / "model.safetensors").unlink()
    seen: list[StepFigures] = []
    train("sft", parent, data, tmp_path, num_steps=2, on_step=seen.append)
    assert seen == []
    assert (out / "model.safetensors").is_file()


@pytest.mark.parametrize("source", ["drawn", "kept"])
def test_replay_teaches_beside_the_examples(parent: Path, data: Path, tmp_path: Path, source: str) -> None:
    with_replay: list[StepFigures] = []
    without: list[StepFigures] = []
    train("dpo", parent, data, tmp_path / "1", num_steps=1, replay_from=source, on_step=with_replay.append)
    train("dpo", parent, data, tmp_path / "2", num_steps=1, replay_per_step=0, on_step=without.append)
    assert with_replay[0].values["loss"] > without[0].values["loss"] + 1
    assert with_replay[0].values["margin"] == without[0].values["margin"]
    assert "replay_loss" not in without[0].values


@pytest.mark.parametrize(
    ("choices", "before_anything_is_learned"),
    [
        # (0 - 1 / (2 beta))^2 of Azar et al., and log 2 of Chowdhury et al. whatever the share of flips.
        ({"loss": "ipo", "beta": 0.5}, 1.0),
        ({"loss": "robust", "flip_share": 0.2}, math.log(2)),
    ],
)
def test_a_loss_for_readers_who_agree_little_begins_where_its_paper_says_and_is_learned_by(
    parent: Path, data: Path, tmp_path: Path, choices: dict[str, Any], before_anything_is_learned: float
) -> None:
    seen: list[StepFigures] = []
    alone: dict[str, Any] = {"sft_weight": 0.0, "replay_per_step": 0, "sample_every": 0, "num_steps": 4}
    out = train("dpo", parent, data, tmp_path, on_step=seen.append, **alone, **choices)
    losses = [figures.values["loss"] for figures in seen]
    assert losses[0] == pytest.approx(before_anything_is_learned, abs=1e-4)
    assert losses[-1] < losses[0]
    assert seen[-1].values["margin"] > 0
    before, after = load_file(parent / "model.safetensors"), load_file(out / "model.safetensors")
    assert any(not before[name].equal(after[name]) for name in before)


def test_a_loss_that_is_still_to_be_chosen_trains_nothing(parent: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="loss must be chosen before the run"):
        train("dpo", parent, data, tmp_path, loss="automatic")


def test_only_examples_of_the_chosen_origins_are_learned_from(
    parent: Path, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="None of the pairs has the origin step; there are vote"):
        train("dpo", parent, data, tmp_path, origins=["step"])


def test_a_run_that_diverges_says_so(parent: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="diverged"):
        train(
            "sft",
            parent,
            data,
            tmp_path,
            lora_rank=0,
            learning_rate=0.1,
            num_steps=60,
            precision="float32",
            replay_weight=1e38,
        )


def test_a_film_that_is_gone_is_said_without_its_path(parent: Path, tmp_path: Path) -> None:
    text = TaughtText("1.2.3.dcm", REPORT_QUERY, 1.0, "phantom", "x")
    write_examples(tmp_path / "data", [text], kind=TaughtText)
    with pytest.raises(ValueError, match="A film of the data set is missing") as refusal:
        train("sft", parent, tmp_path / "data", tmp_path)
    assert "1.2.3" not in str(refusal.value)
