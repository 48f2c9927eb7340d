"""What the audit record is told of erasures, and of studies that are no more."""

import uuid
from collections.abc import Collection

from django.urls import reverse

from deepmedix_review.audit.subjects import Called, Uids, uids_beginning
from deepmedix_review.erasure.models import ErasedStudy


def find_erased(words: str) -> Uids:
    """A study that is gone is found by the name that it had."""
    between = uids_beginning(words, prefix="S-")
    if between is None:
        return {}
    found = ErasedStudy.objects.filter(study_uid__range=between)
    return {
        "Study": set(found.values_list("study_uid", flat=True)),
        "Erasure": set(found.values_list("erasure__uid", flat=True)),
    }


def called_erasures(uids: Collection[uuid.UUID]) -> dict[uuid.UUID, Called]:
    return {uid: Called(str(uid)[:8], reverse("erasure-detail", args=[uid])) for uid in uids}
