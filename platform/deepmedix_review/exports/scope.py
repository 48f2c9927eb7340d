"""Which readings are in an export: signed by its moment, of films in use, where results may be seen."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from deepmedix_review.exports.pseudonyms import export_secret, hmac_pads
from deepmedix_review.reviews.criteria.versions import asked_of
from deepmedix_review.reviews.models import Case, Criterion, ReaderStudy, Reading

# So many readings, or cases, are asked of the database at once: what they say is in memory meanwhile.
AT_ONCE = 4000
LAST = 2**62


@dataclass(frozen=True)
class Group:
    """Cases whose files lie together in a folder, so that nobody takes a control for data."""

    folder: str
    about: str
    roles: tuple[str, ...]


GROUPS = (
    Group("data", "cases of data", (Case.Role.DATA,)),
    Group("controls", "control cases, in whose outputs something was altered", (Case.Role.CONTROL,)),
    Group(
        "practice", "practice cases, that teach or tune a reader", (Case.Role.TRAINING, Case.Role.CALIBRATION)
    ),
)
ALL_ROLES = tuple(role for group in GROUPS for role in group.roles)

CHOSEN = """
FROM reviews_reading r
JOIN reviews_assignment a ON a.id = r.assignment_id
JOIN reviews_case c ON c.id = a.case_id
JOIN reviews_readerstudy rs ON rs.id = c.reader_study_id
JOIN studies_study s ON s.id = c.study_id
WHERE r.signed_at <= %(as_of)s AND c.reader_study_id = ANY(%(studies)s) AND c.role = ANY(%(roles)s)
  AND r.id > %(first)s AND r.id <= %(last)s AND c.id > %(first_case)s AND c.id <= %(last_case)s
"""
# A data set that was given to named people alone: nothing that is said of its studies goes to others.
CREDENTIALED = """
coalesce(s.source_id = ANY(ARRAY(SELECT id FROM studies_sourcedataset WHERE is_credentialed)), false)
"""
IN_USE = f"AND s.state = 'ready' AND NOT {CREDENTIALED}"
# Each has a column in the table of agreement, and PostgreSQL no more columns in a row than 1,664.
MOST_READERS_SIDE_BY_SIDE = 1500


@dataclass(frozen=True)
class Span:
    """What is asked of the database at once: keys above `first` up to `last`, so many of them."""

    first: int
    last: int
    num: int


@dataclass(frozen=True)
class Scope:
    """`studies` are keys of reader studies; `asked` is of each, by column, which criterion was asked."""

    as_of: datetime
    secret: bytes
    studies: Sequence[int]
    asked: Sequence[tuple[int, str, str, int]]
    scales: Sequence[tuple[str, int]]

    def values(
        self,
        roles: Sequence[str],
        *,
        readings: Span | None = None,
        cases: Span | None = None,
        films: Span | None = None,
        away: Sequence[int] = (),
    ) -> dict[str, Any]:
        """What the statements of an export name. `away` are films that are left out, by key."""
        return {
            "as_of": self.as_of,
            "studies": list(self.studies),
            "roles": [str(role) for role in roles],
            "first": readings.first if readings else 0,
            "last": readings.last if readings else LAST,
            "first_case": cases.first if cases else 0,
            "last_case": cases.last if cases else LAST,
            "first_film": films.first if films else 0,
            "last_film": films.last if films else LAST,
            "away": list(away),
            "asked": json.dumps(
                [{"study": s, "field": f, "key": k, "version": v} for s, f, k, v in self.asked]
            ),
            **hmac_pads(self.secret),
        }


def visible_reader_studies(*, as_of: datetime) -> QuerySet[ReaderStudy]:
    """Whose results could be seen at that moment: of some, only once they were locked."""
    locked = Q(state=ReaderStudy.State.LOCKED, locked_at__lte=as_of)
    return ReaderStudy.objects.filter(Q(hides_results=False) | locked)


def signed_by(as_of: datetime) -> Exists:
    """Of a reader study: whether anything of it was signed by then. Of others nothing leaves, and what is
    made later changes no byte."""
    return Exists(Reading.objects.filter(assignment__case__reader_study=OuterRef("pk"), signed_at__lte=as_of))


def chosen_reader_studies(reader_studies: Sequence[UUID] | None, *, as_of: datetime) -> QuerySet[ReaderStudy]:
    """Of all reader studies the demonstration is none."""
    found = visible_reader_studies(as_of=as_of).order_by("pk")
    return found.filter(is_demo=False) if reader_studies is None else found.filter(uid__in=reader_studies)


def scope_of(reader_studies: Sequence[UUID] | None, *, as_of: datetime) -> Scope:
    asked: list[tuple[int, str, str, int]] = []
    scales: set[tuple[str, int]] = set()
    studies = list(chosen_reader_studies(reader_studies, as_of=as_of).filter(signed_by(as_of)))
    for study in studies:
        for one in asked_of(study):
            criterion = one.criterion
            asked.append((study.pk, criterion.field or criterion.key, criterion.key, criterion.version))
            if criterion.kind == Criterion.Kind.SCALE:
                scales.add((criterion.key, criterion.version))
    return Scope(
        as_of=as_of,
        secret=export_secret(None if reader_studies is None else list(reader_studies), as_of=as_of),
        studies=[study.pk for study in studies],
        asked=asked,
        scales=sorted(scales),
    )


def reading_spans(scope: Scope, group: Group) -> list[Span]:
    """Of the group's readings, in the order of their keys."""
    return spans_of(f"SELECT r.id {CHOSEN} {IN_USE} ORDER BY r.id", scope.values(group.roles))


