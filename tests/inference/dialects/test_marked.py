"""CheXagent's and CheXOne's marked boxes are read in reasoning and in answers, with marks and without."""

import pytest

from inference.grounding import Dialect, ParsedCompletion, parse_completion

# As the training data of CheXOne shows it.
PUBLISHED = "<|ref|>pneumothorax<|/ref|><|box|>(12,60),(18,87)<|/box|>"


def read(text: str, *, reasons: bool = False) -> ParsedCompletion:
    return parse_completion(text, reasons=reasons, dialect=Dialect.MARKED)


def test_a_grounded_answer_is_a_step_with_its_box() -> None:
    parsed = read(PUBLISHED)
    assert [tuple(box) for box in parsed.steps[0].boxes] == [(12, 60, 18, 87)]
    assert (parsed.steps[0].label, parsed.answer, parsed.problems) == ("pneumothorax", "pneumothorax", ())


def test_reasoning_needs_no_tags_before_the_boxed_answer() -> None:
    parsed = read(f"The apex is dark.\nNo lung marks there. \\boxed{{{PUBLISHED}}}", reasons=True)
    assert [step.label or step.text for step in parsed.steps] == [
        "The apex is dark.",
        "No lung marks there.",
        "pneumothorax",
    ]
    assert (parsed.answer, parsed.problems) == ("pneumothorax", ())


@pytest.mark.parametrize(
    ("text", "reasons", "num_boxes", "answer", "problems"),
    [
        ("No pneumothorax detected.", False, 0, "No pneumothorax detected.", ()),
        ("pneumothorax (12,60),(18,87)", False, 1, "pneumothorax", ()),
        ("<|box_start|>(1,2),(3,4)<|box_end|> a", False, 1, "a", ()),
        (PUBLISHED * 2, False, 2, "pneumothorax pneumothorax", ()),
        ("<|ref|>a<|/ref|><|box|>(1,2),(3", False, 0, "a (1,2),(3", ("unreadable_region",)),
        ("a <|box|>(1,2),(3,1e9)<|/box|>", False, 0, "a", ("unreadable_region",)),
        ("<think> a </think> \\boxed{b}", True, 0, "b", ()),
        ("\\boxed{b}", True, 0, "b", ("no_think",)),
        ("All is clear.", True, 0, None, ("no_think", "no_answer")),
        ("", False, 0, None, ("empty_answer",)),
        ("<|ref|>", False, 0, "", ("empty_answer",)),
        ("<|box|>(1,2),(3,4)<|/box|>", False, 1, "", ()),
    ],
)
def test_odd_texts_are_read_as_far_as_they_go(
    text: str, reasons: bool, num_boxes: int, answer: str | None, problems: tuple[str, ...]
) -> None:
    parsed = read(text, reasons=reasons)
    assert sum(len(step.boxes) for step in parsed.steps) == num_boxes
    assert (parsed.answer, parsed.problems) == (answer, problems)
