"""Draws what models are good at, one axis a measure, of those measures that all of them have."""

from __future__ import annotations

from collections.abc import Iterator

from rl_feedback.evaluation.evaluating import MEASURES
from rl_feedback.evaluation.printing.plots import PAPER, Ink, draw_radar
from rl_feedback.evaluation.results import Report
from rl_feedback.evaluation.statistics import ALL

# All of them from 0 to 1, and more is better.
_AXES = {
    "report": ("bleu_4", "rouge_l", "meteor", "rule_chexpert_f1_micro_14", "rule_chexpert_f1_macro_14",
               "rule_chexpert_f1_micro_5", "rule_chexpert_f1_macro_5", "f1_radgraph", "chexbert_f1_micro_14",
               "chexbert_f1_macro_14", "ratescore", "green"),
    "grounding": ("mean_iou", "precision_30", "recall_30", "f1_30", "f1_50", "pointing"),
}  # fmt: skip
# With fewer axes it is no figure; with more their names lie on each other.
FEWEST, MOST = 3, 16


def radar_of(report: Report, task: str, *, words: str, ink: Ink = PAPER) -> Iterator[str]:
    """An SVG, or nothing where too few measures have a value for every model. Of questions the axes are the
    categories. `words` names the task."""
    if task == "vqa":
        places = [("score", where, where) for where in report.sizes[task]]
        shown = "score by category"
    else:
        places = [(name, ALL, MEASURES[task][name].label) for name in _AXES[task]]
        shown = "measures from 0 to 1"
    axes: list[str] = []
    values: list[list[float]] = []
    for measure, where, label in places:
        found = [report.figure(task, measure, system, where) for system in report.systems]
        of_all = [one.value for one in found if one is not None and one.value is not None]
        if len(of_all) == len(report.systems):
            axes.append(label)
            values.append(of_all)
    if FEWEST <= len(axes) <= MOST:
        systems = [(name, [row[place] for row in values]) for place, name in enumerate(report.systems)]
        yield draw_radar(f"{words}: {shown}", axes, systems, ink=ink)
