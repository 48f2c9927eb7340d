"""Lays out the bars of a version's contents: for each view its films, by side of the split."""

from dataclasses import dataclass

from deepmedix_review.studies.collecting.contents import SIDES, Contents

ROW_PX = 26
BAR_PX = 16
LABEL_PX = 90
WIDTH_PX = 330
NUMBER_PX = 80
MOST_VIEWS = 8


@dataclass(frozen=True)
class Bar:
    """`colour` is 1 to 3, in the order of the sides."""

    x: float
    y: float
    width: float
    colour: int
    title: str


@dataclass(frozen=True)
class Label:
    x: float
    y: float
    text: str
    anchor: str


@dataclass(frozen=True)
class ContentsPlot:
    bars: tuple[Bar, ...]
    labels: tuple[Label, ...]
    height: int
    width: int = LABEL_PX + WIDTH_PX + NUMBER_PX
    bar_height: int = BAR_PX


def contents_plot(contents: Contents) -> ContentsPlot | None:
    """The commonest views; the table beside it has all. None where no film has come in."""
    views = contents.views[:MOST_VIEWS]
    most = max((view.total for view in views), default=0)
    if not most:
        return None
    bars, labels = [], []
    for place, view in enumerate(views):
        x, y = float(LABEL_PX), ROW_PX * place + (ROW_PX - BAR_PX) / 2
        for colour, (side, number) in enumerate(zip(SIDES, view.num_films, strict=True), start=1):
            width = WIDTH_PX * number / most
            if number:
                bars.append(Bar(round(x, 1), y, round(width, 1), colour, f"{view.name}, {side}: {number:,}"))
            x += width
        middle = ROW_PX * place + ROW_PX / 2 + 4
        labels.append(Label(LABEL_PX - 10, middle, view.name, "end"))
        labels.append(Label(round(x + 8, 1), middle, f"{view.total:,}", "start"))
    return ContentsPlot(tuple(bars), tuple(labels), ROW_PX * len(views))
