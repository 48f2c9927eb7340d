"""Sends an archive, whole or in part, so that a broken download goes on where it broke."""

import os
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import IO

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import FileAway, RefusedByRule
from deepmedix_review.exports.folders import archive_path
from deepmedix_review.exports.models import Export
from deepmedix_review.exports.services import record_download

PIECE_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def send_archive(request: HttpRequest, export: Export, *, actor: User) -> HttpResponseBase:
    """RFC 9110, section 14, for one range; several are answered by the whole. HEAD is told of the whole, and
    is no download. Raises RefusedByRule before it is written, FileAway once it is gone."""
    file = _opened(export)
    size, etag = os.fstat(file.fileno()).st_size, f'"{export.sha256}"'
    is_head = request.method == "HEAD"
    asked = None if is_head else _asked(request, size=size, etag=etag)
    if asked is not None and asked[0] >= asked[1]:
        file.close()
        refused = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    first, end = asked or (0, size)
    response: HttpResponseBase
    if is_head:
        file.close()
        response = HttpResponse(content_type="application/zip")
    else:
        record_download(export, actor=actor)
        response = StreamingHttpResponse(
            _pieces(file, first, end),
            content_type="application/zip",
            status=HTTPStatus.OK if asked is None else HTTPStatus.PARTIAL_CONTENT,
        )
    response["Content-Length"] = end - first
    response["Content-Disposition"] = f'attachment; filename="{export.file_name}"'
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    if asked is not None:
        response["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    return response


def _opened(export: Export) -> IO[bytes]:
    """Before anything is recorded: it may be deleted at any moment."""
    try:
        if export.archive_bytes is not None:
            return archive_path(export).open("rb")
    except FileNotFoundError:
        pass
    if not export.is_final:
        raise RefusedByRule("This export is still being written. Ask for its archive once its state is done.")
    raise FileAway("The archive of this export is not here: deleted, or never written. Ask for it anew.")


def _asked(request: HttpRequest, *, size: int, etag: str) -> tuple[int, int] | None:
    """The first byte and the one after the last; None is the whole."""
    found = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if found is None or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


def _pieces(file: IO[bytes], first: int, end: int) -> Iterator[bytes]:
    with file:
        file.seek(first)
        left = end - first
        while left and (piece := file.read(min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece
