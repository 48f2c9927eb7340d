"""Lets a hidden repeat come due: once its reader has forgotten the case, in days and in cases read since."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from deepmedix_review.reviews.models import Assignment, ReaderStudy


@transaction.atomic
def release_due_repeats(
    *, repeats: QuerySet[Assignment] | None = None, signing: Assignment | None = None
) -> int:
    """Say from when each repeat can be read whose first reading is signed and whose washout in cases is over.

    Returns how many were released. A repeat whose washout in days is not over waits on for that day.
    `signing`: the reader of these repeats signs it in this transaction: it counts before its row says so.
    """
    waiting = repeats if repeats is not None else Assignment.objects.all()
    num_released = 0
    for repeat in (
        waiting.filter(
            kind=Assignment.Kind.REPEAT,
            available_at=None,
            withdrawn_at=None,
            repeat_of__signed_at__isnull=False,
            case__reader_study__state__in=(ReaderStudy.State.RUNNING, ReaderStudy.State.PAUSED),
        )
        .select_related("case__reader_study", "repeat_of")
        .order_by("pk")
    ):
        study = repeat.case.reader_study
        first_signed_at = repeat.repeat_of.signed_at if repeat.repeat_of else None
        if first_signed_at is None:
            continue
        num_since = _num_cases_since(repeat, first_signed_at)
        if signing is not None and signing.signed_at is None:
            num_since += 1
        if num_since < study.washout_cases:
            continue
        repeat.available_at = max(timezone.now(), first_signed_at + timedelta(days=study.washout_days))
        num_released += Assignment.objects.filter(pk=repeat.pk, available_at=None).update(
            available_at=repeat.available_at
        )
    return num_released


def _num_cases_since(repeat: Assignment, moment: datetime) -> int:
    return Assignment.objects.filter(
        reader=repeat.reader_id, case__reader_study=repeat.case.reader_study_id, signed_at__gt=moment
    ).count()
