"""Readings become pairs with the right winner and a weight that says how sure it is."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_feedback.preferences import Pair, Preferences, gather_preferences
from rl_feedback.readings import JudgedAnswer, MissedFinding, SignedReading
from tests.rl_feedback.preferences.cases import (
    OTHER,
    TEXT,
    completion,
    judged,
    of_step,
    on_film,
    reading,
    readings,
    saying,
)

A, B = completion("a"), completion("b", OTHER)


def gathered(*made: SignedReading) -> Preferences:
    return gather_preferences(made)


def pairs_of(found: Preferences, origin: str) -> list[Pair]:
    return [pair for pair in found.pairs if pair.origin == origin]


@pytest.mark.parametrize(
    ("vote", "rating_a", "rating_b", "winner", "origin"),
    [
        ("a", 3, 3, "a", "vote"),
        ("b", 3, 3, "b", "vote"),
        ("b", 5, 1, "b", "vote"),
        ("tie", 3, 3, None, None),
        ("tie", 5, 3, "a", "rating"),
        ("both_bad", 5, 3, None, None),
        (None, 1, 5, "b", "rating"),
        (None, None, 5, None, None),
    ],
)
def test_the_vote_decides_and_ratings_decide_where_there_is_no_vote(
    vote: Any, rating_a: int | None, rating_b: int | None, winner: str | None, origin: str | None
) -> None:
    found = gathered(
        reading("r", completion("a", rating=rating_a), completion("b", OTHER, rating=rating_b), vote)
    )
    whole = [(pair.completion, pair.origin) for pair in found.pairs if pair.origin != "step"]
    assert whole == ([(winner, origin)] if winner else [])


def test_a_weight_is_twice_what_the_certainty_is_above_a_half_and_grows_with_the_readers() -> None:
    weights = []
    for number in (1, 2, 4):
        (pair,) = pairs_of(gathered(*readings(*[(A, B, "a")] * number)), "vote")
        assert pair.weight == pytest.approx(2 * (pair.probability - 0.5))
        assert pair.num_readers == number
        assert pair.readings == tuple(f"r{n}" for n in range(number))
        weights.append(pair.weight)
    assert 0.5 < weights[0] < weights[1] < weights[2] < 1


def test_ratings_that_lie_farther_apart_are_surer() -> None:
    near, far = (
        pairs_of(
            gathered(reading("r", completion("a", rating=rating), completion("b", OTHER, rating=2))), "rating"
        )[0]
        for rating in (3, 5)
    )
    assert 0 < near.weight < far.weight <= 1
    assert near.completion == far.completion == "a"
    assert (far.chosen, far.rejected) == (TEXT, OTHER)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (reading("r", A, B, "tie"), "The votes name no better output."),
        (reading("r", A, B, "both_bad"), "neither is an example to follow"),
        (reading("r", A, completion("b"), "a"), "Both outputs say the same."),
        (reading("r", replace(A, is_malformed=True), B, "a"), "malformed"),
        (reading("r", replace(A, prompt="Another question"), B, "a"), "different questions"),
        (reading("r", A, replace(B, box_frame="norm1000"), "a"), "different coordinates"),
        (reading("r", A, replace(B, model_size=(224, 224)), "a"), "different coordinates"),
        (reading("r", completion("a", rating=1), completion("b", OTHER, rating=5), "a"), "contradicts"),
        (reading("r", completion("a", rating=None), B, "a"), "An output has no rating."),
        (reading("r", A, B, "a"), "The ratings differ by less than 0.5 points."),
    ],
)
def test_what_gives_no_pair_is_listed_with_its_reason(made: SignedReading, reason: str) -> None:
    assert any(reason in left.reason for left in gathered(made).left_out)


def test_texts_without_regions_count_alike_whatever_their_models_count_in() -> None:
    bare = [saying(uid, "The lungs are clear.", answer=answer) for uid, answer in (("a", "x"), ("b", "y"))]
    (pair,) = pairs_of(gathered(reading("r", bare[0], replace(bare[1], box_frame="norm1000"), "a")), "vote")
    assert (pair.completion, pair.rejected_completion) == ("a", "b")


def test_steps_of_models_that_count_differently_are_no_pair() -> None:
    good, bad = completion("a", rating=5), completion("b", TEXT.replace("normal", "large"), rating=1)
    assert pairs_of(gathered(reading("r", good, bad)), "step")
    assert not pairs_of(gathered(reading("r", good, replace(bad, box_frame="norm100"))), "step")


def test_one_voice_against_many_gives_a_pair_that_weighs_less() -> None:
    (alone,) = pairs_of(gathered(*readings(*[(A, B, "a")] * 5)), "vote")
    (against,) = pairs_of(gathered(*readings(*[(A, B, "a")] * 5, (A, B, "b"))), "vote")
    assert alone.completion == against.completion == "a"
    assert against.weight < alone.weight


def test_the_sides_on_which_readers_saw_the_outputs_do_not_matter() -> None:
    found = gathered(reading("r1", A, B, "a", reader="Ann"), reading("r2", B, A, "b", reader="Bob"))
    (pair,) = pairs_of(found, "vote")
    assert (pair.completion, pair.rejected_completion, pair.num_readers) == ("a", "b", 2)


def test_most_readers_finding_both_bad_gives_no_pair_but_a_lone_one_does_not_hinder_it() -> None:
    most = gathered(*readings((A, B, "both_bad"), (A, B, "both_bad"), (A, B, "a")))
    assert not most.pairs
    lone = gathered(*readings((A, B, "both_bad"), (A, B, "a"), (A, B, "a")))
    assert [pair.completion for pair in pairs_of(lone, "vote")] == ["a"]


def test_several_readers_corrections_of_one_region_become_one_with_median_corners() -> None:
    boxes = [(35, 52, 90, 95), (37, 52, 92, 95), (60, 60, 90, 95)]
    made = readings(*(judged(A, 0, 0, "adjusted", on_film(box)) for box in boxes[:2]))
    (pair,) = pairs_of(gathered(*made), "region")
    assert pair.chosen == TEXT.replace("[30, 50, 80, 90]", "[36, 52, 91, 95]")
    assert (pair.num_readers, pair.readings) == (2, ("r0", "r1"))
    two_and_one = readings(*(judged(A, 0, 0, "adjusted", on_film(box)) for box in boxes))
    (pair,) = pairs_of(gathered(*two_and_one), "region")
    assert "[36, 52, 91, 95]" in pair.chosen


def test_a_region_that_most_readers_keep_is_not_moved() -> None:
    moved = judged(A, 0, 0, "adjusted", on_film((35, 52, 90, 95)))
    assert not pairs_of(gathered(*readings(A, A, A, moved)), "region")


def test_a_correction_that_two_readers_make_weighs_more_than_one_of_two() -> None:
    wrong = judged(A, 0, 0, "wrong")
    (one,) = pairs_of(gathered(reading("r", wrong)), "region")
    (two,) = pairs_of(gathered(*readings(wrong, wrong)), "region")
    assert one.weight < two.weight


def test_a_readers_rewriting_stands_against_the_original_and_its_step_against_the_models() -> None:
    made = replace(
        of_step(A, 1, edited_text="There is a left effusion", plausibility=1),
        answer=JudgedAnswer(1, 1, 1, rewrite="left effusion"),
    )
    found = gathered(reading("r", made))
    (whole,), (step,) = pairs_of(found, "rewrite"), pairs_of(found, "step")
    assert whole.chosen.endswith("\\boxed{left effusion}")
    assert whole.rejected == TEXT
    assert step.prefix == "<think> The heart size is normal with [30, 50, 80, 90]; "
    assert step.chosen == "There is a left effusion with [10, 10, 50, 90] and [60, 10, 100, 90]"
    assert step.rejected == "Both lungs are clear with [10, 10, 50, 90] and [60, 10, 100, 90]"
    assert step.prefix + step.rejected in TEXT
    assert step.step == "a-2"
    assert whole.weight == pytest.approx(2 * (whole.probability - 0.5))


def test_steps_that_the_text_does_not_hold_are_left_out_with_the_reason() -> None:
    rewritten = of_step(A, 1, edited_text="There is a left effusion", plausibility=1)
    found = gathered(reading("r", replace(rewritten, text=saying("a", "Nothing").text)))
    assert not found.pairs
    reasons = {(left.origin, left.reason) for left in found.left_out}
    assert ("step", "The regions in the text are not the ones that were judged.") in reasons
    assert ("rewrite", "The regions in the text are not the ones that were judged.") in reasons


def test_a_missed_finding_is_taught_where_the_reader_pointed() -> None:
    missed = (MissedFinding("Left effusion", (on_film((60, 80, 100, 100)),)),)
    made = replace(A, missed=missed, answer=replace(A.answer, rewrite="left effusion"))
    found = gathered(reading("r", made))
    (pair,) = pairs_of(found, "rewrite")
    assert "; Left effusion with [60, 80, 100, 100] </think>" in pair.chosen
    (region,) = (region for region in found.regions if region.step is None)
    assert (region.text, region.num_readers, region.is_models_own) == ("left effusion", 1, False)
    assert tuple(region.box) == pytest.approx(tuple(on_film((60, 80, 100, 100))))


def test_two_rewritings_of_one_output_share_its_weight() -> None:
    said = replace(A, answer=replace(A.answer, rewrite="cardiomegaly"))
    made = readings(
        *(of_step(said, 0, edited_text=f"The heart is {size}", plausibility=1) for size in ("big", "large"))
    )
    found = pairs_of(gathered(*made), "rewrite")
    assert len(found) == 2
    for pair in found:
        assert pair.weight == pytest.approx(pair.probability - 0.5)
        assert pair.num_readers == 1
    (alone,) = pairs_of(gathered(made[0]), "rewrite")
    assert found[0].probability > alone.probability


def test_two_outputs_with_the_same_beginning_teach_their_first_differing_step() -> None:
    start = "The heart size is normal with [30, 50, 80, 90]"
    good = of_step(saying("a", start, "Both lungs are clear", rating=5), 1, plausibility=5)
    bad = of_step(saying("b", start, "There is an effusion", "More", rating=5), 1, plausibility=1)
    found = gathered(reading("r", good, bad))
    (step,) = pairs_of(found, "step")
    assert (step.prefix, step.chosen, step.rejected) == (
        f"<think> {start}; ",
        "Both lungs are clear",
        "There is an effusion",
    )
    assert (step.completion, step.rejected_completion, step.step) == ("a", "b", "a-2")


def test_steps_after_different_beginnings_or_rated_alike_are_no_pair() -> None:
    other = saying("b", "The heart is large", "There is an effusion", rating=1)
    mine = saying("a", "The heart size is normal", "Both lungs are clear", rating=1)
    assert not pairs_of(gathered(reading("r", mine, other)), "step")
    spaced = replace(other, text=other.text.replace("<think> ", "<think>  "))
    apart = gathered(reading("r", replace(mine, steps=completion("a", mine.text, rating=5).steps), spaced))
    assert not pairs_of(apart, "step")
    judged_otherwise = replace(mine, steps=mine.steps[:1])
    assert not pairs_of(gathered(reading("r", judged_otherwise, other)), "step")


def test_a_step_that_readers_could_not_judge_gives_no_pair() -> None:
    good, bad = saying("a", "Clear lungs", rating=5), saying("b", "Large heart", rating=None)
    assert not pairs_of(gathered(reading("r", good, bad)), "step")


@settings(max_examples=40)
@given(
    votes=st.lists(st.sampled_from(["a", "b", "tie", "both_bad", None]), min_size=1, max_size=4),
    rating_a=st.sampled_from([None, 1, 3, 5]),
    rating_b=st.sampled_from([None, 1, 3, 5]),
)
def test_no_readings_ever_teach_both_directions_or_a_text_against_itself(votes, rating_a, rating_b) -> None:
    both = completion("a", rating=rating_a), completion("b", OTHER, rating=rating_b)
    found = gathered(*readings(*((*both, vote) for vote in votes)))
    whole = [pair for pair in found.pairs if not pair.prefix]
    assert len(whole) <= 1
    assert all(pair.chosen != pair.rejected and 0.1 <= pair.weight <= 1 for pair in found.pairs)
    assert all(left.reason for left in found.left_out)
    assert all(dispute.reason for dispute in found.disputes)
