"""Archives for programs: send one in parts, see how far it is and what became of its files."""

import re
from typing import Any
from uuid import UUID

from django.http import UnreadablePostError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.api import read_choice
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.paging import read_before
from deepmedix_review.studies.archive_imports import receiving, selectors, services
from deepmedix_review.studies.archive_imports.serializers import (
    ArchiveFilePageJson,
    ArchiveImportJson,
    ArchiveImportPageJson,
    BeginArchiveJson,
    NotTakenJson,
)
from deepmedix_review.studies.models import ArchiveImport, ImportItem
from deepmedix_review.studies.status_codes import is_disk_full
from deepmedix_review.studies.tasks import receive_part, retry_archive

REFUSALS = {403: NotTakenJson, 404: NotTakenJson, 409: NotTakenJson}
LARGEST_PART_BYTES = 2 * 1024**3
_IMPORT = needs(Capability.IMPORT_STUDIES)
# RFC 9110, 14.4: first and last byte, and how many there are.
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


class DiskFull(APIException):
    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_detail = (
        "The platform's disk is full. What was sent is kept; once there is space, send on from where it ends."
    )


class ArchiveImportsView(APIView):
    permission_classes = [_IMPORT]

    @extend_schema(
        operation_id="archive_import_list",
        parameters=[OpenApiParameter("before", int)],
        responses={200: ArchiveImportPageJson, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """Your own, newest first, page by page: `before` takes the last answer's `next_before`."""
        before = read_before(request.query_params.get("before"))
        page = selectors.archive_page(acting_user(request), before=before)
        return Response(ArchiveImportPageJson({"results": page.rows, "next_before": page.next_before}).data)

    @extend_schema(
        operation_id="archive_import_begin",
        request=BeginArchiveJson,
        responses={201: ArchiveImportJson, **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Make room for a zip or tar archive (gzip, bzip2, xz); its content follows by PUT."""
        asked = BeginArchiveJson(data=request.data)
        asked.is_valid(raise_exception=True)
        job = receiving.begin_archive(
            file_name=asked.validated_data["file_name"],
            num_bytes=asked.validated_data["num_bytes"],
            modified_ms=asked.validated_data.get("modified_ms"),
            profile=asked.validated_data.get("profile", ""),
            actor=acting_user(request),
        )
        return Response(ArchiveImportJson(job).data, status=status.HTTP_201_CREATED)


class ArchiveImportView(APIView):
    permission_classes = [_IMPORT]

    @extend_schema(operation_id="archive_import_retrieve", responses={200: ArchiveImportJson, **REFUSALS})
    def get(self, request: Request, uid: UUID) -> Response:
        return Response(ArchiveImportJson(_job(request, uid)).data)

    @extend_schema(operation_id="archive_import_delete", responses={200: ArchiveImportJson, **REFUSALS})
    def delete(self, request: Request, uid: UUID) -> Response:
        """The archive of one that failed; films that are in stay."""
        services.delete_archive(_job(request, uid), actor=acting_user(request))
        return Response(ArchiveImportJson(_job(request, uid)).data)


class _LeftToTheView(BaseParser):
    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> dict[str, Any]:
        return {}


class ArchiveContentView(APIView):
    permission_classes = [_IMPORT]
    parser_classes = [_LeftToTheView]

    @extend_schema(
        operation_id="archive_import_send",
        request={"application/octet-stream": OpenApiTypes.BINARY},
        parameters=[
            OpenApiParameter(
                "Content-Range",
                str,
                OpenApiParameter.HEADER,
                description="`bytes first-last/total` of a part; left out where the archive comes whole",
            )
        ],
        responses={200: ArchiveImportJson, **REFUSALS, 507: NotTakenJson},
    )
    def put(self, request: Request, uid: UUID) -> Response:
        """The archive, or its next part, 2 GB at most; with the last one a worker begins."""
        job = _job(request, uid)
        offset, num_bytes = _place(request, job)
        try:
            job = receive_part(
                job, offset=offset, num_bytes=num_bytes, read=_reader(request), actor=acting_user(request)
            )
        except receiving.OutOfPlace as refusal:
            answer = {"detail": str(refusal), "num_received": refusal.num_received}
            return Response(answer, status=status.HTTP_409_CONFLICT)
        except OSError as error:
            if is_disk_full(error):
                raise DiskFull from error
            raise
        return Response(ArchiveImportJson(job).data)


class CancelView(APIView):
    permission_classes = [_IMPORT]

    @extend_schema(
        operation_id="archive_import_cancel", request=None, responses={200: ArchiveImportJson, **REFUSALS}
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """A running one ends after the file in hand; films that are in stay."""
        services.cancel_archive(_job(request, uid), actor=acting_user(request))
        return Response(ArchiveImportJson(_job(request, uid)).data)


class RetryView(APIView):
    permission_classes = [_IMPORT]

    @extend_schema(
        operation_id="archive_import_retry", request=None, responses={200: ArchiveImportJson, **REFUSALS}
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """One that failed goes on behind the last file that was judged."""
        retry_archive(_job(request, uid), actor=acting_user(request))
        return Response(ArchiveImportJson(_job(request, uid)).data)


class FilesView(APIView):
    permission_classes = [_IMPORT]

    @extend_schema(
        operation_id="archive_import_files",
        parameters=[
            OpenApiParameter("outcome", str, enum=ImportItem.Outcome.values),
            OpenApiParameter("before", int),
        ],
        responses={200: ArchiveFilePageJson, **REFUSALS},
    )
    def get(self, request: Request, uid: UUID) -> Response:
        """What became of each file, the last first, page by page."""
        asked = request.query_params
        page = selectors.files_of(
            _job(request, uid),
            outcome=read_choice(request, "outcome", ImportItem.Outcome.values),
            before=read_before(asked.get("before")),
        )
        return Response(ArchiveFilePageJson({"results": page.rows, "next_before": page.next_before}).data)


def _job(request: Request, uid: UUID) -> ArchiveImport:
    return selectors.archive_for(acting_user(request), uid)


def _place(request: Request, job: ArchiveImport) -> tuple[int, int]:
    """Where the part begins, and how many bytes it has."""
    declared = request.headers.get("Content-Length", "")
    if not declared.isdecimal():
        raise RefusedByRule("Say how many bytes come: the request needs a Content-Length.")
    num_bytes = int(declared)
    if num_bytes > LARGEST_PART_BYTES:
        raise RefusedByRule(
            f"More than {LARGEST_PART_BYTES // 1024**3} GB come at once. Send the archive in parts, each "
            "with its Content-Range."
        )
    said = request.headers.get("Content-Range")
    if said is None:
        return 0, num_bytes
    found = _CONTENT_RANGE.fullmatch(said.strip())
    if found is None:
        raise RefusedByRule("The Content-Range can't be read. Write it as bytes first-last/total.")
    first, last, total = found.groups()
    if int(last) - int(first) + 1 != num_bytes or total not in ("*", str(job.num_bytes)):
        raise RefusedByRule(
            f"The Content-Range does not fit: {num_bytes} bytes come, of an archive of {job.num_bytes}."
        )
    return int(first), num_bytes


def _reader(request: Request) -> Any:
    """Ends where the sender breaks off: what came is kept."""

    def read(num_bytes: int) -> bytes:
        try:
            return request._request.read(num_bytes)
        except UnreadablePostError:
            return b""

    return read
