"""Readers who contradict each other are not outvoted: what they dispute is listed until it is adjudicated."""

from dataclasses import replace

import pytest

from rl_feedback.preferences import NotTrainingData, Preferences, gather_preferences
from rl_feedback.preferences.words import corpus_of
from rl_feedback.readings import JudgedAnswer, JudgedCompletion, JudgedRegion
from tests.rl_feedback.preferences.cases import (
    OTHER,
    TEXT,
    completion,
    judged,
    of_step,
    on_film,
    reading,
    readings,
)

A, B = completion("a"), completion("b", OTHER)


def reasons(found: Preferences) -> str:
    return " ".join(row.reason for row in found.disputes)


def test_votes_for_different_outputs_give_no_pair_and_are_listed_with_their_readings() -> None:
    found = gather_preferences(readings((A, B, "a"), (A, B, "b")))
    assert not [pair for pair in found.pairs if pair.origin == "vote"]
    (row,) = (row for row in found.disputes if row.criterion == "vote")
    assert row.readings == ("r0", "r1")
    assert "prefer different outputs" in row.reason


def test_ratings_far_apart_give_no_label() -> None:
    found = gather_preferences(readings(completion("a", rating=1), completion("a", rating=5)))
    assert not [row for row in found.labels if row.criterion in ("correctness", "plausibility", "overall")]
    assert {row.criterion for row in found.disputes} == {
        "relevance",
        "correctness",
        "completeness",
        "plausibility",
    }


def test_a_region_that_one_takes_out_and_another_keeps_leaves_the_text_uncorrected() -> None:
    found = gather_preferences(readings(A, judged(A, 0, 0, "wrong")))
    assert not found.pairs
    assert "one takes a region out, another keeps it" in reasons(found)
    assert any("no text can be corrected" in left.reason for left in found.left_out)
    assert not [row for row in found.regions if row.step == "a-1"]


def test_a_region_redrawn_in_different_places_is_disputed() -> None:
    apart = [judged(A, 0, 0, "adjusted", on_film(box)) for box in ((0, 0, 20, 20), (80, 80, 110, 110))]
    found = gather_preferences(readings(*apart))
    assert "redraw a region in different places" in reasons(found)
    assert not found.pairs


def test_a_wording_that_another_reader_finds_good_as_it_is_is_disputed() -> None:
    edited = of_step(completion("a", rating=4), 0, edited_text="The heart is large")
    found = gather_preferences(readings(edited, completion("a", rating=5)))
    assert not [pair for pair in found.pairs if pair.origin in ("rewrite", "step")]
    assert "one would write it otherwise" in reasons(found)
    assert {row.step for row in found.disputes} == {None, "a-1"}


def test_an_adjudication_stands_whatever_the_readers_said() -> None:
    disputed = readings((A, B, "a"), (A, B, "b"))
    settling = reading(
        "z",
        judged(completion("a", rating=5), 0, 0, "adjusted", on_film((35, 52, 90, 95))),
        completion("b", OTHER, rating=1),
        "a",
        reader="Zoe",
        kind="adjudication",
    )
    found = gather_preferences([*disputed, settling])
    assert not found.disputes
    by_origin = {pair.origin: pair for pair in found.pairs}
    assert by_origin["vote"].completion == "a"
    assert by_origin["vote"].readings == ("z",)
    assert by_origin["vote"].weight > 0.8
    assert by_origin["region"].chosen == TEXT.replace("[30, 50, 80, 90]", "[35, 52, 90, 95]")
    (label,) = (row for row in found.labels if (row.completion, row.criterion) == ("a", "correctness"))
    assert (label.readings, label.num_effective_readers) == (("z",), 4)
    assert label.value > 0.75


def test_only_the_adjudicators_rewriting_stands() -> None:
    edited = of_step(completion("a", rating=1), 0, edited_text="The heart is large")
    settling = reading(
        "z",
        of_step(completion("a", rating=1), 0, edited_text="The heart is huge"),
        reader="Zoe",
        kind="adjudication",
    )
    found = gather_preferences([*readings(edited, completion("a", rating=5)), settling])
    rewrites = [pair for pair in found.pairs if pair.origin == "rewrite"]
    assert [("huge" in pair.chosen, pair.readings) for pair in rewrites] == [(True, ("z",))]
    assert not [row for row in found.disputes if row.criterion == "rewrite"]


def silent(uid: str) -> JudgedCompletion:
    """As an adjudication has it that says nothing but what it is asked."""
    made = completion(uid, rating=None)
    for number, step in enumerate(made.steps):
        made = of_step(made, number, regions=tuple(JudgedRegion(one.box, None) for one in step.regions))
    return made


