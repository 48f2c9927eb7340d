"""How long a million ratings take to leave as CSV, and as Parquet, beside PostgreSQL's plain COPY."""

import math
import resource
import subprocess
import sys
import time
from io import RawIOBase
from pathlib import Path
from typing import IO, Any, cast

from benchmarks.dashboard import read_by_all
from benchmarks.installation import private_installation
from benchmarks.report import Figure, Peer, median_seconds

NUM_RATINGS = 1_000_000
NUM_RUNS = 3
MOST_MB, FIRST_BYTE_SECONDS = 200, 1
TABLES = {
    "reviews_steprating": 1,
    "reviews_regionannotation": 1,
    "reviews_answerrating": 4,
    "reviews_vote": 1,
}


def run() -> list[Figure]:
    with private_installation() as home:
        read_by_all()
        from django.utils import timezone

        from deepmedix_review.exports.files import measure
        from deepmedix_review.exports.models import CSV, PARQUET
        from deepmedix_review.exports.scope import GROUPS, reading_spans, scope_of

        data, path = GROUPS[0], home / "ratings"
        scope = scope_of(None, as_of=timezone.now())
        spans = reading_spans(scope, data)
        num_ratings = _count(spans[-1].last)
        share = NUM_RATINGS / num_ratings
        spans = spans[: max(1, math.ceil(len(spans) * share))]
        last, num_rows = spans[-1].last, 0

        def write(form: str) -> float:
            """Seconds from the question which readings there are to the first row."""
            nonlocal num_rows
            begin = time.perf_counter()
            num_rows, first = _write(form, path, last=last)
            measure(path)
            return first - begin

        firsts: list[float] = []
        stored = median_seconds(lambda: _copy_stored(last, path), num_runs=NUM_RUNS)
        seconds = median_seconds(lambda: firsts.append(write(CSV)), num_runs=NUM_RUNS)
        memory = {form: _peak_mb_alone(form, path, last=last) for form in (CSV, PARQUET)}
        whole = Part(scope, last)
        at_once = median_seconds(lambda: whole.copy(path), num_runs=NUM_RUNS)
        as_parquet = median_seconds(lambda: write(PARQUET), num_runs=1)
        what = f"{num_rows:,} ratings to CSV, sorted, with names of readers and versions, and its sha256"
        return [
            Figure(what, seconds, "s", Peer("COPY of the four tables as they are stored", stored), NUM_RUNS),
            Figure(what, seconds, "s", Peer("one COPY of the same rows, sorted", at_once), NUM_RUNS),
            Figure("the first row", max(firsts), "s", Peer("the limit", FIRST_BYTE_SECONDS), len(firsts)),
            Figure(
                "peak memory of a process that does this", memory[CSV], "MB", Peer("the limit", MOST_MB), 1
            ),
            Figure("the same to Parquet", as_parquet, "s", Peer("to CSV", seconds), 1),
            Figure(
                "peak memory of a process that does", memory[PARQUET], "MB", Peer("the limit", MOST_MB), 1
            ),
        ]


def _write(form: str, path: Path, *, last: int) -> tuple[int, float]:
    """The number of rows, and when the first was written."""
    from django.utils import timezone

    from deepmedix_review.exports.files import open_file
    from deepmedix_review.exports.said_tables import RATINGS
    from deepmedix_review.exports.scope import GROUPS, reading_spans, scope_of

    data = GROUPS[0]
    scope, num_rows = scope_of(None, as_of=timezone.now()), 0
    with path.open("wb") as file:
        heard = _Heard(file)
        table_file = open_file(RATINGS, form, cast(IO[bytes], heard))
        heard.first = 0.0
        for span in reading_spans(scope, data):
            if span.last <= last:
                num_rows += table_file.append(scope.values(data.roles, readings=span))
        table_file.close()
    return num_rows, heard.first


def _peak_mb_alone(form: str, path: Path, *, last: int) -> float:
    """Of a process that has done nothing else, as a worker has not."""
    told = f"from benchmarks.export import peak_mb_of; print(peak_mb_of({form!r}, {str(path)!r}, {last:d}))"
    answer = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return float(answer.stdout)


def peak_mb_of(form: str, path: str, last: int) -> float:
    import django

    django.setup()
    _write(form, Path(path), last=last)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _Heard(RawIOBase):
    """A file that knows when it was first written to since `first` was 0."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.first = file, 0.0

    def write(self, content: Any, /) -> int:
        self.first = self.first or time.perf_counter()
        return self.file.write(content)

    def flush(self) -> None:
        self.file.flush()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.file.tell()


class Part:
    """All of the rows by one statement."""

    def __init__(self, scope: Any, last: int) -> None:
        from deepmedix_review.exports.scope import GROUPS, Span

        self._values = scope.values(GROUPS[0].roles, readings=Span(0, last, 0))

    def copy(self, path: Path) -> None:
        from deepmedix_review.exports.said_tables import RATINGS

        _copy(f"COPY ({RATINGS.query}) TO STDOUT (FORMAT csv)", path, self._values)


def _copy_stored(last: int, path: Path) -> None:
    for table in TABLES:
        _copy(f"COPY (SELECT * FROM {table} WHERE reading_id <= {last:d}) TO STDOUT (FORMAT csv)", path)


def _copy(statement: str, path: Path, values: Any = None) -> None:
    from django.db import connection

    connection.ensure_connection()
    with (
        path.open("wb") as file,
        connection.connection.cursor() as cursor,
        cursor.copy(statement, values) as copy,
    ):
        for piece in copy:
            file.write(piece)


def _count(last: int) -> int:
    from django.db import connection

    total = 0
    with connection.cursor() as cursor:
        for table, num in TABLES.items():
            cursor.execute(f"SELECT count(*) FROM {table} WHERE reading_id <= %s", [last])
            [rows] = cursor.fetchone() or (0,)
            total += num * rows
    return total
