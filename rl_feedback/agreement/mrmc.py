"""Do readers do better with one treatment than with another, on all readers and all cases there could be:
the multi-reader multi-case analysis of Obuchowski and Rockette."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from rl_feedback.agreement.estimate import Estimate, Floats, Numbers, check_confidence, read_only, table_of


@dataclass(frozen=True)
class TreatmentDifference:
    """Mean over readers of treatment `first` minus that of `second` (rows of the table), with its t test."""

    first: int
    second: int
    difference: float
    standard_error: float
    p: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class MrmcComparison(Estimate):
    """`value`, also called `difference`, is the mean of the first treatment minus that of the second, with
    `standard_error`, `p` and `interval`; `comparisons` holds every pair. `f` and `p_of_f` test all treatments
    at once on `num_treatments` - 1 and `degrees_of_freedom` (Hillis'; infinite where readers do not vary)."""

    standard_error: float
    degrees_of_freedom: float | None
    p: float | None
    comparisons: tuple[TreatmentDifference, ...]
    f: float | None
    p_of_f: float | None
    means: tuple[float, ...]
    mean_square_treatments: float
    mean_square_interaction: float
    cov2: float
    cov3: float
    num_treatments: int
    num_readers: int

    @property
    def difference(self) -> float:
        assert self.value is not None
        return self.value


@dataclass(frozen=True, kw_only=True, eq=False)
class JackknifeCovariances:
    """`scores` (treatments x readers, read-only) are areas under the ROC curve; the error variance and
    covariances are means over the pairs that share the reader (`cov1`), the treatment (`cov2`), or neither
    (`cov3`). A covariance without such a pair (one reader, or one treatment) is None."""

    scores: Floats
    variance: float
    cov1: float | None
    cov2: float | None
    cov3: float | None
    num_positive_cases: int
    num_negative_cases: int


def mrmc_or(scores: Numbers, cov2: float, cov3: float, *, confidence: float = 0.95) -> MrmcComparison:
    """Compare treatments on `scores`, treatments x readers, one figure of merit each (such as the area under
    the ROC curve); readers and cases both count as random.

    `cov2` and `cov3` are the error covariances within and across treatments of different readers, from
    `jackknife_covariances`; where cov2 < cov3 their difference counts as 0. Raises ValueError for gaps, or
    fewer than 2 treatments or readers. Where neither readers nor cases vary, p and interval are None.

    Sources: N. A. Obuchowski and H. E. Rockette (1995), Commun Stat Simul 24, 285-308; degrees of freedom:
    S. L. Hillis (2007), Stat Med 26, 596-619. The study of Van Dyke et al. (1993), 5 readers, spin echo
    against cine MRI, 114 cases, as printed by OR-DBM MRMC 2.51: difference -.04380, standard error .02075,
    degrees of freedom 15.26, p .0517, interval -.08796 to .00036.

    >>> spin_echo = [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066]
    >>> cine = [0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169]
    >>> found = mrmc_or([spin_echo, cine], cov2=0.00034407, cov3=0.00023903)
    >>> round(found.difference, 5), round(found.degrees_of_freedom, 2), round(found.p, 4)
    (-0.0438, 15.26, 0.0517)
    """
    check_confidence(confidence)
    table = table_of(scores, called="scores", shape="treatments x readers")
    num_treatments, num_readers = table.shape
    if np.isnan(table).any():
        raise ValueError("Every reader needs a score for every treatment: leave out readers with a gap.")
    if num_treatments < 2 or num_readers < 2:
        raise ValueError(
            f"A comparison needs at least 2 treatments (rows) and 2 readers (columns); these are"
            f" {num_treatments} and {num_readers}."
        )
    if not np.isfinite([cov2, cov3]).all():
        raise ValueError("cov2 and cov3 must be finite: take them from jackknife_covariances.")
    means = table.mean(axis=1)
    of_readers = table.mean(axis=0) - table.mean()
    residual = table - means[:, None] - of_readers[None, :]
    treatments = num_readers * float(means.var(ddof=1))
    of_interaction = (num_treatments - 1) * (num_readers - 1)
    interaction = float((residual**2).sum()) / of_interaction
    if interaction < 1e-30:
        interaction = 0.0
    error = interaction + num_readers * max(cov2 - cov3, 0.0)
    standard_error = float(np.sqrt(2 / num_readers * error))
    freedom: float | None = None
    if error > 0:
        freedom = error**2 / (interaction**2 / of_interaction) if interaction > 0 else float("inf")
    pairs = tuple(
        _difference(means, first, second, standard_error, freedom, confidence)
        for first, second in combinations(range(num_treatments), 2)
    )
    note = "" if error > 0 else "Neither readers nor cases vary between treatments: no test can be made."
    f = treatments / error if error > 0 else None
    return MrmcComparison(
        value=pairs[0].difference,
        interval=pairs[0].interval,
        confidence=confidence,
        note=note,
        standard_error=standard_error,
        degrees_of_freedom=freedom,
        p=pairs[0].p,
        comparisons=pairs,
        f=f,
        p_of_f=None if f is None else _p_of_f(f, num_treatments - 1, freedom),
        means=tuple(means.tolist()),
        mean_square_treatments=treatments,
        mean_square_interaction=interaction,
        cov2=cov2,
        cov3=cov3,
        num_treatments=num_treatments,
        num_readers=num_readers,
    )


def jackknife_covariances(
    truth: npt.NDArray[Any] | list[Any], scores: npt.NDArray[Any] | list[Any]
) -> JackknifeCovariances:
    """Areas under the ROC curve and their covariances, by leaving out one case after the other.

    `truth` (cases) is true where the finding is there; `scores` (treatments x readers x cases) grow with a
    reader's suspicion. The area is the trapezoidal one: the share of pairs of a positive and a negative case
    that are put in order, ties as half. Raises ValueError for gaps, wrong shapes, or fewer than 2 cases
    either way.

    Source: S. L. Hillis, N. A. Obuchowski, K. M. Schartz and K. S. Berbaum (2005), Stat Med 24, 1579-1607.
    The ratings of Van Dyke et al. (1993) give, as printed by OR-DBM MRMC 2.51, variance .00080229 and
    covariances .00034661, .00034407 and .00023903.

    >>> truth = [True, True, True, False, False, False]
    >>> readers = [[5, 4, 2, 3, 1, 1], [5, 3, 3, 2, 3, 1]]
    >>> found = jackknife_covariances(truth, [readers, [[5, 5, 4, 1, 2, 3], [4, 2, 5, 3, 1, 2]]])
    >>> found.scores.round(3).tolist()
    [[0.889, 0.889], [1.0, 0.833]]
    """
    positive = np.asarray(truth)
    rated = np.asarray(scores, dtype=np.float64)
    if not np.isin(positive, (0, 1)).all():
        raise ValueError("truth says of every case whether the finding is there: True or False, 1 or 0.")
    positive = positive.astype(bool)
    if rated.ndim != 3 or positive.ndim != 1 or rated.shape[2] != len(positive):
        raise ValueError(
            f"scores must be treatments x readers x {positive.size} cases, one truth per case; their shape is"
            f" {' x '.join(map(str, rated.shape))}."
        )
    if not np.isfinite(rated).all():
        raise ValueError(
            "Every reader needs a score for every case under every treatment: leave out the rest."
        )
    num_positive = int(positive.sum())
    num_negative = len(positive) - num_positive
    if min(num_positive, num_negative) < 2:
        raise ValueError(
            f"At least 2 cases with the finding and 2 without are needed; these are {num_positive} and"
            f" {num_negative}."
        )
    num_treatments, num_readers, num_cases = rated.shape
    areas, without = _leave_one_out(rated.reshape(-1, num_cases), positive)
    around = without - without.mean(axis=1, keepdims=True)
    covariances = (num_cases - 1) / num_cases * (around @ around.T)
    treatment, reader = np.divmod(np.arange(num_treatments * num_readers), num_readers)
    same_treatment = np.equal.outer(treatment, treatment)
    same_reader = np.equal.outer(reader, reader)
    return JackknifeCovariances(
        scores=read_only(areas.reshape(num_treatments, num_readers)),
        variance=float(np.diag(covariances).mean()),
        cov1=_mean(covariances[~same_treatment & same_reader]),
        cov2=_mean(covariances[same_treatment & ~same_reader]),
        cov3=_mean(covariances[~same_treatment & ~same_reader]),
        num_positive_cases=num_positive,
        num_negative_cases=num_negative,
    )


def _difference(
    means: Floats,
    first: int,
    second: int,
    standard_error: float,
    freedom: float | None,
    confidence: float,
) -> TreatmentDifference:
    difference = float(means[first] - means[second])
    p = interval = None
    if freedom is not None:
        reach = float(scipy.stats.t.ppf((1 + confidence) / 2, freedom)) * standard_error
        p = float(2 * scipy.stats.t.sf(abs(difference) / standard_error, freedom))
        interval = (difference - reach, difference + reach)
    return TreatmentDifference(first, second, difference, standard_error, p, interval)


def _p_of_f(f: float, of_treatments: int, freedom: float | None) -> float:
    if freedom is None or np.isinf(freedom):
        return float(scipy.stats.chi2.sf(f * of_treatments, of_treatments))
    return float(scipy.stats.f.sf(f, of_treatments, freedom))


def _leave_one_out(rated: Floats, positive: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Areas (rows), and the areas without each case (rows x cases)."""
    num_positive, num_negative = positive.sum(), (~positive).sum()
    won = np.empty_like(rated)
    for row, scores in enumerate(rated):
        above, below = np.sort(scores[positive]), np.sort(scores[~positive])
        won[row, positive] = _pairs_won(scores[positive], below)
        won[row, ~positive] = num_positive - _pairs_won(scores[~positive], above)
    pairs = num_positive * num_negative
    total = won[:, positive].sum(axis=1, keepdims=True)
    pairs_left = np.where(positive, pairs - num_negative, pairs - num_positive)
    return (total / pairs)[:, 0], (total - won) / pairs_left


def _pairs_won(scores: Floats, others: Floats) -> Floats:
    """How many of the sorted others each score exceeds, equal ones as half."""
    return (np.searchsorted(others, scores, "left") + np.searchsorted(others, scores, "right")) / 2


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if values.size else None
