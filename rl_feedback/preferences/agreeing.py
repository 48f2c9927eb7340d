"""Whether a text's answer still stands on its reasoning, once a reader took steps out or worded them anew."""

from __future__ import annotations

from collections.abc import Iterable

from inference.grounding import parse_completion
from rl_feedback.labels import NO_FINDING, State, label_report

# A finding and a side; of one without a side, and of every finding besides, the side "".
_Said = frozenset[tuple[str, str]]


def named_without_a_step(original: str, changed: str) -> tuple[str, ...]:
    """The findings that the changed text's answer names outright, that the original's steps named, and that
    no step of the changed text names any more; by the rules that read reports, so what they do not know is
    passed by.

    >>> steps = "There is a left effusion; There is a right nodule"
    >>> answer = r"</think> \\boxed{left effusion, right nodule}"
    >>> named_without_a_step(f"<think> {steps} {answer}", f"<think> There is a right nodule {answer}")
    ('left pleural effusion',)
    """
    before, after = parse_completion(original), parse_completion(changed)
    lost = _said(step.text for step in before.steps) - _said(step.text for step in after.steps)
    still = lost & _said((after.answer or "").split(","))
    sided = {finding for finding, side in still if side}
    return tuple(
        sorted(f"{side} {finding}".strip().lower() for finding, side in still if side or finding not in sided)
    )


def _said(sentences: Iterable[str]) -> _Said:
    labels = label_report(". ".join(text.strip(" .;") for text in sentences) + ".")
    present = [
        mention
        for mention in labels.mentions
        if mention.is_stated and mention.state is State.PRESENT and mention.finding != NO_FINDING
    ]
    return frozenset((mention.finding, side) for mention in present for side in (*mention.sides, ""))
