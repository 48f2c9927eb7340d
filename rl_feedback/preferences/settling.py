"""What an adjudication's own words say of a finding that was struck out: there, not there, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from inference.grounding import parse_completion
from rl_feedback.preferences.kinds import kinds_named, kinds_said
from rl_feedback.readings import MOST_IMPLAUSIBLE, JudgedAnswer, JudgedCompletion, JudgedStep, SignedReading

# Points from which a statement is right, but for a small flaw at most.
LEAST_RIGHT = 4


def settled_kinds(settling: SignedReading) -> dict[str, bool]:
    """Of each kind that a text of the case names and this adjudication says something of, whether it is not
    there. One text's word that it is there is enough: another text may point elsewhere.

    Only words on what names the kind count. What a judge was not asked, or left as it was, settles nothing:
    it would be the readers' own word, and theirs is the one in doubt.
    """
    found: dict[str, bool] = {}
    for completion in settling.completions:
        for kind in kinds_named(completion.text):
            words = {word for word in _words(completion, kind) if word is not None}
            if words:
                found[kind] = found.get(kind, True) and True not in words
    return found


def _words(completion: JudgedCompletion, kind: str) -> Iterator[bool | None]:
    """Of each part that names the kind, whether it is there; None without a word."""
    parsed = parse_completion(completion.text)
    if not completion.is_malformed:
        for written, step in zip(parsed.steps, completion.steps, strict=False):
            if kind in kinds_said([written.text]):
                yield word_on_step(step, names=lambda text: kind in kinds_said([text]))
    if kind in kinds_said((parsed.answer or "").split(",")):
        yield word_on_answer(completion.answer, names=lambda text: kind in kinds_said(text.split(",")))


def word_on_step(step: JudgedStep, *, names: Callable[[str], bool]) -> bool | None:
    """Whether its reader lets what the step says stand; `names` tells of another wording whether it says so
    too. By its wording, else by its regions and rating where these do not speak against each other: a wrong
    region under a good rating leaves open whether the finding is elsewhere. None without a word."""
    if step.edited_text:
        return names(step.edited_text)
    verdicts = {region.verdict for region in step.regions} - {None}
    is_right = step.plausibility is not None and step.plausibility >= LEAST_RIGHT
    is_wrong = step.plausibility is not None and step.plausibility <= MOST_IMPLAUSIBLE
    is_shown = bool(step.drawn or verdicts & {"fits", "adjusted"})
    if verdicts or is_shown:
        if is_wrong if is_shown else is_right:
            return None
        return is_shown
    return True if is_right else False if is_wrong else None


def word_on_answer(answer: JudgedAnswer, *, names: Callable[[str], bool]) -> bool | None:
    """The same of an answer. A poor rating without a rewrite does not say what is wrong."""
    if answer.rewrite:
        return names(answer.rewrite)
    return True if answer.correctness is not None and answer.correctness >= LEAST_RIGHT else None
