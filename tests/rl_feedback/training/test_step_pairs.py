"""Of two steps after the same beginning nothing but the steps is learned."""

import json
from pathlib import Path

import pytest

from inference.phantom_dicom import FilmEncoding, write_phantom_dicom
from inference.phantoms import REPORT_QUERY, draw_phantom, ideal_reasoning
from inference.qwen_vl import load_model_and_processor
from rl_feedback.training.config import DpoConfig
from rl_feedback.training.dpo import FilmPairs
from rl_feedback.training.examples import TrainingPair, read_examples, write_examples
from rl_feedback.training.figures import StepFigures
from rl_feedback.training.films import Films
from rl_feedback.training.running import train_stage
from rl_feedback.training.view import FilmView
from tests.factories.models import write_untrained_model

VIEW = FilmView(preparation="square", min_pixels=12544, max_pixels=12544)
STEP = TrainingPair(
    "11.dcm",
    REPORT_QUERY,
    1.0,
    "step",
    chosen="Both lungs are clear",
    rejected="There is a left effusion",
    prefix="<think> The heart size is normal with [30, 50, 80, 90]; ",
)


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_untrained_model(tmp_path_factory.mktemp("model") / "parent")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with one step pair."""
    folder = tmp_path_factory.mktemp("data")
    write_phantom_dicom(folder / "11.dcm", seed=11, size=128, encoding=FilmEncoding())
    write_examples(folder, [STEP], kind=TrainingPair)
    return folder


def test_neither_the_beginning_nor_an_end_after_the_step_is_learned(parent: Path, data: Path) -> None:
    processor = load_model_and_processor(parent).processor
    true, false = (ideal_reasoning(draw_phantom(seed=seed).truth) for seed in (11, 12))
    whole = TrainingPair("11.dcm", REPORT_QUERY, 1.0, "vote", chosen=true, rejected=false)
    collate = FilmPairs(processor, pairs=[STEP, whole], films=Films(data, VIEW))
    batch = collate.torch_call([{"example": 0}, {"example": 1}])
    learned = [
        processor.tokenizer.decode(tokens[mask == 1])
        for tokens, mask in zip(batch["input_ids"], batch["completion_mask"], strict=True)
    ]
    ends_text = processor.tokenizer.eos_token
    of_step, of_whole = learned[0::2], learned[1::2]
    assert [text.strip() for text in of_step] == [STEP.chosen, STEP.rejected]
    assert [text.startswith(known) for text, known in zip(of_whole, (true, false), strict=True)] == [True] * 2
    assert all(ends_text in text for text in of_whole)


def test_a_run_learns_which_step_is_the_better_one(parent: Path, data: Path, tmp_path: Path) -> None:
    seen: list[StepFigures] = []
    train_stage(
        DpoConfig(num_steps=8, examples_per_step=2, replay_per_step=0, learning_rate=0.01, loss="sigmoid"),
        parent=parent,
        data=data,
        view=VIEW,
        work=tmp_path / "work",
        out=tmp_path / "out",
        on_step=seen.append,
    )
    assert seen[-1].values["loss"] < seen[0].values["loss"]
    assert seen[-1].values["margin"] > 0


def test_pairs_survive_their_file_and_files_without_beginnings_can_still_be_read(tmp_path: Path) -> None:
    whole = TrainingPair("2.dcm", "q", 0.5, "vote", "a", "b")
    write_examples(tmp_path, [STEP, whole], kind=TrainingPair)
    assert read_examples(tmp_path, TrainingPair) == (STEP, whole)
    path = tmp_path / TrainingPair.file
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    del rows[1]["prefix"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert read_examples(tmp_path, TrainingPair) == (STEP, whole)
