"""Has stored films decompressed by a process of its own, one for all the films of an answer."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from deepmedix_review.common.errors import FileAway

_SOURCE_ROOT = Path(__file__).resolve().parents[3]
_MAX_LINE = 1000
DAMAGED = "The film's file is damaged, so it can't be sent. An admin can restore it."
_KINDS = frozenset({"|u1", "<u2", "<i2"})
# Each may take the whole memory limit while it decodes: no more at once than processors.
_turns = threading.BoundedSemaphore(max(1, os.cpu_count() or 1))


class FrameUnpacker:
    """Use it in a `with`: its process starts with the first frame and ends with the block."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "FrameUnpacker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process, whatever it does."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            # Closes its pipes, and waits for it.
            process.communicate()

    def unpack(self, codestream: bytes, *, rows: int, columns: int) -> NDArray[Any]:
        """Stored values, rows x columns. Raises FileAway where they can't be had: the file is damaged."""
        with _turns:
            process = self._process = self._process or _start()
            # Whoever waits for the pixels is let go when the process is ended.
            watch = threading.Timer(settings.DECODER_SECONDS, process.kill)
            watch.start()
            try:
                pixels = _ask(process, codestream, size=(rows, columns))
            except (OSError, ValueError, KeyError, TypeError):
                pixels = None
            finally:
                watch.cancel()
        if pixels is None:
            self.close()
            raise FileAway(DAMAGED)
        return pixels


def _start() -> subprocess.Popen[bytes]:
    command = (
        *(sys.executable, "-s", "-P", "-m", "deepmedix_review.studies.dicomweb.unpacking_process"),
        str(settings.DECODER_MEMORY_BYTES),
    )
    environment = {
        "PYTHONPATH": str(_SOURCE_ROOT),
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        # One thread, so that the memory limit is not spent on stacks and arenas.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        command,
        env=environment,
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # What a library says there may quote the file.
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _ask(process: subprocess.Popen[bytes], codestream: bytes, *, size: tuple[int, int]) -> NDArray[Any]:
    """Raises what reading a process that breaks, or lies, can raise."""
    asked, answers = process.stdin, process.stdout
    if asked is None or answers is None:
        raise OSError("the process has no pipes")
    asked.write(len(codestream).to_bytes(8, "little") + codestream)
    asked.flush()
    said = json.loads(answers.readline(_MAX_LINE))
    dtype = str(said["dtype"])
    if dtype not in _KINDS or tuple(said["shape"]) != size:
        raise ValueError("other pixels than the header says")
    num_bytes = size[0] * size[1] * np.dtype(dtype).itemsize
    pixels = answers.read(num_bytes)
    if len(pixels) != num_bytes:
        raise ValueError("fewer pixels than announced")
    return np.frombuffer(pixels, dtype).reshape(size)
