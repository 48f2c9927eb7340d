"""The table that papers print of a reader study: each dimension as a score from 0 to 1, each forced choice as
a share, with how far readers agree."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepmedix_review.reviews.results.agreement import Compared
from deepmedix_review.reviews.results.crossed import crossed_figures
from deepmedix_review.reviews.results.figures import (
    Cell,
    Figure,
    Table,
    missing,
    rough_note,
    rounded,
)
from deepmedix_review.reviews.results.intervals import edges_of, unless_all_alike
from deepmedix_review.reviews.results.plots import Plot, interval_plot
from deepmedix_review.reviews.results.rated import RatedCriterion
from deepmedix_review.reviews.results.readings import POINTS, Readings
from deepmedix_review.reviews.results.scales import Scaled
from deepmedix_review.reviews.results.versions import ONLY_OUTPUT, Versions
from rl_feedback.agreement import (
    Clustered,
    Estimate,
    clustered_mean,
)
from rl_feedback.counting import counted

ABSOLUTE, FORCED = "absolute, 0 to 1", "forced choice, share"
# As the paper lists its dimensions; what else was asked follows.
PAPER_ORDER = (*POINTS, "grounded", "overall")


@dataclass(frozen=True)
class _Dimension:
    """`found` by version: a score of a scale, from 0 at its lowest end to 1, or a share of the votes."""

    criterion: RatedCriterion
    kind: str
    found: tuple[Clustered, ...]
    num_readers: int
    agreement: Estimate
    agreed_by: str

    @property
    def num(self) -> int:
        """Ratings of both versions, or votes, which are between them."""
        return max(one.num for one in self.found) if self.kind == FORCED else sum(o.num for o in self.found)


def expert_review_figures(
    readings: Readings,
    rated: Sequence[RatedCriterion],
    asked: Sequence[Scaled],
    compared: Sequence[Compared],
    versions: Versions | None,
    names: Mapping[int, str],
) -> tuple[Figure, ...]:
    """`asked` are the scales among `rated`, `compared` how far readers agree on each of these. Nothing here
    asks the database."""
    scales = [one for one in asked if one.criterion.is_scale]
    agreed = {one.chance_corrected.criterion.key: one for one in compared}
    table = _dimensions_figure(list(_dimensions(readings, rated, scales, agreed, versions)), versions)
    if versions is None:
        return (table,)
    return table, *crossed_figures(scales, versions, names)


def _dimensions(
    readings: Readings,
    rated: Sequence[RatedCriterion],
    scales: Sequence[Scaled],
    agreed: Mapping[str, Compared],
    versions: Versions | None,
) -> Iterator[_Dimension]:
    of_scale = {one.criterion.key: one for one in scales}
    for one in sorted(rated, key=_place_in_paper):
        agreement = agreed[one.key].chance_corrected.found
        if one.key in of_scale:
            each = of_scale[one.key]
            found = tuple(_scores(each, versions))
            if all(score.value is not None for score in found):
                num_readers = len(np.unique(each.reader))
                yield _Dimension(one, ABSOLUTE, found, num_readers, agreement, "alpha")
        elif one.vote and versions is not None and len(one.first.value):
            case, reader = (column[one.first.reading] for column in (readings.case, readings.reader))
            later = np.select([one.first.value == 0, one.first.value == 2], [0.0, 1.0], default=0.5)
            shares = tuple(unless_all_alike(clustered_mean(of, case)) for of in (1 - later, later))
            yield _Dimension(one, FORCED, shares, len(np.unique(reader)), agreement, "AC1")


def _place_in_paper(one: RatedCriterion) -> int:
    key = one.vote or one.key
    return PAPER_ORDER.index(key) if key in PAPER_ORDER else len(PAPER_ORDER)


def _scores(one: Scaled, versions: Versions | None) -> Iterator[Clustered]:
    lowest, highest = min(one.criterion.numbers), max(one.criterion.numbers)
    score = (one.points - lowest) / (highest - lowest)
    if versions is None or one.version is None:
        yield unless_all_alike(clustered_mean(score, one.case))
        return
    for place in range(len(versions.names)):
        of = one.version == place
        yield unless_all_alike(clustered_mean(score[of], one.case[of]))


def _dimensions_figure(dimensions: Sequence[_Dimension], versions: Versions | None) -> Figure:
    key, title = "expert-review", "Each dimension, as papers print it"
    names = versions.names if versions else (ONLY_OUTPUT,)
    method = (
        "a score is the mean of first ratings, from 0 at the lowest end of its scale to 1 at the highest; a "
        "forced choice the share of first votes, a tie or both bad counting half for each; 95 % intervals "
        "from the variance between cases (Cochran 1977); agreement by Krippendorff's alpha, of votes by "
        "Gwet's AC1"
    )
    columns = (
        *("dimension", "kind"),
        *(column for name in names for column in (name, f"{name} low", f"{name} high")),
        *("better", "cases", "ratings", "readers"),
        *("agreement", "agreement low", "agreement high", "agreement by"),
    )
    if not dimensions:
        note = "No scale has been rated and no vote signed yet, of any that this reader study asks."
        return missing(key=key, title=title, method=method, note=note, columns=columns)
    cells: list[tuple[Cell, ...]] = []
    for one in dimensions:
        edges: list[Cell] = []
        for found in one.found:
            low, high, _ = edges_of(found, scale=(0, 1))
            edges += [rounded(found.value), low, high]
        agreed = (one.agreement.value, *(one.agreement.interval or (None, None)))
        cells.append(
            (
                *(one.criterion.name, one.kind, *edges),
                "higher" if one.kind == FORCED else one.criterion.better,
                *(max(found.num_clusters for found in one.found), one.num, one.num_readers),
                *map(rounded, agreed),
                one.agreed_by,
            )
        )
    lead = dimensions[0]
    told = [f"{name} {found.value:.2f}" for name, found in zip(names, lead.found, strict=True)]
    fewest = min(found.num_clusters for one in dimensions for found in one.found)
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(cells)),
        method=method,
        n=f"{counted(sum(one.num for one in dimensions), 'rating')} and votes of "
        f"{counted(len(dimensions), 'dimension')}, "
        f"{counted(max(one.num_readers for one in dimensions), 'reader')}",
        value=f"{lead.criterion.name} {', '.join(told)}",
        note=rough_note(fewest),
        plot=_dimensions_plot(dimensions, names, title),
    )


def _dimensions_plot(dimensions: Sequence[_Dimension], names: Sequence[str], title: str) -> Plot:
    rows, groups, said = [], [], []
    for one in dimensions:
        for name, found in zip(names, one.found, strict=True):
            label = one.criterion.name if len(names) == 1 else f"{one.criterion.name}, {name}"
            rows.append((label, found.value, found.interval))
            groups.append(name)
            said.append(f"{label} {found.value:.2f}")
    return interval_plot(
        rows,
        low=0,
        high=1,
        marks=(0.5,),
        unit="score",
        groups=groups if len(names) > 1 else (),
        first=names if len(names) > 1 else (),
        said=f"{title}: {', '.join(said)}",
    )
