"""How severe and how reliable each reader's ratings are, and what each rated thing deserves, given that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from rl_feedback.agreement.estimate import check_confidence
from rl_feedback.raters.cells import (
    SETTLED_READERS,
    Cells,
    Floats,
    Integers,
    Names,
    Truths,
    cells_of,
    counts_by_reader,
    joined,
    known_cells,
    named,
    only,
    require_equally_long,
    sums_of,
)
from rl_feedback.raters.fitted import Belief, Fitted, Scale, log_shares
from rl_feedback.raters.graded import GradedModel
from rl_feedback.raters.labels import (
    LOGISTIC_VARIANCE,
    Labels,
)
from rl_feedback.raters.limits import Limits, limits_of
from rl_feedback.raters.sameness import unvarying_readers

# The quality is normal with standard deviation 1.
NODES = np.linspace(-4.4, 4.4, 41)
LOG_PRIOR = log_shares(-0.5 * NODES**2)
# Two readers who lie this many points apart contradict each other: what a reader study sends to adjudication
# by default. Of more readers the mean must be as unsure as it is then.
DISPUTED_POINTS = 2.0
# Ratings are whole, severities are not: what is nearer to so many points than to one less counts.
_HALF_A_POINT = 0.5


@dataclass(frozen=True, kw_only=True)
class RatingReader:
    """`severity` is in standard deviations of the items' quality, above 0 for a strict reader: against the
    mean reader, or against the known answers where there are any. `reliability` (0..1) is the share of a
    rating's variance that is the item's; `consistency` the share that the reader would say again. None where
    these ratings can't tell. A reader who `is_unvarying` gave everything the same rating, where others tell
    things apart: nothing follows from it. `group`: readers of different groups share no item."""

    reader: Any
    severity: float | None
    severity_interval: tuple[float, float] | None
    discrimination: float
    discrimination_interval: tuple[float, float]
    reliability: float | None
    reliability_interval: tuple[float, float] | None
    consistency: float | None
    num_ratings: int
    num_items: int
    num_repeated: int
    is_unvarying: bool
    group: int


@dataclass(frozen=True, kw_only=True, eq=False)
class RatingModel:
    """`labels` hold for each item what a typical reader would give it, as a share of the scale: 0 for the
    lowest point, 1 for the highest. `steps` are the places on the quality's axis at which a typical rating
    goes up by a point; `omega` is the spread of lasting opinions, None without hidden repeats. `note` says
    what these ratings can't tell."""

    labels: Labels
    readers: tuple[RatingReader, ...]
    steps: tuple[float, ...]
    typical_discrimination: float
    omega: float | None
    log_likelihood: float
    num_ratings: int
    num_known: int
    num_points: int
    disputed_points: float
    confidence: float
    num_rounds: int
    converged: bool
    note: str


