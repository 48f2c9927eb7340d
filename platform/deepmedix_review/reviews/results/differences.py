"""How much higher the later of two versions was rated than the earlier, where both were: what a reader study
of two versions was made for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.results.figures import (
    TOO_FEW_CASES,
    Cell,
    Figure,
    Table,
    missing,
    rough_note,
    rounded,
    too_few,
)
from deepmedix_review.reviews.results.intervals import edges_of, said_interval, unless_all_alike
from deepmedix_review.reviews.results.plots import Plot, interval_plot, reach_of, stacked
from deepmedix_review.reviews.results.scales import Scaled, by_scale, ends_of, say_better
from deepmedix_review.reviews.results.versions import Versions, may_yet_be_compared, shows_one_a_reading
from rl_feedback.agreement import PairedDifference, paired_difference
from rl_feedback.counting import counted

NUM_DRAWS, SEED = 1000, 0
# With more of them both intervals are the same to the digits shown, and drawing takes a second.
MOST_DRAWN_CASES = 2_000
# Name, scale, better end, unit and ends of the difference.
_Of = tuple[str, str, str, str, tuple[float, ...]]
OF_REGIONS: _Of = ("Regions that fit", "share, 0 to 1", "higher", "share", (-1.0, 1.0))


@dataclass(frozen=True)
class _Difference:
    """Of one question; `ends` of the difference where it has some, `num_readers` who rated in a
    pair that has both."""

    name: str
    scale: str
    better: str
    unit: str
    ends: tuple[float, ...]
    found: PairedDifference
    num_readers: int

    @property
    def value(self) -> float:
        return self.found.value or 0.0

    @property
    def is_share(self) -> bool:
        return self.unit == "share"


def difference_figure(
    reader_study: ReaderStudy, asked: Sequence[Scaled], versions: Versions | None
) -> Figure:
    """Of all scales and of the verdicts on regions; empty while no second version has been read."""
    key = "differences"
    lower, *_, higher = versions.names if versions is not None else ("the earlier", "the later")
    title = f"{higher} against {lower}" if versions is not None else "The two versions against each other"
    is_within_cases = shows_one_a_reading(reader_study)
    pairs = "case" if is_within_cases else "reading"
    as_planned = "" if is_within_cases else ", the test that the plan counts with"
    method = (
        f"{higher}'s mean points, or share of regions that fit, less {lower}'s within each {pairs}, the mean "
        "over these, its 95 % interval from the variance between cases (Cochran 1977) and Student's "
        f"t{as_planned}; beside it in the table the percentiles of {NUM_DRAWS:,} bootstrap draws of cases, "
        f"where at most {MOST_DRAWN_CASES:,} (Davison and Hinkley 1997, seed {SEED}); both hold for these "
        f"readers, who rated in a {pairs} that has both"
    )
    columns = (
        *("question", "difference", "low", "high", "half width", "verdict", "scale", "better", "cases"),
        *([] if pairs == "case" else [f"{pairs}s"]),
        *("readers", "bootstrap low", "bootstrap high"),
    )
    rows = list(_differences(asked, versions)) if versions is not None else []
    if not rows:
        yet = ", yet" if asked and may_yet_be_compared(reader_study) else ""
        note = f"No {pairs} has ratings of both versions on a scale, or of regions of both{yet}."
        return missing(key=key, title=title, method=method, note=note, columns=columns)
    cells: list[tuple[Cell, ...]] = [
        (
            one.name,
            rounded(one.value),
            *edges_of(one.found, scale=one.ends),
            _told_apart(one, lower=lower, higher=higher),
            one.scale,
            one.better,
            one.found.num_clusters,
            *([] if pairs == "case" else [one.found.num]),
            one.num_readers,
            *(rounded(edge) for edge in _drawn(one.found)),
        )
        for one in rows
    ]
    most = {
        pairs: max(one.found.num for one in rows),
        "case": max(one.found.num_clusters for one in rows),
        "reader": max(one.num_readers for one in rows),
    }
    lead = rows[0]
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(cells)),
        method=method,
        n=", ".join(counted(number, noun) for noun, number in most.items()),
        value=f"{lead.name} {lead.value:+.2f}",
        interval=said_interval(lead.found, scale=lead.ends),
        note=rough_note(min(one.found.num_clusters for one in rows)),
        plot=stacked(
            [
                (f"{_heading(alike[0])}; right: {higher} higher", _plot(alike))
                for alike in by_scale(rows, lambda one: (one.scale, one.better))
            ],
            said=f"{title}: "
            + ", ".join(f"{one.name} {one.value:+.2f}{say_better(one.better)}" for one in rows),
        ),
    )


def _differences(asked: Sequence[Scaled], versions: Versions) -> Iterator[_Difference]:
    """One for each question that was answered on both versions somewhere."""
    for each in asked:
        one = each.criterion
        of: _Of = (one.name, ends_of(one), one.better, "points", ()) if one.is_scale else OF_REGIONS
        difference = _difference(each, of, versions)
        if difference is not None:
            yield difference


def _difference(one: Scaled, of: _Of, versions: Versions) -> _Difference | None:
    if one.version is None:
        return None
    is_of_one = one.version >= 0
    version, case = one.version[is_of_one], one.case[is_of_one]
    pair = case if versions.one_a_reading else one.reading[is_of_one]
    num_draws = NUM_DRAWS if len(np.unique(case)) <= MOST_DRAWN_CASES else 0
    found = paired_difference(one.points[is_of_one], version == 1, pair, case, num_draws=num_draws, seed=SEED)
    if found.value is None:
        return None
    has_both = np.isin(pair, np.intersect1d(pair[version == 0], pair[version == 1]))
    num_readers = len(np.unique(one.reader[is_of_one][has_both]))
    return _Difference(*of, unless_all_alike(found), num_readers)


def _drawn(found: PairedDifference) -> tuple[float | None, float | None]:
    """The ends of the bootstrap's interval; none where these cases tell of no spread."""
    if found.interval is None or found.drawn_interval is None:
        return None, None
    return found.drawn_interval


def _heading(one: _Difference) -> str:
    what = "Share of regions" if one.is_share else f"Points, {one.scale}"
    return f"{what}{say_better(one.better)}"


def _plot(rows: Sequence[_Difference]) -> Plot:
    """Of questions on one scale."""
    far = reach_of(edge for one in rows for edge in (one.value, *(one.found.interval or ())))
    far = min(far, max(rows[0].ends, default=far))
    return interval_plot(
        [(one.name, one.value, one.found.interval) for one in rows],
        low=-far,
        high=far,
        marks=(0,),
        unit=rows[0].unit,
        said="",
    )


def _told_apart(one: _Difference, *, lower: str, higher: str) -> str:
    """In words, by the interval."""
    found = one.found
    if found.interval is None or found.num_clusters < TOO_FEW_CASES:
        return too_few(found.num_clusters)
    low, high = found.interval
    if low <= 0 <= high:
        return "no difference can be told"
    better = higher if low > 0 else lower
    return f"{better}'s fit more often" if one.is_share else f"{better} is rated higher"
