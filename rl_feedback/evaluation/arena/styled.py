"""What battles say of models once the style of their texts is taken out: length, boxes, hedges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy

from rl_feedback.agreement.estimate import Floats
from rl_feedback.evaluation.arena.columns import Column, Columns
from rl_feedback.evaluation.arena.newton import CannotRank, anchored, information_of

# A text twice as long is a style of 1/3; one standard deviation of the belief then moves the log odds by 3.3.
# It keeps the effect finite where a judge never prefers the shorter text.
SPREAD_OF_EFFECT = 10.0
_MOST_STEPS = 200
_TOLERANCE = 1e-8


@dataclass(frozen=True)
class StyleEffect:
    """What style alone does to the log odds of winning: `value` for each unit of (a - b) / (a + b + 1)."""

    name: str
    value: float
    interval: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Styled:
    """`strength` (models), `effect` (styles), and the covariance of both, by the sandwich."""

    strength: Floats
    effect: Floats
    covariance: Floats


def style_differences(style: Mapping[str, tuple[Column, Column]], *, num_battles: int) -> Floats:
    """Battles x styles: (a - b) / (a + b + 1) of the left text's count a and the right one's b. Raises
    ValueError for columns that don't fit, and for what is no count."""
    columns = []
    for name, (of_left, of_right) in style.items():
        a, b = np.asarray(of_left, dtype=np.float64), np.asarray(of_right, dtype=np.float64)
        if a.shape != (num_battles,) or b.shape != (num_battles,):
            raise ValueError(f"{name} must be told of both texts of each of the {num_battles:,} battles.")
        if not (np.isfinite(a).all() and np.isfinite(b).all()) or (a < 0).any() or (b < 0).any():
            raise ValueError(f"{name} is a count: 0 or more.")
        columns.append((a - b) / (a + b + 1))
    return np.column_stack(columns)


def styled_fit(
    columns: Columns,
    styles: Floats,
    *,
    prior: float,
    weight: Floats | None = None,
    start: tuple[Floats, Floats] | None = None,
) -> Styled:
    """Logistic regression on models and styles together, by Newton's method (W.-L. Chiang et al. (2024),
    Chatbot Arena, arXiv 2403.04132; style control as LMArena publishes it). Raises CannotRank where it does
    not settle."""
    many, num_styles = len(columns.models), styles.shape[1]
    won = columns.end / 2
    weight = np.ones(len(won)) if weight is None else weight
    beta, effect = (
        (np.zeros(many), np.zeros(num_styles)) if start is None else (start[0].copy(), start[1].copy())
    )
    for _ in range(_MOST_STEPS):
        chance, information = _information(columns, styles, beta, effect, weight, prior)
        left_over = weight * (won - chance)
        slope = np.concatenate(
            [
                np.bincount(columns.left, left_over, many)
                - np.bincount(columns.right, left_over, many)
                + prior * (0.5 - scipy.special.expit(beta)),
                styles.T @ left_over - effect / SPREAD_OF_EFFECT**2,
            ]
        )
        step = np.linalg.solve(information, slope)
        longest = float(np.abs(step).max())
        step *= min(1.0, 1.0 / max(longest, 1e-300))
        beta, effect = beta + step[:many], effect + step[many:]
        if longest < _TOLERANCE:
            break
    else:
        raise CannotRank("The strengths don't settle beside the style. Set a prior, or leave the style out.")
    chance, information = _information(columns, styles, beta, effect, weight, prior)
    return Styled(
        beta - beta.mean(), effect, _sandwich(columns, styles, weight * (won - chance), information)
    )


def _information(
    columns: Columns, styles: Floats, beta: Floats, effect: Floats, weight: Floats, prior: float
) -> tuple[Floats, Floats]:
    """The chance of each battle for the left one, and the information of strengths and effects together."""
    many = len(beta)
    chance = scipy.special.expit(beta[columns.left] - beta[columns.right] + styles @ effect)
    told = weight * chance * (1 - chance)
    between = np.bincount(columns.left * many + columns.right, told, many**2).astype(np.float64, copy=False)
    between = between.reshape(many, many)
    of_models = information_of((between + between.T)[None])[0]
    against = scipy.special.expit(beta)
    of_models[range(many), range(many)] += prior * against * (1 - against)
    across = np.column_stack(
        [
            np.bincount(columns.left, told * style, many) - np.bincount(columns.right, told * style, many)
            for style in styles.T
        ]
    )
    of_styles = styles.T @ (told[:, None] * styles) + np.eye(styles.shape[1]) / SPREAD_OF_EFFECT**2
    return chance, np.block([[anchored(of_models[None], prior=prior)[0], across], [across.T, of_styles]])


def _sandwich(columns: Columns, styles: Floats, left_over: Floats, information: Floats) -> Floats:
    many, num_styles = len(columns.models), styles.shape[1]
    cluster = np.arange(len(left_over)) if columns.study is None else columns.study
    number = len(left_over) if columns.study is None else columns.num_studies
    rows = scipy.sparse.csr_matrix(
        (
            np.concatenate([left_over, -left_over, (styles * left_over[:, None]).T.ravel()]),
            (
                np.tile(cluster, 2 + num_styles),
                np.concatenate(
                    [
                        columns.left,
                        columns.right,
                        np.repeat(np.arange(many, many + num_styles), len(left_over)),
                    ]
                ),
            ),
        ),
        shape=(number, many + num_styles),
    )
    meat = (rows.T @ rows).toarray() * (number / max(1, number - 1))
    bread = np.linalg.inv(information)
    centre = np.eye(many + num_styles)
    centre[:many, :many] -= 1 / many
    covariance: Floats = centre @ bread @ meat @ bread @ centre.T
    return covariance
