"""Reads exports: which there are, and what one would contain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.exports.models import Export
from deepmedix_review.exports.scope import counted, left_out
from deepmedix_review.reviews.models import ReaderStudy

MOST_TITLES = 3


@dataclass(frozen=True)
class Preview:
    """Readings by folder, and what would be left out; `chooses_none`: no reader study was named."""

    num_readings: Mapping[str, int]
    left_out: Sequence[Mapping[str, Any]]
    chooses_none: bool

    @property
    def is_empty(self) -> bool:
        return not sum(self.num_readings.values())


@dataclass(frozen=True)
class Listed:
    """An export, the first of the reader studies that it names, and how many more it names."""

    export: Export
    titles: Sequence[str]
    num_more: int


def exports(user: User) -> QuerySet[Export]:
    require(user, Capability.EXPORT_DATASETS)
    return Export.objects.select_related("created_by", "data_set").order_by("-id")


def listed(exports: Sequence[Export]) -> list[Listed]:
    named = [(export.reader_studies or ())[:MOST_TITLES] for export in exports]
    uids = {uid for some in named for uid in some}
    title_of = dict(ReaderStudy.objects.filter(uid__in=uids).values_list("uid", "title"))
    return [
        Listed(
            export,
            [title_of[uid] for uid in some if uid in title_of],
            len(export.reader_studies or ()) - len(some),
        )
        for export, some in zip(exports, named, strict=True)
    ]


def export_for(user: User, uid: UUID) -> Export:
    """Raises NotYours, or Http404."""
    return get_object_or_404(exports(user), uid=uid)


def reader_studies_to_export(user: User) -> QuerySet[ReaderStudy]:
    """Newest first."""
    require(user, Capability.EXPORT_DATASETS)
    return ReaderStudy.objects.exclude(state=ReaderStudy.State.DRAFT).order_by("-id")


def preview(user: User, reader_studies: Sequence[UUID] | None, *, as_of: datetime | None) -> Preview:
    require(user, Capability.EXPORT_DATASETS)
    moment = as_of or timezone.now()
    return Preview(
        num_readings=counted(reader_studies, as_of=moment),
        left_out=left_out(reader_studies, as_of=moment),
        chooses_none=reader_studies is not None and not reader_studies,
    )
