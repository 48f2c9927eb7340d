"""What the audit record is told of studies and films: how they are called, and what belongs to which."""

import uuid
from collections.abc import Collection

from django.db.models import Q
from django.urls import reverse

from deepmedix_review.audit.subjects import Called, Uids, uids_beginning
from deepmedix_review.studies.models import Collection as StudyCollection
from deepmedix_review.studies.models import ImportItem, Instance, Study
from deepmedix_review.studies.selectors import found_by


def find_studies(words: str) -> Uids:
    """By label, uid or the start of one, by a patient's pseudonym, by any UID of DICOM."""
    if words.upper().startswith("P-") or ("." in words and set(words) <= set("0123456789.")):
        meant = found_by(words)
    elif (between := uids_beginning(words, prefix="S-")) is not None:
        meant = Q(uid__range=between)
    else:
        return {}
    return {"Study": set(Study.objects.filter(meant).values_list("uid", flat=True))}


def films_of(studies: Collection[uuid.UUID]) -> Uids:
    films = Instance.objects.filter(series__study__uid__in=studies)
    items = ImportItem.objects.filter(instance__in=films.values("pk"))
    return {
        "Instance": set(films.values_list("uid", flat=True)),
        "ImportItem": set(items.values_list("uid", flat=True)),
    }


def called_studies(uids: Collection[uuid.UUID]) -> dict[uuid.UUID, Called]:
    """One that is erased keeps its name, and has no page."""
    there = set(Study.objects.filter(uid__in=uids).values_list("uid", flat=True))
    return {uid: Called(Study(uid=uid).label, _page(uid) if uid in there else "") for uid in uids}


def called_films(uids: Collection[uuid.UUID]) -> dict[uuid.UUID, Called]:
    films = Instance.objects.filter(uid__in=uids).values_list("uid", "series__study__uid")
    return {film: Called(f"of {Study(uid=study).label}", _page(study)) for film, study in films}


def called_collections(uids: Collection[uuid.UUID]) -> dict[uuid.UUID, Called]:
    found = StudyCollection.objects.filter(uid__in=uids)
    return {one.uid: Called(one.name, reverse("collection-detail", args=[one.uid])) for one in found}


def _page(study: uuid.UUID) -> str:
    return reverse("study-detail", args=[study])
