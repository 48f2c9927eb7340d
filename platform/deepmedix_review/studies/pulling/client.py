"""Searches a PACS (QIDO-RS) and fetches its films one by one (WADO-RS), each straight to the disk
(PS3.18, sections 10.4 and 10.6).

requests, not dicomweb-client: that one reads every film into memory and hands on a data set, where intake
wants the file as it came; it has no limit on what it takes, and follows a redirect to wherever it leads.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
import urllib3
from django.conf import settings

from deepmedix_review.studies.dicomweb.multipart_reading import (
    MessageLimits,
    MessageOfOtherKind,
    MessageRefused,
    MessageTooLarge,
    read_message,
)
from deepmedix_review.studies.intake.oddities import MODALITIES
from deepmedix_review.studies.pulling.sources import CannotPull, PacsSource

# To connect, then for each piece of an answer: where a worker waits for it, and where a person does.
SECONDS = (10, 60)
SECONDS_OF_A_PERSON = (5, 20)
PAGE_SIZE = 200
_MAX_ANSWER_BYTES = 32 * 1024**2
_ROOM_FOR_HEADERS = 64 * 1024
_JSON = "application/dicom+json"
_FILM = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_UID = re.compile(r"[0-9.]{1,64}")
_STUDY, _SERIES, _INSTANCE = "0020000D", "0020000E", "00080018"
_MODALITY, _NUM_FILMS = "00080060", "00201208"
_STUDY_DATE, _MODALITIES = "00080020", "00080061"
_MOST_FILMS_TOLD = 1_000_000


class FilmNotFetched(Exception):
    """This film, or this study, can't be had; others may be. The message names no patient."""


@dataclass(frozen=True)
class StudyQuery:
    """Empty fields match every study; a date range is closed, and open where one end is None. Raises
    CannotPull for what would search for more than was typed."""

    patient_id: str = ""
    accession: str = ""
    modality: str = ""
    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        # The standard's wildcards, and what stands between several values.
        if any(sign in told for told in (self.patient_id, self.accession) for sign in "*?\\"):
            raise CannotPull("Type what to search by, without *, ? and backslash.")
        if self.since and self.until and self.since > self.until:
            raise CannotPull("The last day lies before the first one.")

    def parameters(self) -> dict[str, str]:
        since, until = (f"{day:%Y%m%d}" if day else "" for day in (self.since, self.until))
        told = {
            "PatientID": self.patient_id,
            "AccessionNumber": self.accession,
            "ModalitiesInStudy": self.modality,
            "StudyDate": f"{since}-{until}" if since or until else "",
        }
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True)
class FoundStudy:
    """As the PACS names it. `num_films`: instances of any kind; what it does not say is None, or empty."""

    uid: str
    num_films: int | None
    study_date: date | None = None
    modalities: str = ""


@dataclass(frozen=True)
class FilmAddress:
    study: str
    series: str
    instance: str

    @property
    def path(self) -> str:
        return f"/studies/{self.study}/series/{self.series}/instances/{self.instance}"


