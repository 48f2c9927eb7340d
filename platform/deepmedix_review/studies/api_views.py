"""Films in and out by JSON: upload, list, decide, and the film itself."""

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.api import read_choice
from deepmedix_review.common.paging import read_before
from deepmedix_review.studies.archive_imports.serializers import NotTakenJson
from deepmedix_review.studies.batches import continue_import, start_import
from deepmedix_review.studies.film_files import film_file, picture_file
from deepmedix_review.studies.film_response import send_file
from deepmedix_review.studies.holding import decide_held, hold_study
from deepmedix_review.studies.intake.archives import is_archive
from deepmedix_review.studies.models import ArchiveImport, ImportBatch, ImportItem, Study
from deepmedix_review.studies.picture_views import note_picture_view
from deepmedix_review.studies.selectors import film_for, study_for, study_page
from deepmedix_review.studies.serializers import (
    DecisionSerializer,
    HoldSerializer,
    ImportSerializer,
    StudyPageSerializer,
    StudySerializer,
    UploadSerializer,
)
from deepmedix_review.studies.services import receive_instance
from deepmedix_review.studies.status_codes import is_disk_full
from deepmedix_review.studies.tasks import take_archive
from deepmedix_review.studies.uploads import lacked_room

_DECIDES_ON_WHAT_IT_SEES = (
    *APIView.permission_classes,
    needs(Capability.VIEW_ALL_STUDIES),
    needs(Capability.DECIDE_HELD_STUDIES),
)


class DiskFull(APIException):
    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_detail = (
        "The platform's disk is full. What came in before stays; once there is space, send this again: films "
        "that are in are known again."
    )


class StudyListView(APIView):
    parser_classes = (MultiPartParser,)

    def get_permissions(self) -> list[Any]:
        wanted = Capability.IMPORT_STUDIES if self.request.method == "POST" else Capability.VIEW_ALL_STUDIES
        return [*super().get_permissions(), needs(wanted)()]

    @extend_schema(
        operation_id="list_studies",
        parameters=[
            OpenApiParameter("state", str, enum=Study.State.values),
            OpenApiParameter("search", str, description="the start of a label"),
            OpenApiParameter("before", int, description="`next_before` of the page before"),
        ],
        responses=StudyPageSerializer,
    )
    def get(self, request: Request) -> Response:
        """The newest studies first, 50 a page."""
        asked = request.query_params
        page = study_page(
            acting_user(request),
            state=read_choice(request, "state", Study.State.values),
            search=asked.get("search", ""),
            before=read_before(asked.get("before")),
        )
        return Response(StudyPageSerializer({"results": page.rows, "next_before": page.next_before}).data)

    @extend_schema(
        operation_id="import_films",
        request={"multipart/form-data": UploadSerializer},
        responses={201: ImportSerializer, 507: NotTakenJson},
    )
    def post(self, request: Request) -> Response:
        """Bring films in. Each file is judged alone: a refused one stops no other, and its item says why. A
        worker brings in what lies in zip and tar archives."""
        files = uploaded(request._request)
        sent: dict[str, Any] = {"files": files}
        sent |= {name: request.POST[name] for name in ("batch", "profile") if name in request.POST}
        asked = UploadSerializer(data=sent)
        asked.is_valid(raise_exception=True)
        received = receive_uploads(
            files,
            actor=acting_user(request),
            continues=asked.validated_data.get("batch"),
            profile=asked.validated_data.get("profile", ""),
        )
        answer = ImportSerializer(
            {
                "batch": received.batch.uid,
                "profile": received.batch.profile,
                "items": received.items,
                "archives": received.archives,
            }
        )
        return Response(answer.data, status=status.HTTP_201_CREATED)


@dataclass(frozen=True)
class Received:
    """What became of each film; and the archives, whose films a worker brings in."""

    batch: ImportBatch
    items: list[ImportItem]
    archives: list[ArchiveImport]


def uploaded(request: HttpRequest) -> list[Any]:
    """The request's files. Raises DiskFull where there was no room for them."""
    files = request.FILES.getlist("files")
    if lacked_room(request):
        raise DiskFull
    return files


