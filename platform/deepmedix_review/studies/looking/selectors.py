"""Finds the films that nobody has looked at yet, with what a sheet of them must say when it comes back."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, may
from deepmedix_review.common.paging import page_of
from deepmedix_review.studies.models import Instance, Sighting, Study
from deepmedix_review.studies.selectors import MAX_COUNT, StateCount, films_by_series, visible_studies

SHEET_SIZE = 100


@dataclass(frozen=True)
class Unseen:
    """A study on the sheet. `token` names it with its newest film and its newest sighting: what comes later
    was not looked at. `sightings` are those of readers, the first one first."""

    study: Study
    films: Sequence[Instance]
    sightings: Sequence[Sighting]
    token: str

    @property
    def films_seen(self) -> frozenset[int]:
        """Primary keys of the films on which a reader saw a name."""
        return frozenset(sighting.film_id for sighting in self.sightings)


@dataclass(frozen=True)
class Sheet:
    """`reported` are those on which readers saw a name, the longest waiting first: each is answered alone."""

    reported: tuple[Unseen, ...]
    studies: tuple[Unseen, ...]
    next_before: int | None


def sheet(user: User, *, before: int | None = None) -> Sheet:
    """The newest studies to look at that this user may see, and on the first page what was reported."""
    waiting = (
        visible_studies(user)
        .filter(state=Study.State.UNSEEN)
        .select_related("name_seen_by")
        .prefetch_related(films_by_series())
    )
    reported = []
    if before is None:
        found = waiting.annotate(first_sighting=Subquery(_open_sightings().order_by("pk").values("pk")[:1]))
        reported = list(found.filter(first_sighting__isnull=False).order_by("first_sighting")[:SHEET_SIZE])
    page = page_of(waiting.filter(~Exists(_open_sightings())), before=before, size=SHEET_SIZE)
    seen = sightings_of([*reported, *page.rows])
    return Sheet(
        tuple(unseen(study, seen.get(study.pk, ())) for study in reported),
        tuple(unseen(study) for study in page.rows),
        page.next_before,
    )


def unseen(study: Study, sightings: Sequence[Sighting] = ()) -> Unseen:
    """Of a study whose series and films are at hand."""
    films = [film for series in study.series.all() for film in series.instances.all()]
    return Unseen(study, films, sightings, token_of(study.uid, films, sightings))


def token_of(study: uuid.UUID, films: Sequence[Instance], sightings: Sequence[Sighting] = ()) -> str:
    newest = (max((row.pk for row in rows), default=0) for rows in (films, sightings))
    return ":".join(map(str, (study, *newest)))


def study_of(token: str) -> uuid.UUID | None:
    """The uid in a token; None where it is none."""
    try:
        return uuid.UUID(token.partition(":")[0])
    except ValueError:
        return None


def sightings_of(studies: Iterable[Study]) -> Mapping[int, Sequence[Sighting]]:
    """By study, those that nobody has looked into yet, in one query."""
    found: dict[int, list[Sighting]] = defaultdict(list)
    rows = Sighting.objects.filter(film__series__study__in=list(studies), looked_at=None)
    for sighting in rows.select_related("reader", "film__series").order_by("pk"):
        found[sighting.film.series.study_id].append(sighting)
    return found


def count_unseen(user: User) -> StateCount:
    """Nothing for who can't look at them."""
    return _count_waiting(user, Study.objects.all())


def count_reported(user: User) -> StateCount:
    """Of those, how many a reader saw a name on."""
    return _count_waiting(user, Study.objects.filter(Exists(_open_sightings())))


def _count_waiting(user: User, studies: QuerySet[Study]) -> StateCount:
    if not may(user, Capability.DECIDE_HELD_STUDIES):
        return StateCount(Study.State.UNSEEN, 0)
    waiting = studies.filter(state=Study.State.UNSEEN)
    return StateCount(Study.State.UNSEEN, waiting.values("pk")[: MAX_COUNT + 1].count())


def _open_sightings() -> QuerySet[Sighting]:
    """Of the study of the query outside."""
    return Sighting.objects.filter(film__series__study=OuterRef("pk"), looked_at=None)
