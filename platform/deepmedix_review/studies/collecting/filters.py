"""Which studies a collection takes: what a filter says, in words and as a query on de-identified columns."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from deepmedix_review.common.dates import say_day, say_moment
from deepmedix_review.studies.models import ImportBatch, ImportItem, Instance, Series, Study
from deepmedix_review.studies.selectors import labelled

NO_VIEW = "none"


@dataclass(frozen=True)
class StudyFilter:
    """What is empty asks nothing. View and modality are asked of one film of the study.

    Dates are the shifted ones, both ends included. `is_phantom` None takes drawn films and others.
    """

    imports: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    is_phantom: bool | None = None
    label: str = ""

    @property
    def asks_nothing(self) -> bool:
        return self == StudyFilter()

    def as_json(self) -> dict[str, Any]:
        """What is kept with the collection; `from_json` reads it."""
        said = {name: value for name, value in asdict(self).items() if value not in ((), None, "")}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in said.items()}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "StudyFilter":
        dates = {name: date.fromisoformat(said[name]) for name in ("since", "until") if name in said}
        lists = {name: tuple(said[name]) for name in ("imports", "views", "modalities") if name in said}
        return cls(**{**said, **dates, **lists})

    def sentences(self) -> tuple[str, ...]:
        """What it asks, in words."""
        said = []
        if self.imports:
            said.append(f"from {_imports_in_words(self.imports)}")
        if self.views:
            said.append("view " + " or ".join("not named" if v == NO_VIEW else v for v in self.views))
        if self.modalities:
            said.append("modality " + " or ".join(self.modalities))
        if self.since or self.until:
            ends = (("from", self.since), ("to", self.until))
            said.append("shifted date " + " ".join(f"{word} {say_day(day)}" for word, day in ends if day))
        if self.is_phantom is not None:
            said.append("drawn phantoms only" if self.is_phantom else "no drawn phantoms")
        if self.label:
            said.append(f"name begins with {self.label}")
        return tuple(said) or ("every ready study",)


def matching(asked: StudyFilter) -> QuerySet[Study]:
    """The ready studies that fit, in no order."""
    return Study.objects.filter(condition(asked), state=Study.State.READY).order_by()


def condition(asked: StudyFilter) -> Q:
    """Of a query on studies, whatever their state."""
    fits = labelled(asked.label)
    if asked.is_phantom is not None:
        fits &= Q(is_phantom=asked.is_phantom)
    if asked.since:
        fits &= Q(study_date__gte=asked.since)
    if asked.until:
        fits &= Q(study_date__lte=asked.until)
    if asked.views or asked.modalities:
        films = Instance.objects.filter(series__study=OuterRef("pk"))
        if asked.views:
            films = films.filter(view_position__in=["" if v == NO_VIEW else v for v in asked.views])
        if asked.modalities:
            films = films.filter(series__modality__in=asked.modalities)
        fits &= Q(Exists(films))
    if asked.imports:
        brought = ImportItem.objects.filter(
            batch__uid__in=asked.imports, instance__series__study=OuterRef("pk")
        )
        fits &= Q(Exists(brought))
    return fits


def views_there() -> Sequence[str]:
    """The view positions that films have, `NO_VIEW` for films without; as quick with a million films."""
    return [view or NO_VIEW for view in _distinct(Instance, "view_position")]


def modalities_there() -> Sequence[str]:
    return _distinct(Series, "modality")


def imports_there(number: int) -> QuerySet[ImportBatch]:
    """The newest imports that brought in a film."""
    brought = ImportItem.objects.filter(batch=OuterRef("pk"), instance__isnull=False)
    return ImportBatch.objects.filter(Exists(brought)).select_related("requested_by").order_by("-pk")[:number]


def names_of_imports(batches: Iterable[ImportBatch]) -> dict[uuid.UUID, str]:
    """When, how many films, and who brought them in: no file's name, which may be a patient's."""
    found = list(batches)
    items = ImportItem.objects.filter(batch__in=found, instance__isnull=False).order_by()
    numbers = dict(items.values_list("batch").annotate(Count("instance", distinct=True)))
    names = {}
    for batch in found:
        number = numbers.get(batch.pk, 0)
        films = "1 film" if number == 1 else f"{number:,} films"
        way = batch.get_source_display()
        who = f"{way} by {batch.requested_by.pseudonym}" if batch.requested_by else way
        names[batch.uid] = f"{say_moment(batch.created_at)} · {films} · {who}"
    return names


def _imports_in_words(uids: Sequence[str]) -> str:
    batches = ImportBatch.objects.filter(uid__in=[uuid.UUID(uid) for uid in uids])
    names = names_of_imports(batches.select_related("requested_by").order_by("pk"))
    return "the import of " + " or ".join(names.values())


def _distinct(model: type[Instance] | type[Series], column: str) -> list[str]:
    """Each value once, by jumps over the column's index: SELECT DISTINCT would read every row."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE jump(value) AS (
                (SELECT {column} FROM {table} ORDER BY {column} LIMIT 1)
                UNION ALL
                SELECT (SELECT {column} FROM {table} WHERE {column} > jump.value ORDER BY {column} LIMIT 1)
                FROM jump WHERE jump.value IS NOT NULL)
            SELECT value FROM jump WHERE value IS NOT NULL
            """
        )
        return [row[0] for row in cursor.fetchall()]
