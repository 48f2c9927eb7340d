"""Processes that stand ready to decode: each film still gets one of its own, forked from one of these.

Starting Python and importing pydicom takes longer than most films. A process that stands ready has done both
and has opened no film; what it forks for a film ends with the film.
"""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from deepmedix_review.studies.intake.decoder_process import IDLE_SECONDS

_SOURCE_ROOTS = (Path(__file__).resolve().parents[3], Path(__file__).resolve().parents[4])
# Nearer to its end it might end while it is asked.
_STALE_AFTER = IDLE_SECONDS / 2
_ENVIRONMENT = {
    "PYTHONPATH": os.pathsep.join(map(str, _SOURCE_ROOTS)),
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    # One thread each, so that the memory limit is not spent on stacks and arenas, and forking is safe.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


def run_decoder(request: Path, *, seconds: float) -> int:
    """The exit code of the process that answered this request, negative where a signal ended it.

    Raises TimeoutError when it took longer; then it is gone. See `decoder_process` for the request.
    """
    return _ready.run(request, seconds=seconds)


class _Decoder:
    """One process that stands ready, asked for one film at a time."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            (sys.executable, "-s", "-P", "-m", "deepmedix_review.studies.intake.decoder_process"),
            env=_ENVIRONMENT,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What a library says there may quote the file.
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )
        self.idle_since = time.monotonic()

    def run(self, request: Path, *, seconds: float) -> int:
        """Raises OSError where the process itself is gone."""
        asked, answers = self.process.stdin, self.process.stdout
        if asked is None or answers is None:
            raise OSError("the process has no pipes")
        asked.write(os.fsencode(request.resolve()) + b"\n")
        waiting = select.poll()
        waiting.register(answers, select.POLLIN)
        if not waiting.poll(max(0.0, seconds) * 1000):
            raise TimeoutError
        # So short a line comes whole.
        said = os.read(answers.fileno(), 64)
        if not said.endswith(b"\n"):
            raise OSError("the process ended")
        self.idle_since = time.monotonic()
        return int(said)

    def close(self) -> None:
        """With what it forked: both are in one group."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.wait()


class _Ready:
    """Each decoding process may take the whole memory limit: no more of them at once than processors."""

    def __init__(self) -> None:
        self.turns = threading.BoundedSemaphore(max(1, os.cpu_count() or 1))
        self.lock = threading.Lock()
        self.idle: list[_Decoder] = []

    def run(self, request: Path, *, seconds: float) -> int:
        with self.turns:
            decoder = self._take()
            try:
                code = decoder.run(request, seconds=seconds)
            except TimeoutError:
                decoder.close()
                raise
            except OSError:
                # What stood ready has ended, and a file may have ended it: the next is asked this alone.
                decoder.close()
                return self._run_alone(request, seconds=seconds)
            with self.lock:
                self.idle.append(decoder)
            return code

    def _run_alone(self, request: Path, *, seconds: float) -> int:
        decoder = _Decoder()
        try:
            return decoder.run(request, seconds=seconds)
        except TimeoutError:
            raise
        except OSError:
            return -signal.SIGKILL
        finally:
            decoder.close()

    def _take(self) -> _Decoder:
        with self.lock:
            decoder = self.idle.pop() if self.idle else None
        if decoder is None:
            return _Decoder()
        if time.monotonic() - decoder.idle_since < _STALE_AFTER:
            return decoder
        decoder.close()
        return _Decoder()


_ready = _Ready()


def _begin_anew() -> None:
    """A forked worker shares no pipe with the process that it was forked from."""
    global _ready
    _ready = _Ready()


os.register_at_fork(after_in_child=_begin_anew)
