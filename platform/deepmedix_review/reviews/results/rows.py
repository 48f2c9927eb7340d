"""Every reading and every rating of it, a row each, for those who compute for themselves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reviews.models import (
    Assignment,
    Case,
    ReaderStudy,
    Reading,
)
from deepmedix_review.reviews.results.columns import Chosen
from deepmedix_review.reviews.results.figures import Cell
from deepmedix_review.reviews.results.readings import Readings, load_readings
from deepmedix_review.reviews.results.rows_about import RowFile, about_rows, all_asked
from deepmedix_review.reviews.results.rows_said import SaidRow, said_in

# Readings whose ratings are in memory at once.
AT_ONCE = 500

READING_COLUMNS = (
    "reading", "reader", "case", "kind", "version A", "completion A", "version B", "completion B",
    "first read", "active seconds", "signed at",
)  # fmt: skip
RATING_COLUMNS = (
    "reading", "reader", "case", "kind", "output", "version", "completion", "step", "region", "question",
    "value", "label", "x_min", "y_min", "x_max", "y_max",
)  # fmt: skip
Choose = Callable[[Readings], Chosen]
NOTHING = ("", "")
# By kind of reading, and whether of a control case.
_KINDS = {
    (Assignment.Kind.FIRST, False): "first",
    (Assignment.Kind.FIRST, True): "control",
    (Assignment.Kind.REPEAT, False): "repeat",
    (Assignment.Kind.REPEAT, True): "repeat of control",
    (Assignment.Kind.ADJUDICATION, False): "settles",
}


def row_files(reader_study: ReaderStudy) -> tuple[RowFile, ...]:
    """First and adjudicating readings of data cases by themselves, so that nobody takes a control or a repeat
    for data; these in two files of their own; and what the rows speak of: cases and questions."""

    @cache
    def every() -> Readings:
        """Of all files the same, whatever is signed while they are made."""
        return load_readings(reader_study)

    def readings(name: str, about: str, choose: Choose) -> RowFile:
        return RowFile(name, about, READING_COLUMNS, lambda: _reading_rows(_chosen_of(every(), choose)))

    def ratings(name: str, about: str, choose: Choose) -> RowFile:
        return RowFile(
            name, about, RATING_COLUMNS, lambda: _rating_rows(reader_study, _chosen_of(every(), choose))
        )

    return (
        readings(
            "readings.csv",
            "One row for each signed reading of a data case, an amendment in place of what it amends: who "
            "read which case, as a first reading or to settle it, which version's completion stood on which "
            "side, whether a first read came before, the active seconds (an amendment's: its original's), "
            "and when it was signed (UTC).",
            _of_data,
        ),
        ratings(
            "ratings.csv",
            "One row for each answer in these readings; `reading` joins the two. `output` is the side, A or "
            "B, dealt anew for each reader: `completion` is the same for all of them, and `cases.csv` says "
            "which was written first. `step` and `region` count from 1, `region` within its step; a vote's "
            "value is the side as pressed. An adjusted or drawn region has its edges, in pixels of the film. "
            "Texts that readers wrote are not here: missed findings have a table of their own, frozen data "
            "sets hold rewrites.",
            _of_data,
        ),
        readings(
            "readings-of-repeats-and-controls.csv",
            "The same of hidden repeats, each read first by the same reader (`reader` and `case` join it to "
            "`readings.csv`), and of control cases, in whose outputs something was altered.",
            _of_repeats_and_controls,
        ),
        ratings(
            "ratings-of-repeats-and-controls.csv",
            "One row for each answer in these.",
            _of_repeats_and_controls,
        ),
        *about_rows(reader_study),
    )


def _of_data(readings: Readings) -> Chosen:
    return np.asarray(readings.of(Assignment.Kind.FIRST) | readings.of(Assignment.Kind.ADJUDICATION))


def _of_repeats_and_controls(readings: Readings) -> Chosen:
    controls = readings.of_roles(Case.Role.CONTROL)
    return np.asarray(readings.of(Assignment.Kind.REPEAT, Case.Role.DATA, Case.Role.CONTROL) | controls)


@dataclass(frozen=True)
class _Head:
    """What all rows of one reading begin with, and which completion stood on which side."""

    cells: tuple[Cell, ...]
    sides: Mapping[int, str]


def _chosen_of(every: Readings, choose: Choose) -> Readings:
    return every.only(choose(every))


def _chunks(readings: Readings) -> Iterator[tuple[Readings, Sequence[Reading]]]:
    for start in range(0, len(readings), AT_ONCE):
        chosen = np.zeros(len(readings), dtype=np.bool_)
        chosen[start : start + AT_ONCE] = True
        chunk = readings.only(chosen)
        found = Reading.objects.filter(pk__in=chunk.key.tolist()).order_by("pk")
        yield chunk, list(found.select_related("assignment__case", "assignment__reader"))


def _reading_rows(readings: Readings) -> Iterator[tuple[Cell, ...]]:
    for chunk, found in _chunks(readings):
        shown = _shown(found)
        seconds = dict(zip(chunk.key.tolist(), chunk.seconds.tolist(), strict=True))
        for reading in found:
            yield (
                *_head(reading).cells,
                *shown[reading.completion_a_id],
                *shown.get(reading.completion_b_id or 0, NOTHING),
                "yes" if reading.asks_first_read else "no",
                int(seconds[reading.pk]),
                reading.signed_at.isoformat(timespec="seconds") if reading.signed_at else "",
            )


def _rating_rows(reader_study: ReaderStudy, readings: Readings) -> Iterator[tuple[Cell, ...]]:
    asked = all_asked(reader_study)
    for _, found in _chunks(readings):
        heads = {reading.pk: _head(reading) for reading in found}
        shown = _shown(found)
        for one in sorted(said_in(heads, asked=asked), key=lambda one: _order(one, heads[one.reading])):
            head = heads[one.reading]
            yield (
                *head.cells,
                head.sides.get(one.completion, ""),
                *shown.get(one.completion, NOTHING),
                one.step or "",
                one.region or "",
                one.question,
                one.value,
                one.label,
                *one.box,
            )


def _order(said: SaidRow, head: _Head) -> tuple[int, str, bool, int, int, str]:
    """By reading; in it by output, step and region; what is about none of these comes last."""
    side = head.sides.get(said.completion, "C")
    return said.reading, side, said.step == 0, said.step, said.region, said.question


def _head(reading: Reading) -> _Head:
    assignment = reading.assignment
    sides = {reading.completion_a_id: "A"}
    if reading.completion_b_id:
        sides[reading.completion_b_id] = "B"
    kind = _KINDS[Assignment.Kind(assignment.kind), assignment.case.role == Case.Role.CONTROL]
    return _Head((str(reading.uid), assignment.reader.pseudonym, assignment.case.position, kind), sides)


def _shown(readings: Sequence[Reading]) -> Mapping[int, tuple[str, str]]:
    """Of each shown completion, by key, its version and its name."""
    keys = {key for one in readings for key in (one.completion_a_id, one.completion_b_id) if key}
    rows = Completion.with_altered.filter(pk__in=keys)
    return {
        key: (f"v{number}", str(uid))
        for key, number, uid in rows.values_list("pk", "model_version__number", "uid")
    }
