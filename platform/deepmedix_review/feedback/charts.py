"""Lays out the charts of the gate: where each line and mark stands, for the templates to draw as SVG."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from deepmedix_review.feedback.models import GateDecision
from rl_feedback.counting import counted
from rl_feedback.gate import Comparison, Direction, Suite, Verdict
from rl_feedback.gate.meanings import meaning
from rl_feedback.gate.policy import LOOKS_FIGURE, harm, is_blind
from rl_feedback.gate.sentence import with_place

ROW_WIDTH, ROW_HEIGHT = 180, 22
_NICE_SPANS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
_GOOD, _WARN, _BAD = "#3fb984", "#e0a23c", "#ef7a73"
_QUIET = "#93a0ad"
_COLOURS = {"passes": _GOOD, "unclear": _WARN, "held": _BAD, "too few": _QUIET, "shown": _QUIET}
# It stands below the figure of all confirmed findings.
_PART = "added_said"


@dataclass(frozen=True)
class GateRow:
    """One compared figure; x values in the row's own pixels, `limits` are where the margins stand. `is_part`:
    it is of one kind of finding and stands below the figure of all, `count` says of how many."""

    label: str
    parent: str
    candidate: str
    difference: str
    half_width: str
    interval: str
    verdict: str
    counts_against: bool
    note: str
    colour: str
    low_x: float
    high_x: float
    middle_x: float
    limits: tuple[float, ...]
    is_part: bool
    count: str
    margin: str
    width: int = ROW_WIDTH
    height: int = ROW_HEIGHT
    zero_x: float = ROW_WIDTH / 2


@dataclass(frozen=True)
class GatePlot:
    """Figures on one scale: the plot reaches from -span to +span."""

    title: str
    span: float
    rows: tuple[GateRow, ...]


def gate_plots(decision: GateDecision) -> tuple[GatePlot, ...]:
    """What decided against the candidate first, in the order of its sentence; then every other figure, one
    plot a benchmark in the order in which the gate compared them."""
    against = [row for row in decision.comparisons if row["counts_against"]]
    # What the rest follows from, then by margins lost; of figures as bad as each other, the one that the
    # policy names first.
    blind = is_blind((str(row["figure"]), _number(row, "candidate")) for row in against)
    against.sort(key=lambda row: (blind and row["figure"] == LOOKS_FIGURE, _margins_lost(row)), reverse=True)
    plots = [_gate_plot("What decided", against, says_where=True)] if against else []
    others = [row for row in decision.comparisons if not row["counts_against"] and not _is_on_patients(row)]
    for name in dict.fromkeys(row["benchmark"] for row in others):
        rows = [row for row in others if row["benchmark"] == name]
        plots.append(_gate_plot(_title(rows[0]), rows))
    return tuple(plots)


def patients_plot(decision: GateDecision) -> GatePlot | None:
    """Every figure on sealed patients of the site, what decided among them; None where none was compared."""
    rows = [row for row in decision.comparisons if _is_on_patients(row)]
    return _gate_plot(_title(rows[0]), rows) if rows else None


def figures_meant(decision: GateDecision, *, on_patients: bool = False) -> tuple[tuple[str, str], ...]:
    """Each figure that was compared, with what it is, in the order in which the gate compared them: those on
    sealed patients of the site, or all others."""
    told = {
        str(row["label"]): meaning(Suite(str(row.get("suite", Suite.SEALED))), str(row["figure"]))
        for row in reversed(decision.comparisons)
        if _is_on_patients(row) == on_patients
    }
    return tuple((label, text) for label, text in reversed(told.items()) if text)


def _is_on_patients(row: dict[str, object]) -> bool:
    return row.get("suite") == Suite.PATIENTS


def preference_plot(comparison: Comparison) -> GatePlot:
    """Readers' votes as the gate's figures are drawn."""
    return _gate_plot("Readers' votes", [{**asdict(comparison)}])


def _title(row: dict[str, object]) -> str:
    is_sealed = row.get("suite", Suite.SEALED) in (Suite.SEALED, Suite.STEPS)
    films = "sealed phantoms of " if is_sealed else ""
    return f"{row['num_cases']} {films}{row['benchmark']}"


def _margins_lost(row: dict[str, object]) -> float:
    return harm(Direction(str(row["direction"])), _number(row, "difference")) / _number(row, "margin")


def _gate_plot(title: str, rows: Sequence[dict[str, object]], *, says_where: bool = False) -> GatePlot:
    reach = max(
        max(abs(_number(row, name)) for name in ("low", "high", "difference", "margin"))
        for row in rows
        if row["verdict"] != Verdict.SHOWN
    )
    span = next((nice for nice in _NICE_SPANS if nice >= reach), _NICE_SPANS[-1])
    return GatePlot(
        title=title,
        span=span,
        rows=tuple(_gate_row(row, span, says_where=says_where) for row in rows),
    )


def _gate_row(row: dict[str, object], span: float, *, says_where: bool) -> GateRow:
    def place(value: float) -> float:
        share = max(-1.0, min(1.0, value / span))
        return round(ROW_WIDTH / 2 + share * (ROW_WIDTH / 2 - 8), 1)

    drifts = row["direction"] == "should_not_drift"
    label = str(row["label"]) + (", change as a share" if drifts else "")
    if says_where:
        label = with_place(label, str(row["benchmark"]))
    is_shown = row["verdict"] == Verdict.SHOWN
    margin = _number(row, "margin")
    limits = {"higher_is_better": (-margin,), "lower_is_better": (margin,)}
    shown = "{:+z.3f}"
    plain = "{:z.0f}" if drifts else "{:z.3f}"
    low, high, difference = (_number(row, name) for name in ("low", "high", "difference"))
    verdict, count, patients = str(row["verdict"]), row.get("num_findings"), row.get("num_patients")
    return GateRow(
        label=label,
        parent=plain.format(_number(row, "parent")),
        candidate=plain.format(_number(row, "candidate")),
        difference=shown.format(difference),
        half_width=f"{(high - low) / 2:.3f}",
        interval=f"{shown.format(low)} to {shown.format(high)}",
        verdict=verdict,
        counts_against=bool(row["counts_against"]),
        note=_note(row),
        colour=_BAD if row["counts_against"] else _COLOURS[verdict],
        low_x=place(low),
        high_x=place(high),
        middle_x=place(difference),
        limits=()
        if is_shown
        else tuple(place(limit) for limit in limits.get(str(row["direction"]), (-margin, margin))),
        is_part=(count is not None or row["figure"] == _PART) and not says_where,
        count=counted(int(str(patients)), "patient")
        if patients is not None
        else f"of {count}"
        if count is not None
        else "",
        margin="none" if is_shown else f"{margin:.0%}" if drifts else f"{margin:g}",
    )


def _note(row: dict[str, object]) -> str:
    """What stands below the label: a limit, asked or not; decisions made before there were any have none."""
    if row.get("limit") is not None:
        return f"At most {row['limit']:g}, as its parent keeps it."
    return str(row.get("note", ""))


def _number(row: dict[str, object], name: str) -> float:
    value = row[name]
    if not isinstance(value, (int, float)):
        raise TypeError(f"The gate's comparison has no number for {name}.")
    return float(value)
