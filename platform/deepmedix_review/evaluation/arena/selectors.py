"""Reads runs of the arena, for whoever may see models."""

from uuid import UUID

from django.db.models import QuerySet

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.evaluation.models import ArenaRun


def arena_runs(user: User) -> QuerySet[ArenaRun]:
    """Without their plans and boards, which are large. Raises NotYours."""
    require(user, Capability.VIEW_MODELS)
    runs = ArenaRun.objects.select_related("requested_by").prefetch_related("versions")
    return runs.defer("plan", "board")


def arena_run_for(user: User, uid: UUID) -> ArenaRun:
    """Raises NotYours, or DoesNotExist."""
    require(user, Capability.VIEW_MODELS)
    return (
        ArenaRun.objects.select_related("requested_by", "judge_version")
        .prefetch_related("versions")
        .get(uid=uid)
    )
