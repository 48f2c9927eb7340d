"""A mean or a share of ratings that come in clusters, several of one case, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from rl_feedback.agreement.estimate import Estimate, Floats, Numbers, percentiles
from rl_feedback.agreement.tally import encode

# Of a normal distribution: 95 % lie within so many standard deviations.
Z_95 = 1.959964
ONE_CLUSTER = "Its interval needs 2 cases."
# So many draws times clusters are held at once.
_MOST_CELLS = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Clustered(Estimate):
    """`num_effective` is how many ratings that say nothing of each other would be as sure."""

    num: int
    num_clusters: int
    num_effective: float | None = None


@dataclass(frozen=True, kw_only=True)
class PairedDifference(Clustered):
    """`drawn_interval` is the percentile interval of `num_draws` draws of clusters from `seed`; None without
    draws, and of one cluster."""

    drawn_interval: tuple[float, float] | None = None
    num_draws: int = 0
    seed: int = 0


def clustered_mean(values: Numbers, clusters: Numbers) -> Clustered:
    """The mean of all ratings, its interval widened by what ratings of one cluster have in common.

    Linearised variance of a mean over clusters (W. G. Cochran, Sampling Techniques (1977), 11.8), with
    Student's t of one degree of freedom less than there are clusters, since few of them tell little of how
    far apart they lie: with one rating a cluster it is the usual interval of a mean, and with m equally alike
    ones about that of the design effect 1 + (m - 1) ICC. Worked example: three cases of two ratings, 1 1, 2 2
    and 3 3, are as sure as 1, 2 and 3: 2 ± 4.303 / 3 ** .5.

    >>> found = clustered_mean([1, 1, 2, 2, 3, 3], [7, 7, 8, 8, 9, 9])
    >>> found.value, [round(edge, 2) for edge in found.interval], found.num_clusters
    (2.0, [-0.48, 4.48], 3)
    """
    numbers, names = columns_of(values, clusters)
    if not len(numbers):
        return Clustered(value=None, note="Nothing has been rated.", num=0, num_clusters=0)
    mean, variance, num_clusters = _mean(numbers, names)
    if variance is None:
        return Clustered(value=mean, note=ONE_CLUSTER, num=len(numbers), num_clusters=num_clusters)
    half = float(scipy.stats.t.ppf(0.975, num_clusters - 1)) * variance**0.5
    return Clustered(
        value=mean, interval=(mean - half, mean + half), num=len(numbers), num_clusters=num_clusters
    )


def paired_difference(
    values: Numbers,
    is_second: Numbers,
    pairs: Numbers,
    clusters: Numbers,
    *,
    num_draws: int = 0,
    seed: int = 0,
) -> PairedDifference:
    """How much higher the second of two things is rated than the first: the mean over pairs, each the mean of
    its ratings of the second less that of the first, with the interval of `clustered_mean` over clusters.

    A pair is what both were rated in, one reader's reading of a case say; one without ratings of both counts
    not. With `num_draws` the percentile bootstrap stands beside it, whole clusters drawn with replacement
    (A. C. Davison and D. V. Hinkley, Bootstrap Methods and their Application (1997), 3.8): it asks for no
    normal distribution, and is too narrow where clusters are few. Worked example: two cases, in each the
    second is two points higher.

    >>> found = paired_difference([1, 3, 2, 4], [0, 1, 0, 1], [5, 5, 6, 6], [7, 7, 9, 9], num_draws=100)
    >>> found.value, found.interval, found.drawn_interval, found.num
    (2.0, (2.0, 2.0), (2.0, 2.0), 2)
    """
    numbers, names = columns_of(values, clusters)
    second, keys = np.asarray(is_second, dtype=bool), np.asarray(pairs)
    if not second.shape == keys.shape == numbers.shape:
        raise ValueError(
            f"Each value names its pair and which of the two it is of: these are {numbers.shape} values, "
            f"{keys.shape} pairs and {second.shape} names."
        )
    _, first_at, place = np.unique(keys, return_index=True, return_inverse=True)
    means, has_both = [], np.ones(len(first_at), dtype=bool)
    for chosen in (second, ~second):
        num = np.bincount(place[chosen], minlength=len(first_at))
        has_both &= num > 0
        means.append(np.bincount(place[chosen], numbers[chosen], len(first_at)) / np.maximum(num, 1))
    if not has_both.any():
        return PairedDifference(value=None, note="Both were rated together nowhere.", num=0, num_clusters=0)
    differences, of = (means[0] - means[1])[has_both], names[first_at][has_both]
    return PairedDifference(
        **vars(clustered_mean(differences, of)),
        drawn_interval=percentiles(_drawn_means(differences, of, num_draws=num_draws, seed=seed), 0.95),
        num_draws=num_draws,
        seed=seed,
    )


def clustered_share(chosen: Numbers, clusters: Numbers) -> Clustered:
    """The share of votes that chose, by Wilson's interval (1927) at the effective number of votes.

    The effective number is p (1 - p) over the variance of clusters, never more than the votes themselves
    (E. L. Korn and B. I. Graubard, Survey Methodology 24 (1998), 193-201). Where all or none chose, each
    cluster counts once. Worked example: of 10 cases with two like votes each, 5 chose: as sure as 5 of 10 but
    for the n - 1 of the variance, Wilson .24 to .76.

    >>> found = clustered_share([1] * 10 + [0] * 10, sorted([*range(10)] * 2))
    >>> found.value, round(found.num_effective, 6), [round(edge, 2) for edge in found.interval]
    (0.5, 9.0, [0.23, 0.77])
    """
    numbers, names = columns_of(chosen, clusters)
    if not len(numbers):
        return Clustered(value=None, note="Nothing has been voted on.", num=0, num_clusters=0)
    share, variance, num_clusters = _mean(numbers, names)
    if variance is None:
        return Clustered(value=share, note=ONE_CLUSTER, num=len(numbers), num_clusters=num_clusters)
    if share in (0.0, 1.0):
        effective = float(num_clusters)
    else:
        effective = min(float(len(numbers)), share * (1 - share) / variance) if variance else len(numbers)
    z = Z_95
    middle = (share + z * z / (2 * effective)) / (1 + z * z / effective)
    spread = (share * (1 - share) / effective + z * z / (4 * effective**2)) ** 0.5
    half = z * spread / (1 + z * z / effective)
    return Clustered(
        value=share,
        interval=(max(0.0, middle - half), min(1.0, middle + half)),
        num=len(numbers),
        num_clusters=num_clusters,
        num_effective=effective,
    )


def columns_of(values: Numbers, clusters: Numbers) -> tuple[Floats, Floats]:
    """Both as arrays of one length. Raises ValueError of others, and of what is no number."""
    numbers, names = np.asarray(values, dtype=np.float64), np.asarray(clusters)
    if numbers.ndim != 1 or numbers.shape != names.shape:
        raise ValueError(
            f"Each value names its cluster: these are {numbers.shape} values and {names.shape} clusters."
        )
    if not np.isfinite(numbers).all():
        raise ValueError("Leave out what was not rated: a value is no number.")
    return numbers, names


def _mean(numbers: Floats, names: Floats) -> tuple[float, float | None, int]:
    """The mean, the variance of it between clusters where there are two, and how many there are."""
    distinct, place = encode(names)
    num_clusters = len(distinct)
    mean = float(numbers.mean())
    if num_clusters < 2:
        return mean, None, num_clusters
    apart = np.bincount(place, numbers - mean, num_clusters)
    variance = num_clusters / (num_clusters - 1) * float((apart**2).sum()) / len(numbers) ** 2
    return mean, variance, num_clusters


def _drawn_means(numbers: Floats, names: Floats, *, num_draws: int, seed: int) -> list[float]:
    """The mean of all values of clusters drawn anew, once for each draw; none of one cluster."""
    distinct, place = encode(names)
    many = len(distinct)
    if many < 2:
        return []
    sums, counts = np.bincount(place, numbers, many), np.bincount(place, minlength=many)
    rng = np.random.default_rng(seed)
    together = max(1, _MOST_CELLS // many)
    drawn: list[float] = []
    for start in range(0, num_draws, together):
        chosen = rng.integers(many, size=(min(together, num_draws - start), many))
        drawn += (sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)).tolist()
    return drawn
