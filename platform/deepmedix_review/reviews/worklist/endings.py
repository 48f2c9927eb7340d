"""Says to a reader who signed a case, where none follows, how far the reader study is read."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy, Reading
from deepmedix_review.reviews.study_services.pool import held_case
from deepmedix_review.studies.models import Study

SOME_COME_BACK = "No case is free at the moment. One comes back as soon as its reader leaves it."


@dataclass(frozen=True)
class Ending:
    """`may_take`: the pool has a case for this reader."""

    sentence: str
    may_take: bool = False


def ending_after(reading: Reading) -> Ending:
    """Nothing here tells what the cases are that open later."""
    assignment = reading.assignment
    study = assignment.case.reader_study
    if study.is_pool:
        return ending_of_pool(study, assignment.reader_id)
    invited = Invitation.objects.filter(reader_study=study, reader=assignment.reader_id)
    counts = invited.values_list("num_assigned", "num_signed").first()
    if counts is None:
        return Ending("No further case of this reader study is open to you now.")
    num_assigned, num_signed = counts
    if num_signed >= num_assigned:
        cases = "the only case" if num_assigned == 1 else f"all {num_assigned} cases"
        return Ending(f"You have read {cases}.")
    num_left = num_assigned - num_signed
    opens = "The last one opens" if num_left == 1 else f"{num_left} open"
    return Ending(f"You have read {num_signed} of your {num_assigned} cases. {opens} later, by itself.")


def ending_of_pool(pool: ReaderStudy, reader: int) -> Ending:
    """Whether its next case can be taken; else whether one can still come back, or why none does."""
    # What is out of use is neither offered nor waited for: nobody knows whether it comes back.
    cases = Case.objects.filter(reader_study=pool, study__state=Study.State.READY)
    mine = Assignment.objects.filter(case=OuterRef("pk"), reader=reader)
    # A case that was lost by its lease can be taken again.
    unread = cases.filter(~Exists(mine.filter(Q(lease_expires_at=None) | Q(withdrawn_at=None))))
    is_holding = held_case(pool, reader) is not None
    # In the order of its index, so that the first one found ends the search.
    if is_holding or unread.filter(num_free__gt=0).order_by("position").first() is not None:
        return Ending("The next case of this pool is yours when you take it.", may_take=True)
    if not unread.exists():
        if _waits_for_a_look(pool, reader):
            return Ending(
                "You have read every other case of this pool. The one that you began comes back if its film "
                "is let in."
            )
        return Ending("You have read every case of this pool.")
    open_elsewhere = Assignment.objects.filter(
        case__in=unread, signed_at=None, withdrawn_at=None, lease_expires_at__isnull=False
    )
    if open_elsewhere.exists():
        return Ending(SOME_COME_BACK)
    return Ending("Every case of this pool has all its readers: nothing of it is left to read.")


def _waits_for_a_look(pool: ReaderStudy, reader: int) -> bool:
    """Whether a case that the reader has begun is out of use until a person has looked at its film."""
    mine = Assignment.objects.filter(
        case__reader_study=pool,
        case__study__state=Study.State.UNSEEN,
        reader=reader,
        signed_at=None,
        withdrawn_at=None,
    )
    return mine.exists()
