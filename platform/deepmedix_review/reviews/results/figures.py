"""A finding of a reader study as people read it: its value, how sure it is, on how much, by which method."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec

from deepmedix_review.reviews.results.plots import Plot
from rl_feedback.agreement import Estimate

Numbers = ParamSpec("Numbers")
Cell = str | int | float | None


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


def counted(number: int, noun: str, nouns: str = "") -> str:
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


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
    return None if number is None else round(float(number), 4)


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
