"""How small a difference between two things a study of so many cases would show, before it begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from rl_feedback.agreement.clusters import columns_of
from rl_feedback.agreement.estimate import Numbers
from rl_feedback.agreement.tally import encode

# With fewer the test hangs on how far so few lie apart.
LEAST_CLUSTERS = 5


@dataclass(frozen=True, kw_only=True)
class ClusterSpread:
    """How far differences lie apart: their standard deviation, and how alike those of one cluster are, `icc`,
    None where fewer than two clusters have two of them. `num` differences of `num_clusters` clusters, of
    which `num_repeated` have two or more."""

    standard_deviation: float
    icc: float | None
    num: int
    num_clusters: int
    num_repeated: int


def detectable_difference(
    standard_deviation: float,
    *,
    num_clusters: int,
    per_cluster: float,
    icc: float,
    power: float = 0.8,
    significance: float = 0.05,
) -> float | None:
    """The smallest true difference that a paired comparison finds, two-sided, with this power.

    Each of `num_clusters` cases gives `per_cluster` differences between the two, one a reading, which spread
    by `standard_deviation` and are alike within a case by `icc`: as sure as num_clusters * per_cluster /
    (1 + (per_cluster - 1) icc) single ones (L. Kish, Survey Sampling (1965), 5.4). Found by the noncentral t
    of num_clusters - 1 degrees of freedom (J. Cohen, Statistical Power Analysis (1988), chapter 2; F. Faul et
    al., Behav Res Methods 39 (2007), 175-191), which is the test that `paired_difference` makes. None with
    fewer than LEAST_CLUSTERS cases. Worked example, Cohen's 50 pairs as Faul et al. count them: a difference
    of .421637 standard deviations is found with a power of .832114.

    >>> found = detectable_difference(1, num_clusters=50, per_cluster=1, icc=0, power=0.832114)
    >>> round(found, 4)
    0.4216
    >>> round(detectable_difference(1, num_clusters=10**6, per_cluster=1, icc=0) * 1000, 3)  # 1.96 + 0.8416
    2.802
    """
    _check(standard_deviation, num_clusters, per_cluster, power, significance)
    if num_clusters < LEAST_CLUSTERS or not per_cluster:
        return None
    error: float = standard_deviation / _effective(num_clusters, per_cluster, icc) ** 0.5
    return error * _noncentrality(num_clusters - 1, power=power, significance=significance)


def detectable_difference_of_groups(
    standard_deviation: float,
    *,
    num_clusters: float,
    per_cluster: float,
    icc: float,
    are_in_both: bool = False,
    power: float = 0.8,
    significance: float = 0.05,
) -> float | None:
    """The smallest true difference between two groups of readings, each of one of the two things, that a
    two-sided comparison of their means finds with this power.

    Each group has `num_clusters` cases of `per_cluster` values, which spread by `standard_deviation` and are
    alike within a case by `icc`: as sure as n = num_clusters * per_cluster / (1 + (per_cluster - 1) icc)
    single ones (L. Kish, Survey Sampling (1965), 5.4). Found by the noncentral t of two independent means of
    n each, standard error standard_deviation * sqrt(2 / n), with 2 num_clusters - 2 degrees of freedom (J.
    Cohen, Statistical Power Analysis (1988), chapter 2). `are_in_both`: the cases of one group are those of
    the other, and a comparison within them, as `paired_difference` makes it, has the num_clusters - 1 that
    are counted with then; what a case's values of both have in common is not used, so it errs on the large
    side. None with fewer than LEAST_CLUSTERS cases. Worked example, Cohen's table 2.4.1: at 64 in each group
    half a standard deviation is found with .80.

    >>> found = detectable_difference_of_groups(1, num_clusters=64, per_cluster=1, icc=0, power=0.8014596)
    >>> round(found, 4)
    0.5
    """
    _check(standard_deviation, num_clusters, per_cluster, power, significance)
    if num_clusters < LEAST_CLUSTERS or not per_cluster:
        return None
    error: float = standard_deviation * (2 / _effective(num_clusters, per_cluster, icc)) ** 0.5
    freedom = num_clusters - 1 if are_in_both else 2 * num_clusters - 2
    return error * _noncentrality(freedom, power=power, significance=significance)


def spread_in_clusters(differences: Numbers, clusters: Numbers) -> ClusterSpread | None:
    """How far differences lie apart over and within clusters; None of fewer than two clusters.

    The variance components of a one-way analysis of variance of clusters of unequal size (A. Donner, Int
    Stat Rev 54 (1986), 67-82): between clusters (MSB - MSW) / n0 and no less than 0, within them MSW. Worked
    example: of 1 1, 2 2 and 3 3 all lies between the clusters, MSB = 2 and MSW = 0 with n0 = 2.

    >>> found = spread_in_clusters([1, 1, 2, 2, 3, 3], [7, 7, 8, 8, 9, 9])
    >>> found.standard_deviation, found.icc, found.num_repeated
    (1.0, 1.0, 3)
    """
    numbers, names = columns_of(differences, clusters)
    distinct, place = encode(names)
    many = len(distinct)
    if many < 2:
        return None
    sizes = np.bincount(place, minlength=many)
    means = np.bincount(place, numbers, many) / sizes
    between = float((sizes * (means - numbers.mean()) ** 2).sum()) / (many - 1)
    num_repeated, icc = int((sizes > 1).sum()), None
    total = between
    if len(numbers) > many:
        within = float(((numbers - means[place]) ** 2).sum()) / (len(numbers) - many)
        usual = (len(numbers) - float((sizes**2).sum()) / len(numbers)) / (many - 1)
        apart = max(0.0, (between - within) / usual)
        total = apart + within
        icc = apart / total if total and num_repeated > 1 else None
    return ClusterSpread(
        standard_deviation=total**0.5,
        icc=icc,
        num=len(numbers),
        num_clusters=many,
        num_repeated=num_repeated,
    )


def _check(
    standard_deviation: float, num_clusters: float, per_cluster: float, power: float, significance: float
) -> None:
    if not standard_deviation >= 0 or per_cluster < 0 or num_clusters < 0:
        raise ValueError("A spread and numbers of cases and of readings lie at 0 or above.")
    if not significance < power < 1 or not significance > 0:
        raise ValueError(f"Power lies between the significance and 1; these are {power} and {significance}.")


def _effective(num_clusters: float, per_cluster: float, icc: float) -> float:
    """How many single values they are as sure as."""
    return num_clusters * per_cluster / (1 + max(0.0, per_cluster - 1) * max(0.0, icc))


def _noncentrality(freedom: float, *, power: float, significance: float) -> float:
    """Of the t of so many degrees of freedom that is found, two-sided, with this power."""
    critical = float(scipy.stats.t.ppf(1 - significance / 2, freedom))

    def lacks(noncentrality: float) -> float:
        t = scipy.stats.nct(freedom, noncentrality)
        return float(t.sf(critical) + t.cdf(-critical)) - power

    highest = critical
    while lacks(highest) < 0:
        highest += 1
    return float(scipy.optimize.brentq(lacks, 0, highest))
