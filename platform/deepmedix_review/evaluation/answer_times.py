"""How long versions take to answer and how many tokens they write: added up by the hour, for plots."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, Sum
from django.db.models.functions import Trunc

from deepmedix_review.evaluation.models import AnswerTimes
from deepmedix_review.registry.models import ModelVersion

# Each bucket ends 12 % above where it begins, so a percentile is told within 6 %: from 20 ms to half an hour.
SHORTEST_SECONDS, NUM_BUCKETS, GROWTH = 0.02, 101, 1.12
# Any fixed number: the advisory lock of who adds up.
_LOCK = 20_261_130


class Span(StrEnum):
    """What a page shows: two days by the hour, or a month by the day."""

    HOUR = "hour"
    DAY = "day"

    @property
    def number(self) -> int:
        return 48 if self is Span.HOUR else 30

    @property
    def length(self) -> timedelta:
        return timedelta(hours=1) if self is Span.HOUR else timedelta(days=1)


@dataclass(frozen=True)
class Answered:
    """What was answered in one hour or day, whose beginning is `at`. Times are of one completion, from the
    first token that its model read to the last that it wrote; `tokens_per_second` is of one completion too,
    `tokens` of all."""

    at: datetime
    num_completions: int
    tokens: int
    median_seconds: float
    slow_seconds: float
    tokens_per_second: float


def add_up_answer_times() -> int:
    """Count the completions of each hour since the last that was counted, that and the one before it anew.
    Only what a model wrote here has a time. Returns how many rows were written."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        last = AnswerTimes.objects.aggregate(last=Max("hour"))["last"]
        since = last - timedelta(hours=1) if last else datetime(1970, 1, 1, tzinfo=UTC)
        counted = AnswerTimes.objects.filter(hour__gte=since)
        written = "SELECT COUNT(*) FROM reasoning_completion WHERE job_id IS NOT NULL AND created_at >= %s"
        cursor.execute(written, [since])
        if cursor.fetchone()[0] == (counted.aggregate(number=Sum("num_completions"))["number"] or 0):
            return 0
        counted.delete()
        cursor.execute(
            """
            INSERT INTO evaluation_answertimes
                (model_version_id, hour, bucket, num_completions, num_tokens, seconds)
            SELECT model_version_id, date_trunc('hour', created_at, 'UTC'),
                LEAST(%(last)s, GREATEST(0, CEIL(LN(GREATEST(seconds, 1e-9) / %(shortest)s) / %(growth)s))),
                COUNT(*), SUM(num_tokens), SUM(seconds)
            FROM reasoning_completion
            WHERE job_id IS NOT NULL AND created_at >= %(since)s
            GROUP BY 1, 2, 3
            """,
            {
                "last": NUM_BUCKETS - 1,
                "shortest": SHORTEST_SECONDS,
                "growth": math.log(GROWTH),
                "since": since,
            },
        )
        return int(cursor.rowcount)


def answered(versions: Sequence[ModelVersion], *, span: Span, now: datetime) -> tuple[Answered, ...]:
    """By these versions together, oldest first; hours and days without an answer are left out."""
    since = beginning(span, now=now)
    rows = (
        AnswerTimes.objects.filter(model_version__in=versions, hour__gte=since, hour__lte=now)
        .annotate(at=Trunc("hour", span.value, tzinfo=UTC))
        .values("at", "bucket")
        .annotate(number=Sum("num_completions"), tokens=Sum("num_tokens"), took=Sum("seconds"))
        .order_by("at", "bucket")
    )
    by_time: dict[datetime, list[tuple[int, int, int, float]]] = defaultdict(list)
    for row in rows:
        by_time[row["at"]].append((row["bucket"], row["number"], row["tokens"], row["took"]))
    return tuple(_answered(at, found) for at, found in by_time.items())


def beginning(span: Span, *, now: datetime) -> datetime:
    """Of the first hour or day that is shown."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return (hour.replace(hour=0) if span is Span.DAY else hour) - (span.number - 1) * span.length


def versions_with_times() -> list[ModelVersion]:
    """Those that answered anything here, newest first."""
    counted = AnswerTimes.objects.filter(model_version=OuterRef("pk"))
    return list(ModelVersion.objects.filter(Exists(counted)).order_by("-number"))


def _answered(at: datetime, found: Sequence[tuple[int, int, int, float]]) -> Answered:
    counts = [(bucket, number) for bucket, number, _, _ in found]
    tokens, seconds = sum(row[2] for row in found), sum(row[3] for row in found)
    return Answered(
        at=at,
        num_completions=sum(number for _, number in counts),
        tokens=tokens,
        median_seconds=quantile(counts, 0.5),
        slow_seconds=quantile(counts, 0.95),
        tokens_per_second=tokens / seconds if seconds else 0.0,
    )


def quantile(counts: Iterable[tuple[int, int]], share: float) -> float:
    """The time within which this share of completions was written; `counts` are buckets in their order, each
    with how many. It is the geometric middle of a bucket.

    >>> [round(quantile([(0, 1), (20, 18), (40, 1)], share), 3) for share in (0.5, 0.95, 1)]
    [0.182, 0.182, 1.758]
    """
    rows = list(counts)
    wanted, seen = share * sum(number for _, number in rows), 0
    for bucket, number in rows:
        seen += number
        if seen >= wanted:
            return float(SHORTEST_SECONDS * GROWTH ** (bucket - 0.5))
    return 0.0
