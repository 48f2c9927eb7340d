"""`python -m rl_feedback compare-rounds`: several runs of SIMULATED rounds on one plot, by the minutes."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rl_feedback.json_file import read_object
from rl_feedback.simulated_rounds.figures import SHOWN, ceiling
from rl_feedback.simulated_rounds.plots import Line, draw_lines

# With the start.
_ONE_ROUND = 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("reports", type=Path, nargs="+", help="report.json of each run")
    parser.add_argument("--out", type=Path, required=True, help="folder for a plot of each figure")


def run(options: argparse.Namespace) -> Iterator[str]:
    """A table of all runs, and the plots."""
    reports = [read_object(path) for path in options.reports]
    options.out.mkdir(parents=True, exist_ok=True)
    for name, label in SHOWN.items():
        drawing = draw_lines(
            f"{label}, second site",
            _lines(reports, name),
            along="minutes of SIMULATED reading (assumed)",
            ceiling=ceiling()[name],
        )
        (options.out / f"{name}.svg").write_text(drawing, encoding="utf-8")
    yield "| run | minutes | " + " | ".join(SHOWN.values()) + " |"
    yield "|---" * (2 + len(SHOWN)) + "|"
    for report in reports:
        last = report["rounds"][-1]
        cells = " | ".join(f"{found['mean']:.3f}" for found in _figures(report, last))
        yield f"| {_name(report)} | {last['reading_minutes']:.0f} | {cells} |"


def _lines(reports: Sequence[Mapping[str, Any]], name: str) -> list[Line]:
    """A run of several rounds is a line; runs of one round of the same kind are one line together, from the
    start through more and more readings."""
    lines, alone = [], defaultdict[str, list[Mapping[str, Any]]](list)
    for report in reports:
        if len(report["rounds"]) == _ONE_ROUND:
            alone[report["kind"]].append(report)
        else:
            lines.append(Line(_name(report), _points(report, name)))
    for kind, several in alone.items():
        if len(several) == 1:
            lines.append(Line(_name(several[0]), _points(several[0], name)))
            continue
        ends = sorted(_points(report, name)[-1] for report in several)
        lines.append(Line(kind, (_points(several[0], name)[0], *ends)))
    return lines


def _name(report: Mapping[str, Any]) -> str:
    return f"{report['kind']}, {report['rounds'][-1]['num_readings']}"


def _points(report: Mapping[str, Any], name: str) -> tuple[tuple[float, float, float, float], ...]:
    return tuple(
        (round(one["reading_minutes"]), found["mean"], found["low"], found["high"])
        for one in report["rounds"]
        for found in (one["figures"][report["site"]][name],)
    )


def _figures(report: Mapping[str, Any], one: Mapping[str, Any]) -> list[Mapping[str, float]]:
    return [one["figures"][report["site"]][name] for name in SHOWN]