def case_spans(scope: Scope, group: Group) -> list[Span]:
    """Of the cases with a reading in it."""
    return spans_of(f"SELECT DISTINCT c.id {CHOSEN} {IN_USE} ORDER BY c.id", scope.values(group.roles))


def basis_of(scope: Scope) -> str:
    """sha256 of which readings are in it: another one once a film was withdrawn, or let in, meanwhile."""
    roles = [role for group in GROUPS for role in group.roles]
    statement = f"""SELECT count(*), coalesce(sum(hashtextextended(r.id::text, 0)), 0) {CHOSEN} {IN_USE}"""
    with connection.cursor() as cursor:
        cursor.execute(statement, scope.values(roles))
        return sha256(repr(tuple(map(str, cursor.fetchone() or ()))).encode()).hexdigest()


def readers_in(scope: Scope, group: Group) -> list[tuple[int, UUID]]:
    """Key and uid of each account with a reading in it, in the order of the keys."""
    statement = f"""
    SELECT u.id, u.uid FROM accounts_user u
    WHERE u.id IN (SELECT a.reader_id {CHOSEN} {IN_USE}) ORDER BY u.id"""
    with connection.cursor() as cursor:
        cursor.execute(statement, scope.values(group.roles))
        return list(cursor.fetchall())


def is_any_signature_under_way(moment: datetime) -> bool:
    """Whether somebody's transaction, begun by this moment, still writes: what it signs may be of before.

    PostgreSQL's own (autovacuum gathers statistics for minutes on a busy machine) signs nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (
                SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND pid != pg_backend_pid()
                  AND backend_type = 'client backend'
                  AND backend_xid IS NOT NULL AND xact_start <= %s)""",
            [moment],
        )
        [found] = cursor.fetchone() or (False,)
        return bool(found)


def counted(reader_studies: Sequence[UUID] | None, *, as_of: datetime) -> Mapping[str, int]:
    """Readings in it by folder of their group."""
    scope = scope_of(reader_studies, as_of=as_of)
    with connection.cursor() as cursor:
        found = {}
        for group in GROUPS:
            cursor.execute(f"SELECT count(*) {CHOSEN} {IN_USE}", scope.values(group.roles))
            [found[group.folder]] = cursor.fetchone() or (0,)
        return found


