"""What each output and step deserves leaves with its variance and the readers it rests on."""

from dataclasses import replace

import pytest

from inference.regions import Box
from rl_feedback.preferences import Label, Preferences, gather_preferences
from rl_feedback.readings import JudgedAnswer, JudgedRegion
from tests.rl_feedback.preferences.cases import completion, judged, of_step, on_film, reading, readings


def label(found: Preferences, step: str | None, criterion: str) -> Label:
    (row,) = (row for row in found.labels if (row.step, row.criterion) == (step, criterion))
    return row


def test_labels_lie_on_the_scale_and_are_surer_with_more_readers() -> None:
    one = gather_preferences(readings(completion("a", rating=4)))
    three = gather_preferences(readings(*[completion("a", rating=4)] * 3))
    few, many = label(one, None, "correctness"), label(three, None, "correctness")
    assert 0.55 < few.value < 0.85
    assert many.variance < few.variance
    assert (few.num_readers, many.num_readers) == (1, 3)
    assert many.num_effective_readers > 2 * few.num_effective_readers
    assert many.readings == ("r0", "r1", "r2")


def test_higher_ratings_give_higher_labels() -> None:
    values = [
        label(gather_preferences(readings(completion("a", rating=rating))), "a-1", "plausibility").value
        for rating in (1, 2, 3, 4, 5)
    ]
    assert values == sorted(values)
    assert 0 <= values[0] < 0.25
    assert 0.75 < values[-1] <= 1


def test_grounding_is_how_much_of_a_steps_regions_is_right() -> None:
    fits = label(gather_preferences(readings(completion("a"))), "a-2", "grounding").value
    half = label(gather_preferences(readings(judged(completion("a"), 1, 1, "wrong"))), "a-2", "grounding")
    moved = judged(completion("a"), 1, 1, "adjusted", on_film((60, 10, 100, 80)))
    near = label(gather_preferences(readings(moved)), "a-2", "grounding").value
    assert half.value < near < fits <= 1
    assert 0.4 < half.value < 0.75
    assert half.variance > 0


def test_the_whole_output_gets_a_label_of_its_own_for_training_without_pairs() -> None:
    good = label(gather_preferences(readings(completion("a", rating=5))), None, "overall")
    poor = label(gather_preferences(readings(completion("a", rating=1))), None, "overall")
    assert poor.value < 0.3 < 0.7 < good.value


def test_a_step_that_no_reader_could_judge_gives_no_label() -> None:
    blind = replace(
        completion("a"),
        answer=JudgedAnswer(),
        steps=tuple(replace(step, plausibility=None) for step in completion("a").steps),
    )
    found = gather_preferences(readings(blind))
    assert {row.criterion for row in found.labels} == {"grounding"}


def test_expert_regions_tell_where_each_step_was_seen_and_by_how_many() -> None:
    moved = [
        judged(completion("a"), 0, 0, "adjusted", on_film(box))
        for box in ((32, 50, 84, 92), (34, 50, 86, 92))
    ]
    found = gather_preferences(readings(*moved))
    (heart,) = (row for row in found.regions if row.step == "a-1")
    assert tuple(heart.box) == pytest.approx(tuple(on_film((33, 50, 85, 92))))
    assert heart.tolerance is not None
    assert heart.tolerance.x_min == pytest.approx(on_film((1, 0, 0, 0)).x_min)
    assert (heart.num_readers, heart.is_models_own) == (2, False)
    assert [row.is_models_own for row in found.regions if row.step == "a-2"] == [True, True]


def test_a_region_that_is_wrong_is_no_expert_region_and_an_added_one_is() -> None:
    made = of_step(judged(completion("a"), 0, 0, "wrong"), 0, drawn=(on_film((5, 5, 20, 20)),))
    (row,) = (row for row in gather_preferences(readings(made)).regions if row.step == "a-1")
    assert tuple(row.box) == tuple(on_film((5, 5, 20, 20)))
    assert row.tolerance is None


@pytest.mark.parametrize(
    ("box", "words"),
    [
        (Box(900, 100, 300, 400), "its corners are swapped"),
        (Box(300, 100, 300, 400), "it has no area"),
        (Box(300, 100, 2900, 400), "it leaves the film"),
    ],
)
def test_a_box_that_is_no_region_is_left_out_whatever_its_reader_said(box: Box, words: str) -> None:
    written = of_step(completion("a"), 0, regions=(JudgedRegion(box, "fits"),))
    found = gather_preferences([reading("r", written)])
    assert all(region.step != "a-1" for region in found.regions)
    assert any(words in left.reason for left in found.left_out)
    redrawn = judged(written, 0, 0, "adjusted", on_film((30, 50, 80, 90)))
    assert any(region.step == "a-1" for region in gather_preferences([reading("r", redrawn)]).regions)


def test_a_strict_readers_ratings_are_taken_for_what_they_are_worth() -> None:
    """Bob rates everything two points lower than Ann; the last case Bob alone has seen."""
    made = []
    for number in range(12):
        rating = 3 + number % 3
        for reader, points in (("Ann", rating), ("Bob", rating - 2)):
            made.append(reading(f"{reader}{number}", completion(f"c{number}", rating=points), reader=reader))
    alone = [reading(f"{who} alone", completion(f"x {who}", rating=3), reader=who) for who in ("Ann", "Bob")]
    found = gather_preferences([*made, *alone])
    by_completion = {row.completion: row.value for row in found.labels if row.criterion == "overall"}
    assert by_completion["x Bob"] > by_completion["x Ann"] + 0.15
    severity = {one.reader: one.severity for one in found.readers.ratings["correctness"].readers}
    assert severity["Bob"] is not None
    assert severity["Bob"] > 0


def test_the_agreement_behind_a_data_set_is_told_with_its_n() -> None:
    made = [
        reading(f"{who}{n}", completion(f"c{n}", rating=1 + n % 5), reader=who)
        for who in ("Ann", "Bob")
        for n in range(6)
    ]
    rows = {row.criterion: row for row in gather_preferences(made).readers.agreement}
    assert rows["correctness"].value == pytest.approx(1)
    assert (rows["correctness"].num_items, rows["correctness"].num_words) == (6, 12)
    assert rows["vote"].value is None
    assert rows["vote"].note == "No item has the word of two readers."
