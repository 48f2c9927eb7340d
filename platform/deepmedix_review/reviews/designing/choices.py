"""Finds what an admin may choose for a reader study: model versions, imports, studies and criteria."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import MD5, Cast, Concat

from deepmedix_review.common.dates import say_moment
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import versions
from deepmedix_review.reviews.criteria.versions import Asked, library
from deepmedix_review.reviews.models import Case, Criterion, ReaderStudy
from deepmedix_review.reviews.study_services import Collected
from deepmedix_review.studies.collecting.selectors import newest_versions
from deepmedix_review.studies.models import (
    Collection,
    CollectionMember,
    CollectionVersion,
    ImportBatch,
    Study,
)

# So many studies are offered one by one; a set that is larger is chosen by its import, or whole.
MOST_OFFERED = 200
MOST_IMPORTS = 30
MOST_COLLECTIONS = 200
# One reader study takes no more cases than this.
MOST_CASES = 5000
# Counting stops here: the page counts anew at every change of its form.
MOST_COUNTED = 10_000
OF_TWO_VERSIONS = (ReaderStudy.Shows.TWO_VERSIONS, ReaderStudy.Shows.ONE_OF_TWO)


# Grouped in one go, every completion would be read.
_STUDIES_OF_VERSIONS = """
SELECT version.id, (
    SELECT count(*) FROM (
        SELECT 1 FROM studies_study study
        WHERE study.state = 'ready' AND EXISTS (
            SELECT 1 FROM reasoning_completion said
            WHERE said.study_id = study.id AND said.model_version_id = version.id)
        LIMIT %s) found)
