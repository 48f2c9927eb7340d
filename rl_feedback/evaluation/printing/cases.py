"""The worst and the most changed cases of an evaluation, with their films and boxes, as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from rl_feedback.evaluation.cases import HEADLINES
from rl_feedback.evaluation.evaluating import MEASURES
from rl_feedback.evaluation.measures import TASK_WORDS
from rl_feedback.evaluation.printing.tables import told
from rl_feedback.evaluation.results import Case, Report

_CASE_WORDS = {"worst": "The worst cases", "changed": "The most changed cases"}
# By system: colour and dashes. The truth is solid.
_TRUE, _WRITTEN = "#2c7a52", (("#2f6fb0", "7 4"), ("#b3661a", "2 3"), ("#8a4f9e", "10 3 2 3"))


def draw_cases(report: Report) -> str:
    parts = []
    for kind, words in _CASE_WORDS.items():
        found = [one for one in report.cases if one.kind == kind]
        whole = list(lost_nothing(report)) if kind == "worst" else []
        if found or whole:
            said = "".join(f"<p>{escape(one)}</p>" for one in whole)
            drawn = f"<div class=cases>{''.join(map(_case, found))}</div>" if found else ""
            parts.append(f"<h2>{words}</h2>{said}{drawn}")
    return "".join(parts)


def lost_nothing(report: Report) -> Iterator[str]:
    """A sentence for each task on which the first model is perfect, case by case: it has no worst one."""
    for task in report.sizes:
        headline = HEADLINES[task][0]
        one = report.figure(task, headline, report.systems[0])
        has_worst = any((case.kind, case.task) == ("worst", task) for case in report.cases)
        if one is not None and one.value is not None and not has_worst:
            yield f"{TASK_WORDS[task]}: no case lost anything by {MEASURES[task][headline].label}."


def _case(one: Case) -> str:
    label = MEASURES[one.task][one.measure].label
    nothing = "(empty)" if one.has_texts else "(its text is not shown)"
    said = "".join(
        f"<p><strong>{escape(each.system)}</strong> "
        f"<span class=muted>{escape(label)} {told(each.value)}</span>"
        f"\n{escape(each.text) or f'<span class=muted>{nothing}</span>'}</p>"
        for each in one.said
    )
    asked = f"<p class=muted>{escape(one.question)}</p>" if one.question else ""
    truth = f"<p><strong>Reference</strong>\n{escape(one.reference)}</p>" if one.reference else ""
    film = _film(one)
    head = f"<h3>{escape(one.uid)} <span class=muted>{escape(one.where)}</span></h3>"
    shown = " shown" if film else ""
    return f'<article class="case{shown}">{film}<div>{head}{asked}{truth}{said}</div></article>'


def _film(one: Case) -> str:
    """The film, where it is shown, with true boxes solid and written ones dashed, each model's in its way."""
    drawn = [(_TRUE, "", one.boxes, "Reference")]
    drawn += [
        (colour, f' stroke-dasharray="{dash}"', each.boxes, each.system)
        for (colour, dash), each in zip(_WRITTEN, one.said, strict=False)
    ]
    if not one.picture and not any(boxes for _, _, boxes, _ in drawn):
        return ""
    width, height = one.image_size
    picture = (
        one.picture
        and f'<image href="{one.picture}" width="{width}" height="{height}" preserveAspectRatio="none"/>'
    )
    boxes = "".join(
        f'<rect x="{min(x1, x2):g}" y="{min(y1, y2):g}" width="{abs(x2 - x1):g}" height="{abs(y2 - y1):g}" '
        f'fill="none" stroke="{colour}" stroke-width="2" vector-effect="non-scaling-stroke"{dashes}>'
        f"<title>{escape(name)}</title></rect>"
        for colour, dashes, of_one, name in drawn
        for x1, y1, x2, y2 in of_one
    )
    told_of = f"{len(one.boxes)} true boxes, solid; written ones dashed"
    legend = "".join(
        f'<span><svg width="30" height="8" aria-hidden="true"><path d="M0 4h30" stroke="{colour}" '
        f'stroke-width="2"{dashes}/></svg> {escape(name)}, {len(of_one)}</span> '
        for colour, dashes, of_one, name in drawn
        if any(boxes for _, _, boxes, _ in drawn)
    )
    return (
        f'<div><svg viewBox="0 0 {width} {height}" role="img" width="320"><title>{told_of}</title>'
        f'<rect width="{width}" height="{height}" fill="#e8e8e8"/>{picture}{boxes}</svg>'
        f"<p class=muted>{legend}</p></div>"
    )
