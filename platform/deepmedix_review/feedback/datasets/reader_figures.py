"""Draws who stands behind a frozen data set: how far its readers agree, and what kind of reader each is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.reviews.results.figures import Cell, Figure, Table, few_note, missing, rounded
from deepmedix_review.reviews.results.plots import interval_plot
from rl_feedback.counting import counted

NO_READERS = "This set was frozen before readers were compared. Freeze a new one to see them."
# The first of them that was asked is drawn; the table has all.
RATINGS = ("plausibility", "correctness", "relevance", "completeness")
_Model = Mapping[str, Any]


@dataclass(frozen=True)
class _Shown:
    """One number of each reader: its name in the model, with `_interval` beside it, and what else is told."""

    key: str
    title: str
    method: str
    name: str
    beside: tuple[str, ...]
    low: float
    high: float
    unit: str
    marks: tuple[float, ...] = ()


_OF_RATINGS = ("consistency", "num_ratings", "num_items", "num_repeated")
_OF_VERDICTS = ("strictness", "consistency", "num_verdicts", "num_items", "num_repeated")
_OF_VOTES = ("precision", "num_votes", "num_pairs", "num_repeated")
SEVERITY = _Shown(
    "severity",
    "How strict each reader rates",
    "graded response model with a severity for each reader (Samejima 1969, Johnson 1996), in standard "
    "deviations of quality; above 0 stricter than the mean reader or, with adjudications, than these",
    "severity",
    _OF_RATINGS,
    low=-2.0,
    high=2.0,
    unit="SD",
    marks=(0.0,),
)
RELIABILITY = _Shown(
    "reliability",
    "How reliable each reader's ratings are",
    "share of a rating's variance that is the rated thing's own, by the same model",
    "reliability",
    _OF_RATINGS,
    low=0.0,
    high=1.0,
    unit="share",
)
VERDICTS = _Shown(
    "verdicts",
    "How often each reader's verdict on a region is right",
    "each reader's errors by Dawid and Skene (1979); control cases are known answers",
    "accuracy",
    _OF_VERDICTS,
    low=0.0,
    high=1.0,
    unit="share",
)
VOTES = _Shown(
    "votes",
    "How often each reader votes for the better output",
    "Bradley and Terry (1952) with a precision for each reader, of votes for a side; 0.5 guesses",
    "accuracy",
    _OF_VOTES,
    low=0.5,
    high=1.0,
    unit="share",
)
SIDES = _Shown(
    "sides",
    "Which side each reader favours",
    "share of votes for a side that would go to A of two equal outputs, by the same model",
    "favours_a",
    _OF_VOTES,
    low=0.0,
    high=1.0,
    unit="share",
    marks=(0.5,),
)


def reader_figures(dataset: PreferenceDataset) -> tuple[Figure, ...]:
    found = dataset.readers
    ratings: Mapping[str, _Model] = found.get("ratings") or {}
    rated = [(name, ratings[name]) for name in RATINGS if name in ratings]
    judged = [("", found["verdicts"])] if found.get("verdicts") else []
    voted = [("", found["votes"])] if found.get("votes") and found["votes"]["readers"] else []
    return (
        _agreement(found.get("agreement")),
        _of_readers(SEVERITY, rated, nothing="Nothing was rated." if found else NO_READERS),
        _of_readers(RELIABILITY, rated, nothing="Nothing was rated." if found else NO_READERS),
        _of_readers(VERDICTS, judged, nothing="No region was judged." if found else NO_READERS),
        _of_readers(VOTES, voted, nothing="Nobody voted between two outputs." if found else NO_READERS),
        _of_readers(SIDES, voted, nothing="Nobody voted between two outputs." if found else NO_READERS),
    )


def _agreement(found: Sequence[Mapping[str, Any]] | None) -> Figure:
    key, title = "agreement", "How far the readers agree"
    method = (
        "Krippendorff's alpha, ordinal, of ratings, interval by 1,000 bootstrap draws of items; Gwet's AC1 of"
        " verdicts and votes"
    )
    if found is None:
        return missing(key=key, title=title, method=method, note=NO_READERS)
    columns = ("criterion", "statistic", "value", "low", "high", "items", "words", "note")
    cells: list[tuple[Cell, ...]] = [
        (
            *(row["criterion"], row["statistic"], *map(rounded, (row["value"], row["low"], row["high"]))),
            *(row["num_items"], row["num_words"], row["note"]),
        )
        for row in found
    ]
    known = [(row["criterion"], row["value"]) for row in found if row["value"] is not None]
    num_words = sum(row["num_words"] for row in found)
    plot = interval_plot(
        [(row["criterion"], row["value"], _interval(row["low"], row["high"])) for row in found],
        low=-0.2 if all(value > -0.2 for _, value in known) else -1.0,
        high=1.0,
        marks=(0.0, 0.667, 0.8),
        unit="",
        said=f"{title}: " + ", ".join(f"{name} {value:.2f}" for name, value in known),
    )
    return Figure(
        key=key,
        title=title,
        table=Table(columns, tuple(cells)),
        method=method,
        n=f"{counted(num_words, 'word')} on things that several readers judged",
        value=f"{known[0][0]} {known[0][1]:.2f}" if known else "",
        note="" if known else "Nothing was judged by two readers, so how far they agree can't be told.",
        plot=plot if known else None,
    )


def _of_readers(shown: _Shown, models: Sequence[tuple[str, _Model]], *, nothing: str) -> Figure:
    """Each reader's number with its interval; where there is none the model's own note says why."""
    if not models:
        return missing(key=shown.key, title=shown.title, method=shown.method, note=nothing)
    cells: list[tuple[Cell, ...]] = [
        (
            *((criterion,) if criterion else ()),
            reader["reader"],
            *map(rounded, (reader[shown.name], *(reader[f"{shown.name}_interval"] or (None, None)))),
            *(
                rounded(value) if isinstance(value, float) else value
                for value in map(reader.get, shown.beside)
            ),
        )
        for criterion, model in models
        for reader in model["readers"]
    ]
    criterion, model = models[0]
    columns = (
        *(("criterion",) if criterion else ()),
        *("reader", shown.name.replace("_", " "), "low", "high"),
        *(name.removeprefix("num_") for name in shown.beside),
    )
    rows = [
        (str(row["reader"]), row[shown.name], _interval(*(row[f"{shown.name}_interval"] or (None, None))))
        for row in model["readers"]
    ]
    known = sorted(value for _, value, _ in rows if value is not None)
    ends = [f"{value:.2f}" for value in known[:1] + known[1:][-1:]]
    told = " to ".join(ends)
    plot = interval_plot(
        rows,
        low=shown.low,
        high=shown.high,
        marks=shown.marks,
        unit=shown.unit,
        said=f"{shown.title}: {told}",
    )
    return Figure(
        key=shown.key,
        title=f"{shown.title}, {criterion}" if criterion else shown.title,
        table=Table(columns, tuple(cells)),
        method=shown.method,
        n=f"{counted(len(rows), 'reader')}, {counted(_num_words(model), 'word')}",
        value=told,
        note=" ".join(
            filter(None, (few_note(_num_words(model), "word") if known else "", str(model["note"])))
        ),
        plot=plot if known else None,
    )


def _cell(value: Any) -> Cell:
    return rounded(value) if isinstance(value, float) else value


def _num_words(model: _Model) -> int:
    return int(next(model[name] for name in ("num_ratings", "num_votes", "num_words") if name in model))


def _interval(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)
