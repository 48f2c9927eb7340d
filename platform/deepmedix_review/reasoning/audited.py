"""What the audit record is told of inference: what was asked of a study, and what was said of it."""

import uuid
from collections.abc import Collection

from django.urls import reverse

from deepmedix_review.audit.subjects import Called, Uids
from deepmedix_review.reasoning.models import Completion, InferenceBatch, InferenceJob


def outputs_of(studies: Collection[uuid.UUID]) -> Uids:
    return {
        kind.__name__: set(kind.objects.filter(study__uid__in=studies).values_list("uid", flat=True))
        for kind in (InferenceJob, Completion)
    }


def called_jobs(uids: Collection[uuid.UUID]) -> dict[uuid.UUID, Called]:
    found = InferenceJob.objects.filter(uid__in=uids).select_related("study", "model_version")
    return {one.uid: _called(one) for one in found}


def called_batches(uids: Collection[uuid.UUID]) -> dict[uuid.UUID, Called]:
    found = InferenceBatch.objects.filter(uid__in=uids).select_related("model_version")
    return {
        one.uid: Called(f"{one.model_version} of many studies", reverse("inference-batch", args=[one.uid]))
        for one in found
    }


def called_completions(uids: Collection[uuid.UUID]) -> dict[uuid.UUID, Called]:
    found = Completion.objects.filter(uid__in=uids).select_related("study", "model_version")
    return {one.uid: _called(one) for one in found}


def _called(one: InferenceJob | Completion) -> Called:
    return Called(f"{one.model_version} of {one.study.label}", reverse("study-detail", args=[one.study.uid]))
