"""The same readings give the same training data, in any order, and no patient stands on two sides."""

import doctest
import json
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_feedback import corrections
from rl_feedback.preferences import (
    SPLITS,
    ExpertRegion,
    Label,
    Pair,
    Split,
    gather_preferences,
    split_of,
    splits,
)
from tests.rl_feedback.preferences.cases import OTHER, completion, judged, of_step, on_film, reading, readings

A, B = completion("a"), completion("b", OTHER)


def some_readings():
    edited = of_step(judged(A, 1, 0, "adjusted", on_film((12, 10, 50, 80))), 0, edited_text="Large heart")
    return [
        *readings((A, B, "a"), (edited, B, "a"), (A, completion("b", OTHER, rating=1), "tie")),
        reading("s1", completion("c", rating=5), patient="P-2"),
        reading("s2", completion("c", rating=4), reader="Bob", patient="P-2"),
    ]


def test_the_same_readings_give_the_same_sha256_in_any_order_and_another_word_changes_it() -> None:
    orders = list(permutations(some_readings()))[::24]
    assert len({gather_preferences(order).sha256 for order in orders}) == 1
    changed = [*some_readings()[:-1], reading("s2", completion("c", rating=3), reader="Bob", patient="P-2")]
    assert gather_preferences(changed).sha256 != gather_preferences(some_readings()).sha256


def test_lines_are_plain_json_with_every_row_and_its_kind() -> None:
    found = gather_preferences(some_readings())
    rows = [json.loads(line) for line in found.lines()]
    kinds = [row["kind"] for row in rows]
    assert kinds == ["pair"] * len(found.pairs) + ["label"] * len(found.labels) + ["region"] * len(
        found.regions
    )
    assert all(row["readings"] and row["split"] in SPLITS for row in rows)
    assert all(line == line.encode("ascii").decode() for line in found.lines())
    assert "P-1" not in "".join(found.lines())
    assert "Ann" not in "".join(found.lines())


def test_seven_tenths_of_patients_are_learned_from_and_the_rest_held_out() -> None:
    sides = [split_of(f"P-{n}") for n in range(5000)]
    shares = {side: sides.count(side) / 5000 for side in SPLITS}
    assert shares == pytest.approx({"train": 0.7, "tune": 0.1, "test": 0.2}, abs=0.02)


@settings(max_examples=20)
@given(patients=st.lists(st.integers(0, 30), min_size=1, max_size=8))
def test_no_patient_ever_stands_on_two_sides(patients) -> None:
    made = [reading(f"r{n}", completion(f"c{n}"), patient=f"P-{number}") for n, number in enumerate(patients)]
    found = gather_preferences(made)
    sides = {(made[int(row.completion[1:])].patient, row.split) for row in found.labels}
    assert len(sides) == len(set(patients))
    assert all(split_of(patient) == side for patient, side in sides)


def test_an_installation_deals_its_own_sides() -> None:
    sides: dict[str, Split] = {"P-1": "tune", "P-2": "test"}
    found = gather_preferences(some_readings(), side_of=sides.__getitem__)
    told = {(row.completion, row.split) for row in found.labels}
    assert told == {("a", "tune"), ("b", "tune"), ("c", "test")}


def test_every_row_of_a_patient_stands_on_the_patients_side() -> None:
    made = [
        reading(
            f"r{n}",
            completion(f"a{n}", rating=5),
            completion(f"b{n}", OTHER, rating=1),
            "a",
            patient=f"P-{n}",
        )
        for n in range(40)
    ]
    found = gather_preferences(made)
    assert set(found.splits.values()) == set(SPLITS)
    rows: list[Pair | Label | ExpertRegion] = [*found.pairs, *found.labels, *found.regions]
    for row in rows:
        patient = "P-" + row.completion[1:]
        assert row.split == found.splits[patient] == split_of(patient)


def test_the_readers_behind_it_are_told_with_every_parameter() -> None:
    told = gather_preferences(some_readings()).readers.as_json()
    json.dumps(told, allow_nan=False)
    assert {"relevance", "correctness", "completeness", "plausibility"} == set(told["ratings"])
    ann = told["ratings"]["correctness"]["readers"][0]
    assert {"reader", "severity", "severity_interval", "reliability", "num_ratings", "group"} <= set(ann)
    assert told["verdicts"]["readers"][0]["confusion"]
    assert {"typical_precision", "margin", "note", "readers"} <= set(told["votes"])


def test_nothing_gives_nothing() -> None:
    found = gather_preferences([])
    assert (found.pairs, found.labels, found.regions, found.disputes, found.left_out) == ((),) * 5


@pytest.mark.parametrize("module", [splits, corrections])
def test_the_examples_in_the_docstrings_run(module) -> None:
    assert doctest.testmod(module).failed == 0
