"""Who settles a disputed case as a third reader of its study: one rule, for the clock and for every page."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.selectors import readers
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy

State = Invitation.State


@dataclass(frozen=True)
class ThirdReaders:
    """`goes_by_itself`: the clock gives the case to somebody now. `awaited`: where it does not, who could be
    given it once the invitation is accepted, by pseudonym."""

    goes_by_itself: bool
    awaited: tuple[User, ...]


def third_readers_of(cases: Collection[int]) -> Mapping[int, ThirdReaders]:
    """By primary key of the case."""
    found = list(
        Case.objects.filter(pk__in=cases)
        .annotate(
            goes_by_itself=Exists(_third_readers(State.ACCEPTED)),
            awaited=ArraySubquery(_third_readers(State.INVITED).order_by().values("reader")),
        )
        .values_list("pk", "goes_by_itself", "awaited")
    )
    awaited = {reader for _, goes_by_itself, invited in found if not goes_by_itself for reader in invited}
    users = User.objects.filter(pk__in=awaited).order_by("pseudonym") if awaited else ()
    return {
        case: ThirdReaders(
            goes_by_itself, () if goes_by_itself else tuple(user for user in users if user.pk in invited)
        )
        for case, goes_by_itself, invited in found
    }


def next_third_reader(case: Case) -> User | None:
    """Of those who have accepted the one who was given the fewest cases to settle."""
    given = Count(
        "reader__assignments",
        filter=Q(
            reader__assignments__case__reader_study=case.reader_study_id,
            reader__assignments__kind=Assignment.Kind.ADJUDICATION,
        ),
    )
    able = Case.objects.filter(pk=case.pk).values_list(
        ArraySubquery(_third_readers(State.ACCEPTED).values("pk")), flat=True
    )
    invitations = Invitation.objects.filter(pk__in=able.get())
    first = invitations.annotate(number=given).order_by("number", "reader").select_related("reader").first()
    return first.reader if first else None


def _third_readers(state: State) -> QuerySet[Invitation]:
    """Of a case, by OuterRef: readers of its running study who have not read it. What went to another reader
    unopened was not read."""
    has_it = Assignment.objects.filter(
        Q(withdrawn_at=None) | Q(readings__opened_at__isnull=False),
        case=OuterRef(OuterRef("pk")),
        reader=OuterRef("reader"),
    )
    return Invitation.objects.filter(
        ~Exists(has_it),
        reader_study=OuterRef("reader_study"),
        reader_study__adjudication=ReaderStudy.Adjudication.THIRD_READER,
        reader_study__state=ReaderStudy.State.RUNNING,
        state=state,
        reader__in=readers().values("pk"),
    )
