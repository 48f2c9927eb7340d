"""A real DPO run on a real, untrained Qwen2.5-VL: it learns, stops when told, and survives being killed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from inference.engines import EngineSettings, GenerationRequest, load_engine
from inference.phantom_dicom import FilmEncoding, write_phantom_dicom
from inference.phantoms import REPORT_QUERY, draw_phantom, ideal_reasoning
from inference.regions import Preparation
from rl_feedback.checkpoints import is_whole, newest_whole_checkpoint
from rl_feedback.dpo import train_dpo, weighted_order
from rl_feedback.dpo_config import DpoConfig, FilmView, StepFigures, TrainingPair, read_pairs, write_pairs
from tests.factories.models import write_untrained_model

VIEW = FilmView(preparation="square", min_pixels=12544, max_pixels=12544)
NUM_STEPS = 6


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained_model(tmp_path_factory.mktemp("model") / "parent")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three films, on each what is true of it against what is true of the next."""
    folder = tmp_path_factory.mktemp("data")
    pairs = []
    for seed in (11, 12, 13):
        write_phantom_dicom(folder / f"{seed}.dcm", seed=seed, size=128, encoding=FilmEncoding())
        chosen, rejected = (ideal_reasoning(draw_phantom(seed=s).truth) for s in (seed, seed + 1))
        pairs.append(TrainingPair(f"{seed}.dcm", REPORT_QUERY, chosen, rejected, weight=1.0, origin="vote"))
    write_pairs(folder, pairs)
    return folder


def train(
    parent: Path, data: Path, place: Path, *, on_step: Callable[[StepFigures], None] = print, **config: object
) -> Path:
    chosen = {
        "num_steps": NUM_STEPS,
        "pairs_per_step": 3,
        "replay_films_per_step": 2,
        "checkpoint_every": 2,
        "learning_rate": 0.01,
    }
    train_dpo(
        parent=parent,
        data=data,
        pairs=read_pairs(data),
        view=VIEW,
        config=DpoConfig.from_json({**chosen, **config}),
        work=place / "work",
        out=place / "out",
        on_step=on_step,
    )
    return place / "out"


@pytest.fixture(scope="module")
def whole_run(
    parent: Path, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[StepFigures]]:
    """An uninterrupted run: the candidate's folder and each step's figures."""
    seen: list[StepFigures] = []
    return train(parent, data, tmp_path_factory.mktemp("whole"), on_step=seen.append), seen


def test_each_step_is_told_and_the_loss_falls(whole_run: tuple[Path, list[StepFigures]]) -> None:
    _, seen = whole_run
    assert [figures.step for figures in seen] == list(range(1, NUM_STEPS + 1))
    assert {figures.num_steps for figures in seen} == {NUM_STEPS}
    assert seen[-1].loss < seen[0].loss
    assert all(0 <= figures.accuracy <= 1 for figures in seen)


def test_the_candidate_is_a_whole_model_that_the_engine_runs_and_its_weights_moved(
    parent: Path, whole_run: tuple[Path, list[StepFigures]]
) -> None:
    out, _ = whole_run
    assert {path.name for path in out.iterdir()} >= {path.name for path in parent.iterdir()}
    assert not any("lora" in name for name in load_file(out / "model.safetensors"))
    before, after = load_file(parent / "model.safetensors"), load_file(out / "model.safetensors")
    assert before.keys() == after.keys()
    assert any(not before[name].equal(after[name]) for name in before)
    engine = load_engine(
        EngineSettings(folder=out, min_pixels=12544, max_pixels=12544, preparation=Preparation.SQUARE)
    )
    request = GenerationRequest("1", draw_phantom(seed=1).to_uint8(), REPORT_QUERY, 0.0, 0, max_new_tokens=3)
    assert list(engine.generate([request]))[-1].key == "1"


