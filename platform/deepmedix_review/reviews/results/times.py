"""How long cases take, and whether readers become quicker or slower."""

import math
from collections.abc import Mapping

import numpy as np
import scipy

from deepmedix_review.reviews.models import Assignment
from deepmedix_review.reviews.results.columns import Numbers
from deepmedix_review.reviews.results.figures import Cell, Figure, Table, missing, rounded
from deepmedix_review.reviews.results.plots import interval_plot, series_plot
from deepmedix_review.reviews.results.readings import Readings
from rl_feedback.counting import counted

# Theil and Sen compare every two points: of more readings than this, evenly spaced ones stand for all.
MOST_POINTS = 400
# Plots of single readers; the table holds all.
MOST_PLOTS = 8
FEWEST_FOR_DRIFT = 5


def time_figures(readings: Readings, names: Mapping[int, str]) -> tuple[Figure, ...]:
    """Median seconds per case, and the drift of each reader over their own order; `names` are the readers'.
    Nothing here asks the database."""
    title, key = "Time per case", "time"
    method = (
        "active seconds, idle time over 60 s left out, an amended case with the time of its first reading; "
        "medians with quartiles; drift by Theil and Sen (Sen 1968), seconds per 10 cases with its "
        "95 % interval"
    )
    first = readings.of(Assignment.Kind.FIRST)
    if not first.any():
        return (missing(key=key, title=title, method=method, note="No case has been signed yet."),)
    medians: list[tuple[str, float | None, tuple[float, float] | None]] = []
    cells: list[tuple[Cell, ...]] = []
    drifts: list[Figure] = []
    for reader in np.unique(readings.reader[first]):
        mine = np.flatnonzero(first & (readings.reader == reader))
        seconds = readings.seconds[mine[np.argsort(readings.signed_at[mine], kind="stable")]]
        name = names[int(reader)]
        low, median, high = (float(value) for value in np.percentile(seconds, [25, 50, 75]))
        medians.append((name, median, (low, high)))
        drift = _drift(seconds)
        cells.append((name, len(seconds), median, low, high, *map(rounded, drift or (None, None, None))))
        if len(drifts) < MOST_PLOTS and len(seconds) > 1:
            drifts.append(_reader_figure(name, seconds, drift))
    every = readings.seconds[first]
    low, median, high = (float(value) for value in np.percentile(every, [25, 50, 75]))
    columns = (
        "reader",
        "cases",
        "median s",
        "quartile 1",
        "quartile 3",
        "drift s per 10 cases",
        "low",
        "high",
    )
    whole = Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(cells)),
        method=method,
        n=f"{counted(len(every), 'reading')} by {counted(len(cells), 'reader')}",
        value=f"{median:.0f} s",
        interval=f"quartiles {low:.0f} to {high:.0f} s",
        plot=interval_plot(
            medians,
            low=0,
            high=max(10.0, 10 * math.ceil(max(interval[1] for _, _, interval in medians if interval) / 10)),
            said=f"Median {median:.0f} s per case",
            unit="s",
            places=0,
        ),
    )
    return (whole, *drifts)


def _reader_figure(name: str, seconds: Numbers, drift: tuple[float, float, float] | None) -> Figure:
    shown = np.unique(np.linspace(0, len(seconds) - 1, min(len(seconds), 120)).astype(int))
    points = [(float(place + 1), float(seconds[place])) for place in shown]
    trend = None
    if drift is not None:
        middle, slope = float(np.median(seconds)), drift[0] / 10
        half = (len(seconds) - 1) / 2
        trend = ((1.0, middle - slope * half), (float(len(seconds)), middle + slope * half))
    told = f"{drift[0]:+.1f} s per 10 cases ({drift[1]:+.1f} to {drift[2]:+.1f})" if drift else ""
    return Figure(
        key=f"time-{name.lower()}",
        title=f"{name}: seconds over cases",
        table=Table(("case in order", "seconds"), tuple(enumerate(seconds.tolist(), start=1))),
        method="active seconds in the order of signing, with the line of Theil and Sen",
        n=counted(len(seconds), "reading"),
        value=f"{np.median(seconds):.0f} s",
        interval=told,
        note="" if drift else f"A drift needs {FEWEST_FOR_DRIFT} cases.",
        plot=series_plot(
            points,
            said=f"{name}: {told or 'no drift yet'}",
            unit="seconds",
            ends=("case 1", f"case {len(seconds)}"),
            trend=trend,
        ),
    )


def _drift(seconds: Numbers) -> tuple[float, float, float] | None:
    """Slope and its interval, seconds per 10 cases; None for too few."""
    if len(seconds) < FEWEST_FOR_DRIFT:
        return None
    places = np.unique(np.linspace(0, len(seconds) - 1, min(len(seconds), MOST_POINTS)).astype(int))
    found = scipy.stats.theilslopes(seconds[places], places)
    return float(found.slope * 10), float(found.low_slope * 10), float(found.high_slope * 10)
