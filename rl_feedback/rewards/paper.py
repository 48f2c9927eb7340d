"""The reward that DeepMedix-R1 was published with, with all its quirks, so that trials can be set beside it.

It is kept as it is, faults included (docs/reference/rewards.md lists them); to train, use `grounded_reward`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rl_feedback.rewards.lexical import bleu, rouge_1

# arXiv 2509.03906 and the reward file published with it. Answers weigh 1.5, so that `overall` reaches 1.6.
FORMAT_WEIGHT = 0.1
ANSWER_SCALE = 1.5
MAX_LIST_WORDS = 20
MAX_SHORT_WORDS = 2
PAID_PER_BOX = 0.05
COST_OF_BOX_TOO_FAR = -0.2
FURTHEST_PX = 512
MAX_COORDINATE = 0.15

_SIGN = re.compile(r"([<>/])")
# Possessive, because a text of a few thousand digits would otherwise keep the search busy for hours.
_NUMBER = r"[-+]?(?:\d++(?:\.\d++)?|\.\d++)"
_BOX = re.compile(rf"\[({_NUMBER}(?:,\s*+{_NUMBER}){{3}})\]")


@dataclass(frozen=True)
class PaperReward:
    """`format` is 0 or 1, `accuracy` 0 to 1.5, `coordinate` at most 0.15 and without a lower bound."""

    overall: float
    format: float
    accuracy: float
    coordinate: float


def paper_reward(completions: Sequence[str], truths: Sequence[str]) -> list[PaperReward]:
    """The published reward of each completion against the true answer of its case.

    Raises ValueError when the numbers differ; the published file drops what is too many without a word.

    >>> paper_reward(["<think> big heart [1, 2, 3, 4] </think> \\\\boxed{Yes}"], ["yes"])
    [PaperReward(overall=1.5000000000000002, format=1.0, accuracy=1.5, coordinate=0.05)]
    """
    if len(completions) != len(truths):
        raise ValueError(
            f"There are {len(completions)} completions and {len(truths)} truths; give one truth for each."
        )
    return [_reward(text, truth) for text, truth in zip(completions, truths, strict=True)]


def _reward(text: str, truth: str) -> PaperReward:
    squeezed = _squeeze(text)
    well_formed = float(_is_well_formed(squeezed))
    accuracy = _accuracy(_last_boxed(squeezed), truth)
    coordinate = _coordinate(squeezed)
    return PaperReward(
        overall=(1 - FORMAT_WEIGHT) * accuracy + FORMAT_WEIGHT * well_formed + coordinate,
        format=well_formed,
        accuracy=accuracy,
        coordinate=coordinate,
    )


def _squeeze(text: str) -> str:
    """Without the white space around `<`, `>` and `/`, wherever they stand."""
    pieces = _SIGN.split(text)
    if len(pieces) == 1:
        return text
    first, *middle, last = pieces
    return first.rstrip() + "".join(piece.strip() for piece in middle) + last.lstrip()


def _is_well_formed(text: str) -> bool:
    """Whether the whole text is `<think>…</think>…\\boxed{…}…`."""
    place = 0 if text.startswith("<think>") else -1
    for mark in ("<think>", "</think>", "\\boxed{", "}"):
        place = text.find(mark, place) if place >= 0 else -1
        place += len(mark) if place >= 0 else 0
    return place >= 0


def _last_boxed(text: str) -> str:
    """What stands in the last `\\boxed{}`; the word "None" where there is none or its brace stays open."""
    start = text.rfind("\\boxed{")
    if start < 0:
        return "None"
    start += len("\\boxed{")
    depth = 0
    for place in range(start, len(text)):
        if text[place] == "{":
            depth += 1
        elif text[place] == "}":
            depth -= 1
        if depth < 0:
            return text[start:place].strip()
    return "None"


def _accuracy(answer: str, truth: str) -> float:
    answer = answer or " "
    words = truth.split()
    if "|" in truth and len(words) <= MAX_LIST_WORDS:
        return _list_f1(answer, truth) * ANSWER_SCALE
    if len(words) <= MAX_SHORT_WORDS:
        return ANSWER_SCALE if answer.lower() == truth.lower() else 0.0
    # The published file hands whole strings to a function for lists of words: its BLEU counts characters.
    scores = (
        bleu(answer, truth, max_order=1),
        bleu(answer, truth, max_order=4),
        rouge_1(answer, truth),
    )
    return sum(scores) / 3 * ANSWER_SCALE


def _list_f1(answer: str, truth: str) -> float:
    wanted = [item.strip().lower() for item in truth.strip().split("|")]
    given = [item.strip().lower() for item in answer.strip().split("|")]
    shared = len(set(wanted) & set(given))
    precision, recall = shared / len(given), shared / len(wanted)
    return 2 * precision * recall / (precision + recall) if shared else 0.0


def _coordinate(text: str) -> float:
    start = text.find("<think>")
    end = text.find("</think>", start + len("<think>")) if start >= 0 else -1
    if end < 0:
        return 0.0
    total = 0.0
    for numbers in _BOX.findall(text, start + len("<think>"), end):
        furthest = max(float(number) for number in numbers.split(","))
        total += COST_OF_BOX_TOO_FAR if furthest > FURTHEST_PX else PAID_PER_BOX
    return min(total, MAX_COORDINATE)
