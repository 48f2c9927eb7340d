"""Asks the DICOMweb service as a program does, and reads what it answers."""

import re
from collections.abc import Iterator
from typing import Any

from django.test import Client

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.accounts.tokens import make_token
from deepmedix_review.studies.models import Instance

# Of the film that is asked for, on each side.
SIZE = 64


def token_of(user: User, *scopes: Capability) -> str:
    wanted = scopes or (Capability.VIEW_ALL_STUDIES,)
    return make_token(account=user, name="DICOMweb", scopes=wanted, days=1)[1]


def ask(user: User | None, address: str, *, accept: str = "*/*", **headers: str) -> Any:
    """`address`: below the service's own."""
    sent = {"Accept": accept, **headers}
    if user is not None:
        client = Client()
        client.force_login(user)
        return client.get(f"/dicom-web/{address}", headers=sent)
    return Client().get(f"/dicom-web/{address}", headers=sent)


def at(film: Instance, rest: str = "") -> str:
    study, series = film.study.study_instance_uid, film.series.series_instance_uid
    return f"studies/{study}/series/{series}/instances/{film.sop_instance_uid}{rest}"


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def parts(answer: Any) -> Iterator[tuple[str, bytes]]:
    """The headers and the content of each."""
    boundary = re.search(r"boundary=(\S+)$", answer["Content-Type"])
    assert boundary is not None
    first, *found, last = (b"\r\n" + body(answer)).split(f"\r\n--{boundary[1]}".encode())
    assert (first, last.strip()) == (b"", b"--")
    for part in found:
        headers, _, content = part.partition(b"\r\n\r\n")
        yield headers.decode(), content
