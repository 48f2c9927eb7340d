"""Which model is how strong, from battles in pairs: Bradley-Terry with intervals and ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from rl_feedback.agreement.estimate import Floats, Integers, check_confidence
from rl_feedback.counting import counted
from rl_feedback.evaluation.arena.columns import Column, Columns, columns_of
from rl_feedback.evaluation.arena.newton import (
    CannotRank,
    anchored,
    groups_of,
    information_of,
    strengths_of,
)
from rl_feedback.evaluation.arena.ranks import rank_intervals, ranks_of
from rl_feedback.evaluation.arena.styled import StyleEffect, style_differences, styled_fit

# So that 400 points are odds of 10 to 1, as in Elo's scale; the mean of all models is 1000.
SCALE = 400 / np.log(10)
MEAN_RATING = 1000.0
# Of a draw in which a model has no win, so that it can be fitted at all.
PRIOR_OF_POOR_DRAWS = 0.5


@dataclass(frozen=True)
class RankedModel:
    """`num_won` counts ties as half."""

    model: Any
    rating: float
    interval: tuple[float, float]
    rank: int
    rank_interval: tuple[int, int]
    num_won: float
    num_battles: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Board:
    """Ratings of `models` with two intervals each: by the sandwich, and by draws where there are any.

    `won[i, j]` is how often model i beat model j, ties as half; `num_battles_of[i, j]` how often they met.
    `prior`: tied battles against an imagined mean model that each model was given; `num_poor_draws`: draws
    that could be fitted only so. `covariance` is of the strengths (ratings / `SCALE`). `note` says what a
    reader of the board should know.
    """

    models: tuple[Any, ...]
    rating: Floats
    sandwich_interval: Floats
    drawn_interval: Floats | None
    rank: Integers
    rank_interval: Integers
    won: Floats
    num_battles_of: Floats
    covariance: Floats
    style: tuple[StyleEffect, ...]
    num_battles: int
    num_ties: int
    num_studies: int | None
    prior: float
    num_draws: int
    num_poor_draws: int
    seed: int
    confidence: float
    note: str

    @property
    def interval(self) -> Floats:
        """By draws where there are any, else by the sandwich."""
        return self.sandwich_interval if self.drawn_interval is None else self.drawn_interval

    def rows(self) -> tuple[RankedModel, ...]:
        """The strongest first."""
        return tuple(
            RankedModel(
                model=self.models[at],
                rating=float(self.rating[at]),
                interval=(float(self.interval[at, 0]), float(self.interval[at, 1])),
                rank=int(self.rank[at]),
                rank_interval=(int(self.rank_interval[at, 0]), int(self.rank_interval[at, 1])),
                num_won=float(self.won[at].sum()),
                num_battles=int(self.num_battles_of[at].sum()),
            )
            for at in np.lexsort((np.arange(len(self.models)), -self.rating)).tolist()
        )

    def chance(self, model: Any, other: Any) -> float:
        """That the first beats the second, ties shared. Raises ValueError for a model without a battle."""
        places = [self.models.index(one) for one in (model, other)]
        return float(scipy.special.expit((self.rating[places[0]] - self.rating[places[1]]) / SCALE))


def bradley_terry(
    left: Column,
    right: Column,
    outcome: Column,
    *,
    study: Column | None = None,
    style: Mapping[str, tuple[Column, Column]] | None = None,
    prior: float = 0.0,
    num_draws: int = 200,
    seed: int = 0,
    confidence: float = 0.95,
) -> Board:
    """Rate models by battles: `left[n]` met `right[n]` and won (`outcome[n]` 1), lost (0) or tied (.5).

    Ratings are 1000 + 400 / ln 10 times the strengths of R. A. Bradley and M. E. Terry (1952), Biometrika 39,
    324-345, a tie counted as half a win for each; 400 points are odds of 10 to 1, the mean is 1000. With
    `study` the battles of one study are taken as one observation in both intervals; without it each battle
    is. `style` tells counts of both texts, by name: the ratings are then those at equal style, each style
    entering as (a - b) / (a + b + 1). With `num_draws=0` the sandwich alone gives the intervals (P. J. Huber
    (1967); W.-L. Chiang et al. (2024), arXiv 2403.04132, 5).

    Raises CannotRank, naming them, where models are not linked by wins in both directions, unless `prior` is
    above 0: then each model is taken to have tied that many battles with an imagined mean model, and the note
    says so. ValueError for columns that are no battles.

    Worked examples: two models, 3 wins of 4, lie 400 log10(3) = 190.85 apart. The seven teams of the 1987
    American League East, A. Agresti, Categorical Data Analysis (2002), 10.6.1: see the tests.

    >>> board = bradley_terry(["x", "x", "x", "y"], ["y", "y", "y", "x"], [1, 1, 1, 1])
    >>> [(row.model, round(row.rating, 2), row.rank) for row in board.rows()]
    [('x', 1095.42, 1), ('y', 904.58, 2)]
    """
    check_confidence(confidence)
    if prior < 0 or not np.isfinite(prior):
        raise ValueError(f"prior is a number of tied battles, 0 or more; this is {prior}.")
    columns = columns_of(left, right, outcome, study)
    counts = columns.counts()
    won = columns.won(counts[None])
    notes = _require_linked(won[0], columns.models, prior)
    rng = np.random.default_rng(seed)
    told = style_differences(style, num_battles=len(columns.left)) if style else np.zeros((0, 0))
    differs = {name: place for place, name in enumerate(style or {}) if told[:, place].any()}
    styles = told[:, list(differs.values())]
    if len(differs) < len(style or {}):
        same = [name for name in style or {} if name not in differs]
        whose = "its effect" if len(same) == 1 else "their effects"
        notes.append(f"No two texts differ in {', '.join(same)}, so nothing is known of {whose}.")
    if not differs:
        strength = strengths_of(won, prior=prior)[0]
        covariance = _sandwich(columns, counts, strength, won[0], prior)
        effects: tuple[StyleEffect, ...] = ()
        draws, num_poor = _drawn(columns, strength, num_draws=num_draws, prior=prior, rng=rng)
    else:
        fitted = styled_fit(columns, styles, prior=prior)
        many = len(columns.models)
        strength, covariance = fitted.strength, fitted.covariance[:many, :many]
        reach = scipy.stats.norm.ppf((1 + confidence) / 2) * np.sqrt(fitted.covariance.diagonal()[many:])
        effects = tuple(
            StyleEffect(name, float(value), (float(value - half), float(value + half)))
            for name, value, half in zip(differs, fitted.effect, reach, strict=True)
        )
        draws, num_poor = _drawn_styled(
            columns, styles, (strength, fitted.effect), num_draws=num_draws, prior=prior, rng=rng
        )
    if num_poor:
        notes.append(
            f"In {num_poor} of {num_draws} draws a model had no win or no loss; these were held to the mean "
            f"by {PRIOR_OF_POOR_DRAWS} tied battles, so the intervals are rather too narrow."
        )
    if columns.study is not None and columns.num_studies < 2:
        notes.append("All battles are of one study: the intervals need more of them.")
    half = scipy.stats.norm.ppf((1 + confidence) / 2) * np.sqrt(np.maximum(covariance.diagonal(), 0))
    by_sandwich = MEAN_RATING + SCALE * np.column_stack([strength - half, strength + half])
    by_draws = None
    if len(draws):
        edges = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
        by_draws = MEAN_RATING + SCALE * edges.T
    return Board(
        models=columns.models,
        rating=MEAN_RATING + SCALE * strength,
        sandwich_interval=by_sandwich,
        drawn_interval=by_draws,
        rank=ranks_of(strength),
        rank_interval=rank_intervals(
            strength, covariance, draws=draws if len(draws) else None, confidence=confidence
        ),
        won=won[0],
        num_battles_of=won[0] + won[0].T,
        covariance=covariance,
        style=effects,
        num_battles=len(columns.left),
        num_ties=int((columns.end == 1).sum()),
        num_studies=None if columns.study is None else columns.num_studies,
        prior=prior,
        num_draws=num_draws,
        num_poor_draws=num_poor,
        seed=seed,
        confidence=confidence,
        note=" ".join(notes),
    )


def _require_linked(won: Floats, models: tuple[Any, ...], prior: float) -> list[str]:
    """What to say of models that wins don't link in both directions. Raises CannotRank without a prior."""
    group = groups_of(won)
    if group.max() == 0:
        said = f"Each model was given {prior:g} tied battles with an imagined mean model." if prior else ""
        return [said] if said else []
    winless = [str(model) for model, wins in zip(models, won.sum(axis=1), strict=True) if not wins]
    unbeaten = [str(model) for model, losses in zip(models, won.sum(axis=0), strict=True) if not losses]
    reasons = []
    if winless:
        reasons.append(f"{', '.join(winless)} won and tied no battle.")
    if unbeaten:
        reasons.append(f"{', '.join(unbeaten)} lost and tied no battle.")
    if not reasons:
        sizes = counted(int(group.max()) + 1, "group")
        reasons.append(f"The models fall into {sizes} that no wins link in both directions.")
    if not prior:
        raise CannotRank(
            f"{' '.join(reasons)} So how far apart they lie is not known. Judge more battles, or set a prior."
        )
    return [
        f"{' '.join(reasons)} How far apart they lie rests on the {prior:g} tied battles with an imagined "
        "mean model that each was given."
    ]


