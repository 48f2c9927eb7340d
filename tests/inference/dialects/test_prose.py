"""Of plain prose no number is taken for a region, and its whole text is the answer."""

import pytest

from inference.grounding import Dialect, parse_completion


@pytest.mark.parametrize(
    ("text", "reasons", "num_steps", "answer", "problems"),
    [
        ("The lungs are clear. [1, 2, 3, 4]", False, 0, "The lungs are clear. [1, 2, 3, 4]", ()),
        ("<think> a; b </think> Clear.", True, 2, "Clear.", ()),
        ("a; b \\boxed{Clear.}", True, 2, "Clear.", ()),
        ("Clear.", True, 0, "Clear.", ("no_think",)),
        ("<think> a", True, 1, None, ("think_not_closed", "no_answer")),
        ("  ", False, 0, None, ("empty_answer",)),
    ],
)
def test_prose_is_read(
    text: str, reasons: bool, num_steps: int, answer: str | None, problems: tuple[str, ...]
) -> None:
    parsed = parse_completion(text, reasons=reasons, dialect=Dialect.PROSE)
    assert not any(step.boxes for step in parsed.steps)
    assert (len(parsed.steps), parsed.answer, parsed.problems) == (num_steps, answer, problems)
