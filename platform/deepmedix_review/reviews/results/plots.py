"""Lays out the plots of results: where each bar, dot and cell stands, for the template to draw as SVG."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

ROW_PX = 22
# The column of names is as wide as the longest needs, between these; a longer name is shortened.
LABEL_PX = 120
MOST_LABEL_PX = 210
LETTER_PX = 7
PLOT_PX = 340
VALUE_PX = 62
SERIES_PX, SERIES_HEIGHT_PX = 280, 132
SWATCH_PX = 10
# What is no wider than this takes half the room of others.
SMALL_PX = 300
COLOURS = 5


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    colour: int
    title: str


@dataclass(frozen=True)
class Label:
    x: float
    y: float
    text: str
    anchor: str = "start"
    is_on_bar: bool = False


@dataclass(frozen=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    colour: int = 0


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    colour: int
    title: str


@dataclass(frozen=True)
class Plot:
    """SVG in its own pixels. `said` is what a person who can't see it hears. Colours are 1 to 5, 0 is quiet;
    a bar of `opacity` is a cell of a map."""

    width: float
    height: float
    said: str
    bars: tuple[Bar, ...] = ()
    cells: tuple[tuple[Bar, float], ...] = ()
    lines: tuple[Line, ...] = ()
    dots: tuple[Dot, ...] = ()
    labels: tuple[Label, ...] = ()
    paths: tuple[tuple[str, int], ...] = ()
    film: str = ""
    film_height: float = 0.0

    @property
    def is_small(self) -> bool:
        return self.width <= SMALL_PX


def interval_plot(
    rows: Sequence[tuple[str, float | None, tuple[float, float] | None]],
    *,
    low: float,
    high: float,
    said: str,
    unit: str,
    marks: Sequence[float] = (),
    places: int = 2,
    groups: Sequence[str] = (),
    first: Sequence[str] = (),
) -> Plot:
    """A dot and its interval for each row, on one scale from `low` to `high`, with marks to compare with.
    `unit` stands at the end of the scale, below the values. Rows of one of `groups`, one for each row, have
    one colour, those of the groups `first` the first colours; without groups colours go in turn."""
    span = (high - low) or 1.0
    left = name_px([label for label, _, _ in rows])
    order = list(dict.fromkeys((*first, *groups)))

    def across(value: float) -> float:
        return round(left + (min(max(value, low), high) - low) / span * PLOT_PX, 1)

    labels, lines, dots = [], [], []
    ends, depth, half = [-math.inf, -math.inf], 1, 0.0
    for mark in sorted({low, *marks, high}):
        lines.append(Line(across(mark), 0, across(mark), ROW_PX * len(rows)))
        half = LETTER_PX * len(f"{mark:g}") / 2 + 3
        # Where two stand too near each other, the second goes below.
        line = 0 if across(mark) - half >= ends[0] else 1
        ends[line], depth = across(mark) + half, max(depth, line + 1)
        labels.append(Label(across(mark), ROW_PX * len(rows) + 14 + 14 * line, f"{mark:g}", "middle"))
    height = ROW_PX * len(rows) + 4 + 14 * depth
    labels.append(Label(left + PLOT_PX + max(12.0, half + 4), ROW_PX * len(rows) + 14, unit))
    for place, (label, value, interval) in enumerate(rows):
        y = ROW_PX * place + ROW_PX / 2
        labels.append(Label(left - 10, y + 4, shortened(label), "end"))
        if value is None:
            labels.append(Label(left + 8, y + 4, "none: the table says why"))
            continue
        colour = (order.index(groups[place]) if groups else place) % COLOURS + 1
        if interval is not None:
            lines.append(Line(across(interval[0]), y, across(interval[1]), y, colour))
        dots.append(Dot(across(value), y, colour, f"{label}: {value:.{places}f}"))
        labels.append(Label(left + PLOT_PX + 12, y + 4, f"{value:.{places}f}"))
    return Plot(
        left + PLOT_PX + VALUE_PX,
        height,
        said,
        lines=tuple(lines),
        dots=tuple(dots),
        labels=tuple(labels),
    )


def reach_of(edges: Iterable[float]) -> float:
    """How far to each side of nothing a plot of differences reaches: to the next half point, one at least.

    >>> reach_of([0.2, -0.3]), reach_of([-1.2])
    (1.0, 1.5)
    """
    return max(1.0, math.ceil(2 * max(map(abs, edges))) / 2)


def stacked(plots: Sequence[tuple[str, Plot]], *, said: str) -> Plot:
    """Plots one below the other, each with its name above it; one alone, too; without paths and films."""
    found: list[Plot] = []
    top = 0.0
    for name, plot in plots:
        down = top + ROW_PX
        found.append(
            Plot(
                plot.width,
                plot.height,
                plot.said,
                bars=tuple(replace(bar, y=bar.y + down) for bar in plot.bars),
                cells=tuple((replace(bar, y=bar.y + down), opacity) for bar, opacity in plot.cells),
                lines=tuple(replace(line, y1=line.y1 + down, y2=line.y2 + down) for line in plot.lines),
                dots=tuple(replace(dot, y=dot.y + down) for dot in plot.dots),
                labels=(
                    Label(0, top + 14, name),
                    *(replace(label, y=label.y + down) for label in plot.labels),
                ),
            )
        )
        top = down + plot.height + 6
    return Plot(
        max(plot.width for plot in found),
        top,
        said,
        bars=tuple(bar for plot in found for bar in plot.bars),
        cells=tuple(cell for plot in found for cell in plot.cells),
        lines=tuple(line for plot in found for line in plot.lines),
        dots=tuple(dot for plot in found for dot in plot.dots),
        labels=tuple(label for plot in found for label in plot.labels),
    )


def share_plot(
    rows: Sequence[tuple[str, Sequence[int]]],
    *,
    names: Sequence[str],
    said: str,
    colours: Sequence[int] = (1, 2, 3, 4, 5),
    is_ordered: bool = False,
) -> Plot:
    """For each row the shares of its counts, side by side over the whole width, in the order of `names`.

    Ordered values are told by the strength of one colour, others by colours. Where a bar is too short for its
    name, the names stand below with their colours.
    """
    bars: list[Bar] = []
    labels: list[Label] = []
    cells: list[tuple[Bar, float]] = []
    unnamed = False
    left = name_px([label for label, _ in rows])
    for place, (label, counts) in enumerate(rows):
        y = ROW_PX * place
        labels.append(Label(left - 10, y + 15, shortened(label), "end"))
        total, x = sum(counts), float(left)
        labels.append(Label(left + PLOT_PX + 12, y + 15, f"n {total:,}"))
        for at, (name, count) in enumerate(zip(names, counts, strict=True)):
            width = PLOT_PX * count / total if total else 0.0
            if width:
                strength = round((at + 1) / len(names), 2)
                colour = 1 if is_ordered else colours[at]
                title = f"{label}, {name}: {count:,}"
                bar = Bar(round(x, 1), y + 3, round(width, 1), ROW_PX - 6, colour, title)
                if is_ordered:
                    cells.append((bar, strength))
                else:
                    bars.append(bar)
                if width > LETTER_PX * len(name) + 4:
                    is_bright = colour > 0 and (strength > 0.5 or not is_ordered)
                    labels.append(Label(round(x + width / 2, 1), y + 15, name, "middle", is_on_bar=is_bright))
                else:
                    unnamed = True
            x += width
    height = ROW_PX * len(rows) + 4
    if unnamed:
        x = float(left)
        for at, name in enumerate(names):
            swatch = Bar(x, height + 5, SWATCH_PX, SWATCH_PX, 1 if is_ordered else colours[at], name)
            if is_ordered:
                cells.append((swatch, round((at + 1) / len(names), 2)))
            else:
                bars.append(swatch)
            labels.append(Label(x + SWATCH_PX + 5, height + 14, name))
            x += SWATCH_PX + LETTER_PX * len(name) + 17
        height += ROW_PX
    return Plot(
        left + PLOT_PX + VALUE_PX,
        height,
        said,
        bars=tuple(bars),
        cells=tuple(cells),
        labels=tuple(labels),
    )


def series_plot(
    points: Sequence[tuple[float, float]],
    *,
    said: str,
    unit: str,
    ends: tuple[str, str],
    trend: tuple[tuple[float, float], tuple[float, float]] | None = None,
    joined: bool = False,
    colour: int = 1,
) -> Plot:
    """Points over a running number, and a straight line through them where there is a trend. `unit` stands
    above the upright axis; `ends` are what the other one says at the first and at the last."""
    width, height = SERIES_PX, SERIES_HEIGHT_PX
    xs, ys = [x for x, _ in points], [y for _, y in points]
    top = nice_ceiling(max(ys))
    first, last = min(xs), max(xs)

    def place(x: float, y: float) -> tuple[float, float]:
        across = 34 + (x - first) / ((last - first) or 1.0) * (width - 44)
        return round(across, 1), round(20 + (1 - min(max(y, 0.0), top) / top) * (height - 40), 1)

    lines = [
        Line(34, place(first, top)[1], width, place(first, top)[1]),
        Line(34, height - 20, width, height - 20),
    ]
    labels = [
        Label(34, 12, unit),
        Label(28, place(first, top)[1] + 4, f"{top:g}", "end"),
        Label(28, height - 16, "0", "end"),
        Label(34, height - 4, ends[0]),
    ]
    if last > first:
        labels.append(Label(width - 2, height - 4, ends[1], "end"))
    if trend:
        (x1, y1), (x2, y2) = (place(*end) for end in trend)
        lines.append(Line(x1, y1, x2, y2, 2))
    paths: tuple[tuple[str, int], ...] = ()
    dots: tuple[Dot, ...] = ()
    if joined:
        path = "M" + " L".join(f"{x} {y}" for x, y in (place(*point) for point in points))
        paths = ((path, colour),)
    else:
        dots = tuple(Dot(*place(x, y), colour, f"{x:g}: {y:g}") for x, y in points)
    return Plot(width, height, said, lines=tuple(lines), dots=dots, labels=tuple(labels), paths=paths)


def name_px(names: Sequence[str]) -> int:
    """How wide a column of names is."""
    longest = max(map(len, names), default=0)
    return min(MOST_LABEL_PX, max(LABEL_PX, LETTER_PX * longest + 16))


def shortened(name: str) -> str:
    """What of a name there is room for.

    >>> shortened("foreign sentence"), shortened("How far is this text in need of an expert")
    ('foreign sentence', 'How far is this text in ne…')
    """
    most = (MOST_LABEL_PX - 16) // LETTER_PX
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"


def nice_ceiling(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten.

    >>> nice_ceiling(37.0), nice_ceiling(0.4)
    (50.0, 0.5)
    """
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if value <= step * power * (1 + 1e-9))
