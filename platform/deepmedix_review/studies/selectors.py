"""Finds studies and films, each only for who may see it.

Admins see every study; researchers see those that are ready; an expert sees a ready study where an app above
this one grants it. Such an app appends a function to READER_ACCESS in its AppConfig.ready: given the user it
returns a `Q` on Study, for example `Q(pk__in=Assignment.objects.filter(reader=user).values("case__study"))`.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from django.db.models import Case, Count, IntegerField, Prefetch, Q, QuerySet, Value, When
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, may
from deepmedix_review.common.paging import Page, page_of
from deepmedix_review.studies import storage
from deepmedix_review.studies.models import (
    ImportBatch,
    ImportItem,
    Instance,
    Reference,
    ReferenceRegion,
    Series,
    Study,
)

PAGE_SIZE = 50
# Counting stops here, so that a list of a million studies opens as quickly as one of a thousand.
MAX_COUNT = 1000

MAX_PRIOR_FILMS = 20
# A demo that takes longer has failed: no page promises anything of it then.
LONGEST_DEMO = timedelta(hours=1)

Role = Literal["same_study", "prior"]

READER_ACCESS: list[Callable[[User], Q]] = []


@dataclass(frozen=True)
class OtherStudy:
    """Of the same patient; `when` it was made, in days from the one that is looked at."""

    study: Study
    when: str


@dataclass(frozen=True)
class CompanionFilm:
    """A film to compare with the one that is read. Sizes in pixels, spacing in mm, null where unknown."""

    uid: uuid.UUID
    sop_instance_uid: str
    modality: str
    view_position: str
    rows: int
    columns: int
    row_spacing_mm: float | None
    column_spacing_mm: float | None
    bits_stored: int
    role: Role
    days_before: int | None
    file_sha256: str


@dataclass(frozen=True)
class StateCount:
    """How many studies are in a state: exact up to MAX_COUNT, then `shown` ends with a plus sign."""

    state: str
    number: int

    @property
    def shown(self) -> str:
        return f"{MAX_COUNT:,}+" if self.number > MAX_COUNT else str(self.number)


def visible_studies(user: User) -> QuerySet[Study]:
    ready = Study.objects.filter(state=Study.State.READY)
    if may(user, Capability.VIEW_ALL_STUDIES):
        return Study.objects.all() if may(user, Capability.DECIDE_HELD_STUDIES) else ready
    granted = Q(pk__in=())
    for grants in READER_ACCESS:
        granted |= grants(user)
    return ready.filter(granted)


def study_for(user: User, uid: uuid.UUID | str) -> Study:
    """Raises Http404 for what is absent and for what this user may not see alike."""
    return get_object_or_404(visible_studies(user).prefetch_related(films_by_series()), uid=uid)


def film_for(user: User, uid: uuid.UUID | str) -> Instance:
    """One film, by the same rule as its study; whoever reads a case sees the patient's earlier films too."""
    film = get_object_or_404(Instance.objects.select_related("series__study"), uid=uid)
    visible = visible_studies(user)
    if visible.filter(pk=film.study.pk).exists() or _is_prior_of(film.study, visible):
        return film
    raise Http404


def companion_films(study: Study, *, beside: Instance | None = None) -> tuple[CompanionFilm, ...]:
    """The films to compare with the one that is read: the study's others, then the patient's earlier ones.

    `beside` is the film that is read, without it the study's first. Of earlier studies the newest comes
    first, at most MAX_PRIOR_FILMS films in all. Studies of one day, or without a date, have no known order
    and are no priors.
    """
    read = beside or films_of(study).first()
    others = [film for film in films_of(study) if film != read]
    companions = [_companion(film, role="same_study", days_before=0) for film in others]
    if study.order_date is None:
        return tuple(companions)
    earlier = frontal_first(
        Instance.objects.filter(series__study__in=_priors(study)).select_related("series__study"),
        "-series__study__order_date",
        "-series__study__pk",
    )
    for film in earlier[:MAX_PRIOR_FILMS]:
        days = _days_between(film.study, study)
        companions.append(_companion(film, role="prior", days_before=days))
    return tuple(companions)