def _drawn(
    columns: Columns, strength: Floats, *, num_draws: int, prior: float, rng: np.random.Generator
) -> tuple[Floats, int]:
    """Strengths of draws (draws x models), and in how many of them a prior had to be set."""
    if not num_draws:
        return np.zeros((0, len(columns.models))), 0
    won = columns.won(columns.drawn_counts(num_draws=num_draws, rng=rng))
    draws = np.empty((num_draws, len(columns.models)))
    poor = np.zeros(num_draws, dtype=bool)
    if not prior:
        poor = np.array([groups_of(one).max() > 0 for one in won])
    if (~poor).any():
        # Newton's error is squared at each step: what is left after one so short is below 1e-8.
        draws[~poor] = strengths_of(won[~poor], prior=prior, start=strength, tolerance=1e-4)
    if poor.any():
        draws[poor] = strengths_of(won[poor], prior=PRIOR_OF_POOR_DRAWS, start=strength, tolerance=1e-4)
    return draws, int(poor.sum())


def _drawn_styled(
    columns: Columns,
    styles: Floats,
    start: tuple[Floats, Floats],
    *,
    num_draws: int,
    prior: float,
    rng: np.random.Generator,
) -> tuple[Floats, int]:
    many, num_poor = len(columns.left), 0
    number = columns.num_studies if columns.study is not None else many
    draws = np.empty((num_draws, len(columns.models)))
    for draw in range(num_draws):
        weight = np.bincount(rng.integers(number, size=number), minlength=number).astype(np.float64)
        weight = weight if columns.study is None else weight[columns.study]
        counts = np.bincount(columns.cell, weight, columns.num_cells)
        is_poor = not prior and groups_of(columns.won(counts[None])[0]).max() > 0
        num_poor += is_poor
        fitted = styled_fit(
            columns, styles, prior=PRIOR_OF_POOR_DRAWS if is_poor else prior, weight=weight, start=start
        )
        draws[draw] = fitted.strength
    return draws, num_poor


