"""How far a reader study is: by reader, by case, and over time against its deadline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import TruncDate

from deepmedix_review.common.dates import say_day
from deepmedix_review.reviews.models import Assignment, ReaderStudy, Reading
from deepmedix_review.reviews.results.figures import Cell, Figure, Table, counted, missing
from deepmedix_review.reviews.results.plots import Plot, series_plot, share_plot


@dataclass(frozen=True)
class Overview:
    """What the live strip shows; cheap enough to ask every half minute."""

    num_assigned: int
    num_signed: int
    last_signed_at: datetime | None

    @property
    def share(self) -> float:
        return self.num_signed / self.num_assigned if self.num_assigned else 0.0


def overview(reader_study: ReaderStudy) -> Overview:
    assigned = _assigned(reader_study).count()
    signed = _signed(reader_study).aggregate(number=Count("assignment", distinct=True), last=Max("signed_at"))
    return Overview(assigned, signed["number"], signed["last"])


def progress_figures(reader_study: ReaderStudy) -> tuple[Figure, ...]:
    return (_by_reader(reader_study), _over_time(reader_study), _by_case(reader_study))


def _assigned(reader_study: ReaderStudy) -> QuerySet[Assignment]:
    return Assignment.objects.filter(case__reader_study=reader_study, withdrawn_at=None)


def _signed(reader_study: ReaderStudy) -> QuerySet[Reading]:
    return Reading.objects.filter(
        assignment__case__reader_study=reader_study, assignment__withdrawn_at=None, signed_at__isnull=False
    )


def _counts(reader_study: ReaderStudy, by: str) -> Sequence[tuple[str, int, int]]:
    rows = (
        _assigned(reader_study)
        .values_list(by)
        .annotate(
            assigned=Count("pk", distinct=True),
            signed=Count("pk", distinct=True, filter=Q(readings__signed_at__isnull=False)),
        )
        .order_by(by)
    )
    return [(str(name), assigned, signed) for name, assigned, signed in rows]


def _by_reader(reader_study: ReaderStudy) -> Figure:
    rows = _counts(reader_study, "reader__pseudonym")
    signed, assigned = sum(row[2] for row in rows), sum(row[1] for row in rows)
    return Figure(
        key="progress-readers",
        title="Progress of each reader",
        table=Table(("reader", "assigned", "signed"), tuple(rows)),
        method="signed of assigned readings, hidden repeats and adjudications among them",
        n=f"{counted(assigned, 'reading')} of {counted(len(rows), 'reader')}",
        value=f"{signed} of {assigned} signed",
        note="" if rows else "Nothing has been assigned yet.",
        plot=_progress_plot(rows[:24], "Progress of each reader") if rows else None,
    )


def _by_case(reader_study: ReaderStudy) -> Figure:
    rows = [
        (int(name), assigned, signed) for name, assigned, signed in _counts(reader_study, "case__position")
    ]
    complete = sum(assigned == signed for _, assigned, signed in rows)
    begun = sum(0 < signed < assigned for _, assigned, signed in rows)
    shares = [("cases", (complete, begun, len(rows) - complete - begun))]
    names = ("complete", "begun", "unread")
    return Figure(
        key="progress-cases",
        title="Progress of each case",
        table=Table(("case", "assigned", "signed"), tuple(rows)),
        method="signed of assigned readings of each case",
        n=counted(len(rows), "case"),
        value=f"{complete} of {len(rows)} complete",
        note="" if rows else "Nothing has been assigned yet.",
        plot=share_plot(
            shares,
            names=names,
            colours=(3, 2, 0),
            said=f"{complete} complete, {begun} begun of {len(rows)} cases",
        )
        if rows
        else None,
    )


def _over_time(reader_study: ReaderStudy) -> Figure:
    key, title, method = "progress-time", "Signed over time", "signed readings by day, summed"
    days = list(
        _signed(reader_study)
        .annotate(day=TruncDate("signed_at"))
        .values_list("day")
        .annotate(number=Count("pk"))
        .order_by("day")
    )
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
            points, said=f"{total} signed readings over time", unit="days", joined=len(points) > 1
        ),
    )


def _progress_plot(rows: Sequence[tuple[str, int, int]], said: str) -> Plot:
    return share_plot(
        [(name, (signed, assigned - signed)) for name, assigned, signed in rows],
        names=("signed", "open"),
        colours=(3, 0),
        said=said,
    )
