"""All first ratings on the scales of a reader study, and how a scale is called in figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from deepmedix_review.reviews.results.columns import Keys, Numbers
from deepmedix_review.reviews.results.rated import RatedCriterion
from deepmedix_review.reviews.results.readings import VERDICTS, Readings
from deepmedix_review.reviews.results.versions import Versions

Row = TypeVar("Row")
FITS = VERDICTS.index("fits")


@dataclass(frozen=True)
class Scaled:
    """All first ratings of one question, one row each: points, case, reading, reader, and the place of the
    version that was rated, -1 where it was both; none where one version was shown."""

    criterion: RatedCriterion
    points: Numbers
    case: Keys
    reading: Keys
    reader: Keys
    version: Keys | None


def all_scaled(
    readings: Readings, rated: Sequence[RatedCriterion], versions: Versions | None
) -> list[Scaled]:
    """Of the scales, and of the verdicts on regions."""
    return [_scaled(readings, one, versions) for one in rated if one.is_scale or one.key == "region-verdict"]


def _scaled(readings: Readings, one: RatedCriterion, versions: Versions | None) -> Scaled:
    """Of a region's verdict the points are 1 where it fits, else 0."""
    ratings = one.first
    points = one.points_of(ratings) if one.is_scale else (ratings.value == FITS).astype(float)
    has_version = versions is not None and len(ratings.value)
    return Scaled(
        one,
        points,
        case=readings.case[ratings.reading],
        reading=ratings.reading,
        reader=readings.reader[ratings.reading],
        version=versions.of(readings, ratings, one.item) if versions is not None and has_version else None,
    )


def ends_of(one: RatedCriterion) -> str:
    """Of its scale, with their names where these are no numbers."""
    ends = [
        f"{number:g}" if label == f"{number:g}" else f"{number:g} {label}"
        for number, label in zip(one.numbers, one.labels, strict=True)
    ]
    return f"{ends[0]} to {ends[-1]}"


def say_better(better: str) -> str:
    return f", {better} is better" if better else ""


def by_scale(rows: Sequence[Row], scale_of: Callable[[Row], tuple[str, str]]) -> list[list[Row]]:
    """Those on one scale, with one end of it the good one, have one plot: the others' points are others."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault(scale_of(row), []).append(row)
    return list(found.values())