@pytest.mark.parametrize("damage", [None, "cut off", "unsealed"])
def test_a_killed_run_ends_with_the_same_weights_as_one_that_was_not(
    parent: Path,
    data: Path,
    tmp_path: Path,
    whole_run: tuple[Path, list[StepFigures]],
    damage: str | None,
) -> None:
    class Killed(Exception):
        pass

    def kill_in_step_5(figures: StepFigures) -> None:
        if figures.step == 5:
            raise Killed

    with pytest.raises(Killed):
        train(parent, data, tmp_path, on_step=kill_in_step_5)
    assert not (tmp_path / "out").exists()
    last = tmp_path / "work" / "checkpoint-4"
    if damage == "cut off":
        weights = last / "adapter_model.safetensors"
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "unsealed":
        (last / "complete.json").unlink()
    seen: list[StepFigures] = []
    out = train(parent, data, tmp_path, on_step=seen.append)
    assert seen[0].step == (3 if damage else 5)
    whole, figures = whole_run
    assert seen == figures[seen[0].step - 1 :]
    expected, resumed = load_file(whole / "model.safetensors"), load_file(out / "model.safetensors")
    assert all(expected[name].equal(resumed[name]) for name in expected)


def test_a_run_killed_after_its_last_step_only_writes_its_candidate(
    parent: Path, data: Path, tmp_path: Path
) -> None:
    out = train(parent, data, tmp_path, num_steps=2)
    (out / "model.safetensors").unlink()
    seen: list[StepFigures] = []
    train(parent, data, tmp_path, num_steps=2, on_step=seen.append)
    assert seen == []
    assert (out / "model.safetensors").is_file()


def test_replay_teaches_beside_the_pairs(parent: Path, data: Path, tmp_path: Path) -> None:
    with_replay: list[StepFigures] = []
    without: list[StepFigures] = []
    train(parent, data, tmp_path / "with", num_steps=1, on_step=with_replay.append)
    train(parent, data, tmp_path / "without", num_steps=1, replay_films_per_step=0, on_step=without.append)
    assert with_replay[0].loss > without[0].loss + 1
    assert with_replay[0].margin == without[0].margin


def test_nothing_to_learn_from_is_refused(parent: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no pairs"):
        train_dpo(
            parent=parent,
            data=tmp_path,
            pairs=[],
            view=VIEW,
            config=DpoConfig(),
            work=tmp_path / "work",
            out=tmp_path / "out",
            on_step=print,
        )


def test_pairs_are_drawn_as_often_as_they_weigh() -> None:
    order = weighted_order([1.0, 0.5, 0.0, 0.5], num_draws=400, seed=3)
    assert [order.count(index) for index in range(4)] == [200, 100, 0, 100]
    assert order == weighted_order([1.0, 0.5, 0.0, 0.5], num_draws=400, seed=3)
    assert order != weighted_order([1.0, 0.5, 0.0, 0.5], num_draws=400, seed=4)


def test_a_checkpoint_without_its_seal_or_with_a_changed_file_is_not_whole(tmp_path: Path) -> None:
    assert newest_whole_checkpoint(tmp_path) is None
    (tmp_path / "checkpoint-2").mkdir()
    (tmp_path / "checkpoint-2" / "complete.json").write_text(json.dumps({"a.bin": "0"}))
    assert not is_whole(tmp_path / "checkpoint-2")
    assert newest_whole_checkpoint(tmp_path) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_steps", 0),
        ("num_steps", True),
        ("learning_rate", float("nan")),
        ("learning_rate", 5),
        ("beta", -0.1),
        ("replay_site", "third"),
        ("replay_site", "second"),
        ("seed", -1),
        ("pairs_per_step", 2.5),
        ("adapts_vision", 1),
        ("precision", "int8"),
        ("steps", 5),
    ],
)
def test_a_choice_that_cannot_work_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        DpoConfig.from_json({field: value})


def test_a_config_survives_json() -> None:
    config = DpoConfig(num_steps=5, beta=0.2)
    assert DpoConfig.from_json(json.loads(json.dumps(config.as_json()))) == config


def test_a_broken_line_of_pairs_is_named(tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text('{"film": "1.dcm"}\n')
    with pytest.raises(ValueError, match="line 1"):
        read_pairs(tmp_path)
