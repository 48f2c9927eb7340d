"""Says which cases of a pool a reader may still take, now or once they are free."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy
from deepmedix_review.studies.film_files import misses_a_file
from deepmedix_review.studies.models import Study


def unread_of_pool(pool: ReaderStudy, reader: int) -> QuerySet[Case]:
    """The pool's cases that the reader neither has nor had; one that was lost by its lease can come again.

    What is out of use is neither offered nor waited for: nobody knows whether it comes back.
    """
    mine = Assignment.objects.filter(case=OuterRef("pk"), reader=reader)
    return Case.objects.filter(
        ~Exists(mine.filter(Q(lease_expires_at=None) | Q(withdrawn_at=None))),
        ~misses_a_file("study"),
        reader_study=pool,
        study__state=Study.State.READY,
    )
