"""Reads the address of a search: what is asked for, what is shown of it, and which part of a long answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.http import QueryDict

from deepmedix_review.studies.dicomweb.attributes import (
    ATTRIBUTES,
    Attribute,
    Level,
    held_at,
    keyword_of,
    matched_at,
    standard_at,
)
from deepmedix_review.studies.dicomweb.matching import Matching, OneOf, QueryRefused, is_uid, read_matching

# Of one answer. A client asks on with `offset`, as the Warning tells it.
DEFAULT_LIMIT = 100
MOST_RESULTS = 1000
_MOST_DIGITS = 9
_OF_EVERY_REQUEST = ("accept", "charset")
_OWN = ("fuzzymatching", "includefield", "limit", "offset", *_OF_EVERY_REQUEST)
NOT_FUZZY = "The fuzzymatching parameter is not supported. Only literal matching has been performed."


@dataclass(frozen=True)
class Search:
    """`shown`: keywords that each result holds. `warnings`: what the answer says beside its results."""

    level: Level
    asked: tuple[tuple[Attribute, Matching], ...]
    shown: frozenset[str]
    limit: int
    offset: int
    warnings: tuple[str, ...] = ()


def read_search(parameters: QueryDict, *, level: Level, within: Mapping[Level, str]) -> Search:
    """`within`: UIDs of the study and series that the address names. Raises QueryRefused, with the way
    out."""
    asked: dict[str, tuple[Attribute, Matching]] = {}
    for parent, uid in within.items():
        attribute = ATTRIBUTES["StudyInstanceUID" if parent is Level.STUDY else "SeriesInstanceUID"]
        asked[f"{attribute.keyword} of the address"] = attribute, OneOf(frozenset({checked_uid(uid)}))
    for name, values in parameters.lists():
        if name in _OWN:
            continue
        attribute = _attribute(name, level=level)
        if attribute.keyword in asked or len(values) > 1:
            raise QueryRefused(f"{attribute.keyword} is asked for twice. Ask once.")
        asked[attribute.keyword] = attribute, read_matching(attribute.keyword, attribute.vr, values[0])
    warnings = []
    if parameters.get("fuzzymatching", "false").lower() != "false":
        warnings.append(NOT_FUZZY)
    limit = _number(parameters, "limit", otherwise=DEFAULT_LIMIT)
    if limit > MOST_RESULTS:
        warnings.append(
            f"The limit is more than an answer holds here: it holds up to {MOST_RESULTS} results."
        )
    return Search(
        level=level,
        asked=tuple(asked.values()),
        shown=_shown(parameters.getlist("includefield"), level=level, within=within),
        limit=min(limit, MOST_RESULTS),
        offset=_number(parameters, "offset", otherwise=0),
        warnings=tuple(warnings),
    )


def checked_uid(uid: str) -> str:
    """Of an address. Raises QueryRefused."""
    if not is_uid(uid):
        raise QueryRefused("The address holds what is no UID: digits and dots, at most 64.")
    return uid


def refuse_unknown(parameters: QueryDict, *, known: Iterable[str]) -> None:
    """For what is fetched: a parameter that would be passed over in silence may have been meant."""
    known = (*known, *_OF_EVERY_REQUEST)
    for name, values in parameters.lists():
        if name not in known:
            raise QueryRefused(f"There is no parameter {_told(name)} here. There are: {', '.join(known)}.")
        if len(values) > 1:
            raise QueryRefused(f"The parameter {name} is given twice. Give it once.")


def _attribute(name: str, *, level: Level) -> Attribute:
    found = ATTRIBUTES.get(keyword_of(name))
    if found is not None and found.is_matched and found.level <= level:
        return found
    why = f"A search for {level.plural} does not know {_told(name)}."
    if found is not None and found.level > level:
        why = f"{found.keyword} is of {found.level.plural}, and this is a search for {level.plural}."
    raise QueryRefused(
        f"{why} It can ask for {', '.join(matched_at(level))}, by keyword or tag, and with fuzzymatching, "
        "includefield, limit and offset."
    )


def _told(name: str) -> str:
    """A parameter's name where it can be one: what else was typed may be a patient's."""
    return name if keyword_of(name) else "one of the parameters"


def _number(parameters: QueryDict, name: str, *, otherwise: int) -> int:
    values = parameters.getlist(name)
    if not values:
        return otherwise
    value = values[0]
    if len(values) > 1 or not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS):
        raise QueryRefused(f"{name} is no number. Give one, of up to {_MOST_DIGITS} digits, from 0 on.")
    return int(value)


def _shown(fields: list[str], *, level: Level, within: Mapping[Level, str]) -> frozenset[str]:
    """What the standard wants in every answer, and what was asked for beside it. An attribute that is known
    to the standard and not held here is left out, as one that has no value (PS3.18, 8.3.4.3)."""
    levels = [one for one in Level if one <= level and one not in within]
    shown = set(standard_at(levels)) | {"StudyInstanceUID", "InstanceAvailability", "RetrieveURL"}
    if level >= Level.SERIES:
        shown.add("SeriesInstanceUID")
    for name in (one.strip() for field in fields for one in field.split(",")):
        if name.lower() == "all":
            shown |= held_at(level)
            continue
        keywords = [keyword_of(part) for part in name.split(".")]
        if not all(keywords):
            raise QueryRefused(
                "includefield names what is no attribute. Give keywords or tags of eight digits, with commas "
                "between them, or all."
            )
        shown |= {keywords[0]} & held_at(level)
    return frozenset(shown)
