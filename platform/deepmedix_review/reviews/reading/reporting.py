"""A reader who sees a name on a film reports it, and nobody is shown the film until a person has looked."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reviews.models import Reading
from deepmedix_review.reviews.selectors import next_reading
from deepmedix_review.reviews.worklist.endings import Ending, ending_after
from deepmedix_review.studies.looking.services import report_name as report_name_on
from deepmedix_review.studies.models import Instance, Sighting
from deepmedix_review.studies.selectors import is_film_beside


@dataclass(frozen=True)
class Reported:
    """`closes_case` is False where the film was another one that was looked at: the case goes on without it.
    Else `next_reading` follows, or `ending` says why none does."""

    reported_at: datetime
    closes_case: bool
    next_reading: uuid.UUID | None
    ending: Ending | None


@transaction.atomic
def report_name(
    *, reading_uid: uuid.UUID, reader: User, change_id: uuid.UUID, film_uid: uuid.UUID
) -> Reported:
    """Take the film's study out of use. What was said of the case is kept, and comes back with it.

    Also of a case that is signed, locked or out of use by now: a name is a name. The same `change_id` again
    changes nothing and gets the answer as it is now.
    """
    require(reader, Capability.READ_CASES)
    reading = (
        Reading.objects.select_related("assignment__case__reader_study", "assignment__case__study")
        .filter(uid=reading_uid, assignment__reader=reader)
        .first()
    )
    if reading is None:
        raise NotYours("This reading is not among yours. Go back to your worklist.")
    case = reading.assignment.case
    film = Instance.objects.select_related("series__study").filter(uid=film_uid).first()
    if film is None or not is_film_beside(film, case.study):
        raise RefusedByRule("That film is not part of this case, so nothing was reported. Reload the page.")
    sighting: Sighting = report_name_on(film=film, reader=reader, change_id=change_id)
    closes_case = film.study == case.study
    after = next_reading(reading) if closes_case else None
    return Reported(
        reported_at=sighting.created_at,
        closes_case=closes_case,
        next_reading=after.uid if after else None,
        ending=ending_after(reading) if closes_case and after is None else None,
    )
