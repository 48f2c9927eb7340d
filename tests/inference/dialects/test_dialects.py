"""Every dialect reads any text without an error, and what its model's own documents show, whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.dialects import DIALECT_WORDS, Dialect
from inference.grounding import PROBLEM_SENTENCES, parse_completion

PIECES = st.lists(
    st.sampled_from(
        [
            "<think>",
            "</think>",
            "\\boxed{",
            "}",
            "{",
            "[1,2,3,4]",
            '{"bbox_2d": [1, 2, 3, 4], "label": "a"}',
            '{"box_2d": [NaN, 2, 3, 4]}',
            '"bbox_2d":',
            "```json",
            "```",
            "[",
            "]",
            "<obj>",
            "</obj>",
            "<box><x1><y2><x3><y4></box>",
            "<box>",
            "<x999999>",
            "<|ref|>",
            "<|/ref|>",
            "<|box|>(1,2),(3,4)<|/box|>",
            "<|box|>",
            "(1, 2), (3, 1e99)",
            "; ",
            "\n",
            "1. ",
            "صدر",
            "心臓 a",
        ]
    ),
    max_size=30,
).map("".join)


@given(st.text() | PIECES, st.sampled_from(Dialect), st.booleans())
def test_any_text_is_read_and_everything_found_stands_where_it_says(
    text: str, dialect: Dialect, reasons: bool
) -> None:
    parsed = parse_completion(text, reasons=reasons, dialect=dialect)
    assert set(parsed.problems) <= set(PROBLEM_SENTENCES)
    assert len(set(parsed.problems)) == len(parsed.problems)
    assert parsed.answer or parsed.problems or any(step.boxes for step in parsed.steps)
    homes = [span for span in (parsed.reasoning_span, parsed.answer_span) if span]
    for step in parsed.steps:
        assert step.text == text[slice(*step.span)] != ""
        assert any(start <= step.span[0] and step.span[1] <= end for start, end in homes)
        assert len(step.boxes) == len(step.box_spans)
        for start, end in step.box_spans:
            assert step.span[0] <= start < end <= step.span[1]
        assert all(abs(value) <= 1e6 for box in step.boxes for value in box)


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        (Dialect.DEEPMEDIX, "<think> Large [10, 20, 30.5, 400]; tube [1,2,3,45] </think>\\boxed{large}"),
        (Dialect.JSON_BOXES, '```json\n[{"bbox_2d": [10, 20, 30, 400], "label": "a"}]\n```\n\\boxed{a}'),
        (Dialect.JSON_BOXES, '[{"box_2d": [10, 20, 30, 400], "label": "a"}]'),
        (Dialect.MAIRA_2, "<obj>Effusion.<box><x55><y45><x70><y56></box></obj><obj>Clear.</obj>"),
        (Dialect.MARKED, "<|ref|>a<|/ref|><|box|>(12,60),(18,870)<|/box|>; b (1, 2), (3, 40)."),
    ],
)
@pytest.mark.parametrize("reasons", [True, False])
def test_the_beginning_of_a_text_points_nowhere_that_the_whole_does_not(
    dialect: Dialect, text: str, reasons: bool
) -> None:
    def boxes(of: str) -> set[tuple[float, ...]]:
        steps = parse_completion(of, reasons=reasons, dialect=dialect).steps
        return {tuple(box) for step in steps for box in step.boxes}

    found = [boxes(text[:end]) for end in range(len(text) + 1)]
    assert all(some <= found[-1] for some in found)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("reasons", [True, False])
def test_a_long_hostile_text_is_read_in_a_moment(dialect: Dialect, reasons: bool) -> None:
    pieces = (
        "a [1,2,3,4]; ",
        '{"bbox_2d": [1,2,3,4], "label": "a"},',
        '{"bbox_2d": [',
        '{"label": "',
        "{",
        "<obj>a<box><x1><y2><x3><y4></box></obj>",
        "<obj>",
        "<box>",
        "<|ref|>a<|/ref|><|box|>(1,2),(3,4)<|/box|>; ",
        "<|box|>",
        "(1,2),",
        "\\boxed{",
        " ",
        "```",
        "[",
    )
    for piece in pieces:
        for before in ("", "<think>", "the answer is", "\\boxed{"):
            parse_completion(
                before + piece * (40_000 // len(piece)) + "</think>", reasons=reasons, dialect=dialect
            )


def test_every_dialect_is_explained_to_people() -> None:
    assert set(DIALECT_WORDS) == set(Dialect)


@pytest.mark.parametrize(
    ("dialect", "written"),
    [
        (Dialect.DEEPMEDIX, "a [1,2,3,4]; "),
        (Dialect.JSON_BOXES, '{"bbox_2d": [1,2,3,4]}, '),
        (Dialect.MARKED, "<|box|>(1,2),(3,4)<|/box|>; "),
        (Dialect.MAIRA_2, "<obj>a<box><x1><y2><x3><y4></box></obj>"),
    ],
)
def test_more_regions_than_anyone_could_check_are_kept_and_named(dialect: Dialect, written: str) -> None:
    parsed = parse_completion(f"<think>{written * 101}</think> \\boxed{{x}}", dialect=dialect)
    assert sum(len(step.boxes) for step in parsed.steps) == 101
    assert parsed.problems == ("too_many_regions",)
    assert (
        "too_many_regions"
        not in parse_completion(f"<think>{written * 100}</think> \\boxed{{x}}", dialect=dialect).problems
    )
