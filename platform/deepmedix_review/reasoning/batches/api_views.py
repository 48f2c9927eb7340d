"""The JSON interface to batches: ask about many studies, look, pause, resume, cancel, try again."""

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.paging import read_before
from deepmedix_review.reasoning import tasks
from deepmedix_review.reasoning.batches import services
from deepmedix_review.reasoning.batches.asking import ALL_ASKED, WantedBatch
from deepmedix_review.reasoning.batches.selectors import batch_for, batch_page, failures_of, progress_of
from deepmedix_review.reasoning.batches.serializers import (
    BatchDetailSerializer,
    BatchPageSerializer,
    BatchRequestSerializer,
    BatchRetriedSerializer,
    BatchRetrySerializer,
    BatchSerializer,
    ReasonSerializer,
)
from deepmedix_review.reasoning.models import InferenceBatch
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import serving_model
from deepmedix_review.studies.models import CollectionVersion

BEFORE = OpenApiParameter("before", int, description="`next_before` of the page before")


class _AskersOnly(APIView):
    permission_classes = [needs(Capability.REQUEST_INFERENCE), needs(Capability.VIEW_ALL_STUDIES)]


class BatchesView(_AskersOnly):
    @extend_schema(operation_id="list_inference_batches", parameters=[BEFORE], responses=BatchPageSerializer)
    def get(self, request: Request) -> Response:
        """The newest first."""
        rows, page = batch_page(before=read_before(request.query_params.get("before")))
        return Response(BatchPageSerializer({"results": rows, "next_before": page.next_before}).data)

    @extend_schema(
        operation_id="request_inference_batch",
        request=BatchRequestSerializer,
        responses={202: BatchDetailSerializer},
    )
    def post(self, request: Request) -> Response:
        """Ask a version about many studies; its inferences are made in the background."""
        wanted = BatchRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        said = wanted.validated_data
        batch = tasks.request_batch(
            WantedBatch(
                version=_version(said.get("model")),
                query=said.get("query"),
                sampling=wanted.sampling(),
                collection=_collection(said.get("collection")),
            ),
            actor=acting_user(request),
        )
        if batch is None:
            raise RefusedByRule(ALL_ASKED)
        return Response(_shown(batch, acting_user(request)), status=202)


class BatchView(_AskersOnly):
    @extend_schema(operation_id="show_inference_batch", responses=BatchDetailSerializer)
    def get(self, request: Request, uid: UUID) -> Response:
        """How far it is, and what failed."""
        batch = _batch(request, uid)
        record_event(actor=acting_user(request), action="view_inference_batch", subject=batch)
        return Response(_shown(batch, acting_user(request)))


class PauseBatchView(_AskersOnly):
    @extend_schema(operation_id="pause_inference_batch", request=None, responses=BatchDetailSerializer)
    def post(self, request: Request, uid: UUID) -> Response:
        """What runs goes on; nothing more of it begins."""
        batch = _batch(request, uid)
        services.pause_batch(batch, actor=acting_user(request))
        return Response(_shown(batch, acting_user(request)))


class ResumeBatchView(_AskersOnly):
    @extend_schema(operation_id="resume_inference_batch", request=None, responses=BatchDetailSerializer)
    def post(self, request: Request, uid: UUID) -> Response:
        """Go on after a pause, or ask the rest where the asking failed."""
        batch = _batch(request, uid)
        tasks.request_resume(batch, actor=acting_user(request))
        return Response(_shown(batch, acting_user(request)))


class CancelBatchView(_AskersOnly):
    @extend_schema(operation_id="cancel_inference_batch", request=None, responses=BatchDetailSerializer)
    def post(self, request: Request, uid: UUID) -> Response:
        """Nothing more begins at once; what runs ends within a token, what was answered stays."""
        batch = _batch(request, uid)
        tasks.request_batch_cancel(batch, actor=acting_user(request))
        return Response(_shown(batch, acting_user(request)))


class RetryBatchView(_AskersOnly):
    @extend_schema(
        operation_id="retry_inference_batch", request=BatchRetrySerializer, responses=BatchRetriedSerializer
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """Try again what failed for one reason."""
        asked = BatchRetrySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        batch = _batch(request, uid)
        number = tasks.request_failures_retry(
            batch, reason=asked.validated_data["reason"], actor=acting_user(request)
        )
        return Response({"num_retried": number, "batch": _shown(batch, acting_user(request))})


def _shown(batch: InferenceBatch, viewer: User) -> Any:
    (progress,) = progress_of([batch])
    failures = ReasonSerializer(failures_of(batch, viewer=viewer), many=True).data
    return BatchSerializer(progress).data | {"failures": failures}


def _version(number: int | None) -> ModelVersion:
    if number is None:
        return serving_model()
    version = ModelVersion.objects.filter(number=number).first()
    if version is None:
        raise Http404("There is no such model.")
    return version


def _collection(uid: UUID | None) -> CollectionVersion | None:
    if uid is None:
        return None
    version = CollectionVersion.objects.filter(uid=uid, frozen_at__isnull=False).first()
    if version is None:
        raise Http404("There is no such version of a collection.")
    return version


def _batch(request: Request, uid: UUID) -> InferenceBatch:
    try:
        return batch_for(acting_user(request), uid)
    except InferenceBatch.DoesNotExist as error:
        raise Http404("There is no such batch.") from error
