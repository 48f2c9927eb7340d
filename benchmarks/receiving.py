"""How many films of 15 MB a second come in by STOW-RS, waited for and left: beside synced writes, and Orthanc
where it is."""

import http.client
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.installation import private_installation
from benchmarks.report import Figure, Peer
from benchmarks.web import answers, free_port, per_second, web_server

SIDE = 2800
NUM_CLIENTS = os.cpu_count() or 1
NUM_EACH = 8
BOUNDARY = "a-film"
# Debian's orthanc and orthanc-dicomweb.
ORTHANC_PLUGINS = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


def run() -> list[Figure]:
    with private_installation() as home:
        of_each = NUM_CLIENTS * (NUM_EACH + 1)
        all_films = _films(home / "sent", num=2 * of_each)
        films = all_films[:of_each]
        megabytes = films[0].stat().st_size / 1024**2
        number = NUM_CLIENTS * NUM_EACH
        with web_server(home) as port:
            by = {"Authorization": f"Bearer {_token()}"}
            left = _sent_per_second(port, all_films[of_each:], headers={**by, "Prefer": "respond-async"})
            brought_in = _brought_in_per_second(home, num=of_each)
            ours = _sent_per_second(port, films, headers=by)
        with tempfile.TemporaryDirectory(dir=home) as folder:
            synced = _per_second(films, lambda film, name: _write(film, Path(folder) / name))
        what = f"films of {megabytes:.0f} MB by STOW-RS"
        taken = f"{what}, checked, de-identified, compressed, stored"
        kept = f"{what}, kept durably before the answer, brought in after it (Prefer: respond-async)"
        plain = Peer("files of that size, written and synced", synced)
        figures = [
            Figure(taken, ours, "per second", plain, number),
            Figure(kept, left, "per second", plain, number),
            Figure(
                f"{what}, kept so before, brought in by one worker", brought_in, "per second", plain, of_each
            ),
        ]
        if ORTHANC_PLUGINS.is_file() and shutil.which("Orthanc"):
            with _orthanc(home) as port:
                theirs = _sent_per_second(port, films, headers={})
            orthanc = Peer("Orthanc's STOW-RS", theirs)
            figures += [
                Figure(taken, ours, "per second", orthanc, number),
                Figure(kept, left, "per second", orthanc, number),
            ]
        return figures


def _films(folder: Path, *, num: int) -> list[Path]:
    """No two with the same picture, and none that a person has to look at."""
    import numpy as np
    from pydicom import dcmread
    from pydicom.uid import generate_uid

    from tests.factories.studies import write_film

    folder.mkdir()
    film = dcmread(write_film(folder / "drawn", size=SIDE, seed=1, BurnedInAnnotation="NO"))
    pixels, paths = film.pixel_array, []
    for number in range(num):
        film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        film.SeriesInstanceUID, film.StudyInstanceUID = generate_uid(), generate_uid()
        film.PatientID = f"patient {number}"
        film.PixelData = np.roll(pixels, number, axis=0).tobytes()
        paths.append(folder / f"{number}.dcm")
        film.save_as(paths[-1])
    return paths


def _per_second(films: Sequence[Path], take: Callable[[Path, str], object]) -> float:
    """Each client takes films that no other takes; the first of each warms up."""

    def work(client: int, turn: int) -> None:
        number = client * (NUM_EACH + 1) + turn
        take(films[number], str(number))

    per_second(lambda client, turn: work(client, NUM_EACH), num_clients=NUM_CLIENTS, num_each=1)
    return per_second(work, num_clients=NUM_CLIENTS, num_each=NUM_EACH)


def _sent_per_second(port: int, films: Sequence[Path], *, headers: dict[str, str]) -> float:
    content_type = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'

    def send(film: Path, name: str) -> None:
        head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        body = head + film.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        sent = {
            "Content-Type": content_type,
            "Accept": "application/dicom+json",
            "Host": "localhost",
            **headers,
        }
        line.request("POST", "/dicom-web/studies", body, sent)
        answer = line.getresponse()
        said = answer.read()
        line.close()
        if not _is_taken(answer.status, json.loads(said)):
            raise RuntimeError(f"a film was not taken: {answer.status}")

    return _per_second(films, send)


def _brought_in_per_second(home: Path, *, num: int) -> float:
    """By one worker of the kind that `make run` starts, from its first claim to its last film."""
    from django.db.models import Max, Min

    from deepmedix_review.common.models import JobState
    from deepmedix_review.studies.models import SentMessage
    from tests.workers import Workers, wait_until

    done = SentMessage.objects.filter(state=JobState.DONE)
    workers = Workers(home=home, database_url=os.environ["DATABASE_URL"])
    try:
        workers.start("io")
        wait_until(lambda: done.count() == num, what="left films are in")
    finally:
        workers.stop_all()
    took = done.aggregate(begun=Min("started_at"), ended=Max("finished_at"))
    return num / float((took["ended"] - took["begun"]).total_seconds())


def _is_taken(status: int, said: Mapping[str, Any]) -> bool:
    if status == 202:
        return bool(said["num_films"] == 1)
    return status == 200 and len(said["00081199"]["Value"]) == 1


def _write(film: Path, path: Path) -> None:
    content = film.read_bytes()
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _token() -> str:
    from deepmedix_review.accounts.permissions import Capability
    from tests.deepmedix_review.studies.dicomweb.the_service import token_of
    from tests.factories.accounts import AdminFactory

    return token_of(AdminFactory.create(), Capability.IMPORT_STUDIES, Capability.VIEW_ALL_STUDIES)


@contextmanager
def _orthanc(home: Path) -> Iterator[int]:
    """As it comes, but that it stores where the platform does and syncs what it stores, as the platform."""
    from deepmedix_review.config.processes import await_ready, spawn, stop

    port, log = free_port(), home / "logs" / "orthanc.log"
    settings = {
        "StorageDirectory": str(home / "orthanc"),
        "IndexDirectory": str(home / "orthanc"),
        "HttpPort": port,
        "DicomServerEnabled": False,
        "AuthenticationEnabled": False,
        "SyncStorageArea": True,
        "Plugins": [str(ORTHANC_PLUGINS)],
    }
    path = home / "run" / "orthanc.json"
    path.write_text(json.dumps(settings), "utf-8")
    process = spawn([shutil.which("Orthanc") or "Orthanc", str(path)], log=log, death_signal=signal.SIGTERM)
    try:
        await_ready(lambda: answers(port), process=process, name="Orthanc", log=log, deadline_seconds=30)
        yield port
    finally:
        stop(process, patience_seconds=10)
