"""One film of many that a worker brings in: one that the platform stumbles over stops no other."""

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, IntegrityError

from deepmedix_review.common import jobs
from deepmedix_review.common.models import LeasedJob
from deepmedix_review.studies.models import ImportBatch, ImportItem
from deepmedix_review.studies.services import refuse_file
from deepmedix_review.studies.status_codes import is_disk_full

Taken = TypeVar("Taken")
NOT_TAKEN = (
    "The platform failed at this file. Bring it by itself; if that fails too, the worker's log says more."
)
_logger = logging.getLogger(__name__)


def take_one(
    take: Callable[[], Taken],
    *,
    job: LeasedJob,
    batch: ImportBatch,
    number: int,
    file_name: str,
    check: Callable[[], None],
) -> Taken | ImportItem:
    """What `take` gives, which keeps the film by its `number`, or the item of its refusal where the platform
    failed at it.

    Raises LeaseLost where only a worker that has the job now judged the film meanwhile, what `check` raises,
    and errors of the database and of a full disk, which are no fault of the film.
    """
    try:
        return take()
    except IntegrityError as error:
        if ImportItem.objects.filter(batch=batch, number=number).exists():
            raise jobs.LeaseLost(f"{job._meta.verbose_name} {job.pk}, attempt {job.attempt}") from error
        raise
    except DatabaseError:
        raise
    except Exception as error:
        if is_disk_full(error):
            raise
        check()
        # Its words may quote a header.
        _logger.error(
            "A film of %s %s could not be taken: %s", job._meta.verbose_name, job.pk, type(error).__name__
        )
        actor = batch.requested_by
        return refuse_file(NOT_TAKEN, batch=batch, file_name=file_name, actor=actor, number=number)
