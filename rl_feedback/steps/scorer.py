"""Scores a reasoning step as readers would: a small ensemble on what the model knows at the step's end.

Each member is a ridge regression on its own bootstrap draw of the cases, fitted exactly: three hundred rated
steps are too few for more, and nothing has to be stopped early. The spread of the members says how far a
score can be trusted; a reward takes the lower bound, so that a model gains nothing where the scorer guesses.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

Numbers = NDArray[np.float64]

NUM_MEMBERS = 5
PENALTIES = (1.0, 10.0, 100.0, 1000.0, 10_000.0)
NUM_FOLDS = 5
# The lower end of a one-sided 95 % interval.
LOWER_SPREADS = 1.645


@dataclass(frozen=True)
class StepScores:
    """One number a step, in [0, 1]: what readers would say on the mean, and what they would say at least."""

    mean: Numbers
    lower: Numbers


@dataclass(frozen=True)
class StepScorer:
    """`weights` is members x (numbers of a state + 1), the last column the constant; states are scaled by
    `center` and `scale` first. `noise` is the spread of ratings that the states leave unexplained.
    `reach` is how far from the mean 99 % of the states learned from lie: whatever lies further has its lower
    bound lowered by how much further, for there the members agree on what none of them knows."""

    center: Numbers
    scale: Numbers
    weights: Numbers
    noise: float
    reach: float
    penalty: float
    parent_sha256: str

    def score(self, states: NDArray[np.float32]) -> StepScores:
        """`states`: one row a step, as `states_at_step_ends` of the same model gives them."""
        if states.ndim != 2 or states.shape[1] != len(self.center):
            raise ValueError(
                f"This scorer reads states of {len(self.center)} numbers, not of {states.shape[-1]}: "
                "it was trained on another model."
            )
        scaled = (states - self.center) / self.scale
        said = _with_constant(scaled) @ self.weights.T
        mean, spread = np.clip(said.mean(axis=1), 0, 1), said.std(axis=1, ddof=1)
        beyond = np.maximum(0, _distance(scaled) / self.reach - 1)
        return StepScores(mean, np.clip(mean - LOWER_SPREADS * spread - beyond, 0, 1))

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {"center": self.center, "scale": self.scale, "weights": self.weights}
        save_file(arrays, folder / "step_scorer.safetensors")
        card = {
            "noise": self.noise,
            "reach": self.reach,
            "penalty": self.penalty,
            "parent_sha256": self.parent_sha256,
        }
        (folder / "step_scorer.json").write_text(json.dumps(card, sort_keys=True), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> StepScorer:
        arrays = load_file(folder / "step_scorer.safetensors")
        card = json.loads((folder / "step_scorer.json").read_text("utf-8"))
        return cls(
            center=arrays["center"],
            scale=arrays["scale"],
            weights=arrays["weights"],
            noise=card["noise"],
            reach=card["reach"],
            penalty=card["penalty"],
            parent_sha256=card["parent_sha256"],
        )


def fit_step_scorer(
    states: NDArray[np.float32],
    values: Sequence[float],
    weights: Sequence[float],
    cases: Sequence[str],
    *,
    parent_sha256: str,
    seed: int,
) -> StepScorer:
    """Learn from rated steps; steps of one case stay together in every draw and fold.

    The penalty is the one with the least squared error over folds of cases. Raises ValueError where fewer
    cases were rated than there are folds.
    """
    names, case = np.unique(np.asarray(cases), return_inverse=True)
    if len(names) < NUM_FOLDS:
        raise ValueError(
            f"A step scorer needs rated steps of at least {NUM_FOLDS} cases; there are {len(names)}."
        )
    rng = np.random.default_rng(seed)
    x = states.astype(np.float64)
    y, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    center, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    scaled = _with_constant((x - center) / scale)
    fold = rng.permutation(len(names))[case] % NUM_FOLDS
    errors = {penalty: _error(scaled, y, w, fold, penalty) for penalty in PENALTIES}
    penalty = min(errors, key=lambda one: errors[one])
    members = []
    for _ in range(NUM_MEMBERS):
        counts = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        members.append(_ridge(scaled, y, w * counts[case], penalty))
    return StepScorer(
        center=center,
        scale=scale,
        weights=np.stack(members),
        noise=float(np.sqrt(errors[penalty])),
        reach=float(np.percentile(_distance(scaled[:, :-1]), 99)),
        penalty=penalty,
        parent_sha256=parent_sha256,
    )


def _error(x: Numbers, y: Numbers, w: Numbers, fold: NDArray[np.int64], penalty: float) -> float:
    """Weighted squared error on cases that were not learned from."""
    missed = np.empty_like(y)
    for held_out in range(NUM_FOLDS):
        out = fold == held_out
        missed[out] = y[out] - x[out] @ _ridge(x[~out], y[~out], w[~out], penalty)
    return float(np.average(missed**2, weights=w))


def _ridge(x: Numbers, y: Numbers, w: Numbers, penalty: float) -> Numbers:
    """Weighted ridge regression (Hoerl and Kennard 1970); the constant in the last column is not shrunk.

    Solved among the steps or among the numbers of a state, of whichever there are fewer.
    """
    used = w > 0
    x, y, w = x[used, :-1], y[used], w[used]
    x_mean, y_mean = np.average(x, axis=0, weights=w), np.average(y, weights=w)
    centered = x - x_mean
    if len(x) <= x.shape[1]:
        pulled = np.linalg.solve(centered @ centered.T + np.diag(penalty / w), y - y_mean)
        slopes: Numbers = np.asarray(centered.T @ pulled, dtype=np.float64)
    else:
        weighted = centered.T * w
        shrunk = weighted @ centered + penalty * np.eye(x.shape[1])
        slopes = np.asarray(np.linalg.solve(shrunk, weighted @ (y - y_mean)), dtype=np.float64)
    return np.append(slopes, y_mean - x_mean @ slopes)


def _with_constant(x: Numbers) -> Numbers:
    return np.hstack([x, np.ones((len(x), 1))])


def _distance(scaled: Numbers) -> Numbers:
    """Of each state from the mean, as the root mean square over its numbers."""
    distance: Numbers = np.sqrt(np.mean(scaled**2, axis=1))
    return distance
