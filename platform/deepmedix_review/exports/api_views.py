"""Exports for programs: ask for one, see how far it is, fetch it, in parts where the connection breaks."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.exports import selectors, services
from deepmedix_review.exports.models import Export
from deepmedix_review.exports.sending import send_archive
from deepmedix_review.exports.serializers import (
    AskExportJson,
    ExportJson,
    ExportPageJson,
    ReaderStudyToExportPageJson,
    RefusedJson,
)
from deepmedix_review.exports.tasks import request_export

REFUSALS = {403: RefusedJson, 404: RefusedJson, 409: RefusedJson}
PAGE_SIZE = 50
_EXPORT = needs(Capability.EXPORT_DATASETS)


class ExportsView(APIView):
    permission_classes = [_EXPORT]

    @extend_schema(
        operation_id="export_list",
        parameters=[OpenApiParameter("before", int)],
        responses={200: ExportPageJson, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """Newest first, page by page: `before` takes the last answer's `next_before`."""
        before = read_before(request.query_params.get("before"))
        page = page_of(selectors.exports(acting_user(request)), before=before, size=PAGE_SIZE)
        return Response(ExportPageJson({"results": page.rows, "next_before": page.next_before}).data)

    @extend_schema(
        operation_id="export_request", request=AskExportJson, responses={202: ExportJson, **REFUSALS}
    )
    def post(self, request: Request) -> Response:
        """Of signed readings, or of the frozen `data_set`. A worker writes it; ask for its state until that
        is done, failed or cancelled."""
        wanted = AskExportJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        export = request_export(wanted.asked(), actor=acting_user(request))
        return Response(ExportJson(export).data, status=202)


class ReaderStudiesView(APIView):
    permission_classes = [_EXPORT]

    @extend_schema(
        operation_id="export_reader_studies",
        parameters=[OpenApiParameter("before", int)],
        responses={200: ReaderStudyToExportPageJson, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """Whose readings an export can take, newest first, page by page."""
        before = read_before(request.query_params.get("before"))
        studies = selectors.reader_studies_to_export(acting_user(request))
        page = page_of(studies, before=before, size=PAGE_SIZE)
        return Response(
            ReaderStudyToExportPageJson({"results": page.rows, "next_before": page.next_before}).data
        )


class ExportView(APIView):
    permission_classes = [_EXPORT]

    @extend_schema(operation_id="export_retrieve", responses={200: ExportJson, **REFUSALS})
    def get(self, request: Request, uid: UUID) -> Response:
        return Response(ExportJson(_export(request, uid)).data)

    @extend_schema(operation_id="export_delete", responses={200: ExportJson, **REFUSALS})
    def delete(self, request: Request, uid: UUID) -> Response:
        """The archive alone: what left, and for what, stays known."""
        services.delete_export(_export(request, uid), actor=acting_user(request))
        return Response(ExportJson(_export(request, uid)).data)


class CancelView(APIView):
    permission_classes = [_EXPORT]

    @extend_schema(operation_id="export_cancel", request=None, responses={200: ExportJson, **REFUSALS})
    def post(self, request: Request, uid: UUID) -> Response:
        """A running one ends at its next part."""
        services.cancel_export(_export(request, uid), actor=acting_user(request))
        return Response(ExportJson(_export(request, uid)).data)


class AnyType(BaseContentNegotiation):
    """A program that fetches a zip may ask for whatever type it likes."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class ArchiveView(APIView):
    permission_classes = [_EXPORT]
    content_negotiation_class = AnyType

    @extend_schema(
        operation_id="export_archive",
        parameters=[OpenApiParameter("Range", str, OpenApiParameter.HEADER)],
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            (206, "application/zip"): OpenApiTypes.BINARY,
            **REFUSALS,
            410: RefusedJson,
        },
    )
    def get(self, request: Request, uid: UUID) -> HttpResponseBase:
        """The zip, or the part of it that `Range` asks for; its ETag is its sha256."""
        return send_archive(request._request, _export(request, uid), actor=acting_user(request))


def _export(request: Request, uid: UUID) -> Export:
    return selectors.export_for(acting_user(request), uid)
