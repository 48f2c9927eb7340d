"""How much credit two ratings earn when they are near each other but not the same."""

from __future__ import annotations

import numpy as np

from rl_feedback.agreement.estimate import Floats, Numbers


def agreement_weights(weights: str | Numbers, values: Floats) -> tuple[str, Floats]:
    """The name and the matrix of weights for categories of these ascending values.

    "linear" and "quadratic" go by the distance of values, "ordinal" by order (1 - C(d + 1, 2) / C(q, 2) for
    categories d places apart), "identity" gives credit for equality alone. Gwet (2014), chapter 3.
    Raises ValueError for another name, or a matrix that is no matrix of agreement.

    >>> agreement_weights("linear", np.array([1.0, 2.0, 3.0]))[1].tolist()
    [[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]]
    """
    many = len(values)
    if not isinstance(weights, str):
        return "matrix", _checked(weights, many)
    if weights == "identity" or (many == 1 and weights in ("linear", "quadratic", "ordinal")):
        return weights, np.eye(many)
    apart = np.abs(np.subtract.outer(values, values))
    places = np.abs(np.subtract.outer(np.arange(many), np.arange(many)))
    match weights:
        case "linear":
            return weights, 1 - apart / apart.max()
        case "quadratic":
            return weights, 1 - (apart / apart.max()) ** 2
        case "ordinal":
            return weights, 1 - places * (places + 1) / (many * (many - 1))
    raise ValueError(
        f"weights are linear, quadratic, ordinal, identity or a {many} x {many} matrix; these are"
        f" {weights!r}."
    )


def _checked(weights: Numbers, many: int) -> Floats:
    matrix = np.asarray(weights, dtype=np.float64)
    if matrix.shape != (many, many):
        raise ValueError(
            f"The weights must be {many} x {many}, a row and a column per category; these are"
            f" {' x '.join(map(str, matrix.shape))}."
        )
    if not np.isfinite(matrix).all() or not (np.diag(matrix) == 1).all() or (matrix > 1).any():
        raise ValueError(
            "Weights say how much two ratings agree: 1 on the diagonal and at most 1 elsewhere. Of weights of"
            " disagreement v take 1 - v / v.max()."
        )
    return matrix