def _sandwich(columns: Columns, counts: Integers, strength: Floats, won: Floats, prior: float) -> Floats:
    """The covariance of strengths that holds also where the model does not, by battles or by studies."""
    many = len(strength)
    chance = scipy.special.expit(strength[:, None] - strength[None, :])
    information = information_of(((won + won.T) * chance * (1 - chance))[None])
    against = scipy.special.expit(strength)
    information[0, range(many), range(many)] += prior * against * (1 - against)
    if columns.study is None:
        cells = counts.reshape(many, many, 3)
        squares = cells @ np.ones(3) * chance**2 - chance * (cells @ np.array([0.0, 1.0, 2.0]))
        squares += cells @ np.array([0.0, 0.25, 1.0])
        meat, number = information_of((squares + squares.T)[None])[0], len(columns.left)
    else:
        left_over = columns.end / 2 - chance[columns.left, columns.right]
        number = columns.num_studies
        sums = np.bincount(columns.study * many + columns.left, left_over, number * many)
        sums -= np.bincount(columns.study * many + columns.right, left_over, number * many)
        of_study = sums.reshape(number, many)
        meat = of_study.T @ of_study
    bread = np.linalg.inv(anchored(information, prior=prior)[0])
    centre = np.eye(many) - 1 / many
    covariance: Floats = centre @ bread @ meat @ bread @ centre * (number / max(1, number - 1))
    return covariance


__all__ = ["MEAN_RATING", "SCALE", "Board", "CannotRank", "RankedModel", "bradley_terry"]
