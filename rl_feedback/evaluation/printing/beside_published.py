"""XrayBench's published tables with what was measured here in rows of their own, each row named as which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rl_feedback.evaluation import published
from rl_feedback.evaluation.measures import TASK_WORDS
from rl_feedback.evaluation.printing.tables import told
from rl_feedback.evaluation.results import Report

_MEASURES = {"report": published.REPORT_MEASURES, "vqa": {"vqa": "score"}}


@dataclass(frozen=True)
class Table:
    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables_beside(report: Report, tasks: Sequence[str]) -> Iterator[Table]:
    """Published models, then what was measured here by a measure of the same name."""
    for task in tasks:
        measures = _MEASURES[task]
        values = {(one.model, one.measure): one.value for one in published.TABLE if one.measure in measures}
        rows = [
            (f"{model} (published)", *(f"{values[model, name]:.3f}" for name in measures))
            for model in dict.fromkeys(model for model, _ in values)
        ]
        rows += [
            (f"{system} (measured here)", *(_cell(report, task, name, system) for name in measures))
            for system in report.systems
        ]
        caption = f"{TASK_WORDS[task]}, published values, not measured here: {published.SOURCE}"
        yield Table(caption, ("model", *measures.values()), tuple(rows))


def composites_table() -> Table:
    return Table(
        "Composite of each set, as published",
        ("set", "DeepMedix (published)", "DeepMedix-R1 (published)"),
        tuple((name, f"{a:.4g}", f"{b:.4g}") for name, (a, b) in published.COMPOSITES.items()),
    )


def _cell(report: Report, task: str, name: str, system: str) -> str:
    one = report.figure(task, "as_published" if name == "vqa" else name, system)
    # Our METEOR is another one than theirs.
    return "not measured" if one is None or name == "meteor" else told(one.value)