def test_what_an_adjudication_leaves_stands_as_the_readers_agree_on_it() -> None:
    """Both would have the second step gone; asked, and answered, was the first alone."""
    box = on_film((35, 52, 90, 95))

    def would_go(rating: int) -> JudgedCompletion:
        made = of_step(judged(completion("a", rating=4), 0, 0, "adjusted", box), 0, plausibility=rating)
        gone = tuple(JudgedRegion(one.box, "wrong") for one in made.steps[1].regions)
        made = of_step(made, 1, plausibility=1 if rating == 1 else 2, regions=gone)
        return replace(made, answer=JudgedAnswer(2, rating, 4))

    settling = of_step(silent("a"), 0, plausibility=5)
    every = [*readings(would_go(1), would_go(5)), reading("z", settling, reader="Zoe", kind="adjudication")]
    (stands,) = corpus_of(every).standing("a")
    first, second = stands.completion.steps
    assert (first.plausibility, [one.verdict for one in first.regions]) == (5, ["adjusted"])
    assert first.regions[0].adjusted == box
    assert (second.plausibility, second.goes) == (1, True)
    assert stands.completion.answer == JudgedAnswer(2, None, 4)

    found = gather_preferences(every)
    (rewrite,) = (pair for pair in found.pairs if pair.origin == "rewrite")
    assert "Both lungs are clear" not in rewrite.chosen
    label = {(row.step, row.criterion): row for row in found.labels if row.completion == "a"}
    # Words on what was left are the readers' own: nothing counts as settled that nobody settled.
    assert label["a-1", "plausibility"].readings == ("z",)
    assert label["a-2", "plausibility"].readings == ("r0", "r1")


def test_adjudicators_who_contradict_each_other_settle_nothing() -> None:
    settling = [
        reading(f"z{n}", A, B, vote, reader=f"Zoe{n}", kind="adjudication") for n, vote in enumerate("ab")
    ]
    found = gather_preferences([*readings((A, B, "a"), (A, B, "a")), *settling])
    assert "prefer different outputs" in reasons(found)


@pytest.mark.parametrize("role", ["training", "calibration", "control"])
def test_no_reading_of_a_case_that_teaches_or_tests_readers_can_get_in(role) -> None:
    with pytest.raises(NotTrainingData, match=f"Reading bad is of a {role} case"):
        gather_preferences([*readings(A), reading("bad", A, role=role)])


def test_no_hidden_repeat_and_no_altered_output_can_get_in() -> None:
    with pytest.raises(NotTrainingData, match="Reading bad is a hidden repeat"):
        gather_preferences([*readings(A), reading("bad", A, kind="repeat")])
    with pytest.raises(NotTrainingData, match="was altered to test readers"):
        gather_preferences([*readings(A), reading("bad", replace(A, is_altered=True))])


def test_repeats_and_controls_measure_the_readers_and_teach_nothing() -> None:
    made = readings((A, B, "a"), (A, B, "a"))
    repeat = replace(made[0], uid="again", kind="repeat")
    altered = completion("x", is_altered=True)
    region = replace(altered.steps[0].regions[0], known="wrong")
    control = reading(
        "control",
        replace(altered, steps=(replace(altered.steps[0], regions=(region,)), *altered.steps[1:])),
        role="control",
    )
    plain, anchored = gather_preferences(made), gather_preferences(made, anchors=[repeat, control])
    assert {pair.completion for pair in anchored.pairs} == {pair.completion for pair in plain.pairs}
    assert not [row for row in anchored.labels if row.completion == "x"]
    assert all("again" not in row.readings and "control" not in row.readings for row in anchored.labels)
    ann = next(one for one in anchored.readers.ratings["correctness"].readers if one.reader == "Ann")
    assert ann.num_repeated == 2
    verdicts = anchored.readers.verdicts
    assert verdicts is not None
    # Ann let the altered region pass.
    assert verdicts.observers.num_known == 1
    before = plain.readers.verdicts
    assert before is not None
    assert verdicts.readers[0].accuracy is not None
    assert before.readers[0].accuracy is not None
    assert verdicts.readers[0].accuracy < before.readers[0].accuracy


def test_two_readings_that_saw_different_texts_under_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="different things of what completion a says"):
        gather_preferences(readings(A, completion("a", OTHER)))


def test_an_answer_that_nobody_rated_but_the_adjudicator_has_the_adjudicators_label() -> None:
    unrated = replace(completion("a", rating=3), answer=JudgedAnswer())
    rated = reading("r1", completion("c", rating=2), reader="Bob")
    settling = reading("z", completion("a", rating=5), reader="Zoe", kind="adjudication")
    found = gather_preferences([*readings(unrated), rated, settling])
    (label,) = (row for row in found.labels if (row.completion, row.criterion) == ("a", "correctness"))
    assert label.readings == ("z",)


def test_where_many_find_it_good_as_it_is_one_readers_wording_gives_no_pair_against_them() -> None:
    good = completion("a", rating=5)
    edited = of_step(completion("a", rating=5), 0, edited_text="The heart is large")
    found = gather_preferences(readings(edited, *[good] * 5))
    rewritten = [pair for pair in found.pairs if pair.origin in ("rewrite", "step")]
    assert rewritten == []
    left = {row.origin for row in found.left_out if "find it good as it is outweigh" in row.reason}
    assert left == {"rewrite", "step"}
    assert all(0 < pair.weight <= 1 for pair in found.pairs)
