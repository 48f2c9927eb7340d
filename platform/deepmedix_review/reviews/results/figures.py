"""A finding of a reader study as people read it: its value, how sure it is, on how much, by which method."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec

from deepmedix_review.reviews.results.plots import Plot
from rl_feedback.agreement import Estimate
from rl_feedback.counting import counted

Numbers = ParamSpec("Numbers")
Cell = str | int | float | None
# With fewer cases an interval over cases is a rough one; the plan says so too. With fewer than the second
# number it is no ground for a word: ratings of a few values are far from the normal distribution it takes.
FEW_CASES, TOO_FEW_CASES = 30, 10
# A reading of a case that teaches may be signed all the same.
NONE_COUNTS = "No reading that counts has been signed yet."


@dataclass(frozen=True)
class Table:
    """What a plot shows, to be read, sorted and taken away as CSV."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Figure:
    """`key` names its CSV file. `value` is empty where there is nothing to say; `note` then says why."""

    key: str
    title: str
    table: Table
    method: str
    n: str
    value: str = ""
    interval: str = ""
    note: str = ""
    plot: Plot | None = None

    @property
    def is_small(self) -> bool:
        """Takes half the room of others."""
        return self.plot.is_small if self.plot else not self.table.rows or len(self.table.columns) <= 2


@dataclass(frozen=True)
class Section:
    title: str
    figures: tuple[Figure, ...]


def written(number: float | None, places: int = 2) -> str:
    return "" if number is None else f"{number:.{places}f}"


def written_interval(found: Estimate, places: int = 2) -> str:
    """ "95 % interval .61 to .78", or nothing where there is none."""
    if found.interval is None:
        return ""
    low, high = found.interval
    return f"{found.confidence:.0%} interval {low:.{places}f} to {high:.{places}f}".replace("%", " %", 1)


def too_few(number: int, noun: str = "case") -> str:
    return f"nothing can be told from {counted(number, noun)}"


def few_note(number: int, noun: str = "case") -> str:
    """To be read beside a number that rests on so many: empty where they are enough for a word."""
    if number >= TOO_FEW_CASES:
        return ""
    said = too_few(number, noun)
    return f"{said[0].upper()}{said[1:]}."


def rough_note(num_cases: int) -> str:
    """The same of an interval over cases, which more cases than that make hold."""
    if num_cases >= FEW_CASES:
        return ""
    rough = f"With {counted(num_cases, 'case')} the intervals are rough; {FEW_CASES} or more make them hold."
    return few_note(num_cases) or rough


def missing(*, key: str, title: str, method: str, note: str, columns: Sequence[str] = ()) -> Figure:
    """A figure that can't be had yet, with the sentence that says what it needs."""
    return Figure(key=key, title=title, table=Table(tuple(columns), ()), method=method, n="", note=note)


def estimated(
    statistic: Callable[Numbers, Estimate], *numbers: Numbers.args, **settings: Numbers.kwargs
) -> Estimate:
    """The estimate, or the sentence that says what it lacks."""
    try:
        return statistic(*numbers, **settings)
    except ValueError as reason:
        return Estimate(value=None, note=str(reason))


def rounded(number: float | None) -> float | None:
    """To 4 places, without a sign on nothing: -0.0 is 0.0.

    >>> rounded(-0.00001), rounded(2 / 3), rounded(None)
    (0.0, 0.6667, None)
    """
    return None if number is None else round(float(number), 4) + 0.0


def rounded_p(p: float | None) -> float | None:
    """To 4 places, and below to 2 digits: no chance is 0.

    >>> rounded_p(0.53021), rounded_p(1.23e-9)
    (0.5302, 1.2e-09)
    """
    if p is None or p >= 0.0001:
        return rounded(p)
    return float(f"{p:.1e}")


def wilson(successes: int, total: int) -> tuple[float, float]:
    """The 95 % score interval of a share (E. B. Wilson, Probable inference (1927)).

    >>> low, high = wilson(8, 10)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    z, share = 1.959964, successes / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * (share * (1 - share) / total + z * z / (4 * total * total)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)
