"""A PACS at a socket of this machine that can be told to misbehave."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydicom import dcmread
from pytest_django.fixtures import Settings

from tests.factories.studies import write_film

TOKEN = "secret-of-the-pacs"
PATIENT = "MRN-4711"
DATE = "20260417"


@dataclass
class Pacs:
    """`faults`: by SOP Instance UID: cut, short, html, missing, two, junk (as DICOM), down (all get 503
    from then on). `answer`: the status that all get. `waits_at`: the film that is held back until `goes_on`
    is set."""

    films: dict[str, Path]
    url: str = ""
    faults: dict[str, str] = field(default_factory=dict)
    answer: int = 200
    pages: bool = True
    fetched: list[str] = field(default_factory=list)
    searched: list[dict[str, list[str]]] = field(default_factory=list)
    waits_at: str = ""
    goes_on: Event = field(default_factory=Event)


@contextmanager
def running(films: list[Path], *, certificate: Path | None = None) -> Iterator[Pacs]:
    """Over TLS where a certificate with its key is given."""
    pacs = Pacs({str(dcmread(film, stop_before_pixels=True).SOPInstanceUID): film for film in films})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, pacs)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    scheme = "http" if certificate is None else "https"
    pacs.url = f"{scheme}://127.0.0.1:{server.server_port}/dicom-web"
    try:
        yield pacs
    finally:
        pacs.goes_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


def own_certificate(path: Path) -> Path:
    """Of 127.0.0.1 and signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A PACS of the tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def films_in(folder: Path) -> list[Path]:
    """Two studies of radiographs, of two films and of one, and a CT in the first."""
    return [
        write_film(
            folder / f"{number}.dcm",
            seed=number,
            StudyInstanceUID=study,
            SeriesInstanceUID=f"{study}.{number}",
            SOPInstanceUID=f"{study}.{number}.9",
            Modality=modality,
            PatientID=PATIENT,
            StudyDate=DATE,
            BurnedInAnnotation="NO",
        )
        for number, study, modality in (
            (1, "1.2.3", "DX"),
            (2, "1.2.3", "CR"),
            (3, "1.2.3", "CT"),
            (4, "1.2.4", "DX"),
        )
    ]


def name_source(folder: Path, settings: Settings, told: str) -> Path:
    path = folder / "pacs.toml"
    path.write_text(f"[main]\n{told}\n", "utf-8")
    path.chmod(0o600)
    settings.PACS_SOURCES = str(path)
    return path


def _answer(handler: BaseHTTPRequestHandler, pacs: Pacs) -> None:
    parts = urlsplit(handler.path)
    if handler.headers["Authorization"] != f"Bearer {TOKEN}":
        _send(handler, 401)
        return
    if pacs.answer != 200:
        _send(handler, pacs.answer, location="http://127.0.0.1:1/")
        return
    match parts.path.removeprefix("/dicom-web/").split("/"):
        case ["studies"]:
            pacs.searched.append(parse_qs(parts.query))
            found = _named(pacs, "StudyInstanceUID", "0020000D")
        case ["studies", study, "series"]:
            found = _named(pacs, "SeriesInstanceUID", "0020000E", StudyInstanceUID=study)
        case ["studies", _, "series", series, "instances"]:
            found = _named(pacs, "SOPInstanceUID", "00080018", SeriesInstanceUID=series)
        case ["studies", _, "series", _, "instances", instance]:
            pacs.fetched.append(instance)
            if instance == pacs.waits_at:
                pacs.goes_on.wait()
            if pacs.faults.get(instance) == "down":
                pacs.answer = 503
                _send(handler, 503)
                return
            _send_film(handler, pacs.films[instance], pacs.faults.get(instance, ""))
            return
    query = parse_qs(parts.query)
    start, limit = int(query["offset"][0]), int(query["limit"][0])
    _send(handler, 200, json.dumps(found[start : start + limit] if pacs.pages else found).encode())


def _named(pacs: Pacs, keyword: str, tag: str, **of: str) -> list[dict[str, Any]]:
    """Each once, in the order of the films."""
    found: dict[str, dict[str, Any]] = {}
    for path in pacs.films.values():
        film = dcmread(path, stop_before_pixels=True)
        if all(film[name].value == value for name, value in of.items()):
            named = {tag: {"vr": "UI", "Value": [film[keyword].value]}}
            found[film[keyword].value] = named | {"00080060": {"vr": "CS", "Value": [film.Modality]}}
            found[film[keyword].value] |= {
                "00080020": {"vr": "DA", "Value": [film.StudyDate]},
                "00080061": {"vr": "CS", "Value": [film.Modality]},
            }
    return list(found.values())


def _send_film(handler: BaseHTTPRequestHandler, film: Path, fault: str) -> None:
    content = b"no film" if fault == "junk" else film.read_bytes()
    part = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n"
    kind = 'multipart/related; type="application/dicom"; boundary=b'
    match fault:
        case "missing":
            _send(handler, 404)
        case "html":
            _send(handler, 200, b"<html>", kind="text/html")
        case "two":
            _send(handler, 200, part + part + b"--b--", kind=kind)
        case "cut":
            _send(handler, 200, part[: len(part) // 2], kind=kind, declared=len(part))
            handler.close_connection = True
        case "short":
            _send(handler, 200, part, kind=kind)
        case _:
            _send(handler, 200, part + b"--b--", kind=kind)


def _send(
    handler: BaseHTTPRequestHandler,
    status: int,
    body: bytes = b"",
    *,
    kind: str = "application/dicom+json",
    declared: int | None = None,
    location: str = "",
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body) if declared is None else declared))
    if location:
        handler.send_header("Location", location)
    handler.end_headers()
    handler.wfile.write(body)
