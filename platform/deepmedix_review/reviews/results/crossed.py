"""Whether all readers and cases there could be would find what these found, where every reader rated the same
cases under both versions; and what each of these readers found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepmedix_review.reviews.results.columns import Keys, Numbers
from deepmedix_review.reviews.results.figures import (
    Cell,
    Figure,
    Table,
    missing,
    rough_note,
    rounded,
    rounded_p,
    written_interval,
)
from deepmedix_review.reviews.results.plots import Plot, interval_plot, reach_of, stacked
from deepmedix_review.reviews.results.rated import RatedCriterion
from deepmedix_review.reviews.results.scales import Scaled
from deepmedix_review.reviews.results.versions import Versions
from rl_feedback.agreement import MrmcComparison, mean_covariances, mrmc_or
from rl_feedback.counting import counted

FEWEST_READERS, FEWEST_CASES = 2, 2
# Rows of a table that has a plot too.
MOST_DRAWN = 60
Difference = tuple[str, float | None, tuple[float, float] | None]


@dataclass(frozen=True)
class _Crossed:
    """The part of one question's ratings in which every reader rated every case under both versions: means,
    versions x readers x cases."""

    criterion: RatedCriterion
    readers: Keys
    ratings: Numbers


def crossed_figures(
    scales: Sequence[Scaled], versions: Versions, names: Mapping[int, str]
) -> tuple[Figure, Figure]:
    """Nothing here asks the database."""
    crossed = [found for one in scales if (found := _crossed(one)) is not None]
    return _mrmc_figure(crossed, versions), _readers_figure(crossed, versions, names)


def _crossed(one: Scaled) -> _Crossed | None:
    """None where no reader rated a case under both versions."""
    if one.version is None:
        return None
    is_of_one = one.version >= 0
    version, points = one.version[is_of_one], one.points[is_of_one]
    readers, reader = np.unique(one.reader[is_of_one], return_inverse=True)
    cases, case = np.unique(one.case[is_of_one], return_inverse=True)
    shape = (2, len(readers), len(cases))
    place = np.ravel_multi_index((version, reader, case), shape)
    size = int(np.prod(shape))
    number = np.bincount(place, minlength=size)
    total = np.bincount(place, weights=points, minlength=size)
    means = np.divide(total, number, out=np.full(size, np.nan), where=number > 0).reshape(shape)
    has_both = ~np.isnan(means).any(axis=0)
    rates = has_both.any(axis=1)
    if not rates.any():
        return None
    whole = has_both[rates].all(axis=0)
    return _Crossed(one.criterion, readers[rates], means[:, rates][:, :, whole])


def _mrmc_figure(crossed: Sequence[_Crossed], versions: Versions) -> Figure:
    key, title = "mrmc", "The two versions, for all readers and cases there could be"
    lower, higher = versions.names
    method = (
        f"mean points of {higher} minus those of {lower}, multi-reader multi-case analysis of Obuchowski and "
        "Rockette (1995) with Hillis' degrees of freedom (2007, 2014): readers and cases count as drawn; of "
        "the cases that every one of the readers rated under both versions"
    )
    columns = (
        *("question", "difference", "low", "high", "p", "standard error", "degrees of freedom"),
        *(lower, higher, "better", "readers", "cases"),
    )
    rows, found, lacking = list[tuple[Cell, ...]](), list[tuple[_Crossed, MrmcComparison]](), list[str]()
    for one in crossed:
        _, num_readers, num_cases = one.ratings.shape
        if num_readers < FEWEST_READERS or num_cases < FEWEST_CASES:
            lacking.append(
                f"{one.criterion.name} has {counted(num_cases, 'case')} that "
                f"{counted(num_readers, 'reader')} rated under both"
            )
            continue
        covariances = mean_covariances(one.ratings)
        assert covariances.cov2 is not None
        assert covariances.cov3 is not None
        # The later version first: its mean is what the difference is told of.
        test = mrmc_or(covariances.scores[::-1], covariances.cov2, covariances.cov3)
        found.append((one, test))
        rows.append(
            (
                one.criterion.name,
                *map(rounded, (test.difference, *(test.interval or (None, None)))),
                rounded_p(test.p),
                *map(rounded, (test.standard_error, _finite(test.degrees_of_freedom))),
                *map(rounded, test.means[::-1]),
                *(one.criterion.better, num_readers, num_cases),
            )
        )
    if not rows:
        why = f": {'; '.join(lacking)}" if lacking else ""
        note = (
            f"It needs {FEWEST_READERS} readers who rated the same {FEWEST_CASES} cases or more, each under "
            f"both versions{why}."
        )
        return missing(key=key, title=title, method=method, note=note, columns=columns)
    fewest = min(one.ratings.shape[2] for one, _ in found)
    lead, tests = found[0][0], [test for _, test in found]
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(rows)),
        method=method,
        n=f"{counted(max(one.ratings.shape[1] for one, _ in found), 'reader')}, "
        f"{counted(max(one.ratings.shape[2] for one, _ in found), 'case')}",
        value=f"{lead.criterion.name} {tests[0].difference:+.2f}",
        interval=written_interval(tests[0]),
        note=" ".join(filter(None, (rough_note(fewest), tests[0].note, "; ".join(lacking)))),
        plot=_mrmc_plot(found, title),
    )


def _finite(degrees: float | None) -> float | None:
    """Nothing for no limit, which a table of numbers can't hold."""
    return degrees if degrees is not None and np.isfinite(degrees) else None


