"""Scores a model's reports against the references by every measure that needs no weights."""

from __future__ import annotations

from collections.abc import Sequence

from rl_feedback.rewards.lexical import longest_common

COCO_BETA = 1.2


def coco_rouge_l(given: Sequence[str], wanted: Sequence[str]) -> float:
    """ROUGE-L as pycocoevalcap has it: recall weighs 1.2 squared times as much as precision, no stems.

    >>> round(coco_rouge_l(["no", "effusion"], ["no", "left", "effusion"]), 4)
    0.7722
    """
    shared = longest_common(given, wanted)
    if not shared:
        return 0.0
    precision, recall = shared / len(given), shared / len(wanted)
    return (1 + COCO_BETA**2) * precision * recall / (recall + COCO_BETA**2 * precision)
