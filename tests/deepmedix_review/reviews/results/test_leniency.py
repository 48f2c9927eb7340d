"""How lenient each reader is, by hand: what a scale counts, and which cases readers can be compared on."""

import numpy as np
import pytest

from deepmedix_review.reviews.models import Assignment, Case
from deepmedix_review.reviews.results.figures import Figure
from deepmedix_review.reviews.results.rated import RatedCriterion
from deepmedix_review.reviews.results.readings import KINDS, ROLES, Ratings, Readings, reader_names
from deepmedix_review.reviews.results.spread import FEWEST_COMMON, spread_figures
from tests.factories.reader_studies import experts

pytestmark = pytest.mark.django_db


def leniency(rows: list[tuple[int, int, int]]) -> Figure:
    """Of rows of reader, case and place on the scale 0, 50, 100."""
    reader, case, place = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    number, none = np.arange(len(rows)), np.zeros(len(rows), dtype=np.int64)
    readings = Readings(
        key=number + 1,
        assignment=number + 1,
        repeat_of=none,
        case=case,
        reader=reader,
        kind=none + KINDS.index(Assignment.Kind.FIRST),
        role=none + ROLES.index(Case.Role.DATA),
        completion_a=none + 1,
        completion_b=none,
        seconds=none.astype(float),
        signed_at=number,
        reader_study=none + 1,
        asks_first_read=none,
    )
    ratings = Ratings(number, case, place.astype(float))
    scale = RatedCriterion(
        key="tone",
        name="Tone",
        item="case",
        ratings=ratings,
        first=ratings,
        values=(0, 1, 2),
        labels=("harsh", "plain", "kind"),
        is_scale=True,
        numbers=(0, 50, 100),
    )
    return spread_figures(readings, [scale], reader_names(readings))[1]


def test_readers_are_compared_in_points_and_on_the_cases_that_all_of_them_rated() -> None:
    strict, kind = (one.pk for one in experts(2))
    anchors = range(1, FEWEST_COMMON + 1)
    rows = [(reader, case, place) for reader, place in ((strict, 0), (kind, 1)) for case in anchors]
    told = leniency(rows)
    assert [row[1] for row in told.table.rows] == [0.0, 50.0]
    assert (told.note, "each of them rated" in told.method) == ("", False)

    # The one case that the strict reader alone had deserves all, and moves nobody.
    with_others = leniency([*rows, (strict, 90, 2), (kind, 91, 0)])
    assert with_others.table.rows == told.table.rows
    assert f"on the {FEWEST_COMMON} of {FEWEST_COMMON + 2} cases" in with_others.method

    apart = leniency([(strict, 1, 0), (strict, 2, 0), (kind, 3, 2), (kind, 4, 2)])
    assert "Readers rated different cases" in apart.note
    assert [row[1] for row in apart.table.rows] == [0.0, 100.0]