class PacsClient:
    """One connection, kept open. Every method raises CannotPull where the PACS answers nobody."""

    def __init__(self, source: PacsSource, *, seconds: tuple[float, float] = SECONDS) -> None:
        """`seconds`: how long it may take to connect, then each piece of an answer."""
        self._url = source.url
        self._seconds = seconds
        self._session = requests.Session()
        # No proxy and no password of the account that the server runs under.
        self._session.trust_env = False
        self._session.verify = source.ca_file or True
        if source.authorization:
            self._session.headers["Authorization"] = source.authorization

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def search(self, query: StudyQuery, *, limit: int, offset: int = 0) -> list[FoundStudy]:
        """At most `limit`, in the order of the PACS."""
        asked = {**query.parameters(), "limit": str(limit), "offset": str(offset)}
        found = self._ask("/studies", asked)[:limit]
        return [_study(one) for one in found]

    def films_of(self, study: str) -> Iterator[FilmAddress]:
        """Those in series of radiographs. Raises FilmNotFetched."""
        for series in self._all(f"/studies/{study}/series", by=_SERIES):
            if _first(series, _MODALITY) not in MODALITIES:
                continue
            uid = _uid(series, _SERIES)
            for film in self._all(f"/studies/{study}/series/{uid}/instances", by=_INSTANCE):
                yield FilmAddress(study=study, series=uid, instance=_uid(film, _INSTANCE))

    def fetch(self, film: FilmAddress, folder: Path) -> Path:
        """The file as the PACS has it, written into `folder`. Raises FilmNotFetched."""
        limits = MessageLimits(
            max_bytes=settings.MAX_FILM_BYTES + _ROOM_FOR_HEADERS,
            max_parts=1,
            max_part_bytes=settings.MAX_FILM_BYTES,
        )
        with self._get(film.path, accept=_FILM) as response:
            try:
                message = read_message(response.headers.get("Content-Type", ""))
                declared = response.headers.get("Content-Length", "")
                sent = message.read_files(
                    lambda num: _read(response, num),
                    declared_bytes=int(declared) if declared.isdecimal() else None,
                    limits=limits,
                    folder=folder,
                )
            except MessageOfOtherKind as error:
                raise FilmNotFetched("The PACS answered with what is no DICOM file.") from error
            except MessageTooLarge as error:
                raise FilmNotFetched("The PACS sent more than one film, or one that is too large.") from error
            except MessageRefused as error:
                raise FilmNotFetched("The PACS broke off before the film was whole.") from error
        return sent[0].path

    def _all(self, path: str, *, by: str) -> Iterator[Mapping[str, Any]]:
        """Page by page. A PACS that knows no paging answers the same each time: then all of it was had."""
        seen: set[str] = set()
        while True:
            asked = {"limit": str(PAGE_SIZE), "offset": str(len(seen))}
            new = [one for one in self._ask(path, asked) if _uid(one, by) not in seen]
            if not new:
                return
            seen.update(_uid(one, by) for one in new)
            yield from new

    def _ask(self, path: str, asked: Mapping[str, str]) -> list[Mapping[str, Any]]:
        with self._get(path, accept=_JSON, asked=asked) as response:
            if response.status_code == requests.codes.no_content:
                return []
            pieces, num_bytes = [], 0
            try:
                while piece := _read(response, 256 * 1024):
                    pieces.append(piece)
                    num_bytes += len(piece)
                    if num_bytes > _MAX_ANSWER_BYTES:
                        raise CannotPull("The PACS answers with more than can be taken. Search for less.")
                found = json.loads(b"".join(pieces))
            except OSError as error:
                raise FilmNotFetched("The PACS broke off in the middle of a list.") from error
            except ValueError as error:
                raise _no_dicomweb() from error
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise _no_dicomweb()
        return found

    @contextmanager
    def _get(
        self, path: str, *, accept: str, asked: Mapping[str, str] | None = None
    ) -> Iterator[requests.Response]:
        try:
            response = self._session.get(
                self._url + path,
                params=dict(asked or {}),
                headers={"Accept": accept},
                timeout=self._seconds,
                stream=True,
                allow_redirects=False,
            )
        # Its errors quote the address, which holds what is searched for: none of them goes on to a log.
        except requests.exceptions.SSLError:
            raise CannotPull(
                "The certificate of the PACS is not trusted. Name its authority's as ca_file."
            ) from None
        except requests.exceptions.ReadTimeout:
            raise FilmNotFetched(
                f"The PACS did not answer within {self._seconds[1]:g} seconds. Try again later, or search "
                "for less."
            ) from None
        except (requests.exceptions.RequestException, OSError):
            raise CannotPull(
                "The PACS can't be reached. Is it running, and does its firewall let this machine in? Then "
                "try again: what is here is not fetched twice."
            ) from None
        with response:
            _check_status(response.status_code)
            yield response


def _check_status(status: int) -> None:
    if status in (401, 403):
        raise CannotPull(
            f"The PACS refuses the account that it is asked by ({status}). Look at its token, or user and "
            "password, in the file of PACS_SOURCES."
        )
    if 300 <= status < 400:
        raise CannotPull(
            "The PACS sends on to another address, which is not followed. Write that into PACS_SOURCES."
        )
    if status in (404, 410):
        raise FilmNotFetched("The PACS has no such thing (404). Is its url in PACS_SOURCES right?")
    if status not in (200, 204):
        raise FilmNotFetched(f"The PACS answered with status {status}.")


def _read(response: requests.Response, num_bytes: int) -> bytes:
    try:
        return bytes(response.raw.read(num_bytes, decode_content=True))
    except urllib3.exceptions.HTTPError:
        raise OSError("broken off") from None


def _no_dicomweb() -> CannotPull:
    return CannotPull(
        "What answers at this address speaks no DICOMweb. Look at the url in the file of PACS_SOURCES."
    )


def _first(found: Mapping[str, Any], tag: str) -> Any:
    match found.get(tag):
        case {"Value": [first, *_]}:
            return first
    return None


def _uid(found: Mapping[str, Any], tag: str) -> str:
    """It becomes part of an address, so nothing else gets in. Raises CannotPull."""
    uid = _first(found, tag)
    if not isinstance(uid, str) or not _UID.fullmatch(uid):
        raise _no_dicomweb()
    return uid


def _study(found: Mapping[str, Any]) -> FoundStudy:
    match found.get(_MODALITIES):
        case {"Value": [*told]}:
            modalities = ", ".join(one[:16] for one in told if isinstance(one, str) and one.isprintable())
        case _:
            modalities = ""
    return FoundStudy(
        uid=_uid(found, _STUDY),
        num_films=_number(found, _NUM_FILMS),
        study_date=_date(_first(found, _STUDY_DATE)),
        modalities=modalities[:64],
    )


def _date(told: Any) -> date | None:
    try:
        return datetime.strptime(told, "%Y%m%d").date() if isinstance(told, str) else None
    except ValueError:
        return None


def _number(found: Mapping[str, Any], tag: str) -> int | None:
    value = _first(found, tag)
    try:
        number = None if value is None else int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number is not None and 0 <= number <= _MOST_FILMS_TOLD else None
