"""Whether a text's answer and its reasoning still agree, once a reader took steps out, worded them anew or
added some."""

from __future__ import annotations

from collections.abc import Iterable

from inference.grounding import ParsedCompletion, parse_completion
from rl_feedback.labels import NO_FINDING, ReportLabels, State, label_report

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
    return _in_words(lost & _said(_answered(after)))


def added_without_an_answer(original: str, changed: str) -> tuple[str, ...]:
    """The findings that only the changed text's steps name and that its answer does not name, or names on the
    other side alone; by the same rules.

    Nothing where the original's answer names no finding nor that there is none (it answers a question), or
    leaves out some of what its own steps name (then an answer need not name them all).

    >>> answer = r"</think> \\boxed{no acute finding}"
    >>> seen = f"<think> The lungs are clear; There is a left effusion {answer}"
    >>> added_without_an_answer(f"<think> The lungs are clear {answer}", seen)
    ('left pleural effusion',)
    """
    before, after = parse_completion(original), parse_completion(changed)
    had, answered_before = _said(step.text for step in before.steps), _said(_answered(before))
    if (not answered_before and not _says_none(before)) or had - answered_before:
        return ()
    added = _said(step.text for step in after.steps) - had
    return _in_words(frozenset(one for one in added if not _is_among(one, _said(_answered(after)))))


def _is_among(said: tuple[str, str], answered: _Said) -> bool:
    """Where the answer says no side, it may mean this one."""
    finding, _ = said
    has_side = any(other == finding and side for other, side in answered)
    return said in answered or ((finding, "") in answered and not has_side)


def _answered(parsed: ParsedCompletion) -> list[str]:
    return (parsed.answer or "").split(",")


def _says_none(parsed: ParsedCompletion) -> bool:
    return any(mention.finding == NO_FINDING for mention in _labels(_answered(parsed)).mentions)


def _in_words(found: _Said) -> tuple[str, ...]:
    """Without the bare finding where it stands with its side."""
    sided = {finding for finding, side in found if side}
    return tuple(
        sorted(f"{side} {finding}".strip().lower() for finding, side in found if side or finding not in sided)
    )


def _said(sentences: Iterable[str]) -> _Said:
    present = [
        mention
        for mention in _labels(sentences).mentions
        if mention.is_stated and mention.state is State.PRESENT and mention.finding != NO_FINDING
    ]
    return frozenset((mention.finding, side) for mention in present for side in (*mention.sides, ""))


def _labels(sentences: Iterable[str]) -> ReportLabels:
    return label_report(". ".join(text.strip(" .;") for text in sentences) + ".")
