"""Which of how many a case is to its reader: the "n of N" above it."""

from dataclasses import dataclass

from deepmedix_review.reviews.models import Assignment, Invitation
from deepmedix_review.reviews.worklist.pools import unread_of_pool
from deepmedix_review.reviews.worklist.readable import resting

# Of a pool's cases that wait for any reader.
MOST_FREE_COUNTED = 1_000


@dataclass(frozen=True)
class Place:
    """The "n of N" of a case: which one of its reader study it is to its reader, and how many the reader has,
    hidden repeats among them; None of a signed one in a study that rests, see `resting`. Of a pool N has
    those that are free for the reader; it `may_be_more` where they were not counted to the end."""

    number: int
    num_cases: int | None
    may_be_more: bool = False


def place_of(assignment: Assignment) -> Place:
    """The number never changes once the case is opened, and tells a repeat from no other case: the places
    drawn for a reader have gaps where repeats wait, which close as they come due.
    """
    study = assignment.case.reader_study
    invited = Invitation.objects.filter(reader=assignment.reader_id, reader_study=study)
    invitation = invited.select_related("reader_study").first()
    if invitation is not None:
        found = invitation.num_assigned, invitation.num_opened
    else:
        # Who only settles what readers dispute was never invited.
        own = Assignment.objects.filter(
            case__reader_study=study, reader=assignment.reader_id, withdrawn_at=None
        )
        found = own.count(), num_opened_uninvited(assignment)
    num_cases, num_opened = found
    number = assignment.number or num_opened + 1
    if not study.is_pool:
        is_resting = (
            assignment.signed_at is not None
            and invitation is not None
            and bool(resting(assignment.reader_id, [invitation]))
        )
        return Place(number, None if is_resting else max(number, num_cases))
    free = unread_of_pool(study, assignment.reader_id).filter(num_free__gt=0).order_by("position")
    # In the order of its index, so that those found first end the search.
    num_free = free[: MOST_FREE_COUNTED + 1].count()
    num_cases += min(num_free, MOST_FREE_COUNTED)
    return Place(number, max(number, num_cases), may_be_more=num_free > MOST_FREE_COUNTED)


def num_opened_uninvited(assignment: Assignment) -> int:
    """How many cases of the study its reader came to who was never invited: few, given to be settled."""
    own = Assignment.objects.filter(
        reader=assignment.reader_id, kind=Assignment.Kind.ADJUDICATION, number__isnull=False
    )
    return own.filter(case__reader_study=assignment.case.reader_study_id).count()
