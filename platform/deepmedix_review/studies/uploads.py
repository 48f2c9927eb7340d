"""Keeps uploads from filling the disk: who may not import sends no film, and nobody more than the limit.

Who registers models sends their recorded completions.
"""

from typing import Any
from weakref import WeakSet

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest

from deepmedix_review.accounts.permissions import Capability, may
from deepmedix_review.common.disk import require_room

_without_room: WeakSet[HttpRequest] = WeakSet()


class FilmUploadHandler(TemporaryFileUploadHandler):
    """Writes each file below settings.UPLOAD_FOLDER. Runs before any view: the CSRF check reads the form."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        if content_length > settings.MAX_UPLOAD_BYTES:
            raise RequestDataTooBig(
                f"The upload is larger than {settings.MAX_UPLOAD_BYTES // 1024**2} MB: send fewer files."
            )

        self._is_small = content_length <= settings.MAX_RECORDED_BYTES
        self._num_bytes = content_length

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        user = getattr(self.request, "user", None)
        registers = user is not None and may(user, Capability.REGISTER_MODELS) and self._is_small
        if not registers and (user is None or not may(user, Capability.IMPORT_STUDIES)):
            raise PermissionDenied(f"Your account may not {Capability.IMPORT_STUDIES}.")
        try:
            require_room(settings.UPLOAD_FOLDER, num_bytes=self._num_bytes)
        except OSError:
            # An error here would be the server's: the view says it.
            assert self.request is not None
            _without_room.add(self.request)
            raise StopUpload(connection_reset=False) from None
        return super().new_file(*args, **kwargs)


def lacked_room(request: HttpRequest) -> bool:
    """Whether the request's files were left, since the disk had no room for them."""
    return request in _without_room