def is_film_beside(film: Instance, study: Study) -> bool:
    """Whether whoever is shown this study is, or was, shown the film: of the study, or of an earlier one of
    the patient, whatever became of that since."""
    if film.study == study:
        return True
    return (
        film.study.patient_pseudonym == study.patient_pseudonym
        and film.study.order_date is not None
        and study.order_date is not None
        and film.study.order_date < study.order_date
    )


def _priors(study: Study) -> QuerySet[Study]:
    return Study.objects.filter(
        state=Study.State.READY,
        patient_pseudonym=study.patient_pseudonym,
        order_date__lt=study.order_date,
    )


def _is_prior_of(study: Study, visible: QuerySet[Study]) -> bool:
    if study.state != Study.State.READY or study.order_date is None:
        return False
    later = visible.filter(patient_pseudonym=study.patient_pseudonym, order_date__gt=study.order_date)
    return later.exists()


def _days_between(earlier: Study, later: Study) -> int | None:
    """None where the profile of one of them removes dates: their order is known, and no more is told."""
    if earlier.study_date is None or later.study_date is None:
        return None
    return (later.study_date - earlier.study_date).days


def _companion(film: Instance, *, role: Role, days_before: int | None) -> CompanionFilm:
    return CompanionFilm(
        uid=film.uid,
        sop_instance_uid=film.sop_instance_uid,
        modality=film.series.shown_modality,
        view_position=film.view_position,
        rows=film.rows,
        columns=film.columns,
        row_spacing_mm=film.row_spacing_mm,
        column_spacing_mm=film.column_spacing_mm,
        bits_stored=film.bits_stored,
        role=role,
        days_before=days_before,
        file_sha256=film.file_sha256,
    )


def reference_for(user: User, study: Study) -> Reference | None:
    """What the study's source says of it, for admins alone: who rates must not know it."""
    if not may(user, Capability.VIEW_REFERENCES):
        return None
    regions = ReferenceRegion.objects.select_related("film__series").order_by("pk")
    return Reference.objects.filter(study=study).prefetch_related(Prefetch("regions", regions)).first()


def references_for(user: User, studies: Sequence[int]) -> dict[int, Reference]:
    """As `reference_for`, of several studies by primary key."""
    if not may(user, Capability.VIEW_REFERENCES):
        return {}
    rows = Reference.objects.filter(study__in=studies).prefetch_related("regions")
    return {row.study_id: row for row in rows}


def film_path(instance: Instance) -> Path:
    """Of the display film on this machine's disk."""
    return storage.film_path(instance)


def picture_path(instance: Instance) -> Path:
    """Of the film's small PNG, at most 512 pixels a side."""
    return storage.picture_path(instance)


def films_of(study: Study) -> QuerySet[Instance]:
    """Frontal views first, so that the first is the one to read."""
    return frontal_first(Instance.objects.filter(series__study=study).select_related("series"))


def frontal_first(films: QuerySet[Instance], *before: str) -> QuerySet[Instance]:
    """`before`: what orders them more than the view does."""
    side_views = When(view_position__in=("LL", "RL", "LAT", "LATERAL"), then=Value(1))
    return films.order_by(*before, Case(side_views, default=Value(0), output_field=IntegerField()), "pk")


def films_ready() -> QuerySet[Instance]:
    """Every film that may be inferred and read."""
    return Instance.objects.filter(series__study__state=Study.State.READY).select_related("series__study")


def demo_import() -> ImportBatch | None:
    """The import of the demo's films, where it began within LONGEST_DEMO."""
    since = timezone.now() - LONGEST_DEMO
    return ImportBatch.objects.filter(source=ImportBatch.Source.DEMO, created_at__gt=since).last()


def study_page(
    user: User, *, state: str = "", search: str = "", before: int | None = None, only: Q | None = None
) -> Page[Study]:
    """The newest studies, with their films; `search` is what `found_by` knows, `only` a further condition."""
    studies = visible_studies(user).filter(found_by(search), only or Q())
    if state in Study.State.values:
        studies = studies.filter(state=state)
    return page_of(studies.prefetch_related(films_by_series()), before=before, size=PAGE_SIZE)