FROM registry_modelversion version
"""


@dataclass(frozen=True)
class VersionToRead:
    """A model version whose completions readers can be given, and of how many ready studies."""

    version: ModelVersion
    num_studies: int

    def __str__(self) -> str:
        asked_first = "" if self.num_studies else ": ask it first"
        return f"{self.version} · {say_studies(self.num_studies)}{asked_first}"


@dataclass(frozen=True)
class ImportToRead:
    """An upload or a folder, and how many of its studies can be read."""

    batch: ImportBatch
    num_studies: int

    def __str__(self) -> str:
        who = f" by {self.batch.requested_by.pseudonym}" if self.batch.requested_by else ""
        said = say_moment(self.batch.created_at)
        return f"{said} · {say_studies(self.num_studies)} · {self.batch.source}{who}"


def say_number(number: int) -> str:
    """As it was counted: what is more than MOST_COUNTED ends with a plus sign."""
    return f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else f"{number:,}"


def say_studies(number: int) -> str:
    return f"{say_number(number)} {'study' if number == 1 else 'studies'}"


def count(studies: QuerySet[Study]) -> int:
    """Exact up to MOST_COUNTED, and one more beyond."""
    return studies.order_by().values("pk")[: MOST_COUNTED + 1].count()


def versions_to_read() -> Sequence[VersionToRead]:
    """The versions with completions of ready studies, newest first, whichever of them serves; and those that
    could be asked for some."""
    with connection.cursor() as cursor:
        cursor.execute(_STUDIES_OF_VERSIONS, [MOST_COUNTED + 1])
        counts = dict(cursor.fetchall())
    return [
        VersionToRead(version, counts[version.pk])
        for version in versions()
        if counts[version.pk] or version.state != ModelVersion.State.RETIRED
    ]


def count_unseen_members(version: CollectionVersion) -> int:
    """Of a collection, those that nobody has looked at since it was made; counted up to MOST_COUNTED."""
    unseen = CollectionMember.objects.filter(version=version, study__state=Study.State.UNSEEN)
    return unseen.values("study_id")[:MOST_COUNTED].count()


def readable_studies(
    *, shows: str, model_version: ModelVersion | None, other_version: ModelVersion | None
) -> QuerySet[Study]:
    """The ready studies of which there is what is to be shown, newest first.

    While the other of two versions is not chosen, those of which the first has said something: what an admin
    chooses among them stays chosen.
    """
    ready = Study.objects.filter(state=Study.State.READY).order_by("-pk")
    if model_version is None:
        return ready.none()
    said = Completion.objects.filter(study=OuterRef("pk"), model_version=model_version)
    if shows in OF_TWO_VERSIONS and other_version is not None:
        beside = Completion.objects.filter(
            instance=OuterRef("instance"), query=OuterRef("query"), model_version=other_version
        )
        said = said.filter(Exists(beside))
    return ready.filter(Exists(said))


def of_studies(pks: Iterable[int]) -> QuerySet[Study]:
    return Study.objects.filter(pk__in=set(pks))


def imports_to_read(studies: QuerySet[Study]) -> Sequence[ImportToRead]:
    """The newest imports that brought any of these studies in."""
    counts = (
        ImportBatch.objects.filter(items__instance__series__study__in=studies.order_by().values("pk"))
        .annotate(number=Count("items__instance__series__study", distinct=True))
        .select_related("requested_by")
        .order_by("-pk")
    )
    return [ImportToRead(batch, batch.number) for batch in counts[:MOST_IMPORTS]]


def of_imports(studies: QuerySet[Study], batches: Sequence[uuid.UUID]) -> QuerySet[Study]:
    brought = ImportBatch.objects.filter(uid__in=batches, items__instance__series__study=OuterRef("pk"))
    return studies.filter(Exists(brought))


def collections_to_read(chosen: CollectionVersion | None) -> Sequence[CollectionVersion]:
    """The newest version of each collection, and the one that is chosen already."""
    newest = list(Collection.objects.order_by("-pk")[:MOST_COLLECTIONS])
    versions = sorted(
        newest_versions(newest).select_related("collection"), key=lambda row: -row.collection_id
    )
    return [*([chosen] if chosen and chosen not in versions else []), *versions]


def name_of(version: CollectionVersion) -> str:
    return f"{version} · {say_studies(version.num_studies)}"


def collection_version(uids: Sequence[uuid.UUID]) -> CollectionVersion | None:
    """The one that is named, of any number."""
    return CollectionVersion.objects.select_related("collection").filter(uid__in=uids).first()


def of_collection(studies: QuerySet[Study], collected: Collected) -> QuerySet[Study]:
    """Those in this version, and on this side where one is asked."""
    members = CollectionMember.objects.filter(version=collected.version)
    if collected.split:
        members = members.filter(split=collected.split)
    return studies.filter(pk__in=members.values("study"))


def drawn(studies: QuerySet[Study], *, number: int, seed: int) -> QuerySet[Study]:
    """So many of them by chance; the same studies and seed draw the same, a few more nearly the same."""
    key = Concat(Value(f"{seed} "), Cast("uid", TextField()), output_field=TextField())
    return studies.order_by(MD5(key), "pk")[:number]


def studies_by_uid(uids: Sequence[uuid.UUID]) -> list[Study]:
    return list(Study.objects.filter(uid__in=uids).order_by("pk"))


def drafted_studies(reader_study: ReaderStudy) -> list[Study]:
    """The data cases of a draft, in order."""
    cases = Case.objects.filter(reader_study=reader_study, role=Case.Role.DATA).select_related("study")
    return [case.study for case in cases.order_by("position")]


def criteria_to_ask(already: Sequence[Asked]) -> list[Criterion]:
    """What is asked already, older versions too, then what the library offers beside it."""
    asked = [item.criterion for item in already]
    keys = {criterion.key for criterion in asked}
    return [*asked, *library().exclude(key__in=keys)]


def retired_criteria() -> QuerySet[Criterion]:
    """The newest version of each criterion that no new reader study may ask."""
    return Criterion.objects.filter(retired_at__isnull=False).order_by("key", "-version").distinct("key")


def with_num_completions(studies: QuerySet[Study], *, model_version: ModelVersion | None) -> QuerySet[Study]:
    """The same studies with `num_completions` of this model."""
    return studies.annotate(
        num_completions=Count(
            "completions", filter=Q(completions__model_version=model_version, completions__alteration="")
        )
    )
