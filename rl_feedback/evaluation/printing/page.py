"""An evaluation as one page that needs nothing beside it: tables, plots, cases, and where all comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from rl_feedback.evaluation import published
from rl_feedback.evaluation.cases import HEADLINES
from rl_feedback.evaluation.evaluating import MEASURES
from rl_feedback.evaluation.measures import TASK_WORDS
from rl_feedback.evaluation.printing.beside_published import composites_table, tables_beside
from rl_feedback.evaluation.printing.cases import draw_cases
from rl_feedback.evaluation.printing.plots import Span, draw_bars, draw_forest
from rl_feedback.evaluation.printing.radars import radar_of
from rl_feedback.evaluation.printing.tables import absences, told, told_figure
from rl_feedback.evaluation.results import Figure, Report
from rl_feedback.evaluation.statistics import ALL

_STYLE = """:root{color-scheme:light}
body{font:15px/1.5 system-ui,sans-serif;max-width:84rem;margin:2rem auto;padding:0 1.5rem;color:#222}
h2{margin-top:2.5rem}.scroll{overflow-x:auto}table{border-collapse:collapse;margin:1rem 0}
caption{text-align:left;color:#555;padding:.3rem 0}
td,th{border-bottom:1px solid #ddd;padding:.3rem .7rem;text-align:right;vertical-align:top}
td,th{white-space:nowrap}
thead th{white-space:normal}th[scope=row]{font-weight:inherit}
th:first-child,td.words,th.words{text-align:left}
td.words{white-space:normal;overflow-wrap:anywhere}.plots{display:flex;flex-wrap:wrap;gap:1rem}svg{max-width:100%;height:auto}
.published{background:#fff7e0;padding:.1rem 1rem;border-left:4px solid #b3661a}
.cases{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,34rem),1fr))}
.case{border:1px solid #ddd;border-radius:6px;padding:.8rem 1rem;display:grid;gap:1rem;
grid-template-columns:minmax(0,1fr)}.case.shown{grid-template-columns:14rem minmax(0,1fr)}
.case p{margin:.3rem 0;overflow-wrap:anywhere;white-space:pre-wrap}.case h3{margin:0;font-size:1rem}
.muted{color:#555}dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem 1rem}
dd{margin:0;overflow-wrap:anywhere}@media(max-width:60rem){.case.shown{grid-template-columns:1fr}}"""


def draw_page(report: Report) -> str:
    """The whole HTML file."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(report.title)}</title><style>{_STYLE}</style></head><body>
<h1>{escape(report.title)}</h1>
<p>For research, not for diagnosis. All figures are from <code>results.json</code> beside this page.
{_systems(report)} Figures over all samples are sample-weighted; intervals are 95 % bootstrap intervals over
whole studies.</p>
{"".join(_task(report, task) for task in report.sizes)}
{_notes(report)}{_absent(report)}{_blind_spots(report)}{_dependence(report)}{_published(report)}{draw_cases(report)}
<h2>Where this comes from</h2>
<dl>{"".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in report.provenance.items())}</dl>
</body></html>
"""


def _systems(report: Report) -> str:
    first, *others = report.systems
    return f"Evaluated: <strong>{escape(first)}</strong>{_beside(others)}."


def _beside(others: Sequence[str]) -> str:
    return f", beside {escape(', '.join(others))}" if others else ""


def _task(report: Report, task: str) -> str:
    number = sum(report.sizes[task].values())
    parts = [f"<h2>{TASK_WORDS[task]}: {number:,} samples</h2>"]
    if task != "grounding":
        parts.append(_checksum(report))
    parts += [_measures(report, task), _failures(report, task), _differences(report, task)]
    parts.append(f'<div class="plots">{"".join(_plots(report, task))}</div>')
    parts.append(_subsets(report, task))
    return "".join(parts)


def _checksum(report: Report) -> str:
    if report.deviations is None:
        return ""
    if not report.deviations:
        return "<p>All of the published XrayBench is here: 14,213 samples, each set and category whole.</p>"
    told_of = "; ".join(one.rstrip(".") for one in report.deviations)
    return f"<p><strong>This is not the whole published XrayBench.</strong> {escape(told_of)}.</p>"


def _measures(report: Report, task: str) -> str:
    rows = []
    for name, measure in MEASURES[task].items():
        found = [report.figure(task, name, system) for system in report.systems]
        if any(found):
            way = {1: "more", -1: "less", 0: "neither"}[measure.better]
            cells = [told_figure(one) for one in found]
            rows.append([measure.label, *cells, way, measure.variant])
    heads = ["measure", *report.systems, "better", "variant"]
    return _table(heads, rows, "Over all, sample-weighted", words=2)


def _failures(report: Report, task: str) -> str:
    found = [one for one in report.failed if one.task == task]
    if not found:
        return ""
    rows = [[one.system, one.reason, f"{one.num:,}"] for one in found]
    rows = [[system, number, reason] for system, reason, number in rows]
    return _table(["model", "number", "wrong, because"], rows, "What could not be read", words=1)


def _differences(report: Report, task: str) -> str:
    labels = MEASURES[task]
    parts = []
    for other in report.systems[1:]:
        found = [one for one in report.compared if (one.task, one.beside) == (task, other)]
        rows = [
            [
                labels[one.measure].label_with_way,
                told(one.value, one.low, one.high),
                _p(one.p),
                _p(one.p_holm),
                *(
                    f"{number:,}" if labels[one.measure].better else ""
                    for number in (one.wins, one.ties, one.losses)
                ),
            ]
            for one in found
        ]
        heads = ["measure", "difference", "p", "p, Holm", "better", "same", "worse"]
        caption = (
            f"{report.systems[0]} less {other}; p by paired approximate randomisation over studies; single "
            "samples on which it is better, the same and worse. \N{DOWNWARDS ARROW} less is better"
        )
        parts.append(_table(heads, rows, caption))
    return "".join(parts)


def _plots(report: Report, task: str) -> Iterator[str]:
    labels = MEASURES[task]
    first = report.systems[0]
    for other in report.systems[1:]:
        spans = [
            Span(labels[one.measure].label_with_way, one.value, one.low, one.high)
            for one in report.compared
            if (one.task, one.beside) == (task, other)
            and one.value is not None
            and labels[one.measure].better
            and labels[one.measure].most == 1.0
        ]
        if spans:
            told_of = f"{TASK_WORDS[task]}: {first} less {other} (\N{DOWNWARDS ARROW} less is better)"
            yield draw_forest(told_of, spans, zero=True)
    if len(report.systems) == 1:
        spans = [
            Span(measure.label_with_way, one.value, one.low, one.high)
            for name, measure in labels.items()
            if measure.most == 1.0
            and (one := report.figure(task, name, first)) is not None
            and one.value is not None
        ]
        told_of = f"{TASK_WORDS[task]}: {first} (\N{DOWNWARDS ARROW} less is better)"
        yield draw_forest(told_of, spans, zero=False)
    yield from radar_of(report, task, words=TASK_WORDS[task])
    groups = list(report.sizes[task])
    headline = "rouge_l" if task == "report" else HEADLINES[task][0]
    systems = [
        (system, [_span(report.figure(task, headline, system, where)) for where in groups])
        for system in report.systems
    ]
    yield draw_bars(f"{TASK_WORDS[task]}: {labels[headline].label} by category", groups, systems)


def _span(one: Figure | None) -> Span | None:
    return None if one is None or one.value is None else Span(one.where, one.value, one.low, one.high)


def _subsets(report: Report, task: str) -> str:
    """Each measure of each subset, folded away."""
    parts = []
    for system in report.systems:
        found = [one for one in report.figures if (one.task, one.system) == (task, system)]
        places = list(dict.fromkeys(one.where for one in found if one.where != ALL))
        numbers = {one.where: one.num for one in found}
        rows = []
        for name, measure in MEASURES[task].items():
            of_measure = {one.where: one for one in found if one.measure == name}
            if of_measure:
                rows.append([measure.label, *(told(of_measure[where].value) for where in places)])
        heads = ["measure", *(f"{where} ({numbers[where]:,})" for where in places)]
        parts.append(
            f"<details><summary>{escape(system)}: every measure by set, category and kind</summary>"
            f"{_table(heads, rows, 'Values; pooled is one corpus, not weighted')}</details>"
        )
    return "".join(parts)


def _notes(report: Report) -> str:
    return "".join(f"<p>{escape(one)}</p>" for one in report.notes)


def _absent(report: Report) -> str:
    if not report.absent:
        return ""
    items = "".join(f"<li>{escape(one)}</li>" for one in absences(report))
    return f"<h2>What could not be computed</h2><p>Nothing stands in for these.</p><ul>{items}</ul>"


def _blind_spots(report: Report) -> str:
    if not report.blind_spots:
        return ""
    labels = MEASURES["report"]
    rows = [
        [labels[one.measure].label, told(one.same), told(one.flipped), told(one.swapped),
         labels[one.measure].blind_to]
        for one in report.blind_spots
    ]  # fmt: skip
    first = report.blind_spots[0]
    heads = ["measure", "the reference itself", "every denial flipped", "left and right swapped", "blind to"]
    caption = (
        f"Of {first.num:,} references; sides in the {first.num_sided:,} that name one. A measure that stays "
        "near its first column does not see the change"
    )
    return f"<h2>What the measures don't see</h2>{_table(heads, rows, caption, words=1)}"


def _dependence(report: Report) -> str:
    if not report.dependence:
        return ""
    rows = [
        [
            one.system,
            f"{TASK_WORDS[one.task]}: {MEASURES[one.task][one.measure].label}",
            one.film,
            told(one.own),
            told(one.other),
            told(one.difference, one.low, one.high),
            _p(one.p),
            f"{one.share_same:.3f}",
            f"{one.num:,}",
        ]
        for one in report.dependence
    ]
    heads = [
        "model",
        "measure",
        "shown instead",
        "own film",
        "other film",
        "lost",
        "p",
        "same text",
        "number",
    ]
    caption = "A model that looks at the film loses with another one; the same text says that it did not"
    return f"<h2>Does it look at the film?</h2>{_table(heads, rows, caption)}"


def _published(report: Report) -> str:
    """Only for XrayBench, in a box of its own."""
    if report.deviations is None:
        return ""
    tables = "".join(
        _table(one.heads, one.rows, one.caption)
        for one in (*tables_beside(report, ("report", "vqa")), composites_table())
    )
    errata = "".join(f"<li>{escape(one)}</li>" for one in published.ERRATA)
    return (
        '<section class="published"><h2>Published figures of XrayBench</h2>'
        f"{tables}<ul>{errata}</ul></section>"
    )


def _p(value: float | None) -> str:
    if value is None:
        return "none"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str, *, words: int = 0) -> str:
    """`words` last columns hold text and stand to the left."""
    last = len(heads) - words

    def row(cells: Sequence[str]) -> str:
        first, *others = cells
        return (
            f'<tr><th scope="row">{escape(first)}</th>'
            + "".join(
                f"<td{' class=words' if place >= last else ''}>{escape(cell)}</td>"
                for place, cell in enumerate(others, start=1)
            )
            + "</tr>"
        )

    head = "".join(
        f"<th scope=col{' class=words' if place >= last else ''}>{escape(one)}</th>"
        for place, one in enumerate(heads)
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(map(row, rows))}</tbody></table></div>"
    )
