"""Whether reader studies need studies that may soon be kept no longer: who reads and who conducts is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.models import Case, ReaderStudy
from deepmedix_review.studies.models import RetentionRule
from deepmedix_review.studies.retention.due import LOOKS_AHEAD, falling_due, rules_on

UNDER_WAY = (ReaderStudy.State.RUNNING, ReaderStudy.State.PAUSED)


@dataclass(frozen=True)
class FallingDue:
    """So many of its studies, the first of them at that moment: overdue where that is over."""

    title: str
    num_studies: int
    first_at: datetime
    is_over: bool


def falling_due_in(reader_study: ReaderStudy) -> FallingDue | None:
    """In the next 30 days, or since before now; None where there is none, or it is not under way."""
    if reader_study.state not in UNDER_WAY:
        return None
    return _told(reader_study.title, reader_study.pk, rules_on())


def falling_due_for(reader: User) -> list[FallingDue]:
    """Of the reader studies in which this reader has cases to read."""
    rules = rules_on()
    if not rules:
        return []
    rows = Case.objects.filter(
        assignments__reader=reader,
        assignments__signed_at=None,
        assignments__withdrawn_at=None,
        reader_study__state__in=UNDER_WAY,
    )
    named = rows.order_by("reader_study").values_list("reader_study", "reader_study__title").distinct()
    found = (_told(title, key, rules) for key, title in named)
    return [one for one in found if one is not None]


def _told(title: str, reader_study: int, rules: Sequence[RetentionRule]) -> FallingDue | None:
    now = timezone.now()
    cases = Case.objects.filter(reader_study=reader_study)
    found = falling_due(by=now + LOOKS_AHEAD, rules=rules).filter(pk__in=cases.values("study"))
    first = found.first()
    if first is None:
        return None
    return FallingDue(title, found.order_by().count(), first.due_at, first.due_at <= now)
