"""Asks for exports, writes their archives, and deletes them."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.dates import say_moment
from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES
from deepmedix_review.exports.folders import archive_path, parts_folder
from deepmedix_review.exports.models import COCO, CSV, FORMATS, HUGGING_FACE, PICTURES, Export
from deepmedix_review.exports.scope import counted, visible_reader_studies
from deepmedix_review.feedback.datasets.sharing import may_anything_leave
from deepmedix_review.feedback.selectors import dataset_for
from deepmedix_review.reviews.models import ReaderStudy

LONGEST_STATEMENT = 1000
# As the audit record tells it.
ALL_BUT_THE_DEMO = "all but the demonstration"
NOTHING_TO_SHARE = (
    "Of this data set nothing can leave: it has no pairs and no labels of films that are in use and may be "
    "given away. Freeze another once readers have signed readings of such films."
)


@dataclass(frozen=True)
class Asked:
    """`reader_studies` None takes all; `as_of` None takes now."""

    data_use: str
    reader_studies: Sequence[UUID] | None = None
    formats: Sequence[str] = (CSV,)
    as_of: datetime | None = None


@dataclass(frozen=True)
class AskedDataSet:
    """A frozen data set, whole, by its uid."""

    data_set: UUID
    data_use: str


def queue_export(asked: Asked | AskedDataSet, *, actor: User) -> Export:
    """What stands against it is said at once. Raises Http404 where there is no such data set."""
    require(actor, Capability.EXPORT_DATASETS)
    if isinstance(asked, AskedDataSet):
        export = _checked_data_set(asked, actor=actor)
        of: dict[str, object] = {"data_set": str(asked.data_set)}
    else:
        export = _checked(asked, actor=actor)
        studies = asked.reader_studies
        of = {"reader_studies": ALL_BUT_THE_DEMO if studies is None else list(map(str, studies))}
    with transaction.atomic():
        export.save()
        record_event(
            actor=actor,
            action="request_export",
            subject=export,
            details={
                **of,
                "as_of": export.as_of.isoformat(),
                "formats": export.formats,
                "data_use": export.data_use,
            },
        )
    return export


def claim_new_export(asked: Asked | AskedDataSet, *, actor: User) -> Export:
    """The same, held by the caller from the start: no worker sees it wait."""
    with transaction.atomic():
        keep_whole()
        export = queue_export(asked, actor=actor)
        claimed = jobs.claim(Export, job_id=export.pk)
    if claimed is None:
        raise RefusedByRule("A worker took this export already. Look for it among the exports.")
    return claimed


def cancel_export(export: Export, *, actor: User) -> None:
    """A running one ends at its next part."""
    require(actor, Capability.EXPORT_DATASETS)
    with transaction.atomic():
        jobs.request_cancel(export)
        record_event(actor=actor, action="cancel_export", subject=export)
    if export.is_final:
        forget_parts(export)


def delete_export(export: Export, *, actor: User) -> None:
    """Only the file: what left, and for what, stays known."""
    require(actor, Capability.EXPORT_DATASETS)
    if not export.is_final:
        raise RefusedByRule("This export is still being written. Cancel it first.")
    with transaction.atomic():
        Export.objects.filter(pk=export.pk).update(archive_bytes=None, expires_at=None)
        record_event(actor=actor, action="delete_export", subject=export)
    archive_path(export).unlink(missing_ok=True)


def delete_expired_exports() -> int:
    """How many archives' time was over."""
    expired = list(Export.objects.filter(archive_bytes__isnull=False, expires_at__lt=timezone.now()))
    for export in expired:
        with transaction.atomic():
            Export.objects.filter(pk=export.pk).update(archive_bytes=None, expires_at=None)
            record_event(actor=None, action="delete_export", subject=export, details={"expired": True})
        archive_path(export).unlink(missing_ok=True)
    return len(expired)


def record_download(export: Export, *, actor: User) -> None:
    """Before the first byte leaves."""
    require(actor, Capability.EXPORT_DATASETS)
    record_event(actor=actor, action="download_export", subject=export, details={"sha256": export.sha256})


def forget_parts(export: Export) -> None:
    """Whole files and half ones, and what was packed of them so far."""
    shutil.rmtree(parts_folder(export), ignore_errors=True)
    path = archive_path(export)
    for left in path.parent.glob(f".{path.name}.*"):
        left.unlink(missing_ok=True)


def forget_left_parts() -> None:
    """Of exports that ended while no worker had them: cancelled, or given up after the last attempt."""
    for folder in Path(settings.EXPORT_FOLDER).glob("*.parts"):
        export = Export.objects.filter(uid=folder.stem, state__in=FINAL_STATES).first()
        if export is not None:
            forget_parts(export)


def end_of_archive() -> datetime:
    return timezone.now() + timedelta(days=settings.EXPORT_DAYS)


def _checked(asked: Asked, *, actor: User) -> Export:
    now = timezone.now()
    as_of = asked.as_of or now
    data_use = _checked_use(asked.data_use)
    if not asked.formats or set(asked.formats) - set(FORMATS):
        raise RefusedByRule(f"Choose among the formats {', '.join(FORMATS)}.")
    # Pictures come with the boxes that name them.
    wanted = {*asked.formats, *([COCO] if PICTURES in asked.formats else [])}
    formats = [form for form in FORMATS if form in wanted]
    if as_of > now:
        raise RefusedByRule(f"It is {say_moment(now)} now. Choose a moment that is over.")
    studies = None if asked.reader_studies is None else sorted(set(asked.reader_studies))
    if studies is not None:
        _require_there(studies, as_of=as_of)
    if not sum(counted(studies, as_of=as_of).values()):
        demo = "" if studies is not None else " The demonstration is left out unless it is chosen by itself."
        raise RefusedByRule(f"Nothing of what you chose was signed by {say_moment(as_of)}.{demo}")
    return Export(created_by=actor, reader_studies=studies, as_of=as_of, formats=formats, data_use=data_use)


def _checked_data_set(asked: AskedDataSet, *, actor: User) -> Export:
    dataset, data_use = dataset_for(actor, asked.data_set), _checked_use(asked.data_use)
    if not may_anything_leave(dataset):
        raise RefusedByRule(NOTHING_TO_SHARE)
    return Export(
        created_by=actor, data_set=dataset, as_of=dataset.as_of, formats=[HUGGING_FACE], data_use=data_use
    )


def _checked_use(said: str) -> str:
    data_use = " ".join(said.split())
    if not data_use:
        raise RefusedByRule("Say in a sentence what the data may be used for.")
    if len(data_use) > LONGEST_STATEMENT:
        raise RefusedByRule(f"Say what the data may be used for in {LONGEST_STATEMENT} characters at most.")
    return data_use


def _require_there(uids: Sequence[UUID], *, as_of: datetime) -> None:
    if not uids:
        raise RefusedByRule("Choose a reader study, or all of them.")
    found = ReaderStudy.objects.filter(uid__in=uids)
    if len(found) < len(uids):
        raise RefusedByRule("One of the chosen reader studies is not there any more. Choose again.")
    hidden = found.exclude(pk__in=visible_reader_studies(as_of=as_of).values("pk")).first()
    if hidden is not None:
        raise RefusedByRule(
            f"The design of “{hidden.title}” hides its results until it is locked, which it was not by then. "
            "Leave it out, or lock it first."
        )
