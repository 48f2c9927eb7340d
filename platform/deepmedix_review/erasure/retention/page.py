"""What the page of retention shows: rules, what is due or soon will be, what is kept longer, and batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, Q, QuerySet, Sum
from django.shortcuts import get_object_or_404

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.erasure.in_use import running_reader_studies, why_it_is_read
from deepmedix_review.erasure.models import RetentionBatch
from deepmedix_review.erasure.previewing import UsesOfKind, by_kind
from deepmedix_review.erasure.retention.batches import MOST_AT_ONCE, read_now, to_erase
from deepmedix_review.erasure.uses import uses_of
from deepmedix_review.reviews.models import Reading
from deepmedix_review.studies.models import Instance, Keeping, RetentionRule
from deepmedix_review.studies.retention.due import (
    LOOKS_AHEAD,
    Due,
    due_of,
    falling_due,
    rules_on,
    said_of,
)

# Of a list on the page; the API has the rest.
SHOWN = 100


@dataclass(frozen=True)
class DueRow:
    """`hindrance` is empty where nothing but time stands against its erasure."""

    due: Due
    hindrance: str

    @property
    def said(self) -> str:
        """Which rule."""
        return said_of(self.due.rule)

    @property
    def num_longer(self) -> int:
        """Other rules that are of it, and would keep it longer."""
        return len(self.due.rules) - 1


@dataclass(frozen=True)
class DueList:
    """The first `SHOWN`, of how many."""

    rows: Sequence[DueRow]
    num: int

    @property
    def num_more(self) -> int:
        return self.num - len(self.rows)


@dataclass(frozen=True)
class RuleRow:
    rule: RetentionRule
    said: str


@dataclass(frozen=True)
class BatchPreview:
    """What a batch of that moment would take. `num_read`: due too, and read in a reader study that is not
    locked; `num_later`: due too, and left to the next batch."""

    as_of: datetime
    num_studies: int
    num_films: int
    num_bytes: int
    num_signed: int
    num_read: int
    num_later: int
    uses: Sequence[UsesOfKind]


def rules(user: User) -> list[RetentionRule]:
    """Those that are on first."""
    require(user, Capability.ERASE_STUDIES)
    return list(RetentionRule.objects.select_related("created_by").order_by("-is_on", "keep_days", "pk"))


def rule_for(user: User, uid: UUID) -> RetentionRule:
    """Raises NotYours, or Http404."""
    require(user, Capability.ERASE_STUDIES)
    return get_object_or_404(RetentionRule, uid=uid)


def rule_rows(user: User) -> list[RuleRow]:
    return [RuleRow(rule, said_of(rule)) for rule in rules(user)]


def overdue(user: User, *, now: datetime) -> DueList:
    require(user, Capability.ERASE_STUDIES)
    return _list(now, None)


def soon(user: User, *, now: datetime) -> DueList:
    """In the next 30 days."""
    require(user, Capability.ERASE_STUDIES)
    return _list(now + LOOKS_AHEAD, now)


def due_rows(user: User, *, by: datetime, offset: int, size: int) -> list[DueRow]:
    """Due by that moment, the longest due first."""
    require(user, Capability.ERASE_STUDIES)
    on = rules_on()
    return _rows(list(falling_due(by=by, rules=on)[offset : offset + size]), on)


def keepings(user: User, *, now: datetime) -> list[Keeping]:
    """Those that hold, the first to end first."""
    require(user, Capability.ERASE_STUDIES)
    found = Keeping.objects.filter(ended_at=None, ends_at__gt=now).select_related("study", "created_by")
    return list(found.order_by("ends_at", "pk")[:SHOWN])


def batches(user: User) -> QuerySet[RetentionBatch]:
    """Each with how many studies it has, how many went, and how many stayed for a reason."""
    require(user, Capability.ERASE_STUDIES)
    return RetentionBatch.objects.select_related("requested_by").annotate(
        num_studies=Count("studies"),
        num_erased=Count("studies", filter=Q(studies__erasure__erased_at__isnull=False)),
        num_kept=Count("studies", filter=~Q(studies__said="")),
    )


def batch_for(user: User, uid: UUID) -> RetentionBatch:
    """Raises NotYours, or Http404."""
    return get_object_or_404(batches(user), uid=uid)


def preview_batch(user: User, *, as_of: datetime) -> BatchPreview:
    require(user, Capability.ERASE_STUDIES)
    keys = to_erase(as_of=as_of)
    films = Instance.objects.filter(series__study__in=keys)
    due = falling_due(by=as_of).order_by()
    num_due = due.count()
    num_read = due.filter(Exists(read_now())).count()
    signed = Reading.objects.filter(assignment__case__study__in=keys, signed_at__isnull=False)
    return BatchPreview(
        as_of=as_of,
        num_studies=len(keys),
        num_films=films.count(),
        num_bytes=films.aggregate(sum=Sum("file_bytes"))["sum"] or 0,
        num_signed=signed.count(),
        num_read=num_read,
        num_later=max(0, num_due - num_read - MOST_AT_ONCE) if len(keys) == MOST_AT_ONCE else 0,
        uses=by_kind(uses_of(keys)) if keys else [],
    )


def _list(by: datetime, after: datetime | None) -> DueList:
    on = rules_on()
    found = falling_due(by=by, rules=on)
    if after is not None:
        found = found.filter(due_at__gt=after)
    rows = _rows(list(found[:SHOWN]), on)
    return DueList(rows, len(rows) if len(rows) < SHOWN else found.order_by().count())


def _rows(studies: Sequence[object], on: Sequence[RetentionRule]) -> list[DueRow]:
    found = due_of(studies, on)
    read = running_reader_studies([due.study.pk for due in found])
    return [DueRow(due, why_it_is_read(read[due.study.pk]) if due.study.pk in read else "") for due in found]