def fit_ratings(
    items: Names,
    readers: Names,
    ratings: Names,
    *,
    known: Mapping[Any, int] | None = None,
    num_points: int = 5,
    disputed_points: float = DISPUTED_POINTS,
    confidence: float = 0.95,
) -> RatingModel:
    """Fit readers and items to ratings in long format: `ratings[n]`, 1 to `num_points`, was given by
    `readers[n]` to `items[n]`. The same reader and item again is a hidden repeat.

    `known` holds the rating that an item deserves, from a gold standard or an adjudication: it anchors the
    readers, and such an item's label rests on it alone. An item is disputed when its readers' mean, each
    one's severity taken off, is as unsure as that of two readers who lie `disputed_points` apart.

    Every reader shares the steps of the scale, moved by the severity and blurred by the discrimination
    (F. Samejima (1969), Psychometrika Monograph 17; readers in place of test items: V. E. Johnson, On
    Bayesian analysis of multirater ordinal data (1996), J Am Stat Assoc 91, 42-51). Readers by penalised
    marginal maximum likelihood, items by their posterior given the readers. Weak priors keep few ratings in
    bounds: severity normal with spread 1, discrimination log-normal around a typical one with spread .5, that
    around 1.5. Items are taken to be alike for all readers.

    Raises ValueError for no rating, columns of unequal length, or a rating outside the scale.

    >>> films = ["f1", "f2", "f3", "f4", "f5", "f6"] * 2
    >>> found = fit_ratings(films, ["mild"] * 6 + ["strict"] * 6, [2, 3, 4, 4, 5, 5, 1, 2, 3, 3, 4, 5])
    >>> [reader.reader for reader in found.readers if reader.severity > 0]
    ['strict']
    >>> found.labels["f1"].mean < found.labels["f3"].mean < found.labels["f6"].mean
    True
    """
    check_confidence(confidence)
    require_equally_long(items=items, readers=readers, ratings=ratings)
    known = dict(known or {})
    num_ratings = len(ratings)
    answer = _answers([*np.asarray(ratings).tolist(), *known.values()], num_points)
    names, item = named([*np.asarray(items).tolist(), *known], "ratings")
    reader_names, reader = named(readers, "ratings")
    num_items, num_readers = len(names), len(reader_names)
    said = cells_of(item[:num_ratings], reader, answer[:num_ratings], num_answers=num_points)
    truth = known_cells(item[num_ratings:], answer[num_ratings:], reader=num_readers, num_answers=num_points)
    is_known = np.isin(np.arange(num_items), truth.item)
    unvarying = unvarying_readers(said, num_readers=num_readers)
    weighed = only(said, ~unvarying[said.reader])
    model = GradedModel(
        joined(weighed, truth),
        _scale(num_points),
        num_items=num_items,
        num_readers=num_readers,
        nodes=NODES,
        log_prior=LOG_PRIOR,
    )
    fitted, _ = model.fit()
    if not known:
        fitted = fitted.centred()
    limits = limits_of(
        said,
        is_known=is_known,
        weighed=weighed,
        place="severity",
        needs_others_for_place=True,
    )
    alike = [str(name) for name, is_so in zip(reader_names, unvarying, strict=True) if is_so]
    note = " ".join([*(_same_rating(name) for name in alike), *([limits.note] if limits.note else [])])
    return RatingModel(
        labels=_labels(names, fitted, said, weighed, truth, is_known, disputed_points=disputed_points),
        readers=tuple(_readers(reader_names, fitted, said, unvarying, limits, confidence)),
        steps=tuple(fitted.steps.tolist()),
        typical_discrimination=float(np.exp(fitted.typical_log_a)),
        omega=fitted.omega,
        log_likelihood=fitted.log_likelihood,
        num_ratings=num_ratings,
        num_known=len(known),
        num_points=num_points,
        disputed_points=disputed_points,
        confidence=confidence,
        num_rounds=fitted.num_rounds,
        converged=fitted.converged,
        note=note,
    )


def _same_rating(reader: str) -> str:
    return (
        f"{reader} gave everything the same rating, where others tell things apart: that counts for nothing,"
        " and says nothing of how reliable this reader is."
    )


def reliability(discrimination: float, omega: float | None) -> float:
    """The share of a rating's variance that is the item's, on the axis of quality.

    >>> round(reliability(1.8, None), 2)
    0.5
    """
    return 1 / (1 + (omega or 0.0) ** 2 + LOGISTIC_VARIANCE / discrimination**2)


def _answers(ratings: Sequence[Any], num_points: int) -> Integers:
    given = np.asarray(ratings, dtype=np.float64)
    wrong = given[~np.isin(given, np.arange(1, num_points + 1))]
    if len(wrong):
        raise ValueError(f"Ratings are whole numbers from 1 to {num_points}; one is {wrong[0]:g}.")
    return given.astype(np.int64) - 1


def _scale(num_points: int) -> Scale:
    """Even steps, as if typical readers used all points alike."""
    typical = Belief(float(np.log(1.5)), 0.5)
    spread = float(np.sqrt(1 + LOGISTIC_VARIANCE / np.exp(2 * typical.mean)))
    even = scipy.stats.norm.ppf(np.arange(1, num_points) / num_points) * spread
    gaps = [Belief(float(gap), 1.0) for gap in np.log(np.diff(even))]
    return Scale(
        num_answers=num_points,
        orientations=(1,),
        steps=_ascending,
        free_steps=(Belief(float(even[0]), 1.5), *gaps),
        log_discrimination=typical,
        spread_of_log_discrimination=0.5,
        spread_of_severity=1.0,
        log_omega=Belief(float(np.log(0.5)), 0.75),
    )


