"""Signed readings become pairs with the right winner, corrected boxes in the model's frame, and a stable
sha256."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.grounding import parse_completion
from inference.regions import Box, to_image_px
from rl_feedback.corrections import corrected_text
from rl_feedback.preferences import LeftOut, Pair, gather_preferences
from rl_feedback.readings import JudgedAnswer, JudgedCompletion, JudgedRegion, JudgedStep, SignedReading

FILM = (2000, 3000)
MODEL = (112, 112)
TEXT = (
    "<think> The heart size is normal with [30, 50, 80, 90]; Both lungs are clear with [10, 10, 50, 90] and "
    "[60, 10, 100, 90] </think> The answer is: \\boxed{no acute finding}"
)


def on_film(box: tuple[float, float, float, float]) -> Box:
    return to_image_px(box, frame="processed", model_size=MODEL, image_size=FILM)


def completion(uid: str, text: str = TEXT, *, rating: int | None = 3, **changes: Any) -> JudgedCompletion:
    """A completion whose every region fits, every step and answer rated alike."""
    steps = tuple(
        JudgedStep(f"{uid}-{n}", rating, tuple(JudgedRegion(on_film(box), "fits") for box in step.boxes))
        for n, step in enumerate(parse_completion(text).steps, 1)
    )
    made = JudgedCompletion(
        uid=uid,
        prompt="Write the findings.",
        text=text,
        is_malformed=False,
        image_size=FILM,
        model_size=MODEL,
        box_frame="processed",
        steps=steps,
        answer=JudgedAnswer(rating, rating, rating),
    )
    return replace(made, **changes)


def judged(
    made: JudgedCompletion, step: int, region: int, verdict: Any, box: Box | None = None
) -> JudgedCompletion:
    """The same completion with another verdict on one region."""
    steps = list(made.steps)
    regions = list(steps[step].regions)
    regions[region] = JudgedRegion(regions[region].box, verdict, box)
    steps[step] = replace(steps[step], regions=tuple(regions))
    return replace(made, steps=tuple(steps))


OTHER = TEXT.replace("no acute finding", "cardiomegaly")
A, B = completion("a"), completion("b", OTHER)


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
    reading = SignedReading(
        "r", completion("a", rating=rating_a), completion("b", OTHER, rating=rating_b), vote
    )
    pairs = gather_preferences([reading]).pairs
    assert [(pair.completion, pair.origin) for pair in pairs] == ([(winner, origin)] if winner else [])


def test_a_rating_pair_weighs_as_much_as_its_margin() -> None:
    reading = SignedReading("r", completion("a", rating=5), completion("b", OTHER, rating=3), None)
    assert gather_preferences([reading]).pairs[0].weight == 0.5


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        (SignedReading("r", A, B, "tie"), "The vote is a tie."),
        (SignedReading("r", A, B, "both_bad"), "neither is an example to follow"),
        (SignedReading("r", A, completion("b"), "a"), "Both completions say the same."),
        (SignedReading("r", replace(A, is_malformed=True), B, "a"), "malformed"),
        (SignedReading("r", replace(A, prompt="Another question"), B, "a"), "different questions"),
        (SignedReading("r", completion("a", rating=1), completion("b", OTHER, rating=5), "a"), "contradicts"),
    ],
)
def test_what_gives_no_pair_is_listed_with_its_reason(reading: SignedReading, reason: str) -> None:
    assert any(reason in left.reason for left in gather_preferences([reading]).left_out)


def test_an_adjusted_region_is_written_back_in_the_models_own_pixels() -> None:
    moved = judged(A, 0, 0, "adjusted", on_film((35, 52, 90, 95)))
    pair = gather_preferences([SignedReading("r", moved, None, None)]).pairs[0]
    assert pair.origin == "region"
    assert pair.chosen == TEXT.replace("[30, 50, 80, 90]", "[35, 52, 90, 95]")
    assert pair.rejected == TEXT
    assert 0 < pair.weight < 1


@pytest.mark.parametrize(
    ("step", "region", "sentence"),
    [
        (0, 0, "The heart size is normal; Both lungs are clear with [10, 10, 50, 90] and [60, 10, 100, 90]"),
        (1, 0, "The heart size is normal with [30, 50, 80, 90]; Both lungs are clear with [60, 10, 100, 90]"),
        (1, 1, "The heart size is normal with [30, 50, 80, 90]; Both lungs are clear with [10, 10, 50, 90]"),
    ],
)
def test_a_wrong_region_goes_with_the_word_that_ties_it(step: int, region: int, sentence: str) -> None:
    pair = gather_preferences([SignedReading("r", judged(A, step, region, "wrong"), None, None)]).pairs[0]
    assert pair.chosen == f"<think> {sentence} </think> The answer is: \\boxed{{no acute finding}}"
    assert pair.weight == 1


def test_a_correction_that_cannot_be_written_is_left_out_with_its_reason() -> None:
    only_box = completion("a", "<think> [30, 50, 80, 90]; clear </think> The answer is: \\boxed{x}")
    cases = {
        "no longer be well formed": judged(only_box, 0, 0, "wrong"),
        "too small": judged(A, 0, 0, "adjusted", Box(100, 100, 101, 101)),
        "not the ones that were judged": replace(
            judged(A, 0, 0, "wrong"), text=TEXT.replace(" and [60, 10, 100, 90]", "")
        ),
        "moved no region": judged(A, 0, 0, "adjusted", on_film((30, 50, 80, 90.5))),
    }
    for reason, made in cases.items():
        found = gather_preferences([SignedReading("r", made, None, None)])
        assert not found.pairs
        assert [reason in left.reason for left in found.left_out] == [True]


def test_labels_are_shares_of_the_scale_and_grounding_is_how_much_of_a_region_fits() -> None:
    made = judged(completion("a", rating=4), 1, 1, "wrong")
    labels = gather_preferences([SignedReading("r", made, None, None)]).labels
    by_name = {(label.step, label.criterion): label.value for label in labels}
    assert by_name[None, "correctness"] == 0.75
    assert by_name["a-1", "plausibility"] == 0.75
    assert by_name["a-1", "grounding"] == 1
    assert by_name["a-2", "grounding"] == 0.5


def test_a_step_that_the_reader_could_not_judge_gives_no_label_and_no_rating() -> None:
    blind = replace(A, answer=JudgedAnswer(), steps=tuple(replace(s, plausibility=None) for s in A.steps))
    assert blind.mean_rating() is None
    labels = gather_preferences([SignedReading("r", blind, None, None)]).labels
    assert {label.criterion for label in labels} == {"grounding"}


def test_the_same_readings_give_the_same_sha256_in_any_order_and_another_judgement_changes_it() -> None:
    readings = [SignedReading("1", A, B, "a"), SignedReading("2", A, B, "b"), SignedReading("3", A, B, "tie")]
    assert len({gather_preferences(order).sha256 for order in permutations(readings)}) == 1
    changed = [SignedReading("1", A, B, "b"), *readings[1:]]
    assert gather_preferences(changed).sha256 != gather_preferences(readings).sha256


edges = st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(55, 112), st.integers(55, 112))


@settings(max_examples=100)
@given(
    st.lists(st.tuples(edges, st.sampled_from(["fits", "adjusted", "wrong"]), edges), min_size=1, max_size=5)
)
def test_a_corrected_text_always_holds_exactly_the_regions_the_reader_kept(
    regions: list[tuple[tuple[int, int, int, int], str, tuple[int, int, int, int]]],
) -> None:
    steps = "; ".join(f"Something odd with {list(box)}" for box, _, _ in regions)
    made = completion("a", f"<think> {steps} </think> The answer is: \\boxed{{odd}}")
    for index, (_, verdict, new) in enumerate(regions):
        made = judged(made, index, 0, verdict, on_film(new) if verdict == "adjusted" else None)
    parsed = parse_completion(corrected_text(made))
    kept = [
        tuple(new if verdict == "adjusted" else box) for box, verdict, new in regions if verdict != "wrong"
    ]
    assert [tuple(map(round, box)) for step in parsed.steps for box in step.boxes] == kept
    assert (parsed.answer, parsed.problems) == ("odd", ())


@settings(max_examples=50)
@given(
    st.sampled_from(["a", "b", "tie", "both_bad", None]),
    st.sampled_from([None, 1, 3, 5]),
    st.sampled_from([None, 1, 3, 5]),
)
def test_no_reading_ever_teaches_both_directions_or_a_text_against_itself(
    vote: Any, rating_a: int | None, rating_b: int | None
) -> None:
    reading = SignedReading(
        "r", completion("a", rating=rating_a), completion("b", OTHER, rating=rating_b), vote
    )
    found = gather_preferences([reading])
    assert len(found.pairs) <= 1
    assert all(isinstance(pair, Pair) and pair.chosen != pair.rejected for pair in found.pairs)
    assert all(isinstance(left, LeftOut) and left.reason for left in found.left_out)
