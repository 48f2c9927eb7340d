"""Erasures for programs: what one would take, ask for it, see how far it is."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.erasure import selectors, services
from deepmedix_review.erasure.models import Erasure
from deepmedix_review.erasure.previewing import preview
from deepmedix_review.erasure.scope import Scope, patient_scope, study_scope
from deepmedix_review.erasure.serializers import (
    AskErasureJson,
    ErasurePageJson,
    ErasurePreviewJson,
    ErasureWithUsesJson,
    OfWhatJson,
    preview_json,
)
from deepmedix_review.erasure.tasks import request_erasure, request_erasure_retry
from deepmedix_review.exports.api_views import REFUSALS

PAGE_SIZE = 50
_ERASE = needs(Capability.ERASE_STUDIES)


class ErasuresView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(
        operation_id="erasure_list",
        parameters=[OpenApiParameter("before", int)],
        responses={200: ErasurePageJson, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """Newest first, page by page: `before` takes the last answer's `next_before`."""
        before = read_before(request.query_params.get("before"))
        page = page_of(selectors.erasures(acting_user(request)), before=before, size=PAGE_SIZE)
        return Response(ErasurePageJson({"results": page.rows, "next_before": page.next_before}).data)

    @extend_schema(
        operation_id="erasure_request",
        request=AskErasureJson,
        responses={202: ErasureWithUsesJson, **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """For good. Ask for the preview first. A worker erases it; ask for its state until that is done."""
        wanted = AskErasureJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        scope = _scope(request, wanted.validated_data)
        erasure = request_erasure(scope, wanted.asked(), actor=acting_user(request))
        return Response(ErasureWithUsesJson(_erasure(request, erasure.uid)).data, status=202)


class PreviewView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(
        operation_id="erasure_preview",
        request=OfWhatJson,
        responses={200: ErasurePreviewJson, **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """What would go, what stays and has used it, and what stands against it now. Nothing is kept."""
        wanted = OfWhatJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        scope = _scope(request, wanted.validated_data)
        found = preview(scope)
        services.record_preview(scope, actor=acting_user(request))
        return Response(preview_json(scope, found))


class ErasureView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(operation_id="erasure_retrieve", responses={200: ErasureWithUsesJson, **REFUSALS})
    def get(self, request: Request, uid: UUID) -> Response:
        """With the names of what had used it."""
        erasure = _erasure(request, uid)
        record_event(actor=acting_user(request), action="view_erasure", subject=erasure)
        return Response(ErasureWithUsesJson(erasure).data)


class CancelView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(
        operation_id="erasure_cancel", request=None, responses={200: ErasureWithUsesJson, **REFUSALS}
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """Only before anything went."""
        services.cancel_erasure(_erasure(request, uid), actor=acting_user(request))
        return Response(ErasureWithUsesJson(_erasure(request, uid)).data)


class RetryView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(
        operation_id="erasure_retry", request=None, responses={200: ErasureWithUsesJson, **REFUSALS}
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """One that failed goes on where it stopped."""
        request_erasure_retry(_erasure(request, uid), actor=acting_user(request))
        return Response(ErasureWithUsesJson(_erasure(request, uid)).data)


class LetInView(APIView):
    permission_classes = [_ERASE]

    @extend_schema(
        operation_id="erasure_let_in", request=None, responses={200: ErasureWithUsesJson, **REFUSALS}
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """The same study or patient may come in again from now on; what went stays gone."""
        services.let_in_again(_erasure(request, uid), actor=acting_user(request))
        return Response(ErasureWithUsesJson(_erasure(request, uid)).data)


def _scope(request: Request, said: dict[str, Any]) -> Scope:
    user = acting_user(request)
    return study_scope(user, said["study"]) if "study" in said else patient_scope(user, said["patient"])


def _erasure(request: Request, uid: UUID) -> Erasure:
    return selectors.erasure_for(acting_user(request), uid)
