"""A step scorer learns what is true of a film, and is used only where it knows more than length and place."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.phantom_dicom import FilmEncoding, write_phantom_dicom
from inference.phantoms import REPORT_QUERY, draw_phantom, ideal_reasoning
from inference.presets import PRESETS
from inference.qwen_vl import load_model_and_processor
from rl_feedback.steps.judging import Judgement, judge
from rl_feedback.steps.rated import RatedStep, lengths_and_places, step_ends
from rl_feedback.steps.scorer import StepScorer, fit_step_scorer
from rl_feedback.steps.states import states_at_step_ends
from rl_feedback.training.films import Films
from rl_feedback.training.view import FilmView

SHIPPED = Path(__file__).resolve().parents[3] / "inference" / "shipped_model"
NUM_FILMS = 60
States = NDArray[np.float32]


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[RatedStep], States]:
    """On each film what is true of it and what is true of the next one, every step rated for its truth."""
    folder = tmp_path_factory.mktemp("films")
    loaded = load_model_and_processor(SHIPPED)
    films = Films(folder, FilmView.of(PRESETS["phantom"]))
    found: list[RatedStep] = []
    rows: list[States] = []
    for seed in range(500, 500 + NUM_FILMS):
        film = f"{seed}.dcm"
        write_phantom_dicom(folder / film, seed=seed, size=112, encoding=FilmEncoding())
        truth = ideal_reasoning(draw_phantom(seed=seed).truth)
        for text in (truth, ideal_reasoning(draw_phantom(seed=seed + 1).truth)):
            [states] = states_at_step_ends(loaded, films, [(film, REPORT_QUERY, text)])
            begin = 0
            for step, end in enumerate(step_ends(text)):
                is_true = text[begin:end].split("[")[0] in truth
                value = 0.9 if is_true else 0.1
                readers = ("U-1",) if seed % 2 else ("U-2",)
                found.append(RatedStep(film, REPORT_QUERY, text, step, value, 1.0, readers, str(seed)))
                begin = end + 1
            rows.append(states)
    return found, np.concatenate(rows)


def judged(rated: list[RatedStep], states: States, value_of: Callable[[RatedStep], float]) -> Judgement:
    """Learned from the first three quarters of the films, judged on the others."""
    learned = np.array([int(one.patient) < 500 + NUM_FILMS * 3 // 4 for one in rated])
    values = np.array([value_of(one) for one in rated])
    scorer = fit_step_scorer(
        states[learned],
        values[learned].tolist(),
        [one.weight for one, is_in in zip(rated, learned, strict=True) if is_in],
        [one.patient for one, is_in in zip(rated, learned, strict=True) if is_in],
        parent_sha256="x",
        seed=1,
    )
    by_name = dict(zip(("length", "place"), map(np.array, lengths_and_places(rated)), strict=True))
    held_out = [one for one, is_in in zip(rated, learned, strict=True) if not is_in]
    return judge(
        scores=scorer.score(states[~learned]).mean.tolist(),
        ratings=values[~learned].tolist(),
        weights=[one.weight for one in held_out],
        cases=[one.patient for one in held_out],
        baselines={name: (x[learned], values[learned], x[~learned]) for name, x in by_name.items()},
    )


def test_what_is_true_of_a_film_is_learned_beyond_length_and_place(
    rated: tuple[list[RatedStep], States],
) -> None:
    found = judged(*rated, lambda one: one.value)
    assert found.may_be_used
    assert found.error < 0.75 * min(found.baseline_errors.values())
    assert found.sentence.startswith("Used: on ")
    ratings = [part.rating for part in found.calibration]
    assert ratings[-1] - ratings[0] > 0.4
    assert sum(part.num_steps for part in found.calibration) == found.num_steps


@pytest.mark.parametrize("what", ["chance", "length"])
def test_a_scorer_that_knows_no_more_than_a_baseline_is_not_used(
    rated: tuple[list[RatedStep], States], what: str
) -> None:
    rng = np.random.default_rng(3)
    lengths, _ = lengths_and_places(rated[0])
    longest = max(lengths)
    by_length = {id(one): length / longest for one, length in zip(rated[0], lengths, strict=True)}
    value_of = (lambda one: float(rng.random())) if what == "chance" else (lambda one: by_length[id(one)])
    found = judged(*rated, value_of)
    assert not found.may_be_used
    assert "Not used" in found.sentence


def test_the_lower_bound_lies_lower_where_the_scorer_has_seen_nothing_alike(
    rated: tuple[list[RatedStep], States], tmp_path: Path
) -> None:
    found, states = rated
    scorer = fit_step_scorer(
        states,
        [one.value for one in found],
        [1.0] * len(found),
        [one.patient for one in found],
        parent_sha256="x",
        seed=1,
    )
    known = scorer.score(states)
    strange = scorer.score(states + 20 * scorer.scale.astype(np.float32))
    assert np.all((known.lower <= known.mean) & (known.lower >= 0) & (known.mean <= 1))
    assert np.mean(known.mean - known.lower) < 0.2
    assert np.all(strange.lower == 0)
    scorer.save(tmp_path)
    again = StepScorer.load(tmp_path).score(states)
    assert np.array_equal(again.lower, known.lower)
    with pytest.raises(ValueError, match="another model"):
        scorer.score(states[:, :-1])


def test_steps_of_too_few_cases_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 5 cases; there are 1"):
        fit_step_scorer(
            np.zeros((3, 4), np.float32), [0, 1, 0], [1, 1, 1], ["a"] * 3, parent_sha256="", seed=1
        )
