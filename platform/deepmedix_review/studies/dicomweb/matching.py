"""Reads what a search asks of one attribute, and says which values match it (PS3.4, C.2.2.2)."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import CharField, Lookup, Q
from rest_framework import status
from rest_framework.exceptions import APIException

LONGEST_VALUE = 64
MOST_VALUES = 200
_WITH_WILDCARDS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
# A code holds neither a comma nor a backslash, so a list of codes can be told from a code, as of UIDs.
_IN_LISTS = frozenset({"UI", "CS"})
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}")
_TIME = re.compile(r"([01][0-9]|2[0-3])([0-5][0-9]([0-5][0-9](\.[0-9]{1,6})?)?)?")


class QueryRefused(APIException):
    """A search that can't be understood. The sentence repeats no value: it may be a patient's."""

    status_code = status.HTTP_400_BAD_REQUEST


@dataclass(frozen=True)
class Anything:
    """Universal matching: an empty value, or `*`. It matches what has no value, too."""

    def matches(self, value: str) -> bool:
        return True

    def condition(self, column: str) -> Q:
        return Q()


@dataclass(frozen=True)
class OneOf:
    """Single value matching, and of UIDs and codes a list."""

    values: frozenset[str]

    def matches(self, value: str) -> bool:
        return value in self.values

    def condition(self, column: str) -> Q:
        if len(self.values) == 1:
            return Q(**{column: next(iter(self.values))})
        return Q(**{f"{column}__in": sorted(self.values)})


@dataclass(frozen=True)
class Pattern:
    """Wildcard matching: `*` stands for any characters or none, `?` for one."""

    pattern: str

    def matches(self, value: str) -> bool:
        parts = ("." if one == "?" else ".*" if one == "*" else re.escape(one) for one in self.pattern)
        return re.fullmatch("".join(parts), value, re.DOTALL) is not None

    def condition(self, column: str) -> Q:
        escaped = re.sub(r"([\\%_])", r"\\\1", self.pattern)
        return Q(**{f"{column}__like": escaped.replace("*", "%").replace("?", "_")})


@dataclass(frozen=True)
class Between:
    """Range matching of dates, both ends among them; None where an end is open."""

    first: date | None
    last: date | None

    def matches(self, value: str) -> bool:
        if not value:
            return False
        day = _day(value)
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def condition(self, column: str) -> Q:
        wanted = Q()
        if self.first is not None:
            wanted &= Q(**{f"{column}__gte": self.first})
        if self.last is not None:
            wanted &= Q(**{f"{column}__lte": self.last})
        return wanted


@dataclass(frozen=True)
class NoValueHere:
    """Asks for a value of what no study here holds one of."""

    def matches(self, value: str) -> bool:
        return False

    def condition(self, column: str) -> Q:
        return Q(pk__in=())


Matching = Anything | OneOf | Pattern | Between | NoValueHere


@CharField.register_lookup
class Like(Lookup):
    """SQL's own patterns: Django has lookups for a start, an end and a middle alone."""

    lookup_name = "like"

    def as_sql(self, compiler, connection):  # type: ignore[no-untyped-def]
        column, column_values = self.process_lhs(compiler, connection)
        pattern, pattern_values = self.process_rhs(compiler, connection)
        return f"{column} LIKE {pattern}", [*column_values, *pattern_values]


def read_matching(keyword: str, vr: str, asked: str) -> Matching:
    """Raises QueryRefused, with the way out, for a value that the attribute can't have."""
    if any(not one.isprintable() for one in asked):
        raise QueryRefused(f"The value of {keyword} holds a character that can't be shown. Leave it out.")
    asked = asked.strip()
    if asked in ("", "*"):
        return Anything()
    values = re.split(r"[,\\]", asked) if vr in _IN_LISTS else [asked]
    if len(values) > MOST_VALUES:
        raise QueryRefused(
            f"{keyword} lists {len(values)} values; a search takes up to {MOST_VALUES}. Ask in several."
        )
    values = [value.strip() for value in values]
    if max(map(len, values)) > LONGEST_VALUE:
        raise QueryRefused(f"The value of {keyword} is longer than {LONGEST_VALUE} characters. Shorten it.")
    match vr:
        case "UI":
            return _uids(keyword, values)
        case "DA":
            return _dates(keyword, asked)
        case "TM":
            return _times(keyword, asked)
        case "IS":
            return _number(keyword, asked)
    if vr in _WITH_WILDCARDS and any(set("*?") & set(value) for value in values):
        if len(values) > 1:
            raise QueryRefused(f"{keyword} is asked for by a list and by a wildcard. Use one of the two.")
        return Pattern(re.sub(r"\*+", "*", asked))
    return OneOf(frozenset(values))


def _uids(keyword: str, values: list[str]) -> Matching:
    if not all(map(is_uid, values)):
        raise QueryRefused(
            f"{keyword} is asked for by what is no UID: give digits and dots, at most 64; several with "
            "commas between them. Wildcards are not for UIDs."
        )
    return OneOf(frozenset(values))


def is_uid(text: str) -> bool:
    return 0 < len(text) <= LONGEST_VALUE and _UID.fullmatch(text) is not None


def _dates(keyword: str, asked: str) -> Matching:
    first, dash, last = asked.partition("-")
    try:
        if not dash:
            return Between(_day(first), _day(first))
        if first or last:
            return Between(_day(first) if first else None, _day(last) if last else None)
    except ValueError:
        pass
    raise QueryRefused(
        f"{keyword} is asked for by what is no date: give YYYYMMDD, or a range: YYYYMMDD-YYYYMMDD, YYYYMMDD- "
        "or -YYYYMMDD."
    )


def _day(text: str) -> date:
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        raise ValueError("no date")
    return datetime.strptime(text, "%Y%m%d").date()


def _times(keyword: str, asked: str) -> Matching:
    """No study here holds a time: what is asked is checked, and matches nothing."""
    ends = asked.split("-")
    if len(ends) > 2 or not any(ends) or not all(not end or _TIME.fullmatch(end) for end in ends):
        raise QueryRefused(
            f"{keyword} is asked for by what is no time: give HHMMSS, or a range: HHMMSS-HHMMSS."
        )
    return NoValueHere()


def _number(keyword: str, asked: str) -> Matching:
    if not _NUMBER.fullmatch(asked):
        raise QueryRefused(f"{keyword} is asked for by what is no number: give digits alone.")
    return OneOf(frozenset({str(int(asked))}))
