"""Says to a reader who signed a case, where none follows, how far the reader study is read."""

from dataclasses import dataclass

from django.db.models import Q

from deepmedix_review.common.dates import say_moment
from deepmedix_review.reviews.models import Assignment, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.pauses import Pause, pause_of
from deepmedix_review.reviews.study_services.pool import held_case
from deepmedix_review.reviews.worklist.pools import unread_of_pool
from deepmedix_review.reviews.worklist.readable import opens_at, resting
from deepmedix_review.studies.film_files import misses_a_file
from deepmedix_review.studies.models import Study

# More free cases of a pool than this are not counted one by one.
MOST_COUNTED = 100
SOME_COME_BACK = "No case is free at the moment. One comes back as soon as its reader leaves it."


@dataclass(frozen=True)
class Ending:
    """`may_take`: the pool has a case for this reader; `num_free` of them, as far as they were counted."""

    sentence: str
    may_take: bool = False
    num_free: int = 0
    is_waiting: bool = False


def ending_after(reading: Reading) -> Ending:
    """Nothing here tells what the cases are that open later."""
    assignment = reading.assignment
    study = assignment.case.reader_study
    if study.is_pool:
        return ending_of_pool(study, assignment.reader_id)
    invited = Invitation.objects.filter(reader_study=study, reader=assignment.reader_id)
    invitation = invited.select_related("reader_study").first()
    if invitation is None:
        return Ending("No further case of this reader study is open to you now.")
    num_assigned, num_signed = invitation.num_assigned, invitation.num_signed
    if num_signed >= num_assigned:
        cases = "the only case" if num_assigned == 1 else f"all {num_assigned} cases"
        return Ending(f"You have read {cases}.")
    num_left = num_assigned - num_signed
    if pause := pause_of(study):
        if resting(assignment.reader_id, [invitation]):
            return Ending(
                f"You have read {num_signed} case{'' if num_signed == 1 else 's'}. The reader study is "
                f"paused: nothing opens before it goes on. {pause.comfort_at_the_end}"
            )
        read = f"You have read {num_signed} of your {num_assigned} cases."
        opens = "the last one opens" if num_left == 1 else f"the other {num_left} open"
        return Ending(
            f"{read} The reader study is paused: {opens} when it goes on. {pause.comfort_at_the_end}"
        )
    # Nor how many: where nothing else is left to read, those are the repeats.
    opening = opens_at(assignment.reader_id, [study.pk]).get(study.pk)
    if opening is None:
        return Ending("Nothing more can be read at the moment. It goes on by itself, in a while.")
    return Ending(f"Nothing more opens until {say_moment(opening)}. Then it goes on by itself.")


def ending_of_pool(pool: ReaderStudy, reader: int) -> Ending:
    """Whether its next case can be taken; else whether one can still come back, or why none does."""
    unread = unread_of_pool(pool, reader)
    is_holding = held_case(pool, reader) is not None
    if pool.state == ReaderStudy.State.PAUSED and unread.exists():
        comfort = (pause_of(pool) or Pause()).comfort_at_the_end
        return Ending(f"The reader study is paused: its cases can be taken when it goes on. {comfort}")
    # In the order of its index, so that those found first end the search.
    num_free = unread.filter(num_free__gt=0).order_by("position")[: MOST_COUNTED + 1].count()
    if is_holding or num_free:
        free = f"More than {MOST_COUNTED} cases are" if num_free > MOST_COUNTED else _are(num_free)
        told = (
            f"{free} free for you in this pool at the moment."
            if num_free
            else "You hold a case of this pool."
        )
        return Ending(told, may_take=True, num_free=num_free)
    if not unread.exists():
        if _waits_for_its_film(pool, reader):
            return Ending(
                "You have read every other case of this pool. The one that you began comes back once its "
                "film may be shown again."
            )
        return Ending("You have read every case of this pool.")
    open_elsewhere = Assignment.objects.filter(
        case__in=unread, signed_at=None, withdrawn_at=None, lease_expires_at__isnull=False
    )
    if open_elsewhere.exists():
        return Ending(SOME_COME_BACK, is_waiting=True)
    return Ending("Every case of this pool has all its readers: nothing of it is left to read.")


def _waits_for_its_film(pool: ReaderStudy, reader: int) -> bool:
    """Whether a case that the reader has begun waits until a person has looked at its film or found it."""
    mine = Assignment.objects.filter(
        Q(case__study__state=Study.State.UNSEEN) | misses_a_file("case__study"),
        case__reader_study=pool,
        reader=reader,
        signed_at=None,
        withdrawn_at=None,
    )
    return mine.exists()


def _are(number: int) -> str:
    return "1 case is" if number == 1 else f"{number} cases are"
