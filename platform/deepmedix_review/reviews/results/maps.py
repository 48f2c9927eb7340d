"""Lays out maps, whose cells are the brighter the more there is: of every two readers, and over a film."""

from collections.abc import Mapping, Sequence

from deepmedix_review.reviews.results.plots import (
    LETTER_PX,
    SWATCH_PX,
    Bar,
    Label,
    Line,
    Plot,
    name_px,
    shortened,
)

MATRIX_CELL_PX = 44
HEAT_PX = 260
KEY_STEPS = 5
MOST_TAIL = 8


def matrix_plot(
    names: Sequence[str],
    values: Sequence[Sequence[float | None]],
    *,
    said: str,
    weak: Mapping[tuple[int, int], str] | None = None,
) -> Plot:
    """A square table of figures from -1 to 1 between every two of `names`: the brighter, the higher. A dash
    stands where there is none. `weak` ones, by row and column with the reason, stand in brackets and on no
    brightness."""
    tails = [_tail(name) for name in names]
    side = max(MATRIX_CELL_PX, LETTER_PX * max(map(len, tails), default=0) + 6)
    left = name_px(names)
    cells, labels = [], []
    for row, name in enumerate(names):
        labels.append(Label(left - 10, MATRIX_CELL_PX * row + 46, shortened(name), "end"))
        labels.append(Label(left + side * row + side / 2, 14, tails[row], "middle"))
        for column, value in enumerate(values[row]):
            if row == column:
                continue
            x, y = left + side * column, MATRIX_CELL_PX * row + 20
            told = "\u2013" if value is None else f"{value:.2f}"
            why = (weak or {}).get((min(row, column), max(row, column)), "") if value is not None else ""
            labels.append(Label(x + side / 2 - 1, y + 26, f"({told})" if why else told, "middle"))
            if value is not None:
                about = f"{name} and {names[column]}: {told}" + (f", {why}" if why else "")
                bar = Bar(x, y, side - 2, MATRIX_CELL_PX - 2, 1, about)
                cells.append((bar, 0.05 if why else round(0.05 + 0.5 * max(0.0, value), 2)))
    width = left + side * len(names)
    return Plot(width, MATRIX_CELL_PX * len(names) + 24, said, cells=tuple(cells), labels=tuple(labels))


def heat_map(
    grid: Sequence[Sequence[float]], *, said: str, unit: str, film: str = "", aspect: float = 1.0
) -> Plot:
    """Cells over a film, brighter where the value is higher, and below it what the brightness means; `aspect`
    is height over width."""
    rows, columns = len(grid), len(grid[0])
    highest = max(max(row) for row in grid) or 1.0
    width, height = HEAT_PX, round(HEAT_PX * aspect, 1)
    cells = [
        (
            Bar(
                round(width * column / columns, 2),
                round(height * row / rows, 2),
                round(width / columns, 2),
                round(height / rows, 2),
                2,
                f"{value:.2f}",
            ),
            _brightness(value, highest),
        )
        for row, line in enumerate(grid)
        for column, value in enumerate(line)
        if value > 0.02 * highest
    ]
    edges = [(0.5, 0.5), (width - 0.5, 0.5), (width - 0.5, height - 0.5), (0.5, height - 0.5)]
    frame = tuple(Line(*a, *b) for a, b in zip(edges, [*edges[1:], edges[0]], strict=True))
    key = tuple(
        (Bar(24 + 20 * step, height + 7, 20, SWATCH_PX, 2, ""), _brightness(step, KEY_STEPS - 1))
        for step in range(1, KEY_STEPS)
    )
    end = 24 + 20 * KEY_STEPS
    labels = (
        Label(20, height + 16, "0", "end"),
        Label(end + 6, height + 16, f"{highest:.2f} {unit}"),
    )
    return Plot(
        width,
        height + 22,
        said,
        cells=(*cells, *key),
        lines=frame,
        labels=labels,
        film=film,
        film_height=height,
    )


def _brightness(value: float, highest: float) -> float:
    return round(0.75 * value / highest, 2)


def _tail(name: str) -> str:
    """What tells a pseudonym from others, where there is little room.

    >>> _tail("E-GAMMA"), _tail("READER"), _tail("E-AVERYLONGNAME")
    ('GAMMA', 'READER', 'AVERYLO…')
    """
    tail = name.split("-", 1)[-1] or name
    return tail if len(tail) <= MOST_TAIL else f"{tail[: MOST_TAIL - 1]}…"
