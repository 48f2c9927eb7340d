"""Finds a reader's own open reading and holds it, so that changes to it come one after the other."""

import uuid
from typing import Any

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reviews.guards import require_may_change
from deepmedix_review.reviews.models import Reading, ReadingChange
from deepmedix_review.reviews.selectors import require_not_withdrawn
from deepmedix_review.reviews.study_services.pool import renew_lease


def lock_reading(reading_uid: uuid.UUID, reader: User) -> Reading:
    """The reader's own reading with its film, locked until the transaction ends."""
    require(reader, Capability.READ_CASES)
    reading = (
        Reading.objects.select_for_update(of=("self",))
        .select_related("completion_a__instance", "completion_a__study", "assignment__case__reader_study")
        .only(
            *("uid", "signed_at", "opened_at", "asks_first_read", "revealed_at", "completion_b"),
            *("assignment__case__reader_study__first_read_choices", "completion_a__uid"),
            "completion_a__study__state",
            *("completion_a__instance__sop_instance_uid", "completion_a__instance__rows"),
            "completion_a__instance__columns",
        )
        .filter(uid=reading_uid, assignment__reader=reader)
        .first()
    )
    if reading is None:
        raise NotYours("This reading is not among yours. Go back to your worklist.")
    return reading


def first_answer(reading: Reading, change_id: uuid.UUID) -> Any:
    """What a change of this id was answered with before; None for a new one."""
    return (
        ReadingChange.objects.filter(reading=reading, change_id=change_id)
        .values_list("answer", flat=True)
        .first()
    )


def guard(reading: Reading, sop_instance_uid: str) -> None:
    """Nothing is kept for a film that was not on the screen, or after the signature."""
    if reading.signed_at is not None:
        raise RefusedByRule("This reading is signed and locked. Amend it to change it.")
    require_not_withdrawn(reading.completion_a.study)
    renew_lease(reading.assignment_id, require_may_change(reading))
    if sop_instance_uid != reading.completion_a.instance.sop_instance_uid:
        raise RefusedByRule(
            "The film on the screen is not the film of this case, so nothing was saved. Reload the page."
        )
