"""Attempts are paid for their steps: the scorer reads by the start model, is recorded, and outlives kills."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from inference.grounding import format_completion, parse_completion
from inference.phantoms import REPORT_QUERY, draw_phantom, ideal_reasoning
from rl_feedback.__main__ import main
from rl_feedback.rewards.trl_functions import trl_grounded_reward
from rl_feedback.steps.reading import StepReader, ensure_step_scorer
from rl_feedback.steps.states import states_at_step_ends
from rl_feedback.training.config import GrpoConfig, SftConfig
from rl_feedback.training.examples import RatedStep, RewardedCase, read_examples, write_examples
from rl_feedback.training.figures import StepFigures
from rl_feedback.training.films import Films
from rl_feedback.training.grpo import scoring
from rl_feedback.training.phantom_data import write_phantom_data
from rl_feedback.training.recipe import STEP_SCORER, Recipe, run_recipe
from rl_feedback.training.view import FilmView
from tests.home import ROOT

SHIPPED = ROOT / "inference" / "shipped_model"
VIEW = FilmView(preparation="square", min_pixels=12544, max_pixels=12544)
NUM_FILMS = 14
QUICK: dict[str, Any] = {"replay_per_step": 0, "checkpoint_every": 1, "sample_every": 0}
ATTEMPTS = GrpoConfig(num_steps=2, examples_per_step=1, num_rollouts=2, max_new_tokens=90, **QUICK)
# The second stage's own parent is not what the scorer reads by.
RECIPE = Recipe((SftConfig(num_steps=1, examples_per_step=1, **QUICK), ATTEMPTS))


class Killed(Exception):
    pass


def ratings(*readers: str) -> list[RatedStep]:
    """On each film what is true of it, and the same with each step's words backwards: as long, and worth
    nothing."""
    found = []
    for seed in range(NUM_FILMS):
        steps = [step.text for step in parse_completion(ideal_reasoning(draw_phantom(seed=seed).truth)).steps]
        backwards = [" ".join(step.split()[::-1]) for step in steps]
        for points, written in ((5, steps), (1, backwards)):
            text = format_completion(written, "x")
            for number in range(len(steps)):
                about = (f"first-{seed}.dcm", REPORT_QUERY, 1.0, "rating", text, number, points)
                found += [RatedStep(*about, reader, f"patient {seed}") for reader in readers]
    return found


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_phantom_data(folder, seeds=range(NUM_FILMS), site="first")
    write_examples(folder, ratings("a", "b"), kind=RatedStep)
    return folder


def run(
    data: Path,
    place: Path,
    *,
    recipe: Recipe = RECIPE,
    on_step: Callable[[StepFigures], None] = print,
    on_rated_text: Callable[[], None] = lambda: None,
) -> Mapping[str, Any]:
    """What the run tells of its scorer."""
    abouts: list[Mapping[str, Any]] = []
    run_recipe(
        recipe,
        parent=SHIPPED,
        data=data,
        view=VIEW,
        work=place / "work",
        out=place / "out",
        on_step=on_step,
        on_begin=abouts.append,
        on_rated_text=on_rated_text,
    )
    return dict(abouts[0]["step_scorer"])


def test_attempts_are_paid_for_their_steps_by_the_start_model_also_after_a_kill(
    data: Path, tmp_path: Path
) -> None:
    seen: list[StepFigures] = []
    about = run(data, tmp_path / "whole", on_step=seen.append)
    assert about["may_be_used"], about["sentence"]
    assert (about["num_readers"], about["num_patients"]) == (2, NUM_FILMS)
    paid = [one.values["reward_steps"] for one in seen if one.stage == 1]
    assert len(paid) == 2
    assert all(0 < value < 1 for value in paid)
    reader = StepReader.of(tmp_path / "whole" / "work" / STEP_SCORER, model=SHIPPED, films=Films(data, VIEW))
    assert not any(weights.requires_grad for weights in reader.loaded.model.parameters())
    with pytest.raises(ValueError, match="trained on another model"):
        StepReader.of(
            tmp_path / "whole" / "work" / STEP_SCORER,
            model=tmp_path / "whole" / "out",
            films=Films(data, VIEW),
        )

    def kill(figures: StepFigures) -> None:
        if figures.step == 3:
            raise Killed

    with pytest.raises(Killed):
        run(data, tmp_path / "killed", on_step=kill)
    again: list[StepFigures] = []
    assert run(data, tmp_path / "killed", on_step=again.append) == {
        **about,
        "seconds": json.loads((tmp_path / "killed" / "work" / STEP_SCORER / "learned.json").read_text())[
            "seconds"
        ],
    }
    assert again[-1].values == seen[-1].values
    whole, resumed = (
        load_file(tmp_path / name / "out" / "model.safetensors") for name in ("whole", "killed")
    )
    assert all(whole[name].equal(resumed[name]) for name in whole)


@pytest.mark.parametrize("readers", [("a",), ()])
def test_a_refused_scorer_gives_its_weight_to_the_other_parts_and_is_recorded(
    data: Path, tmp_path: Path, readers: tuple[str, ...]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for path in data.iterdir():
        if path.name != RatedStep.file:
            (folder / path.name).symlink_to(path)
    if readers:
        write_examples(folder, ratings(*readers), kind=RatedStep)
    seen: list[StepFigures] = []
    about = run(folder, tmp_path, recipe=Recipe((ATTEMPTS,)), on_step=seen.append)
    assert not about["may_be_used"]
    assert about["sentence"].startswith(
        "Not used: one reader alone" if readers else "Not used: no reader rated"
    )
    assert "reward_steps" not in seen[0].values
    assert "reward_answer" in seen[0].values


def test_an_attempt_is_paid_for_its_weakest_step_at_the_lower_bound_of_what_readers_would_give(
    data: Path, tmp_path: Path
) -> None:
    ensure_step_scorer(tmp_path, data=data, model=SHIPPED, view=VIEW, seed=7)
    reader = StepReader.of(tmp_path, model=SHIPPED, films=Films(data, VIEW))
    cases = read_examples(data, RewardedCase)
    texts = [ideal_reasoning(draw_phantom(seed=seed).truth) for seed in range(4)]
    shown = [(case.film, case.prompt, text) for case, text in zip(cases, texts, strict=False)]
    scores = [reader.scorer.score(rows) for rows in states_at_step_ends(reader.loaded, reader.films, shown)]
    assert all((score.lower < score.mean).all() for score in scores)
    told: dict[str, list[Any]] = {}
    rewards = trl_grounded_reward(score_steps=scoring(reader, cases))(
        texts,
        case=list(range(4)),
        answer=[case.answer for case in cases[:4]],
        log_extra=told.__setitem__,
    )
    assert told["steps"] == pytest.approx([score.lower.min() for score in scores])
    without = trl_grounded_reward()(texts, answer=[case.answer for case in cases[:4]])
    assert without == [1.0] * 4
    assert all(paid is not None and paid < 1 for paid in rewards)
    assert scoring(None, cases) is None


def test_training_of_a_scorer_ends_when_it_is_told_to(data: Path, tmp_path: Path) -> None:
    def stop() -> None:
        raise Killed

    with pytest.raises(Killed):
        run(data, tmp_path, on_rated_text=stop)


def test_a_shell_trains_one_says_how_it_was_judged_and_draws_its_calibration(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["step-scorer", *("--data", str(data), "--model", str(SHIPPED), "--out", str(tmp_path / "out"))]
    assert main(given) == 0
    said = capsys.readouterr().out
    assert "by 2 readers of steps of 14 patients" in said
    assert "by place alone" in said
    assert "Used: on " in said
    assert (tmp_path / "out" / "calibration.svg").read_text("utf-8").startswith("<svg")
    with pytest.raises(SystemExit, match="holds a step scorer already"):
        main(given)
