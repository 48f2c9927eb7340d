"""The error covariances of readers' mean ratings, for the analysis of Obuchowski and Rockette where what is
compared is a rating itself and not an area under the ROC curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rl_feedback.agreement.estimate import Floats, Numbers, read_only


@dataclass(frozen=True, kw_only=True, eq=False)
class MeanCovariances:
    """`scores` (treatments x readers, read-only) are means over cases; `variance` and `cov1` to `cov3` as in
    `JackknifeCovariances`, None where no pair is of the kind."""

    scores: Floats
    variance: float
    cov1: float | None
    cov2: float | None
    cov3: float | None
    num_cases: int


def mean_covariances(ratings: Numbers) -> MeanCovariances:
    """Means over cases and their covariances, of `ratings` treatments x readers x cases without a gap.

    The covariance of two means over the same n cases is that of their ratings divided by n, which is what
    leaving out one case after the other gives. Raises ValueError for gaps, wrong shapes or fewer than 2
    cases.

    Source: S. L. Hillis (2014), A marginal-mean ANOVA approach for analyzing multireader multicase
    radiological imaging data, Stat Med 33, 330-360, where any figure of merit, a mean too, is compared so.

    >>> found = mean_covariances([[[1, 2, 3], [2, 2, 5]], [[2, 4, 3], [3, 4, 5]]])
    >>> found.scores.tolist()
    [[2.0, 3.0], [3.0, 4.0]]
    >>> round(found.variance, 4), round(found.cov1, 4), round(found.cov2, 4), round(found.cov3, 4)
    (0.5, 0.3333, 0.3333, 0.1667)
    """
    rated = np.asarray(ratings, dtype=np.float64)
    if rated.ndim != 3:
        raise ValueError(f"ratings must be treatments x readers x cases; they have {rated.ndim} dimensions.")
    if not np.isfinite(rated).all():
        raise ValueError(
            "Every reader needs a rating of every case under every treatment: leave out the rest."
        )
    num_treatments, num_readers, num_cases = rated.shape
    if num_cases < 2:
        raise ValueError(f"At least 2 cases are needed; this is {num_cases}.")
    covariances = np.atleast_2d(np.cov(rated.reshape(-1, num_cases))) / num_cases
    treatment, reader = np.divmod(np.arange(num_treatments * num_readers), num_readers)
    same_treatment = np.equal.outer(treatment, treatment)
    same_reader = np.equal.outer(reader, reader)
    return MeanCovariances(
        scores=read_only(rated.mean(axis=2)),
        variance=float(np.diag(covariances).mean()),
        cov1=_mean(covariances[~same_treatment & same_reader]),
        cov2=_mean(covariances[same_treatment & ~same_reader]),
        cov3=_mean(covariances[~same_treatment & ~same_reader]),
        num_cases=num_cases,
    )


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if values.size else None
