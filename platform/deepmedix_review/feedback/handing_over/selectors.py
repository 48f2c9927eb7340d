"""Reads what left for a cluster, what lies where models come back to, and what was taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES
from deepmedix_review.feedback.handing_over.folders import return_folder
from deepmedix_review.feedback.handing_over.returning import bundle_of, returned_names
from deepmedix_review.feedback.models import HandOver, ModelReturn

# Each is looked into when the page is shown.
MOST_FOLDERS = 50
MOST_RETURNS = 20


@dataclass(frozen=True)
class ReturnedFolder:
    """A folder that lies there: of which bundle it is, or why it can't be taken back."""

    name: str
    hand_over: HandOver | None
    problem: str


def hand_overs(user: User) -> QuerySet[HandOver]:
    """Newest first."""
    require(user, Capability.VIEW_MODELS)
    rows = HandOver.objects.select_related("dataset", "parent_version", "run__candidate", "created_by")
    return rows.order_by("-id")


def hand_over_for(user: User, uid: UUID) -> HandOver:
    """Raises NotYours, or Http404."""
    return get_object_or_404(hand_overs(user), uid=uid)


def model_returns(user: User) -> Sequence[ModelReturn]:
    """The latest, newest first."""
    require(user, Capability.VIEW_MODELS)
    rows = ModelReturn.objects.select_related("candidate", "requested_by").order_by("-id")
    return list(rows[:MOST_RETURNS])


def model_return_for(user: User, uid: UUID) -> ModelReturn:
    """Raises NotYours, or Http404."""
    require(user, Capability.VIEW_MODELS)
    return get_object_or_404(ModelReturn, uid=uid)


def returned_folders(user: User) -> Sequence[ReturnedFolder]:
    """What may be taken back, by name; not what is being taken now, nor what was."""
    require(user, Capability.VIEW_MODELS)
    folders = [_seen(name) for name in returned_names()[:MOST_FOLDERS]]
    taken = ModelReturn.objects.exclude(state__in=FINAL_STATES).values_list("folder", flat=True)
    return [folder for folder in folders if folder.name not in set(taken)]


def _seen(name: str) -> ReturnedFolder:
    try:
        return ReturnedFolder(name, bundle_of(return_folder() / name), "")
    except RefusedByRule as refusal:
        return ReturnedFolder(name, None, str(refusal))
