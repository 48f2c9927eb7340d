"""Whatever a model writes, reading it never fails, and what is well written is read whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.grounding import (
    PROBLEM_SENTENCES,
    find_boxes,
    format_completion,
    parse_completion,
    texts_beside,
)

WORDS = st.text(alphabet="abcdefghij klm.,", min_size=1, max_size=30).filter(lambda text: text.strip(" .,"))
BOXES = st.lists(st.tuples(*[st.integers(-50, 600)] * 4), max_size=3)
GRAMMAR = st.lists(
    st.sampled_from(
        [
            "<think>",
            "</think>",
            "< think >",
            "\\boxed{",
            "}",
            "{",
            "[1,2,3,4]",
            "[1, 2",
            "; ",
            "\n",
            "1. ",
            " 2. ",
            "a",
        ]
    )
).map("".join)


@pytest.mark.parametrize("sign", ["\u202e", "\u202a", "\u2066", "\u2069"])
def test_a_text_that_reads_otherwise_than_it_runs_is_named(sign: str) -> None:
    text = f"<think> Large{sign} heart [1, 2, 3, 4] </think> \\boxed{{big}}"
    assert parse_completion(text).problems == ("turned_text",)
    assert parse_completion(text.replace(sign, "\u200b")).problems == ()


@given(st.text() | GRAMMAR)
def test_any_text_is_read_without_an_error(text: str) -> None:
    for reasons in (True, False):
        parsed = parse_completion(text, reasons=reasons)
        assert set(parsed.problems) <= set(PROBLEM_SENTENCES)
        assert parsed.answer is not None or parsed.problems
        for step in parsed.steps:
            assert step.text in text
            for box, (start, end) in zip(step.boxes, step.box_spans, strict=True):
                assert text[start] + text[end - 1] == "[]"
                assert len(box) == 4


@given(st.lists(st.tuples(WORDS, BOXES), min_size=1, max_size=5), WORDS)
def test_what_is_written_by_the_grammar_is_read_whole(
    steps: list[tuple[str, list[tuple[int, int, int, int]]]], answer: str
) -> None:
    written = [" and ".join([words.strip(), *(str(list(box)) for box in boxes)]) for words, boxes in steps]
    parsed = parse_completion(format_completion(written, answer))
    assert parsed.problems == ()
    assert [step.text for step in parsed.steps] == written
    assert [[tuple(box) for box in step.boxes] for step in parsed.steps] == [boxes for _, boxes in steps]
    assert parsed.answer == answer.strip()


@pytest.mark.parametrize(
    ("text", "num_steps", "answer", "problems"),
    [
        ("<think> a [1,2,3,4]; b </think> The answer is: \\boxed{yes}. Thanks.", 2, "yes", ()),
        ("<think> a\nb\r\nc </think> \\boxed{x}", 3, "x", ()),
        ("<think> 1. a at 2. rib 2. b [1,\n2,3,4] 3. c </think> \\boxed{x}", 3, "x", ()),
        ("<think>\n1) a\n2) b\n</think> \\boxed{x}", 2, "x", ()),
        ("<think> Step 1: a. Step 2: b </think> \\boxed{x}", 2, "x", ()),
        ("<think> a 1.5 cm nodule </think> \\boxed{x}", 1, "x", ()),
        ("< think > a < / think > \\boxed{ x }", 1, "x", ()),
        ("<think> a </think> \\boxed{no} or \\boxed{\\frac{1}{2}}", 1, "\\frac{1}{2}", ()),
        ("<think> a </think> \\boxed{yes} and \\boxed{no", 1, "yes", ()),
        ("<think> a; b", 2, None, ("think_not_closed", "no_answer")),
        ("<think> a; The answer is: \\boxed{x}", 1, "x", ("think_not_closed",)),
        ("a </think> \\boxed{x}", 1, "x", ("think_not_opened",)),
        ("\\boxed{x}", 0, "x", ("no_think",)),
        ("<think> a </think> \\boxed{x", 1, None, ("answer_not_closed",)),
        ("<think> a </think> \\boxed{}", 1, "", ("empty_answer",)),
        ("<think></think> \\boxed{x}", 0, "x", ("no_steps",)),
        ("<think> ; ; </think> \\boxed{x}", 0, "x", ("no_steps",)),
        ("<think> a [1e300, 2, 3, 4] </think> \\boxed{x}", 1, "x", ("unreadable_region",)),
        ("", 0, None, ("no_think", "no_answer")),
    ],
)
def test_odd_completions_are_read_as_far_as_they_go(
    text: str, num_steps: int, answer: str | None, problems: tuple[str, ...]
) -> None:
    parsed = parse_completion(text)
    assert (len(parsed.steps), parsed.answer, parsed.problems) == (num_steps, answer, problems)


def test_numbers_of_every_kind_are_boxes() -> None:
    parsed = parse_completion("<think> a [0.1, .5,-3, 1e2], [1,2,3], [ 1 , 2 , 3 , 4 ] </think> \\boxed{x}")
    assert [tuple(box) for box in parsed.steps[0].boxes] == [(0.1, 0.5, -3.0, 100.0), (1.0, 2.0, 3.0, 4.0)]


def test_a_box_outside_the_reasoning_is_no_region() -> None:
    parsed = parse_completion("<think> a </think> see [1,2,3,4] \\boxed{x}")
    assert parsed.steps[0].boxes == ()


def test_without_reasoning_asked_for_the_text_is_the_answer() -> None:
    parsed = parse_completion(" The lungs are clear. ", reasons=False)
    assert (parsed.answer, parsed.problems, parsed.steps) == ("The lungs are clear.", (), ())


def test_a_long_hostile_text_is_read_in_a_moment() -> None:
    for piece in ("\\boxed{", "[1,", "[" + "1" * 50, "<think>", "1. ", "{", " 2. 3. "):
        parse_completion("<think>" + piece * (200_000 // len(piece)))


@given(st.text() | GRAMMAR)
def test_where_reasoning_and_answer_stand_is_told(text: str) -> None:
    parsed = parse_completion(text)
    if parsed.answer_span:
        assert parsed.answer == text[slice(*parsed.answer_span)].strip()
    assert (parsed.answer is None) == (parsed.answer_span is None)
    for step in parsed.steps:
        assert parsed.reasoning_span is not None
        assert step.text in text[slice(*parsed.reasoning_span)]


def test_boxes_are_found_wherever_they_stand_and_whatever_their_numbers() -> None:
    text = "[1,2,3,4] <think> [ 5., 6e1, 7, 8 ] </think> [1,2,3] [1e9,1e999,3,-4]"
    found = find_boxes(text)
    assert [text[slice(*span)] for span, _ in found] == ["[1,2,3,4]", "[ 5., 6e1, 7, 8 ]", "[1e9,1e999,3,-4]"]
    assert [tuple(box) for _, box in found] == [(1, 2, 3, 4), (5, 60, 7, 8), (1e9, float("inf"), 3, -4)]


@pytest.mark.parametrize(
    ("text", "beside"),
    [
        ("<think> a; b </think> The answer is: \\boxed{c}", ()),
        ("<think> a </think> \\boxed{c}. $", ()),
        ("Sure. <think> a </think> So: the final answer is \\boxed{c}, or so.", ("Sure.", "So:", "or so.")),
        ("<think> a </think> \\boxed{b} or rather \\boxed{c}", ("\\boxed{b} or rather",)),
        ("<think> a \\boxed{c} </think> nothing more", ("nothing more",)),
        ("\\boxed{c} and more", ("and more",)),
        ("<think> a </think>\n**Final answer:** \\boxed{c}", ()),
        ("<think> a </think> Mild.\n**Final answer:**\n\\boxed{c}", ("Mild.",)),
        ("<think> a </think> It is mild. **Final Answer:** \\boxed{c}", ("It is mild.",)),
        ("<think> a </think> Mild.\n### Answer\n$\\boxed{c}$", ("Mild.",)),
        ("<think> a </think> No final answer: \\boxed{c}", ("No final answer:",)),
        ("<think> a </think> The answer follows. \\boxed{c}", ("The answer follows.",)),
        ("no answer at all", ()),
        ("", ()),
    ],
)
def test_what_is_said_beside_reasoning_and_answer_is_found(text: str, beside: tuple[str, ...]) -> None:
    assert texts_beside(text) == beside
