"""What each measure of reports does not see: its value for references that were changed into wrong ones."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np

from rl_feedback.evaluation.measures import REPORT_MEASURES
from rl_feedback.evaluation.probes import flip_denials, swap_sides
from rl_feedback.evaluation.reports.scoring import score_reports
from rl_feedback.evaluation.results import BlindSpot
from rl_feedback.evaluation.samples import Sample
from rl_feedback.evaluation.settings import Settings

MOST_PROBED = 500


def blind_spots(samples: Sequence[Sample], settings: Settings) -> Iterator[BlindSpot]:
    """On some of the references, drawn by the seed; the judge of GREEN is not asked."""
    wanted = [sample.reference for sample in samples]
    if len(wanted) > MOST_PROBED:
        wanted = random.Random(settings.seed).sample(wanted, MOST_PROBED)
    changed = {
        "same": wanted,
        "flipped": [flip_denials(text) for text in wanted],
        "swapped": [swap_sides(text) for text in wanted],
    }
    sided = np.array([a != b for a, b in zip(changed["swapped"], wanted, strict=True)])
    values: dict[str, dict[str, float]] = {}
    for kind, given in changed.items():
        scored = score_reports(given, wanted, with_weights=settings.with_weights).scored
        rows = scored.counts[sided] if kind == "swapped" else scored.counts
        values[kind] = {
            name: float(value_of(rows.sum(axis=0))) if len(rows) else float("nan")
            for name, value_of in scored.measures.items()
        }
    for name in values["same"]:
        if REPORT_MEASURES[name].better:
            same, flipped, swapped = (
                None if np.isnan(values[kind][name]) else values[kind][name] for kind in changed
            )
            yield BlindSpot(name, same, flipped, swapped, num=len(wanted), num_sided=int(sided.sum()))
