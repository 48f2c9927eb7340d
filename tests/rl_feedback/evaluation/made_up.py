"""Tiny benchmarks in the shape of the published one, with words of nobody."""

from collections.abc import Iterator
from typing import Any

from rl_feedback.evaluation.xraybench import REPORT_SETS, SIZES

REPORTS = (
    "The heart is enlarged. Small left pleural effusion. No pneumothorax.",
    "The lungs are clear. Heart size is normal. No pleural effusion.",
    "Right lower lobe consolidation. No pneumothorax. The heart is normal in size.",
)
ANSWERS = ("yes", "no", "left lung", "atelectasis|pleural effusion")


def rows(*, divided_by: int = 300) -> Iterator[dict[str, Any]]:
    """Each set and category of XrayBench, so many times smaller and at least of one row."""
    for (dataset, category), number in SIZES.items():
        for place in range(max(1, number // divided_by)):
            is_report = dataset in REPORT_SETS
            yield {
                "id": f"{dataset}-{category}-{place}",
                "question": f"Write the {category}." if is_report else f"What of the {category}?",
                "answer": (REPORTS if is_report else ANSWERS)[place % 3],
                "dataset": dataset,
                "category": category,
            }
