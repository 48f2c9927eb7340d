"""How far a reader study is: by reader, by case, and over time against its deadline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.db.models import Count, Max, QuerySet, Sum
from django.utils import timezone

from deepmedix_review.common.dates import say_day
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy, Reading
from deepmedix_review.reviews.results.columns import Keys, distinct, read_columns
from deepmedix_review.reviews.results.figures import Cell, Figure, Table, missing
from deepmedix_review.reviews.results.plots import Plot, series_plot, share_plot
from deepmedix_review.reviews.results.readings import pseudonyms
from rl_feedback.counting import counted


@dataclass(frozen=True)
class Overview:
    """What the live strip shows, cheap enough to ask every half minute.

    `num_assigned` has the free places of a pool among it.
    """

    num_assigned: int
    num_signed: int
    last_signed_at: datetime | None

    @property
    def num_open(self) -> int:
        return self.num_assigned - self.num_signed


def overview(reader_study: ReaderStudy) -> Overview:
    assigned = Assignment.objects.filter(case__reader_study=reader_study, withdrawn_at=None)
    numbers = assigned.aggregate(assigned=Count("pk"), signed=Count("signed_at"))
    last = _signed(reader_study).aggregate(last=Max("signed_at"))["last"]
    free = Case.objects.filter(reader_study=reader_study).aggregate(free=Sum("num_free"))["free"]
    return Overview(numbers["assigned"] + (free or 0), numbers["signed"], last)


def progress_figures(reader_study: ReaderStudy) -> tuple[Figure, ...]:
    reader, position, signed_on = read_columns(
        """SELECT assignment.reader_id AS c0, reviews_case.position AS c1,
        COALESCE((assignment.signed_at AT TIME ZONE %(zone)s)::date - date '1970-01-01', -1) AS c2
        FROM reviews_assignment assignment JOIN reviews_case ON reviews_case.id = assignment.case_id
        WHERE reviews_case.reader_study_id = %(reader_study)s AND assignment.withdrawn_at IS NULL""",
        {"reader_study": reader_study.pk, "zone": timezone.get_current_timezone_name()},
        num_columns=3,
    )
    is_signed = signed_on >= 0
    free = Case.objects.filter(reader_study=reader_study, num_free__gt=0).values_list("position", "num_free")
    return (
        _by_reader(_counts(reader, is_signed), reader_study),
        _over_time(reader_study, signed_on[is_signed]),
        _by_case(_with_free_places(_counts(position, is_signed), dict(free))),
    )


def _signed(reader_study: ReaderStudy) -> QuerySet[Reading]:
    return Reading.objects.filter(
        assignment__case__reader_study=reader_study, assignment__withdrawn_at=None, signed_at__isnull=False
    )


def _counts(of: Keys, is_signed: Keys) -> list[tuple[int, int, int]]:
    """Each reader or case, how many readings are assigned, and how many of them are signed."""
    found, place = distinct(of)
    assigned, signed = (np.bincount(place, weight, len(found)).astype(int) for weight in (None, is_signed))
    return list(zip(found.tolist(), assigned.tolist(), signed.tolist(), strict=True))


def _with_free_places(
    counts: Sequence[tuple[int, int, int]], free: Mapping[int, int]
) -> list[tuple[int, int, int]]:
    """A place that no reader of the pool has taken yet waits for its reading too."""
    if not free:
        return list(counts)
    taken = {case: (assigned, signed) for case, assigned, signed in counts}
    return [
        (case, taken.get(case, (0, 0))[0] + free.get(case, 0), taken.get(case, (0, 0))[1])
        for case in sorted({*taken, *free})
    ]


def _by_reader(counts: Sequence[tuple[int, int, int]], reader_study: ReaderStudy) -> Figure:
    is_over = reader_study.state == ReaderStudy.State.LOCKED
    nothing = "Nobody took a case from the pool" if reader_study.is_pool else "Nothing has been assigned"
    names = pseudonyms([reader for reader, _, _ in counts])
    rows = sorted((names[reader], assigned, signed) for reader, assigned, signed in counts)
    signed, assigned = sum(row[2] for row in rows), sum(row[1] for row in rows)
    return Figure(
        key="progress-readers",
        title="Progress of each reader",
        table=Table(("reader", "assigned", "signed"), tuple(rows)),
        method="signed of assigned readings, hidden repeats and adjudications among them",
        n=f"{counted(assigned, 'reading')} of {counted(len(rows), 'reader')}",
        value=f"{signed} of {assigned} signed" if rows else "",
        note="" if rows else f"{nothing}{'' if is_over else ' yet'}.",
        plot=_progress_plot(rows[:24], "left unread" if is_over else "open") if rows else None,
    )


def _by_case(rows: Sequence[tuple[int, int, int]]) -> Figure:
    complete = sum(assigned == signed for _, assigned, signed in rows)
    begun = sum(0 < signed < assigned for _, assigned, signed in rows)
    shares = [("cases", (complete, begun, len(rows) - complete - begun))]
    names = ("complete", "begun", "unread")
    return Figure(
        key="progress-cases",
        title="Progress of each case",
        table=Table(("case", "assigned", "signed"), tuple(rows)),
        method="signed of assigned readings of each case, free places of a pool among them",
        n=counted(len(rows), "case"),
        value=f"{complete} of {len(rows)} complete",
        note="" if rows else "Nothing has been assigned yet.",
        plot=share_plot(
            shares,
            names=names,
            colours=(3, 2, 0),
            said=f"{complete} complete, {begun} begun of {counted(len(rows), 'case')}",
        )
        if rows
        else None,
    )


def _over_time(reader_study: ReaderStudy, signed_on: Keys) -> Figure:
    """`signed_on` is the day of each signed reading, in days since 1970."""
    key, title, method = "progress-time", "Signed over time", "signed readings by day, summed"
    found, counts = np.unique(signed_on, return_counts=True)
    days = [
        (date(1970, 1, 1) + timedelta(days=day), number)
        for day, number in zip(found.tolist(), counts.tolist(), strict=True)
    ]
    if not days:
        return missing(key=key, title=title, method=method, note="Nothing has been signed yet.")
    total, rows, points = 0, [], []
    for day, number in days:
        total += number
        rows.append((day.isoformat(), number, total))
        points.append((float((day - days[0][0]).days), float(total)))
    deadline = reader_study.deadline
    told = f"deadline {say_day(deadline)}" if deadline else "no deadline"
    cells: tuple[tuple[Cell, ...], ...] = tuple(rows)
    return Figure(
        key=key,
        title=title,
        table=Table(("day", "signed", "signed so far"), cells),
        method=method,
        n=counted(total, "signed reading"),
        value=f"{total} in {counted((days[-1][0] - days[0][0]).days + 1, 'day')}",
        interval=told,
        plot=series_plot(
            points,
            said=f"{counted(total, 'signed reading')} over time",
            unit="signed readings",
            ends=(say_day(days[0][0]), say_day(days[-1][0])),
            joined=len(points) > 1,
        ),
    )


def _progress_plot(rows: Sequence[tuple[str, int, int]], rest: str) -> Plot:
    return share_plot(
        [(name, (signed, assigned - signed)) for name, assigned, signed in rows],
        names=("signed", rest),
        colours=(3, 0),
        said="Progress of each reader",
    )
