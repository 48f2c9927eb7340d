"""Puts together what a reader study found, anew whenever a reading has been signed since the last look."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

import rl_feedback.agreement
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy
from deepmedix_review.reviews.results.agreement import Comparison, agreement_figures
from deepmedix_review.reviews.results.cautions import Caution, cautions_of, load_habits
from deepmedix_review.reviews.results.choices import choice_figures
from deepmedix_review.reviews.results.differences import difference_figure
from deepmedix_review.reviews.results.expert_review import expert_review_figures
from deepmedix_review.reviews.results.figures import Figure, Section
from deepmedix_review.reviews.results.found import found_figures
from deepmedix_review.reviews.results.head import Line, caveat_of, head_lines
from deepmedix_review.reviews.results.missed import missed_figures
from deepmedix_review.reviews.results.own_words import own_word_figures
from deepmedix_review.reviews.results.pairs import pairs_figure
from deepmedix_review.reviews.results.progress import Overview, progress_figures
from deepmedix_review.reviews.results.rated import load_rated
from deepmedix_review.reviews.results.readings import Said, load_readings, reader_names
from deepmedix_review.reviews.results.regions import load_marks, region_figures
from deepmedix_review.reviews.results.reliability import reliability_figures
from deepmedix_review.reviews.results.scales import all_scaled
from deepmedix_review.reviews.results.settled import settled_figures
from deepmedix_review.reviews.results.shown import Shown
from deepmedix_review.reviews.results.spread import spread_figures
from deepmedix_review.reviews.results.times import time_figures
from deepmedix_review.reviews.results.versions import compares_versions, load_versions
from deepmedix_review.studies.models import Study

CACHED_SECONDS = 24 * 3600
# What another version of the code computed is not shown, nor taken for one of today's shape.
CODE = sha256(
    b"".join(
        path.read_bytes()
        for package in (__file__, rl_feedback.agreement.__file__)
        for path in sorted(Path(package).parent.glob("*.py"))
    )
).hexdigest()[:12]


@dataclass(frozen=True)
class Dashboard:
    """`computed_at` is when the sections were; `num_readings` is what they were computed from, of which
    `num_counting` are first readings of data."""

    sections: tuple[Section, ...]
    num_readings: int
    num_counting: int
    computed_at: datetime
    cautions: tuple[Caution, ...]

    @property
    def head(self) -> tuple[Line, ...]:
        return head_lines(tuple(self.figures()))

    @property
    def caveat(self) -> str:
        return caveat_of(tuple(self.figures()))

    def figures(self) -> Iterator[Figure]:
        for section in self.sections:
            yield from section.figures

    def figure(self, key: str) -> Figure | None:
        return next((figure for figure in self.figures() if figure.key == key), None)


def dashboard_of(reader_study: ReaderStudy, *, seen: Overview) -> Dashboard:
    """Computed at most once for each state of the readings, which is told from what was `seen` of them, and
    from which of their films are out of use."""
    state = f"{reader_study.state}:{_state(seen)}:{_out_of_use(reader_study)}"
    key = f"results-of:{CODE}:{reader_study.pk}:{state}"
    found = cache.get(key)
    if isinstance(found, Dashboard):
        return found
    made = compute(reader_study)
    cache.set(key, made, CACHED_SECONDS)
    return made


def compute(reader_study: ReaderStudy) -> Dashboard:
    """Every figure, of what is signed by now. What needs no database has a thread of its own: it is computed
    while the database works for the other figures."""
    with transaction.atomic(), ThreadPoolExecutor(max_workers=1) as beside:
        _read_by_one_process()
        readings = load_readings(reader_study)
        names = reader_names(readings)
        times = beside.submit(time_figures, readings, names)
        said, shown = Said(readings), Shown(readings)
        versions = load_versions(reader_study, shown)
        if versions is not None:
            shown.load()
        comparison = Comparison(readings)
        rated, compared = [], []
        for one in load_rated(reader_study, readings, said, versions):
            rated.append(one)
            compared.append(beside.submit(comparison.of, one))
        pairs = beside.submit(pairs_figure, readings, rated, names)
        asked = beside.submit(all_scaled, readings, rated, versions)
        regions = beside.submit(region_figures, load_marks(readings, said, shown))
        habits = load_habits(readings, shown)
        ratings = beside.submit(spread_figures, readings, rated, names)
        found = beside.submit(found_figures, readings, said, rated, asked.result(), versions)
        choices = beside.submit(choice_figures, readings, rated, versions)
        cautions = beside.submit(cautions_of, readings, said, habits)
        progress = progress_figures(reader_study)
        in_words = (
            *own_word_figures(reader_study, readings, versions),
            *missed_figures(reader_study, readings, versions),
            *settled_figures(reader_study, readings, rated, versions),
        )
        reliability = reliability_figures(reader_study, readings, said, rated)
        differences = []
        if compares_versions(reader_study):
            differences.append(difference_figure(reader_study, asked.result(), versions))
        agreed = [one.result() for one in compared]
        review = expert_review_figures(readings, rated, asked.result(), agreed, versions, names)
        return Dashboard(
            sections=(
                Section("Findings", (*differences, *found.result(), *choices.result(), *in_words)),
                Section("Expert review", review),
                Section("Progress", progress),
                Section("Agreement", agreement_figures(agreed, pairs.result())),
                Section("Regions", regions.result()),
                Section("Ratings", ratings.result()),
                Section("Reliability", reliability),
                Section("Time", times.result()),
            ),
            num_readings=len(readings),
            num_counting=int(readings.of(Assignment.Kind.FIRST).sum()),
            computed_at=timezone.now(),
            cautions=cautions.result(),
        )


def _read_by_one_process() -> None:
    """Columns that are sent as one value are put together from those of several processes: on 600,000 rows
    that took PostgreSQL 188 ms and three cores, and 127 ms by one process alone."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")


def _state(seen: Overview) -> str:
    last = seen.last_signed_at.isoformat() if seen.last_signed_at else ""
    return f"{seen.num_assigned}:{seen.num_signed}:{last}"


def _out_of_use(reader_study: ReaderStudy) -> str:
    """Nothing is said of a film any more once it is out of use, as for a name that is written on it."""
    cases = Case.objects.filter(reader_study=reader_study).exclude(study__state=Study.State.READY)
    keys = ",".join(map(str, cases.order_by("pk").values_list("pk", flat=True)))
    return sha256(keys.encode()).hexdigest()[:12]
