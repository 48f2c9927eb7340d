"""How sure a figure of an evaluation is, and whether two models differ: by drawing and exchanging studies.

A measure is what becomes of summed counts: of a mean the sum and the number, of an F1 what both say, of BLEU
its runs of words. So figures of a whole set (BLEU, F1) are drawn anew as they are defined, never as a mean of
cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
# Sums (… x counts) to values (…), NaN where there is none.
ValueOf = Callable[[Floats], Floats]
CONFIDENCE = 0.95
_CELLS_AT_ONCE = 2_000_000
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Scored:
    """What measures need of each sample (samples x counts), and the measures by name; of those that are
    shares of findings the column with the number of these."""

    counts: Floats
    measures: Mapping[str, ValueOf]
    wholes: Mapping[str, int] = field(default_factory=dict)

    def num_of(self, name: str, rows: Integers | None = None) -> int | None:
        """Of how many findings the measure is a share, in all samples or in these; None where it is none."""
        column = self.wholes.get(name)
        if column is None:
            return None
        counts = self.counts[:, column]
        return int((counts if rows is None else counts[rows]).sum())

    def cases(self, name: str) -> Floats:
        """The measure of each sample alone."""
        return self.measures[name](self.counts)


@dataclass(frozen=True, eq=False)
class Design:
    """Which samples belong together: `subsets` part them, and count for all by their numbers of samples;
    `beside` are other views of the same samples, in no sum. `studies` are drawn whole."""

    studies: Integers
    subsets: Mapping[str, Integers]
    beside: Mapping[str, Integers]

    @property
    def views(self) -> dict[str, Integers]:
        """Subsets and what stands beside them."""
        return {**self.subsets, **self.beside}

    @property
    def num_studies(self) -> int:
        return int(self.studies.max()) + 1 if len(self.studies) else 0


@dataclass(frozen=True)
class Interval:
    """`value` is None where the figure does not exist; `low` and `high` are a percentile interval of 95 %,
    None with fewer than two studies."""

    value: float | None
    low: float | None
    high: float | None
    num: int


@dataclass(frozen=True)
class Difference:
    """Of two models on the same samples, the first less the second; `p` by paired approximate randomisation,
    `p_holm` once it is corrected. Wins, ties and losses are of single samples, by what is better."""

    value: float | None
    low: float | None
    high: float | None
    p: float | None
    wins: int
    ties: int
    losses: int


ALL = "all"


def mean_at(column: int, number: int) -> ValueOf:
    """The mean of a column, or any share: its sum over that of another.

    >>> float(mean_at(0, 1)(np.array([3.0, 4.0])))
    0.75
    """

    def value_of(sums: Floats) -> Floats:
        whole = sums[..., number]
        return np.asarray(
            np.divide(sums[..., column], whole, out=np.full(whole.shape, np.nan), where=whole > 0)
        )

    return value_of


def sample_weighted(values: Sequence[float], sizes: Sequence[int]) -> float:
    """Each set counts by its number of samples, as in XrayBench's tables.

    >>> round(sample_weighted([0.724, 0.659], [5000, 4666]), 3)
    0.693
    """
    return float(np.dot(values, sizes) / np.sum(sizes))


def estimate(scored: Scored, design: Design, *, num_draws: int, seed: int) -> dict[str, dict[str, Interval]]:
    """For each measure its value over all and in each subset, with percentile bootstrap intervals over whole
    studies (A. C. Davison and D. V. Hinkley, Bootstrap Methods and their Application (1997), 5.3)."""
    point = _values(scored.measures, _sums(scored.counts, design, np.ones((1, design.num_studies))), design)
    drawn: list[dict[str, dict[str, Floats]]] = []
    if design.num_studies > 1:
        drawn = [
            _values(scored.measures, _sums(scored.counts, design, weights), design)
            for weights in _drawn_studies(design.num_studies, num_draws, seed)
        ]
    sizes = {ALL: len(design.studies), **{k: len(rows) for k, rows in design.views.items()}}
    return {
        name: {
            where: Interval(
                _number(value[0]),
                *_percentiles(np.concatenate([one[name][where] for one in drawn]) if drawn else np.empty(0)),
                num=sizes[where],
            )
            for where, value in by_subset.items()
        }
        for name, by_subset in point.items()
    }


def compare(
    first: Scored,
    second: Scored,
    design: Design,
    *,
    better: Mapping[str, int],
    num_draws: int,
    num_shuffles: int,
    seed: int,
) -> dict[str, Difference]:
    """The difference of two models over all samples, for each measure that both have. `better` is 1 where
    more is better, -1 where less is.

    Its p comes from paired approximate randomisation (E. W. Noreen, Computer-Intensive Methods for Testing
    Hypotheses (1989), 2; A. Yeh, COLING 2000): the two models' outputs of each study are exchanged or not,
    both as often, and p is the share of exchanges that differ as much, the one that was seen among them.
    """
    measures = {name: first.measures[name] for name in first.measures if name in second.measures}
    whole = np.ones((1, design.num_studies))
    a, b = _sums(first.counts, design, whole), _sums(second.counts, design, whole)
    seen = _apart(measures, a, b, design)
    drawn: list[dict[str, Floats]] = []
    if design.num_studies > 1:
        for weights in _drawn_studies(design.num_studies, num_draws, seed):
            ours, theirs = (_sums(scored.counts, design, weights) for scored in (first, second))
            drawn.append(_apart(measures, ours, theirs, design))
    num_as_far = dict.fromkeys(measures, 0)
    rng = np.random.default_rng([seed, 1])
    for many in _parts(num_shuffles, design.num_studies):
        exchanged = rng.integers(0, 2, size=(many, design.num_studies), dtype=np.int8).astype(np.float64)
        moved = _sums(second.counts - first.counts, design, exchanged)
        shuffled = _apart(
            measures,
            {where: a[where] + moved[where] for where in a},
            {where: b[where] - moved[where] for where in b},
            design,
        )
        for name in measures:
            as_far = np.abs(shuffled[name]) >= np.abs(seen[name]) - _SAME
            num_as_far[name] += int(np.count_nonzero(as_far))
    found = {}
    for name in measures:
        value = _number(seen[name][0])
        edges = _percentiles(np.concatenate([one[name] for one in drawn]) if drawn else np.empty(0))
        p = None if value is None or not num_shuffles else (num_as_far[name] + 1) / (num_shuffles + 1)
        apart = better.get(name, 1) * (first.cases(name) - second.cases(name))
        apart = apart[~np.isnan(apart)]
        wins, losses = int((apart > _SAME).sum()), int((apart < -_SAME).sum())
        found[name] = Difference(value, *edges, p, wins, len(apart) - wins - losses, losses)
    return found


def holm(p_values: Sequence[float]) -> list[float]:
    """Corrected for looking at several (S. Holm, Scandinavian Journal of Statistics 6 (1979), 65-70).

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03, 0.005])]
    [0.03, 0.06, 0.06, 0.02]
    """
    corrected, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda one: p_values[one])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = least
    return corrected


def _apart(
    measures: Mapping[str, ValueOf], a: Mapping[str, Floats], b: Mapping[str, Floats], design: Design
) -> dict[str, Floats]:
    ours, theirs = _values(measures, a, design), _values(measures, b, design)
    return {name: ours[name][ALL] - theirs[name][ALL] for name in measures}


def _sums(counts: Floats, design: Design, weights: Floats) -> dict[str, Floats]:
    """For each subset the sums of its samples' counts, each study as often as its weight says (draws x
    studies)."""
    return {name: weights[:, design.studies[rows]] @ counts[rows] for name, rows in design.views.items()}


def _values(
    measures: Mapping[str, ValueOf], sums: Mapping[str, Floats], design: Design
) -> dict[str, dict[str, Floats]]:
    sizes = np.array([len(rows) for rows in design.subsets.values()], dtype=np.float64)
    found = {}
    for name, value_of in measures.items():
        by_subset = {where: value_of(of_subset) for where, of_subset in sums.items()}
        parts = np.stack([by_subset[where] for where in design.subsets])
        is_there = ~np.isnan(parts)
        weight = (sizes[:, None] * is_there).sum(axis=0)
        total = (sizes[:, None] * np.where(is_there, parts, 0.0)).sum(axis=0)
        whole = np.divide(total, weight, out=np.full(weight.shape, np.nan), where=weight > 0)
        found[name] = {ALL: whole, **by_subset}
    return found


def _drawn_studies(num_studies: int, num_draws: int, seed: int) -> Iterator[Floats]:
    """How often each study is in each draw, some draws at a time."""
    rng = np.random.default_rng([seed, 0])
    for many in _parts(num_draws, num_studies):
        chosen = rng.integers(num_studies, size=(many, num_studies))
        flat = (chosen + num_studies * np.arange(many)[:, None]).ravel()
        yield np.bincount(flat, minlength=many * num_studies).reshape(many, -1).astype(np.float64)


def _parts(number: int, num_studies: int) -> Iterator[int]:
    together = max(1, _CELLS_AT_ONCE // max(1, num_studies))
    for start in range(0, number, together):
        yield min(together, number - start)


def _percentiles(draws: Floats) -> tuple[float | None, float | None]:
    draws = draws[~np.isnan(draws)]
    if not len(draws):
        return None, None
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
