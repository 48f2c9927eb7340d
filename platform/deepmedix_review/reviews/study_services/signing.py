"""What a signature changes besides the reading: the lease ends, and hidden repeats may come due."""

from deepmedix_review.reviews.models import Assignment, Case, Reading
from deepmedix_review.reviews.study_services.repeats import release_due_repeats


def announce_signature(reading: Reading) -> None:
    """Call it in the transaction of the signature, before it: repeats come due that wait for it alone."""
    _release_repeats(reading, is_signed=False)


def note_signature(reading: Reading) -> None:
    """Call it in the transaction of the signature, after it."""
    Assignment.objects.filter(pk=reading.assignment_id, lease_expires_at__isnull=False).update(
        lease_expires_at=None
    )
    _release_repeats(reading, is_signed=True)


def _release_repeats(reading: Reading, *, is_signed: bool) -> None:
    reader, study, repeat_share = Case.objects.filter(assignments=reading.assignment_id).values_list(
        "assignments__reader", "reader_study", "reader_study__repeat_share"
    )[0]
    if repeat_share:
        release_due_repeats(
            repeats=Assignment.objects.filter(reader=reader, case__reader_study=study),
            signing=None if is_signed else reading.assignment,
        )
