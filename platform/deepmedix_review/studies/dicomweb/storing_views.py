"""Films that programs send over DICOMweb (STOW-RS, PS3.18 section 10.5), of who may import studies."""

import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.disk import require_room
from deepmedix_review.studies.dicomweb.matching import QueryRefused, is_uid
from deepmedix_review.studies.dicomweb.multipart_reading import MessageLimits, SentFile, read_message
from deepmedix_review.studies.dicomweb.negotiation import choose
from deepmedix_review.studies.dicomweb.retrieve_views import FilmsView
from deepmedix_review.studies.dicomweb.search_views import SearchView
from deepmedix_review.studies.dicomweb.sent_message_views import answer_left, wants_to_go
from deepmedix_review.studies.dicomweb.service import JSON_OFFERS, DicomWebView, answer_json, service_address
from deepmedix_review.studies.dicomweb.storing import store_sent
from deepmedix_review.studies.status_codes import is_disk_full
from deepmedix_review.studies.tasks import leave_message

RETRY_SECONDS = 10
# Each holds a thread of the web server, while people need some, too.
_turns = threading.BoundedSemaphore(settings.SENDERS_AT_ONCE)


class TooManySend(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = (
        f"Others are sending films now. Nothing of yours was kept; send it again in {RETRY_SECONDS} seconds."
    )
    # DRF's name for what becomes Retry-After.
    wait = RETRY_SECONDS


class DiskFull(APIException):
    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_detail = "The platform's disk is full. Nothing of the message was kept; send it again later."


class _LeftToTheView(BaseParser):
    """The check against forgery looks for a form's field, and would read the films to find it."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> dict[str, Any]:
        return {}


class StoresFilms(DicomWebView):
    """POST, beside what the other methods of an address do."""

    parser_classes = (_LeftToTheView,)

    def get_permissions(self) -> list[Any]:
        if self.request.method == "POST":
            return [one() for one in (*DicomWebView.permission_classes, needs(Capability.IMPORT_STUDIES))]
        return list(super().get_permissions())

    def post(self, request: Request, study: str = "") -> HttpResponse:
        offer, is_left = choose(request, JSON_OFFERS), wants_to_go(request.headers.get("Prefer", ""))
        message = read_message(request.headers.get("Content-Type", ""))
        if study and not is_uid(study):
            raise QueryRefused(
                "The address names a study by what is no UID: give digits and dots, at most 64."
            )
        if not _turns.acquire(blocking=False):
            raise TooManySend
        try:
            with TemporaryDirectory(dir=settings.UPLOAD_FOLDER, prefix="sent-") as folder:
                try:
                    files = _receive(request, message.read_files, Path(folder), is_kept=is_left)
                    if is_left:
                        left = leave_message(files, of_study=study, actor=acting_user(request))
                except OSError as error:
                    if is_disk_full(error):
                        raise DiskFull from error
                    raise
                if is_left:
                    return answer_left(request, left)
                address = service_address(request)
                report = store_sent(files, actor=acting_user(request), of_study=study, address=address)
        finally:
            _turns.release()
        told = report.answer(address=address).to_json_dict()
        answer = answer_json(request, told, offer=offer, warnings=report.warnings)
        answer.status_code = report.status
        return answer


def _receive(
    request: Request, read_files: Callable[..., list[SentFile]], folder: Path, *, is_kept: bool
) -> list[SentFile]:
    """All of the message before any of it is kept: one that breaks off leaves nothing."""
    http = request._request
    declared = http.META.get("CONTENT_LENGTH", "")
    # Django reads no further than a declared length, so nothing where a message comes in chunks.
    is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    read = http.META["wsgi.input"].read if is_chunked else http.read
    declared_bytes = int(declared) if declared.isdecimal() and not is_chunked else None
    # What is larger than the limit is refused for that.
    require_room(folder, num_bytes=min(declared_bytes or 0, settings.MAX_UPLOAD_BYTES))
    return read_files(
        read,
        declared_bytes=declared_bytes,
        limits=MessageLimits(
            max_bytes=settings.MAX_UPLOAD_BYTES,
            max_parts=settings.MAX_SENT_PARTS,
            max_part_bytes=settings.MAX_FILM_BYTES,
        ),
        folder=folder,
        is_kept=is_kept,
    )


class StudiesView(StoresFilms, SearchView):
    """All studies: searched, and sent to."""


class StudyView(StoresFilms, FilmsView):
    """One study: its films fetched, and others sent to it."""