def left_out(reader_studies: Sequence[UUID] | None, *, as_of: datetime) -> list[dict[str, Any]]:
    """What is not in it, why, and how often; only what is more than none."""
    scope = scope_of(reader_studies, as_of=as_of)
    roles = [role for group in GROUPS for role in group.roles]
    assigned = """
    SELECT count(*) FROM reviews_assignment a JOIN reviews_case c ON c.id = a.case_id
    WHERE a.created_at <= %(as_of)s AND c.reader_study_id = ANY(%(studies)s) AND c.role = ANY(%(roles)s)
      AND NOT coalesce(a.signed_at <= %(as_of)s, false)
      AND coalesce(a.withdrawn_at <= %(as_of)s, false)"""
    texts = f"""
    SELECT count(*) FROM (
        SELECT r.id {CHOSEN} {IN_USE}) AS chosen
    JOIN reviews_criterionrating t ON t.reading_id = chosen.id
    JOIN reviews_criterion k ON k.id = t.criterion_id WHERE k.kind = 'text'"""
    statements = (
        ("assignments that were not signed by then", f"{assigned} = false"),
        ("assignments that were withdrawn before they were signed", f"{assigned} = true"),
        (
            "readings of films that are held, unseen or rejected now",
            f"SELECT count(*) {CHOSEN} AND s.state != 'ready'",
        ),
        (
            "readings of films whose licence lets nothing of them leave",
            f"SELECT count(*) {CHOSEN} AND s.state = 'ready' AND {CREDENTIALED}",
        ),
        ("answers in words to criteria that ask for a text: they may say anything", texts),
    )
    found = []
    # Of what nobody signed by then, too.
    chosen = chosen_reader_studies(reader_studies, as_of=as_of)
    values = {**scope.values(roles), "studies": list(chosen.values_list("pk", flat=True))}
    with connection.cursor() as cursor:
        for reason, statement in statements:
            cursor.execute(statement, values)
            [num] = cursor.fetchone() or (0,)
            found.append({"reason": reason, "num": num})
    num_readers = len(readers_in(scope, GROUPS[0]))
    if num_readers > MOST_READERS_SIDE_BY_SIDE:
        found.append(
            {"reason": "the table of agreement: more readers than it has columns", "num": num_readers}
        )
    every = ReaderStudy.objects.filter(signed_by(as_of))
    if reader_studies is not None:
        every = every.filter(uid__in=reader_studies)
    visible = visible_reader_studies(as_of=as_of)
    num_hidden = every.exclude(pk__in=visible.values("pk")).count()
    found.append(
        {"reason": "reader studies that hide their results until they are locked", "num": num_hidden}
    )
    if reader_studies is None:
        num_demo = every.filter(is_demo=True).count()
        found.append({"reason": "reader studies of the demonstration", "num": num_demo})
    return [one for one in found if one["num"]]


def spans_of(statement: str, values: Mapping[str, Any], *, at_once: int | None = None) -> list[Span]:
    """The last key of every `at_once` (AT_ONCE), in one walk over the keys."""
    at_once = at_once or AT_ONCE
    numbered = f"""
    SELECT key FROM (SELECT key, row_number() OVER (ORDER BY key) AS place, count(*) OVER () AS num
        FROM ({statement}) AS keys(key)) AS numbered
    WHERE place %% {at_once} = 0 OR place = num ORDER BY key"""
    count = f"SELECT count(*) FROM ({statement}) AS keys(key)"
    with connection.cursor() as cursor:
        cursor.execute(count, values)
        [num] = cursor.fetchone() or (0,)
        cursor.execute(numbered, values)
        ends = [key for (key,) in cursor.fetchall()]
    firsts = [0, *ends][: len(ends)]
    sizes = [min(at_once, num - place * at_once) for place in range(len(ends))]
    return [Span(first, last, size) for first, last, size in zip(firsts, ends, sizes, strict=True)]