def _mrmc_plot(found: Sequence[tuple[_Crossed, MrmcComparison]], title: str) -> Plot:
    return _differences_plot(
        [(one.criterion.name, test.value, test.interval) for one, test in found],
        said=f"{title}: " + ", ".join(f"{one.criterion.name} {test.value:+.2f}" for one, test in found),
    )


def _differences_plot(rows: Sequence[Difference], *, said: str) -> Plot:
    far = reach_of(edge for _, value, interval in rows for edge in (value or 0.0, *(interval or ())))
    return interval_plot(rows, low=-far, high=far, marks=(0,), unit="points", said=said)


def _readers_figure(crossed: Sequence[_Crossed], versions: Versions, names: Mapping[int, str]) -> Figure:
    key, title = "reader-scores", "Each reader's mean ratings of the two versions"
    lower, higher = versions.names
    method = f"mean points over the cases that all of these readers rated under both {lower} and {higher}"
    columns = ("question", "reader", lower, higher, "difference", "cases")
    rows: list[tuple[Cell, ...]] = []
    for one in crossed:
        num_cases = one.ratings.shape[2]
        if not num_cases:
            continue
        means = one.ratings.mean(axis=2)
        rows += [
            (
                *(one.criterion.name, names[reader]),
                *map(rounded, (means[0, place], means[1, place], means[1, place] - means[0, place])),
                num_cases,
            )
            for place, reader in enumerate(one.readers.tolist())
        ]
    if not rows:
        note = "No reader has rated a case under both versions that the others rated too."
        return missing(key=key, title=title, method=method, note=note, columns=columns)
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(rows)),
        method=method,
        n=counted(len({row[1] for row in rows}), "reader"),
        plot=_readers_plot(rows, lower=lower, higher=higher) if len(rows) <= MOST_DRAWN else None,
    )


def _readers_plot(rows: Sequence[tuple[Cell, ...]], *, lower: str, higher: str) -> Plot:
    """How far each reader's mean of the later version lies above that of the earlier one."""
    of_question = dict[str, list[Difference]]()
    for question, reader, _, _, difference, _ in rows:
        assert isinstance(difference, float)
        of_question.setdefault(str(question), []).append((str(reader), difference, None))
    return stacked(
        [
            (f"{question}, points; right: {higher} higher", _differences_plot(found, said=""))
            for question, found in of_question.items()
        ],
        said=f"{higher} minus {lower}: "
        + ", ".join(
            f"{question} of {reader} {difference:+.2f}"
            for question, found in of_question.items()
            for reader, difference, _ in found
        ),
    )
