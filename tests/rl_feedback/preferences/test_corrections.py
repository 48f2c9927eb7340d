"""Readers' corrections are written back into the model's own text, in the model's own frame, or refused."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.grounding import parse_completion
from inference.regions import Box
from rl_feedback.corrections import CorrectionRefused, corrected_text, rewritten_step, rewritten_text
from rl_feedback.preferences import gather_preferences
from rl_feedback.readings import JudgedAnswer, MissedFinding
from tests.rl_feedback.preferences.cases import TEXT, completion, judged, of_step, on_film, reading, saying

A = completion("a")


def region_pair(made):
    (pair,) = (pair for pair in gather_preferences([reading("r", made)]).pairs if pair.origin == "region")
    return pair


def test_an_adjusted_region_is_written_back_in_the_models_own_pixels() -> None:
    pair = region_pair(judged(A, 0, 0, "adjusted", on_film((35, 52, 90, 95))))
    assert pair.chosen == TEXT.replace("[30, 50, 80, 90]", "[35, 52, 90, 95]")
    assert pair.rejected == TEXT
    assert 0.1 < pair.weight < 0.6


@pytest.mark.parametrize(
    ("step", "region", "sentence"),
    [
        (0, 0, "The heart size is normal; Both lungs are clear with [10, 10, 50, 90] and [60, 10, 100, 90]"),
        (1, 0, "The heart size is normal with [30, 50, 80, 90]; Both lungs are clear with [60, 10, 100, 90]"),
        (1, 1, "The heart size is normal with [30, 50, 80, 90]; Both lungs are clear with [10, 10, 50, 90]"),
    ],
)
def test_a_wrong_region_goes_with_the_word_that_ties_it(step: int, region: int, sentence: str) -> None:
    pair = region_pair(judged(A, step, region, "wrong"))
    assert pair.chosen == f"<think> {sentence} </think> The answer is: \\boxed{{no acute finding}}"
    assert pair.weight > 0.5


def test_a_correction_that_cannot_be_written_is_left_out_with_its_reason() -> None:
    only_box = completion("a", "<think> [30, 50, 80, 90]; clear </think> The answer is: \\boxed{x}")
    cases = {
        "no longer be well formed": judged(only_box, 0, 0, "wrong"),
        "too small": judged(A, 0, 0, "adjusted", Box(100, 100, 101, 101)),
        "not the ones that were judged": replace(
            judged(A, 0, 0, "wrong"), text=TEXT.replace(" and [60, 10, 100, 90]", "")
        ),
        "moved no region": judged(A, 0, 0, "adjusted", on_film((30, 50, 80, 90.5))),
        "malformed": replace(judged(A, 0, 0, "wrong"), is_malformed=True),
    }
    for reason, made in cases.items():
        found = gather_preferences([reading("r", made)])
        assert not found.pairs
        assert [reason in left.reason for left in found.left_out] == [True], reason


def test_a_step_is_reworded_and_its_regions_moved_added_and_taken_out_in_one() -> None:
    made = of_step(
        A, 0, edited_text="The heart is enlarged with [30, 50, 80, 90]", drawn=(on_film((1, 2, 9, 9)),)
    )
    moved = judged(made, 0, 0, "adjusted", on_film((32, 50, 84, 92)))
    assert rewritten_step(moved, 0) == "The heart is enlarged with [32, 50, 84, 92] and [1, 2, 9, 9]"
    assert rewritten_step(judged(made, 0, 0, "wrong"), 0) == "The heart is enlarged with [1, 2, 9, 9]"


@pytest.mark.parametrize(
    ("written", "kept"), [("normal [30, 50, 80, 90]", ""), ("normal [30, 50, 80, 90].", ".")]
)
def test_a_wording_ends_with_a_full_stop_where_the_models_own_does(written: str, kept: str) -> None:
    text = TEXT.replace("normal with [30, 50, 80, 90]", written)
    for wording in ("The heart is large", "The heart is large."):
        made = of_step(completion("a", text), 0, edited_text=wording)
        assert f"<think> The heart is large with [30, 50, 80, 90]{kept}; Both" in rewritten_text(made)
    assert rewritten_text(completion("a", text)) == text


def test_a_wording_without_regions_keeps_those_that_the_reader_kept() -> None:
    made = of_step(A, 1, edited_text="The lungs are clear.")
    assert rewritten_step(made, 1) == "The lungs are clear with [10, 10, 50, 90] and [60, 10, 100, 90]"
    assert rewritten_step(judged(made, 1, 0, "wrong"), 1) == "The lungs are clear with [60, 10, 100, 90]"


@pytest.mark.parametrize(
    ("wording", "reason"),
    [
        ("The heart is enlarged with [1, 2, 3, 4]", "regions that are not those of the step"),
        ("</think> The answer is: \\boxed{y}", "can't be read as a step"),
        ("...", "can't be read as a step"),
    ],
)
def test_a_wording_that_is_no_step_is_refused(wording: str, reason: str) -> None:
    with pytest.raises(CorrectionRefused, match=reason):
        rewritten_text(of_step(A, 0, edited_text=wording))


def test_a_whole_output_is_rewritten_with_what_it_missed_and_another_answer() -> None:
    made = replace(
        of_step(A, 0, edited_text="The heart is enlarged"),
        missed=(MissedFinding("Left effusion", (on_film((60, 80, 100, 100)),)), MissedFinding("A scar")),
        answer=JudgedAnswer(rewrite="cardiomegaly, left effusion"),
    )
    assert rewritten_text(made) == (
        "<think> The heart is enlarged with [30, 50, 80, 90]; Both lungs are clear with [10, 10, 50, 90] and "
        "[60, 10, 100, 90]; Left effusion with [60, 80, 100, 100]; A scar </think> "
        "The answer is: \\boxed{cardiomegaly, left effusion}"
    )


def test_an_output_keeps_its_own_way_of_writing_around_what_was_rewritten() -> None:
    text = "Let me see.\n<think>\n1. Clear lungs\n2. Clear lungs\n</think>\n**\\boxed{clear}**"
    made = of_step(completion("a", text), 1, edited_text="Large heart")
    assert rewritten_text(made) == text.replace("2. Clear lungs", "2. Large heart")


@pytest.mark.parametrize(
    "text",
    [
        "\\boxed{clear} <think> The heart size is normal </think> That is all.",
        "<think> The heart size is normal </think> The answer is: clear",
    ],
)
def test_an_output_whose_answer_is_not_behind_its_steps_is_refused(text: str) -> None:
    made = completion("a", text)
    assert len(made.steps) == 1
    with pytest.raises(CorrectionRefused, match="behind the steps"):
        rewritten_text(replace(made, answer=JudgedAnswer(1, 1, 1, rewrite="normal")))


def test_what_a_rewritten_answer_would_break_is_refused() -> None:
    with pytest.raises(CorrectionRefused, match="no longer be well formed"):
        rewritten_text(replace(A, answer=JudgedAnswer(rewrite="}{")))


edges = st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(55, 112), st.integers(55, 112))
words = st.text(alphabet="abc xyz.", min_size=1, max_size=20).filter(lambda text: any(map(str.isalpha, text)))


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


@settings(max_examples=100)
@given(wordings=st.lists(words, min_size=2, max_size=2), missed=st.lists(words, max_size=2), answer=words)
def test_a_rewritten_text_reads_back_as_what_the_reader_wrote(wordings, missed, answer) -> None:
    made = saying("a", "The heart is large with [1, 2, 9, 9]", "Clear lungs")
    for number, wording in enumerate(wordings):
        made = of_step(made, number, edited_text=wording)
    made = replace(
        made,
        missed=tuple(MissedFinding(text) for text in missed),
        answer=JudgedAnswer(rewrite=answer),
    )
    try:
        parsed = parse_completion(rewritten_text(made))
    except CorrectionRefused:
        return
    assert parsed.problems == ()
    assert parsed.answer == answer.strip()
    assert [len(step.boxes) for step in parsed.steps] == [1, 0, *[0] * len(missed)]
