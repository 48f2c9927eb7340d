"""Which PACS films are pulled from: those alone that the operator's file names, with their secrets.

An address that a person could type on a page would let that person make the server call any machine in its
network; a secret in the database would be in every copy of it.
"""

import base64
import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.intake.profiles import profile_named

LONGEST_NAME = 100
_KNOWN = {"url", "user", "password", "token", "ca_file", "profile"}


class CannotPull(RefusedByRule):
    """Nothing can be had from this PACS as things are; the message names the way out."""


@dataclass(frozen=True)
class PacsSource:
    """`authorization`: the header of that name; empty where the PACS asks for none. `ca_file`: certificates
    that its own is checked against; None for those that every browser trusts. `profile`: of
    de-identification, by which its films come in; empty for the site's own."""

    name: str
    url: str
    authorization: str = field(default="", repr=False)
    ca_file: str | None = None
    profile: str = ""


def source_named(name: str) -> PacsSource:
    """Raises CannotPull."""
    sources = read_sources(settings.PACS_SOURCES)
    if name not in sources:
        known = ", ".join(sources) or "none"
        raise CannotPull(f"There is no PACS of that name. The file in PACS_SOURCES names these: {known}.")
    return sources[name]


def read_sources(path: str) -> dict[str, PacsSource]:
    """By name, in the file's order; none where no file is set. Raises CannotPull."""
    if not path:
        return {}
    try:
        mode = Path(path).stat().st_mode
        told = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        # The words of the error may quote a secret.
        raise CannotPull("The file that PACS_SOURCES names can't be read as TOML. Mend it.") from error
    if stat.S_IMODE(mode) & 0o077:
        raise CannotPull(
            "The file that PACS_SOURCES names can be read by other accounts. It holds secrets: chmod 600."
        )
    return {name: _source(name, value) for name, value in told.items()}


def _source(name: str, told: Any) -> PacsSource:
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise CannotPull(f"{name} in the file of PACS_SOURCES is no table of texts: [{name}], then url = …")
    if unknown := set(told) - _KNOWN:
        raise CannotPull(f"{name} in the file of PACS_SOURCES says what is not known: {sorted(unknown)[0]}.")
    if len(name) > LONGEST_NAME:
        raise CannotPull(f"A name in the file of PACS_SOURCES has over {LONGEST_NAME} letters. Shorten it.")
    url = told.get("url", "").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise CannotPull(
            f"{name} in the file of PACS_SOURCES has no plain url: http(s)://host/path, no name or password."
        )
    return PacsSource(
        name=name,
        url=url,
        authorization=_authorization(name, told),
        ca_file=told.get("ca_file"),
        profile=_profile(name, told),
    )


def _profile(name: str, told: dict[str, str]) -> str:
    if "profile" not in told:
        return ""
    try:
        return profile_named(told["profile"]).name
    except RefusedByRule as refusal:
        raise CannotPull(f"{name} in the file of PACS_SOURCES: {refusal}") from refusal


def _authorization(name: str, told: dict[str, str]) -> str:
    token, user, password = (told.get(key) for key in ("token", "user", "password"))
    if (token and (user or password)) or bool(user) != bool(password):
        raise CannotPull(
            f"{name} in the file of PACS_SOURCES needs a token, or user and password, or neither."
        )
    if token:
        return f"Bearer {token}"
    if user:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return ""
