"""Chooses in which form an answer leaves: what the client accepts, of what there is (PS3.18 section 8.7)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rest_framework.exceptions import NotAcceptable
from rest_framework.request import Request

from deepmedix_review.studies.dicomweb.matching import QueryRefused

MULTIPART = "multipart/related"
_LONGEST_ACCEPT = 4000
_OUTSIDE_QUOTES = r"(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)"
_COMMAS = re.compile("," + _OUTSIDE_QUOTES)
_SEMICOLONS = re.compile(";" + _OUTSIDE_QUOTES)


@dataclass(frozen=True)
class Offer:
    """A form that an answer can have.

    `transfer_syntax`: its UID, empty where the form has none. `is_default`: whoever names no transfer syntax
    gets it. `is_stored`: whoever takes any (`transfer-syntax=*`) gets it first, as it lies on the disk.
    """

    media_type: str
    is_multipart: bool = False
    transfer_syntax: str = ""
    is_default: bool = True
    is_stored: bool = False

    @property
    def described(self) -> str:
        """As a client asks for it."""
        named = f'{MULTIPART}; type="{self.media_type}"' if self.is_multipart else self.media_type
        return named if self.is_default else f"{named}; transfer-syntax={self.transfer_syntax}"


@dataclass(frozen=True)
class _Range:
    """One of the forms that a client accepts."""

    media_type: str
    parameters: dict[str, str]
    quality: float

    def takes(self, offer: Offer) -> bool:
        return self._takes_kind(offer) and self._takes_syntax(offer)

    @property
    def takes_any_syntax(self) -> bool:
        return self.parameters.get("transfer-syntax") == "*"

    def _takes_kind(self, offer: Offer) -> bool:
        if self.media_type in ("*/*", "*"):
            return True
        if self.media_type in (MULTIPART, "multipart/*"):
            wanted = self.parameters.get("type", "*/*").lower()
            return offer.is_multipart and _covers(wanted, offer.media_type)
        return not offer.is_multipart and _covers(self.media_type, offer.media_type)

    def _takes_syntax(self, offer: Offer) -> bool:
        wanted = self.parameters.get("transfer-syntax")
        if wanted is None:
            return offer.is_default
        return wanted in ("*", offer.transfer_syntax)


def choose(request: Request, offers: Sequence[Offer]) -> Offer:
    """The one that the client likes best, at equal liking the one that it names first; of those that it does
    not tell apart the first of ours. Raises NotAcceptable, which says what there is."""
    ranges = _read(accepted_by(request))
    fitting = [
        (-one.quality, place, one.takes_any_syntax and not offer.is_stored, number, offer)
        for place, one in enumerate(ranges)
        for number, offer in enumerate(offers)
        if one.quality > 0 and one.takes(offer)
    ]
    refused = {number for one in ranges if not one.quality for number in _named(one, offers)}
    fitting = [fit for fit in fitting if fit[3] not in refused]
    if not fitting:
        ours = "; or as ".join(offer.described for offer in offers)
        raise NotAcceptable(f"This can be had as {ours}. Name one of these in Accept.")
    return min(fitting, key=lambda fit: fit[:4])[4]


def accepted_by(request: Request) -> str:
    """By the header, or by the parameter that stands for it (PS3.18, 8.3.3.1), in whose values a plus sign
    that was not escaped arrived as a space."""
    accepted = request.query_params.get("accept") or request.headers.get("Accept") or "*/*"
    if len(accepted) > _LONGEST_ACCEPT:
        raise QueryRefused(f"Accept has more than {_LONGEST_ACCEPT} characters. Name fewer media types.")
    return re.sub(r"\bdicom (json|xml)\b", r"dicom+\1", accepted)


def _named(one: _Range, offers: Sequence[Offer]) -> list[int]:
    """What a client refuses by name (`q=0`); a wildcard refuses only what nothing else accepts."""
    return [] if "*" in one.media_type else [n for n, offer in enumerate(offers) if one.takes(offer)]


def _covers(wanted: str, offered: str) -> bool:
    kind, _, subtype = wanted.partition("/")
    if wanted == "*/*":
        return True
    return offered.startswith(f"{kind}/") if subtype in ("*", "") else wanted == offered


def _read(accepted: str) -> list[_Range]:
    return [_range(text) for text in _COMMAS.split(accepted) if text.strip()]


def _range(text: str) -> _Range:
    media_type, *rest = (part.strip() for part in _SEMICOLONS.split(text))
    parameters = {}
    for part in rest:
        name, _, value = part.partition("=")
        parameters[name.strip().lower()] = value.strip().strip('"')
    return _Range(media_type.lower(), parameters, _quality(parameters.get("q", "1")))


def _quality(text: str) -> float:
    return min(float(text), 1.0) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 1.0
