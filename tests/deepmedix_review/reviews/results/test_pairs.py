"""Which pairs of readers the range of kappa speaks of, on readings made by hand."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from deepmedix_review.reviews.results.figures import TOO_FEW_CASES, Figure
from deepmedix_review.reviews.results.pairs import pairs_figure
from deepmedix_review.reviews.results.rated import FIVE, RatedCriterion
from deepmedix_review.reviews.results.readings import Ratings, Readings

NAMES = {1: "E-ONE", 2: "E-TWO", 3: "E-THREE"}
NUM_STEPS = 3


def pairs_of(cases_of: Mapping[int, range]) -> Figure:
    """Each reader rates the steps of these cases: the first two alike, the third the other way round."""
    read = [(reader, case) for reader, cases in cases_of.items() for case in cases]
    reader, case = np.array(read, dtype=np.int64).T
    empty = np.zeros(len(read), dtype=np.int64)
    columns = dict.fromkeys(Readings.__annotations__, empty) | {"reader": reader, "case": case}
    reading = np.repeat(np.arange(len(read)), NUM_STEPS)
    item = np.repeat(case * NUM_STEPS, NUM_STEPS) + np.tile(np.arange(NUM_STEPS), len(read))
    value = 1.0 + item % 5
    value[reader[reading] == 3] = 6.0 - value[reader[reading] == 3]
    ratings = Ratings(reading, item, value)
    scale = RatedCriterion(
        key="plausibility",
        name="Plausibility",
        item="step",
        ratings=ratings,
        first=ratings,
        values=FIVE,
        labels=tuple(map(str, FIVE)),
        is_scale=True,
    )
    return pairs_figure(Readings(**columns), [scale], NAMES)


def test_pairs_with_few_cases_in_common_stand_in_the_table_and_not_in_the_range() -> None:
    found = pairs_of({1: range(20), 2: range(20), 3: range(2)})
    assert found.value == "kappa 1.00 to 1.00"
    assert (
        "2 pairs of readers have fewer than 10 cases in common: in brackets, left out of the range"
        in found.note
    )
    assert found.n == "1 of 3 pairs of 3 readers, plausibility"
    rows = {row[:2]: dict(zip(found.table.columns, row, strict=True)) for row in found.table.rows}
    few = rows["E-ONE", "E-THREE"]
    assert (few["items"], few["cases"]) == (2 * NUM_STEPS, 2)
    assert isinstance(few["kappa"], float)
    assert few["kappa"] < 0
    assert (rows["E-ONE", "E-TWO"]["items"], rows["E-ONE", "E-TWO"]["cases"]) == (20 * NUM_STEPS, 20)
    assert few["in the range"] == "no: 2 cases in common, fewer than 10"
    assert rows["E-ONE", "E-TWO"]["in the range"] == "yes"
    assert found.plot is not None
    # Four cells of the plot, two pairs from both sides: in brackets, and the pointer is told why.
    figures = Counter(label.text for label in found.plot.labels if "." in label.text)
    assert figures == {"1.00": 2, f"({few['kappa']:.2f})": 4}
    why = {bar.title for bar, _ in found.plot.cells if "E-THREE" in bar.title}
    assert all(title.endswith("2 cases in common, fewer than 10") for title in why)
    assert "1 of 3 pairs, from 1.00 to 1.00" in found.plot.said


def test_cases_are_counted_not_items_and_the_first_number_that_is_enough_counts() -> None:
    """Ten cases in common are enough; nine are not, whose steps are many more than ten."""
    enough = pairs_of({1: range(TOO_FEW_CASES), 2: range(TOO_FEW_CASES)})
    assert (enough.value, enough.note) == ("kappa 1.00 to 1.00", "")
    few = pairs_of({1: range(20), 2: range(11, 30)})
    assert few.value == ""
    assert few.note.startswith("No range is told: no 2 readers have rated 10 cases or more in common.")
    assert few.table.rows[0][2] == 1.0
    assert few.table.rows[0][6] == TOO_FEW_CASES - 1


def test_readers_with_nothing_in_common_are_not_called_a_pair_of_few_cases() -> None:
    found = pairs_of({1: range(12), 2: range(12), 3: range(12, 14)})
    assert found.value == "kappa 1.00 to 1.00"
    assert found.note == "2 pairs of readers rated nothing in common (–)."
    assert [row[-1] for row in found.table.rows] == ["yes", "no: no case in common", "no: no case in common"]
