"""MAIRA-2's phrases and bins are read as its own processor reads them."""

import pytest

from inference.grounding import Dialect, ParsedCompletion, parse_completion

# The example in its processor's own documentation, which reads it as (0.555, 0.455, 0.705, 0.565).
PUBLISHED = "<obj>grounded phrase <box><x55><y45><x70><y56></box></obj><obj>ungrounded phrase</obj>"


def read(text: str) -> ParsedCompletion:
    return parse_completion(text, reasons=False, dialect=Dialect.MAIRA_2)


def test_the_published_example_is_read_whole() -> None:
    parsed = read(PUBLISHED)
    assert [step.label for step in parsed.steps] == ["grounded phrase", "ungrounded phrase"]
    assert parsed.steps[0].boxes[0] == pytest.approx((0.555, 0.455, 0.705, 0.565))
    assert parsed.steps[1].boxes == ()
    assert (parsed.answer, parsed.problems) == ("grounded phrase ungrounded phrase", ())


@pytest.mark.parametrize(
    ("text", "num_steps", "num_boxes", "answer", "problems"),
    [
        ("The lungs are clear.", 0, 0, "The lungs are clear.", ()),
        ("<obj>a<box><x1><y2><x3><y4></box><box><x5><y6><x7><y8></box></obj>", 1, 2, "a", ()),
        ("<obj>a<box><x1><y2><x3></box></obj>", 1, 0, "a", ("unreadable_region",)),
        ("<obj>a</obj><obj>b <box><x1>", 2, 0, "a b", ("unreadable_region", "answer_not_closed")),
        ("<obj>a<obj>b</obj>", 2, 0, "a b", ()),
        ("a <box><x1><y2><x3><y4></box>", 0, 0, "a", ("unreadable_region",)),
        ("", 0, 0, "", ("empty_answer",)),
        ("<obj></obj>", 0, 0, "", ("empty_answer",)),
    ],
)
def test_odd_phrases_are_read_as_far_as_they_go(
    text: str, num_steps: int, num_boxes: int, answer: str, problems: tuple[str, ...]
) -> None:
    parsed = read(text)
    assert len(parsed.steps) == num_steps
    assert sum(len(step.boxes) for step in parsed.steps) == num_boxes
    assert (parsed.answer, parsed.problems) == (answer, problems)
