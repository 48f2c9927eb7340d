"""Reads measurements against references, for whoever may see models."""

from uuid import UUID

from django.db.models import QuerySet

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.evaluation.models import MetricRun
from deepmedix_review.studies.collecting.selectors import newest_versions
from deepmedix_review.studies.models import Collection, CollectionVersion
from deepmedix_review.studies.selectors import visible_studies

MOST_OFFERED = 100


def metric_runs(user: User) -> QuerySet[MetricRun]:
    """Without their plans and results, which are large. Raises NotYours."""
    require(user, Capability.VIEW_MODELS)
    return MetricRun.objects.select_related("model_version", "beside", "requested_by").defer("plan", "result")


def metric_run_for(user: User, uid: UUID) -> MetricRun:
    """Raises NotYours, or DoesNotExist."""
    require(user, Capability.VIEW_MODELS)
    rows = MetricRun.objects.select_related(
        "model_version", "beside", "judge", "requested_by", "collection__collection"
    )
    return rows.defer("plan").get(uid=uid)


def run_with_cases_for(user: User, uid: UUID) -> MetricRun:
    """For whoever may see studies: what is shown of the run are studies and outputs. Raises NotYours, or
    DoesNotExist, also where it has no result yet."""
    require(user, Capability.VIEW_ALL_STUDIES)
    return MetricRun.objects.select_related("model_version", "beside").exclude(result="").get(uid=uid)


def studies_of_cases(user: User, run: MetricRun) -> dict[str, UUID]:
    """By the name that a case has in the result, those that this user may see."""
    cases = run.cases.filter(study__in=visible_studies(user))
    return dict(cases.values_list("name", "study__uid"))


def offered_collections() -> list[CollectionVersion]:
    """The newest version of each of the newest collections."""
    newest = newest_versions(list(Collection.objects.order_by("-pk")[:MOST_OFFERED]))
    found = newest.filter(frozen_at__isnull=False).select_related("collection")
    return sorted(found, key=lambda version: -version.collection_id)