def _ascending(free: Floats) -> tuple[Floats, Floats]:
    """The first step, and the logarithms of the gaps that follow."""
    gaps = np.exp(free[1:])
    steps = free[0] + np.concatenate([[0.0], np.cumsum(gaps)])
    return steps, np.tril(np.ones((len(free), len(free)))) * np.concatenate([[1.0], gaps])


def _labels(
    names: tuple[Any, ...],
    fitted: Fitted,
    said: Cells,
    weighed: Cells,
    truth: Cells,
    is_known: Truths,
    *,
    disputed_points: float,
) -> Labels:
    deciding = joined(only(weighed, ~is_known[weighed.item]), truth)
    posterior = np.exp(
        log_shares(fitted.likelihood_of(deciding, num_items=len(names), nodes=NODES) + LOG_PRIOR)
    )
    share = fitted.typical_share(NODES)
    mean = posterior @ share
    effective = fitted.effective_readers(weighed, num_items=len(names))
    return Labels(
        items=names,
        mean=mean,
        variance=np.maximum(posterior @ share**2 - mean**2, 0.0),
        num_readers=np.bincount(said.item, minlength=len(names)),
        num_effective_readers=np.where(is_known, SETTLED_READERS, effective),
        is_disputed=~is_known
        & (_uncertainty(fitted, weighed, posterior @ NODES) >= (disputed_points - _HALF_A_POINT) / 2),
        is_settled=is_known,
    )


def _uncertainty(fitted: Fitted, said: Cells, quality: Floats) -> Floats:
    """By item: the standard error, in points, of its readers' mean, each one's severity taken off; 0 where
    one reader says nothing of it."""
    many = len(quality)
    points = np.arange(said.counts.shape[1])
    shares = fitted.expected_shares(fitted.log_a[:-1], fitted.severity[:-1], NODES)
    lenience = (shares - fitted.typical_share(NODES)) * points[-1]
    at = quality[said.item]
    corrected = said.counts @ points / said.num_said
    for reader, offset in enumerate(lenience):
        own = said.reader == reader
        corrected[own] -= np.interp(at[own], NODES, offset)
    number = np.bincount(said.item, minlength=many)
    mean = sums_of(said.item, corrected, many) / np.maximum(number, 1)
    squares = sums_of(said.item, (corrected - mean[said.item]) ** 2, many)
    return np.asarray(np.sqrt(squares / np.maximum(number * (number - 1), 1)))


def _readers(
    names: tuple[Any, ...],
    fitted: Fitted,
    said: Cells,
    unvarying: Truths,
    limits: Limits,
    confidence: float,
) -> Iterator[RatingReader]:
    found = fitted.readers()
    counts = counts_by_reader(said, len(names))
    again = 1 + (fitted.omega or 0.0) ** 2
    for place, name in enumerate(names):
        varies = not unvarying[place]
        a, ends = (found.a(place), found.interval_of_a(place, confidence)) if varies else (0.0, (0.0, 0.0))
        low, high = (reliability(end, fitted.omega) if varies else 0.0 for end in ends)
        yield RatingReader(
            reader=name,
            severity=float(found.place[place]) if limits.knows_place and varies else None,
            severity_interval=found.interval_of_place(place, confidence)
            if limits.knows_place and varies
            else None,
            discrimination=a,
            discrimination_interval=ends,
            reliability=reliability(a, fitted.omega) if limits.knows_weight and varies else None,
            reliability_interval=(low, high) if limits.knows_weight and varies else None,
            consistency=again / (again + LOGISTIC_VARIANCE / a**2)
            if limits.knows_consistency and varies
            else None,
            num_ratings=int(counts.said[place]),
            num_items=int(counts.items[place]),
            num_repeated=int(counts.repeated[place]),
            is_unvarying=not varies,
            group=int(limits.group[place]),
        )
