"""Writes a run's report: a page to look at, its figures as JSON, and a plot for each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path

from rl_feedback.phantom_figures import KIND_LABELS
from rl_feedback.simulated_rounds.figures import GAINED, SHOWN, LoopReport, Round, ceiling
from rl_feedback.simulated_rounds.plots import Line, draw_lines

_STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}td,th{border-bottom:1px solid #ddd;padding:.3rem .7rem;
text-align:right;vertical-align:top}td:first-child,th:first-child,td.words{text-align:left}
tr.kind td:first-child{padding-left:2rem}
.plots{display:flex;flex-wrap:wrap;gap:1rem}strong.simulated{background:#fff2cc;padding:.1rem .3rem}"""


def write_report(report: LoopReport, folder: Path) -> Path:
    """Write report.html, report.json and the plots; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, drawing in _plots(report):
        (folder / name).write_text(drawing, encoding="utf-8")
    (folder / "report.json").write_text(json.dumps(report.as_json(), indent=1) + "\n", encoding="utf-8")
    page = folder / "report.html"
    page.write_text(_page(report), encoding="utf-8")
    return page


def _plots(report: LoopReport) -> Iterator[tuple[str, str]]:
    for name, label in SHOWN.items():
        lines = [
            Line(
                f"{site} site",
                tuple(
                    (one.number, found.mean, found.low, found.high)
                    for one in report.rounds
                    for found in (one.figures[site][name],)
                ),
            )
            for site in sorted(report.rounds[0].figures, key=lambda site: site != report.site)
        ]
        start = report.rounds[0].figures[report.site][name].mean
        drawing = draw_lines(label, lines, along="rounds", ceiling=ceiling()[name], start=start)
        yield f"{name}.svg", drawing


def _page(report: LoopReport) -> str:
    plots = "".join(
        f'<img src="{name}.svg" alt="{escape(label)} over rounds, in the table below">'
        for name, label in SHOWN.items()
    )
    closed = ", ".join(
        f"{SHOWN[name][0].lower()}{SHOWN[name][1:]} {report.gap_closed(name):.0%}" for name in GAINED
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(report.title)}</title>
<style>{_STYLE}</style></head><body>
<h1>{escape(report.title)}</h1>
<p><strong class="simulated">SIMULATED readers.</strong> Every rating here was made by six invented readers on
drawn films of nobody. It shows that the loop learns; of radiologists and of real films it tells nothing.</p>
<p>Seed {report.seed}, kind of rating: {escape(report.kind)}, {report.num_held_out} held-out films a site,
intervals of 95 %. {escape(_preference(report))}</p>
<p>Of the way from the start to the model that was shown the {escape(report.site)} site's truth, closed:
{closed}.</p>
<div class="plots">{plots}</div>
{"".join(_table(report, site) for site in sorted(report.rounds[0].figures))}
<h2>Rounds</h2>
<table><tr><th>round</th><th>model</th><th>readings</th><th>minutes of reading (assumed)</th>
<th>minutes of training</th><th>promoted</th><th>the gate's word</th><th>the step scorer</th></tr>
{"".join(_row(one) for one in report.rounds[1:])}</table>
<h2>Recipe</h2><pre>{escape(json.dumps(report.recipe, indent=1))}</pre>
<p>Load of the machine at the end: {", ".join(f"{load:.1f}" for load in report.load)}.</p>
</body></html>
"""


def _preference(report: LoopReport) -> str:
    last, best = report.rounds[-1].preferred, report.perfect_preferred
    if last is None:
        return "No later model was compared with the first one."
    return (
        f"On {last.num_films} held-out films, blind, the simulated readers preferred the last model to the "
        f"first by {last.share:.3f} ({last.low:.3f} to {last.high:.3f}; a tie counts half). They err: "
        f"a perfect text they would prefer by {best.share:.3f} ({best.low:.3f} to {best.high:.3f})."
    )


def _table(report: LoopReport, site: str) -> str:
    """The figures after each round; below lesion recall stands that of each kind that the films show."""
    kinds = {name: label for name, label in KIND_LABELS.items() if name in report.rounds[0].figures[site]}
    labels: dict[str, str] = {}
    for name, label in SHOWN.items():
        labels[name] = label
        if name == "lesion_recall":
            labels |= kinds
    rows = []
    for name, label in labels.items():
        cells = "".join(
            f"<td>{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})</td>"
            for one in report.rounds
            for found in (one.figures[site][name],)
        )
        count = report.rounds[0].figures[site][name].num_findings
        head = escape(label) if count is None else f"{escape(label)} <small>of {count}</small>"
        rows.append(f"<tr{' class=kind' if name in kinds else ''}><td>{head}</td>{cells}</tr>")
    heads = "".join(
        f"<th>after {one.number}</th>" if one.number else "<th>start</th>" for one in report.rounds
    )
    title = f"<h2>{escape(site.capitalize())} site</h2>"
    return f"{title}<table><tr><th>figure</th>{heads}</tr>{''.join(rows)}</table>"


def _row(one: Round) -> str:
    promoted = "yes" if one.promoted else "no"
    return (
        f"<tr><td>{one.number}</td><td>{escape(one.model)}</td><td>{one.num_readings}</td>"
        f"<td>{one.reading_minutes:.0f}</td><td>{one.training_minutes:.1f}</td><td>{promoted}</td>"
        f'<td class="words">{escape(one.gate)}</td>'
        f'<td class="words">{escape(one.step_scorer or "no part in the recipe")}</td></tr>'
    )
