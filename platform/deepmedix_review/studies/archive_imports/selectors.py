"""Reads archives on their way in, each for who brought it alone: names of files may be a patient's."""

import uuid

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.paging import Page, page_of
from deepmedix_review.studies.models import ArchiveImport, ImportItem

PAGE_SIZE = 20
FILES_PAGE_SIZE = 100


def archive_imports(user: User) -> QuerySet[ArchiveImport]:
    require(user, Capability.IMPORT_STUDIES)
    return ArchiveImport.objects.filter(batch__requested_by=user).select_related("batch__requested_by")


def archive_page(user: User, *, before: int | None = None, size: int = PAGE_SIZE) -> Page[ArchiveImport]:
    """Newest first."""
    return page_of(archive_imports(user), before=before, size=size)


def archive_for(user: User, uid: uuid.UUID) -> ArchiveImport:
    """Raises NotYours, or Http404."""
    return get_object_or_404(archive_imports(user), uid=uid)


def files_of(job: ArchiveImport, *, outcome: str = "", before: int | None = None) -> Page[ImportItem]:
    """What became of its files, the last first; `outcome`: of those alone."""
    items = ImportItem.objects.filter(batch_id=job.batch_id).select_related("instance__series__study")
    if outcome in ImportItem.Outcome.values:
        items = items.filter(outcome=outcome)
    return page_of(items, before=before, size=FILES_PAGE_SIZE)
