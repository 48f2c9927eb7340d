"""What decodes a film stands ready for it, takes no secret along, and ends with it."""

import errno
import os
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from deepmedix_review.studies.intake import decoder_process, decoders, decoding
from deepmedix_review.studies.intake.decoding import decode_film
from deepmedix_review.studies.status_codes import is_disk_full
from tests.deepmedix_review.studies.a_decoded_film import LIMITS, decoded
from tests.factories.studies import write_film
from tests.workers import wait_until


def _standing_ready() -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process().children()
        if process.cmdline()[-1:] == ["deepmedix_review.studies.intake.decoder_process"]
    ]


@pytest.fixture
def none_ready() -> Iterator[None]:
    """Each test of what stands ready starts its own, and leaves none behind that it broke."""
    before = decoders._ready
    decoders._ready = decoders._Ready()
    yield
    for decoder in decoders._ready.idle:
        decoder.close()
    decoders._ready = before


def test_the_decoding_process_inherits_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, none_ready: None
) -> None:
    monkeypatch.setenv("SECRET_KEY", "a secret of the server")
    before = _standing_ready()
    decoded(write_film(tmp_path / "film"), tmp_path)
    (ready,) = set(_standing_ready()) - set(before)
    inherited = Path(f"/proc/{ready.pid}/environ").read_bytes() if Path("/proc").exists() else b""
    assert b"a secret of the server" not in inherited
    assert "DEEPMEDIX_HOME" not in ready.environ()
    # What it forks would hold the locks of threads that are gone.
    assert ready.num_threads() == 1


def test_each_film_has_a_process_of_its_own_and_what_stands_ready_opens_none(
    tmp_path: Path, none_ready: None
) -> None:
    before = _standing_ready()
    films = [write_film(tmp_path / f"film-{number}", seed=number) for number in range(3)]
    for number, path in enumerate(films):
        work = tmp_path / f"work-{number}"
        work.mkdir()
        decode_film(path, limits=LIMITS, work=work)
    (ready,) = set(_standing_ready()) - set(before)
    assert not {str(path) for path in films} & {file.path for file in ready.open_files()}
    assert ready.children() == []


def test_where_what_stands_ready_has_ended_another_is_asked(tmp_path: Path, none_ready: None) -> None:
    (tmp_path / "first").mkdir()
    decoded(write_film(tmp_path / "film"), tmp_path / "first")
    (ended,) = decoders._ready.idle
    ended.process.kill()
    ended.process.wait()
    assert decoded(write_film(tmp_path / "other", seed=5), tmp_path).rows > 0


def test_what_waits_too_long_is_gone_with_the_film_that_it_decodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, none_ready: None
) -> None:
    request = tmp_path / "request.json"
    os.mkfifo(request)
    started: list[int] = []
    popen = subprocess.Popen

    def watched(*args: Any, **kwargs: Any) -> Any:
        process = popen(*args, **kwargs)
        started.append(process.pid)
        return process

    monkeypatch.setattr(subprocess, "Popen", watched)
    # Nobody writes to the request, so that what reads it waits for ever.
    with pytest.raises(TimeoutError):
        decoders.run_decoder(request, seconds=3)
    wait_until(lambda: not _alive_of(started), what="the end of what decodes")


def _alive_of(groups: Collection[int]) -> list[int]:
    """Of these process groups what has not ended; whoever takes over an orphan may be slow to bury it."""
    alive = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) in groups and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process.pid)
        except (psutil.Error, ProcessLookupError):
            continue
    return alive


def test_a_forked_worker_asks_processes_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    decoded(write_film(tmp_path / "film"), tmp_path / "first")
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if decoders._ready.idle == [] else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_full_disk_is_no_fault_of_the_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_film(tmp_path / "film.dcm")
    work = tmp_path / "work"
    work.mkdir()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def run_here(request: Path, *, seconds: float) -> int:
        with pytest.raises(SystemExit) as ended:
            decoder_process.main(request)
        return int(str(ended.value.code))

    monkeypatch.setattr(decoder_process, "_restrain", lambda limits: None)
    monkeypatch.setattr(decoder_process, "_decode", full)
    monkeypatch.setattr(decoding, "run_decoder", run_here)
    with pytest.raises(OSError, match="No space left") as error:
        decode_film(path, limits=LIMITS, work=work)
    assert is_disk_full(error.value)
    assert list(work.glob("refused.json")) == []


def test_a_full_disk_is_known_behind_another_error() -> None:
    wrapped = OSError("With tag (7FE0,0010)")
    wrapped.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert is_disk_full(wrapped)
    assert not is_disk_full(OSError(errno.EACCES, "Permission denied"))
