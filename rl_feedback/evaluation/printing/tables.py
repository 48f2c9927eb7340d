"""An evaluation's figures as CSV, as LaTeX and as a section of a model card."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields

from rl_feedback.evaluation.evaluating import MEASURES
from rl_feedback.evaluation.measures import TASK_WORDS
from rl_feedback.evaluation.results import Compared, Figure, Report
from rl_feedback.evaluation.statistics import ALL
from rl_feedback.latex_text import NEEDS, escaped


def figures_csv(report: Report) -> str:
    """A row for each figure, with how it was made in the last columns."""
    return _csv(
        [*(field.name for field in fields(Figure)), "variant", *report.provenance],
        (
            [*asdict(one).values(), MEASURES[one.task][one.measure].variant, *report.provenance.values()]
            for one in report.figures
        ),
    )


def differences_csv(report: Report) -> str:
    return _csv(
        [*(field.name for field in fields(Compared)), *report.provenance],
        ([*asdict(one).values(), *report.provenance.values()] for one in report.compared),
    )


def latex(report: Report) -> str:
    """A table for each task: measures in rows, systems in columns; several are brought to the width of the
    text."""
    parts = [
        NEEDS.rstrip(),
        *(f"% {_plain(name)}: {_plain(value)}" for name, value in report.provenance.items()),
    ]
    is_wide = len(report.systems) > 1
    for task in report.sizes:
        parts += [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(TASK_WORDS[task])}, {sum(report.sizes[task].values())} samples, "
            "sample-weighted; "
            "95\\,\\% bootstrap intervals over studies.}",
            # The caption touches the rule below it otherwise.
            r"\smallskip",
            *([r"\resizebox{\textwidth}{!}{%"] if is_wide else []),
            rf"\begin{{tabular}}{{l{'l' * len(report.systems)}}}",
            r"\toprule",
            " & ".join(["measure", *map(escaped, report.systems)]) + r" \\",
            r"\midrule",
            *(" & ".join([escaped(label), *cells]) + r" \\" for label, _, cells in _rows(report, task)),
            r"\bottomrule",
            r"\end{tabular}",
            *(["}"] if is_wide else []),
            r"\end{table}",
        ]
    parts += [f"% {_plain(line)}" for line in absences(report)]
    return "\n".join(parts) + "\n"


def model_card(report: Report) -> str:
    """In Markdown, to be pasted into a model's card."""
    lines = [f"## Evaluation: {report.title}", ""]
    for task in report.sizes:
        lines += [
            f"### {TASK_WORDS[task]}, {sum(report.sizes[task].values()):,} samples",
            "",
            "| measure | " + " | ".join(map(_markdown, report.systems)) + " | variant |",
            "|---" * (len(report.systems) + 2) + "|",
            *(
                f"| {_markdown(label)} | {' | '.join(cells)} | {_markdown(variant)} |"
                for label, variant, cells in _rows(report, task)
            ),
            "",
        ]
    lines += ["Sample-weighted over subsets; 95 % bootstrap intervals over studies.", ""]
    lines += [f"- {line}" for line in absences(report)]
    lines += ["", "| provenance | |", "|---|---|"]
    lines += [f"| {_markdown(name)} | {_markdown(value)} |" for name, value in report.provenance.items()]
    return "\n".join(lines) + "\n"


def absences(report: Report) -> list[str]:
    """A sentence for each measure without figures."""
    labels = {name: measure.label for of in MEASURES.values() for name, measure in of.items()}
    return [
        f"{labels[one.measure]}: unavailable, because {one.reason}. To get it: {one.way_out}."
        for one in report.absent
    ]


def told(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Three digits, and the interval.

    >>> told(0.5, 0.4, 0.6), told(None), told(-0.00012), told(0.0)
    ('0.500 (0.400 to 0.600)', 'none', '-1e-04', '0.000')
    """
    if value is None:
        return "none"
    said = _three_digits(value)
    return said if low is None or high is None else f"{said} ({_three_digits(low)} to {_three_digits(high)})"


def told_figure(one: Figure | None) -> str:
    """With its interval, and of how many findings it is a share."""
    if one is None:
        return "none"
    value = told(one.value, one.low, one.high)
    return value if one.num_of is None else f"{value} of {one.num_of:,}"


def _three_digits(value: float) -> str:
    """What is there, but rounds to nothing, is told by its size."""
    return f"{value:.0e}" if 0 < abs(value) < 0.0005 else f"{value:z.3f}"


def _rows(report: Report, task: str) -> Iterator[tuple[str, str, list[str]]]:
    """Label, variant, and a cell for each system."""
    for name, measure in MEASURES[task].items():
        found = [report.figure(task, name, system, ALL) for system in report.systems]
        if any(found):
            yield (
                measure.label,
                measure.variant,
                [told_figure(one) for one in found],
            )


def _csv(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return file.getvalue()


def _cell(value: object) -> object:
    """A text that a spreadsheet would run as a formula is told as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _plain(text: str) -> str:
    return " ".join(text.split())


def _markdown(text: str) -> str:
    return _plain(text).replace("|", "\\|").replace("<", "&lt;")