def studies_without_a_film(user: User) -> Page[Study]:
    """Those of which a film's file is missing, for who can restore it; the last that were brought in."""
    if not may(user, Capability.DECIDE_HELD_STUDIES):
        return Page([], None)
    missed = Instance.objects.filter(file_missed_at__isnull=False)
    return page_of(Study.objects.filter(pk__in=missed.values("series__study")), before=None, size=10)


def count_states(user: User) -> tuple[StateCount, ...]:
    """In one query each, none of which counts past MAX_COUNT."""
    states = Study.State.values if may(user, Capability.DECIDE_HELD_STUDIES) else [Study.State.READY.value]
    visible = visible_studies(user)
    return tuple(
        StateCount(state, visible.filter(state=state).values("pk")[: MAX_COUNT + 1].count())
        for state in states
    )


def recent_imports(user: User, *, before: int | None = None, number: int = 30) -> Page[ImportItem]:
    """What became of the files that this user brought in, and of those that nobody did but the DICOM network,
    newest first."""
    of_network = Q(batch__requested_by=None, batch__source=ImportBatch.Source.LISTENER)
    items = ImportItem.objects.filter(Q(batch__requested_by=user) | of_network)
    return page_of(items.select_related("batch", "instance__series__study"), before=before, size=number)


def count_outcomes(batch_uid: uuid.UUID | str, *, user: User) -> dict[str, int]:
    """Of the accepted ones, those that a person has to look at stand apart."""
    items = ImportItem.objects.filter(batch__uid=batch_uid, batch__requested_by=user)
    rows = items.values_list("outcome", "instance__series__study__state").annotate(number=Count("pk"))
    counts: dict[str, int] = {}
    for outcome, state, number in rows.order_by("outcome", "instance__series__study__state"):
        is_waiting = outcome == ImportItem.Outcome.ACCEPTED and state == Study.State.UNSEEN
        told = "to look at" if is_waiting else outcome
        counts[told] = counts.get(told, 0) + number
    return counts


def others_of_patient(user: User, study: Study) -> list[OtherStudy]:
    """What else this user may see of the same patient, in the order of time; at most MAX_PRIOR_FILMS."""
    same = visible_studies(user).filter(patient_pseudonym=study.patient_pseudonym).exclude(pk=study.pk)
    found = same.order_by("order_date", "pk")[:MAX_PRIOR_FILMS]
    return [OtherStudy(one, _said_of(one, beside=study)) for one in found]


def _said_of(other: Study, *, beside: Study) -> str:
    if other.order_date is None or beside.order_date is None:
        return "no date"
    if other.order_date == beside.order_date:
        return "the same day"
    when = "earlier" if other.order_date < beside.order_date else "later"
    days = _days_between(other, beside)
    if days is None:
        return when
    return f"{abs(days)} day{'' if abs(days) == 1 else 's'} {when}"


def films_by_series(lookup: str = "series") -> "Prefetch[Any, QuerySet[Series], str]":
    """For lists of studies: their series with films, in two queries."""
    return Prefetch(lookup, Series.objects.prefetch_related("instances").order_by("pk"))


def found_by(search: str) -> Q:
    """Studies that have this UID, or a series or an instance with it; those of the patient of this pseudonym;
    else those whose label begins so."""
    words = search.strip()
    if set(words) <= set("0123456789.") and "." in words:
        # Three indexes, asked before the list: as its alternatives they would have it look at each study.
        named = Study.objects.filter(study_instance_uid=words).values_list("pk")
        of_series = Series.objects.filter(series_instance_uid=words).values_list("study")
        of_instances = Instance.objects.filter(sop_instance_uid=words).values_list("series__study")
        return Q(pk__in=[key for (key,) in named.union(of_series, of_instances)])
    if words.upper().startswith("P-"):
        return Q(patient_pseudonym=words.upper())
    return labelled(search)


def labelled(search: str) -> Q:
    """Studies whose label begins so. It is `S-` and the start of a uid: a range of the unique index."""
    start = search.strip().lower().removeprefix("s-").replace("-", "")
    if not start:
        return Q()
    if len(start) > 32 or not set(start) <= set("0123456789abcdef"):
        return Q(pk__in=())
    return Q(uid__gte=uuid.UUID(start.ljust(32, "0")), uid__lte=uuid.UUID(start.ljust(32, "f")))
