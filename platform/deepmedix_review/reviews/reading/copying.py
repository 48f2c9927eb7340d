"""Gives an amendment all that the reading says that it amends."""

import uuid
from typing import TypeVar

from django.db.models import QuerySet

from deepmedix_review.reviews.models import (
    AnswerRating,
    CriterionRating,
    DrawnRegion,
    FirstRead,
    MissedFinding,
    Reading,
    RegionAnnotation,
    StepRating,
    Vote,
)

Part = TypeVar(
    "Part",
    StepRating,
    RegionAnnotation,
    AnswerRating,
    Vote,
    CriterionRating,
    FirstRead,
    MissedFinding,
    DrawnRegion,
)


def copy_all(*, source: Reading, target: Reading) -> None:
    """The ratings, votes, findings, regions and first reads, each under a uid of its own."""
    _copy(StepRating.objects.filter(reading=source), target)
    _copy(RegionAnnotation.objects.filter(reading=source), target)
    _copy(AnswerRating.objects.filter(reading=source), target)
    _copy(Vote.objects.filter(reading=source), target)
    _copy(CriterionRating.objects.filter(reading=source), target)
    first_reads = _copy(FirstRead.objects.filter(reading=source), target)
    findings = _copy(MissedFinding.objects.filter(reading=source), target)
    regions = list(DrawnRegion.objects.filter(reading=source).order_by("pk"))
    for region in regions:
        region.pk, region.uid, region.reading = None, uuid.uuid4(), target
        if region.first_read_id is not None:
            region.first_read_id = first_reads[region.first_read_id]
        if region.missed_finding_id is not None:
            region.missed_finding_id = findings[region.missed_finding_id]
    DrawnRegion.objects.bulk_create(regions)
    # The first read stays locked; the change of mind is open again.
    FirstRead.objects.filter(reading=target, is_after_reveal=False).update(locked_at=source.revealed_at)


def _copy(rows: QuerySet[Part], target: Reading) -> dict[int, int]:
    """The new primary key by the old one."""
    copies = list(rows.order_by("pk"))
    before = [row.pk for row in copies]
    for row in copies:
        row.pk, row.uid, row.reading = None, uuid.uuid4(), target
        if isinstance(row, FirstRead):
            row.locked_at = None
    rows.model._default_manager.bulk_create(copies)
    return dict(zip(before, (row.pk for row in copies), strict=True))
