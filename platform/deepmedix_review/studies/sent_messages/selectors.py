"""Reads messages that were left, for who may import; what a sender is told, for that sender alone."""

import uuid
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum
from django.shortcuts import get_object_or_404

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.models import JobState
from deepmedix_review.studies.dicomweb.storing import StoreReport, tell
from deepmedix_review.studies.models import ImportItem, SentMessage
from deepmedix_review.studies.sent_messages.folders import message_folder, read_told
from deepmedix_review.studies.services import Receipt

MOST_SHOWN = 10


@dataclass(frozen=True)
class OpenMessages:
    """`shown`: at most `MOST_SHOWN`, those that failed first, then those that a worker has, then the oldest
    that wait. Over all that are open: how many there are, their films, and those of them that are done."""

    shown: list[SentMessage]
    num_open: int
    num_failed: int
    num_films: int
    num_done: int

    @property
    def num_more(self) -> int:
        return self.num_open - len(self.shown)

    @property
    def is_live(self) -> bool:
        return self.num_open > self.num_failed


def open_messages(user: User) -> OpenMessages:
    """Of all senders: nothing of it is an identifier."""
    require(user, Capability.IMPORT_STUDIES)
    is_open = Q(state__in=(JobState.QUEUED, JobState.RUNNING)) | Q(state=JobState.FAILED, is_here=True)
    found = SentMessage.objects.filter(is_open)
    told = found.aggregate(
        num_open=Count("pk"),
        num_failed=Count("pk", filter=Q(state=JobState.FAILED)),
        num_films=Sum("num_films", default=0),
        num_done=Sum("num_done", default=0),
    )
    shown: list[SentMessage] = []
    for state in (JobState.FAILED, JobState.RUNNING, JobState.QUEUED):
        of_state = found.filter(state=state).select_related("batch__requested_by").order_by("pk")
        shown += of_state[: MOST_SHOWN - len(shown)]
    return OpenMessages(shown=shown, **told)


def message_for(user: User, uid: uuid.UUID) -> SentMessage:
    """Raises NotYours, or Http404."""
    require(user, Capability.IMPORT_STUDIES)
    return get_object_or_404(SentMessage.objects.select_related("batch__requested_by"), uid=uid)


def own_messages(user: User) -> QuerySet[SentMessage]:
    """Raises NotYours."""
    require(user, Capability.IMPORT_STUDIES)
    return SentMessage.objects.filter(batch__requested_by=user).select_related("batch")


def answer_of(message: SentMessage, *, address: str) -> StoreReport:
    """What its sender would have been told, had it waited; of studies as they are by now.

    `address`: of the DICOMweb service, as the sender calls it.
    """
    folder, report = message_folder(message), StoreReport()
    items = ImportItem.objects.filter(batch=message.batch).select_related("instance__series__study")
    for item in items.order_by("number"):
        told = read_told(folder, item.number or 0)
        receipt = Receipt(item, told.came_as, told.refusal)
        tell(receipt, names=told.names, address=address, into=report)
    return report
