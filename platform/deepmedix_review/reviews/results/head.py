"""Says the findings of a reader study in a few lines, each leading to its figure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deepmedix_review.reviews.results.figures import FEW_CASES, TOO_FEW_CASES, Figure, too_few, written
from deepmedix_review.reviews.results.found import RANDOM_SIDES
from deepmedix_review.reviews.results.versions import EVERY
from rl_feedback.counting import counted

# Krippendorff, Content Analysis (2004), 11.4: below the first conclude nothing, from the second on firmly.
TENTATIVE, FIRM = 0.667, 0.8


@dataclass(frozen=True)
class Line:
    """`key` is the figure that shows it whole."""

    key: str
    name: str
    said: str


def head_lines(figures: Sequence[Figure]) -> tuple[Line, ...]:
    return tuple(line for figure in figures for line in _lines(figure))


def caveat_of(figures: Sequence[Figure]) -> str:
    """What few cases can't say; empty where there are enough, or none."""
    num_cases = _num_cases(figures)
    if not 0 < num_cases < FEW_CASES:
        return ""
    cases = counted(num_cases, "case")
    if num_cases < TOO_FEW_CASES:
        return f"{cases}: nothing can be told from so few. What follows holds for these cases alone."
    return f"{cases}: the intervals are rough; {FEW_CASES} or more make them hold."


def _num_cases(figures: Sequence[Figure]) -> int:
    """Of data, with a signed reading: the most that any finding rests on."""
    found = [
        number
        for figure in figures
        if "cases" in figure.table.columns
        for row in figure.table.rows
        if isinstance(number := row[figure.table.columns.index("cases")], int)
    ]
    return max(found, default=0)


def _lines(figure: Figure) -> Iterator[Line]:
    match figure.key.split("-")[0]:
        case "differences":
            yield Line(figure.key, figure.title, _differences(figure) or figure.note)
        case "means":
            yield Line(figure.key, "Mean ratings", _means(figure) or figure.note)
        case "votes" if figure.note.startswith(RANDOM_SIDES):
            # What A won says how readers look at sides, and nothing of a model.
            sides = figure.key.replace("votes-", "sides-")
            yield Line(sides, figure.title, f"{figure.n}. {RANDOM_SIDES} See side bias.")
        case "votes":
            yield Line(figure.key, figure.title, _votes(figure) or figure.note)
        case "alpha":
            yield Line(figure.key, "Agreement", _agreement(figure))
        case "settled":
            yield Line(figure.key, "Adjudication", f"{figure.value}. {figure.note}".lstrip(". "))


def _differences(figure: Figure) -> str:
    parts = []
    for question, difference, _, _, half, verdict, *_ in figure.table.rows:
        assert isinstance(difference, float)
        told = f"{question} {difference:+.2f}{'' if half is None else f' ± {_number(half)}'}"
        parts.append(f"{told}: {verdict}")
    return "; ".join(parts)


def _means(figure: Figure) -> str:
    parts = []
    for question, of, mean, _, _, half, scale, *_ in figure.table.rows:
        told = f"{question} {_number(mean)}" if of == EVERY else f"{of} {_number(mean)}"
        if half is not None:
            told += f" ± {_number(half)}"
        if of == EVERY:
            told += "" if scale == "1 to 5" else f" ({scale})"
            parts.append(told)
        else:
            parts[-1] += f", {told}"
    return "; ".join(parts)


def _votes(figure: Figure) -> str:
    parts = []
    for name, share, low, high, *_ in figure.table.rows:
        told = f"{name} {_number(share)}"
        parts.append(told if low is None else f"{told} ({_number(low)} to {_number(high)})")
    if not parts:
        return ""
    num_cases = _num_cases([figure])
    few = f": {too_few(num_cases)}" if num_cases < TOO_FEW_CASES else ""
    return f"{', '.join(parts)}; {figure.n}{few}"


def _agreement(figure: Figure) -> str:
    """One sentence on the scale that is asked first."""
    known = [row for row in figure.table.rows if row[1] is not None]
    if not known:
        notes = {str(row[7]) for row in figure.table.rows if row[7]}
        return figure.note or " ".join(sorted(notes))
    name, value, low, high, num_cases, num_items, *_ = known[0]
    assert isinstance(value, float)
    assert isinstance(num_cases, int)
    assert isinstance(num_items, int)
    interval = f", 95 % interval {_number(low)} to {_number(high)}" if low is not None else ""
    if num_cases < TOO_FEW_CASES:
        # An alpha of one case is one of its few items alone, whatever its decimals look like.
        return (
            f"Of agreement on {str(name).lower()} {too_few(num_cases)}; alpha is told here from "
            f"{TOO_FEW_CASES} cases on that 2 readers rated."
        )
    measured = f"alpha {written(value)}{interval}, n {counted(num_items, 'item')}"
    if value >= FIRM:
        verdict = "well enough for firm conclusions"
    elif value >= TENTATIVE:
        verdict = "well enough for tentative conclusions"
    else:
        verdict = "too little to conclude from single ratings"
    return (
        f"On {str(name).lower()} readers agree {verdict}: {measured} "
        f"({TENTATIVE} and {FIRM} are usual marks)."
    )


def _number(cell: str | int | float | None) -> str:
    return "" if cell is None else f"{float(cell):.2f}"
