"""Reads erasures: which there are, how far each is, and what holds of it still."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, QuerySet
from django.shortcuts import get_object_or_404

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.erasure.models import Erasure, NamedUse
from deepmedix_review.erasure.uses import WAYS
from deepmedix_review.exports.models import Export
from deepmedix_review.feedback.models import HandOver

# On the page of one; the API and the audit record have the rest.
SHOWN = 200


@dataclass(frozen=True)
class UseNow:
    """`holds_it` as of now: an archive may have been deleted since; `archive_here`: it can be deleted."""

    use: NamedUse
    holds_it: bool
    archive_here: bool


@dataclass(frozen=True)
class UsesNow:
    """All of one kind, with what a person can do about them."""

    kind: str
    title: str
    way: str
    uses: Sequence[UseNow]


def erasures(user: User) -> QuerySet[Erasure]:
    require(user, Capability.ERASE_STUDIES)
    rows = Erasure.objects.select_related("requested_by", "let_in_by").prefetch_related("studies")
    return rows.annotate(num_files_left=Count("files"))


def erasure_for(user: User, uid: UUID) -> Erasure:
    """Raises NotYours, or Http404."""
    return get_object_or_404(erasures(user), uid=uid)


def uses_now(erasure: Erasure) -> list[UsesNow]:
    uses = list(erasure.uses.all()[:SHOWN])
    uids = [use.uid for use in uses]
    here = {
        *Export.objects.filter(uid__in=uids, archive_bytes__isnull=False).values_list("uid", flat=True),
        *HandOver.objects.filter(uid__in=uids, archive_bytes__isnull=False).values_list("uid", flat=True),
    }
    of_kind = [
        UsesNow(
            kind.value,
            kind.label,
            WAYS[kind],
            [
                UseNow(use, kind == NamedUse.Kind.DATA_SET or use.uid in here, use.uid in here)
                for use in uses
                if use.kind == kind
            ],
        )
        for kind in NamedUse.Kind
    ]
    return [one for one in of_kind if one.uses]