def receive_uploads(
    files: list[Any], *, actor: User, continues: uuid.UUID | None = None, profile: str = ""
) -> Received:
    """Of a form or a request, one batch; or more of the one that it continues. Raises DiskFull."""
    if continues is None:
        batch = start_import(actor=actor, source=ImportBatch.Source.UPLOAD, profile=profile)
    else:
        batch = continue_import(continues, actor=actor, profile=profile)
    received = Received(batch, [], [])
    try:
        _receive(files, received, actor=actor)
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull from error
        raise
    return received


def _receive(files: list[Any], received: Received, *, actor: User) -> None:
    batch = received.batch
    for file in files:
        if not isinstance(file, TemporaryUploadedFile):
            raise TypeError(
                "films are uploaded to disk: keep FilmUploadHandler alone in FILE_UPLOAD_HANDLERS"
            )
        with file:
            path, name = Path(file.temporary_file_path()), file.name or ""
            if is_archive(path):
                received.archives.append(
                    take_archive(path, file_name=name, actor=actor, profile=batch.profile)
                )
            else:
                received.items.append(receive_instance(path, batch=batch, file_name=name, actor=actor))


class StudyView(APIView):
    permission_classes = (*APIView.permission_classes, needs(Capability.VIEW_ALL_STUDIES))

    @extend_schema(operation_id="show_study", responses=StudySerializer)
    def get(self, request: Request, uid: uuid.UUID) -> Response:
        study = study_for(acting_user(request), uid)
        answer = StudySerializer(study).data
        record_event(actor=acting_user(request), action="view_study", subject=study)
        return Response(answer)


class StudyDecisionView(APIView):
    permission_classes = _DECIDES_ON_WHAT_IT_SEES

    @extend_schema(operation_id="decide_study", request=DecisionSerializer, responses=StudySerializer)
    def post(self, request: Request, uid: uuid.UUID) -> Response:
        """Accept or reject a study that is held; none is accepted before somebody looked for a name on it."""
        asked = DecisionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        study = study_for(acting_user(request), uid)
        decide_held(
            study,
            accept=asked.validated_data["decision"] == "accept",
            actor=acting_user(request),
            has_looked=asked.validated_data["looked"],
        )
        return Response(StudySerializer(study_for(acting_user(request), uid)).data)


class StudyHoldView(APIView):
    permission_classes = _DECIDES_ON_WHAT_IT_SEES

    @extend_schema(operation_id="hold_study", request=HoldSerializer, responses=StudySerializer)
    def post(self, request: Request, uid: uuid.UUID) -> Response:
        """Take a study out of use until it is accepted or rejected."""
        asked = HoldSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        study = study_for(acting_user(request), uid)
        hold_study(study, reason=asked.validated_data["reason"], actor=acting_user(request))
        return Response(StudySerializer(study_for(acting_user(request), uid)).data)


class _AnyAccept(BaseContentNegotiation):
    """Viewers ask for `application/dicom` with parameters of their own; there is one answer."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        renderer: BaseRenderer = renderers[0]
        return renderer, renderer.media_type


class FilmView(APIView):
    """Who may see a film is decided by `film_for`, film by film."""

    content_negotiation_class = _AnyAccept

    @extend_schema(operation_id="show_film", responses={(200, "application/dicom"): OpenApiTypes.BINARY})
    def get(self, request: Request, uid: uuid.UUID) -> HttpResponseBase:
        """The de-identified film as DICOM, HTJ2K lossless."""
        film = film_for(acting_user(request), uid)
        path = film_file(film)
        record_event(actor=acting_user(request), action="view_film", subject=film)
        return send_file(request._request, path=path, etag=film.file_sha256, content_type="application/dicom")


class FilmPictureView(APIView):
    content_negotiation_class = _AnyAccept

    @extend_schema(operation_id="show_film_picture", responses={(200, "image/png"): OpenApiTypes.BINARY})
    def get(self, request: Request, uid: uuid.UUID) -> HttpResponseBase:
        """A small PNG of the film for lists, at most 512 pixels a side; not for reading."""
        film = film_for(acting_user(request), uid)
        path = picture_file(film)
        # A page of the reading room asks by HEAD whether a film may still be seen, and is sent none of it.
        if request.method == "GET":
            note_picture_view(film, viewer=acting_user(request))
        return send_file(
            request._request,
            path=path,
            etag=f"{film.file_sha256}-png",
            content_type="image/png",
        )
