"""Where a film lies while it comes in: a file that never grows past the limit, whatever is sent."""

import errno
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from pynetdicom import dimse_messages

from deepmedix_review.common.disk import require_room


class SpooledFilm:
    """Stands for the temporary file that pynetdicom writes a C-STORE's data set to.

    pynetdicom writes it in the thread that reads the network, where an error would leave the association
    hanging: what can't be written is noted here instead, and told to the sender once all has come.
    """

    most_open = 64
    _num_open = 0
    _counting = threading.Lock()

    def __init__(self, **_: Any) -> None:
        self.name = ""
        self.num_bytes = 0
        self.error: OSError | None = None
        # As of a temporary file, whose own file pynetdicom flushes.
        self.file = self
        self._descriptor: int | None = None
        with SpooledFilm._counting:
            SpooledFilm._num_open += 1
            is_one_too_many = SpooledFilm._num_open > self.most_open
        if is_one_too_many:
            self.error = OSError(errno.EDQUOT, "more films come in at once than may")
            return
        try:
            require_room(settings.UPLOAD_FOLDER)
            self._descriptor, self.name = tempfile.mkstemp(
                dir=settings.UPLOAD_FOLDER, prefix="sent-", suffix=".dcm"
            )
        except OSError as error:
            self.error = error

    @property
    def is_too_large(self) -> bool:
        return self.num_bytes > settings.MAX_FILM_BYTES

    def write(self, piece: bytes) -> int:
        self.num_bytes += len(piece)
        if self.error is None and self._descriptor is not None and not self.is_too_large:
            try:
                left = memoryview(piece)
                while left:
                    left = left[os.write(self._descriptor, left) :]
            except OSError as error:
                self.error = error
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """pynetdicom deletes the file by its name then, or `discard` does."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self.file is self:
            self.file = None  # type: ignore[assignment]
            with SpooledFilm._counting:
                SpooledFilm._num_open -= 1

    def discard(self) -> None:
        self.close()
        if self.name:
            Path(self.name).unlink(missing_ok=True)


def spool_films(*, most_open: int) -> None:
    """From now on pynetdicom writes films here: it has no setting for where, nor for how much."""
    SpooledFilm.most_open = most_open
    vars(dimse_messages)["NamedTemporaryFile"] = SpooledFilm
