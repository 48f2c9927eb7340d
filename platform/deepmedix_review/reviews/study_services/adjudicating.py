"""Brings cases on which readers disagree before one more reader, as a reading of its own."""

import random
from collections.abc import Collection, Mapping

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, may
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.criteria.doubts import doubt_criteria
from deepmedix_review.reviews.disagreement import find_disagreements
from deepmedix_review.reviews.guards import require_designer
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy, Reading
from deepmedix_review.reviews.study_services.assigning import ground_of, seed_of, unopened_reading
from deepmedix_review.reviews.study_services.moves import taken_back
from deepmedix_review.reviews.study_services.notices import tell_of_taken_case
from deepmedix_review.reviews.third_readers import next_third_reader

Kind = Assignment.Kind


def queue_adjudications(*, reader_study: ReaderStudy) -> int:
    """Give each disputed case to a third reader who has not read it, the one with the fewest such cases.

    Where every reader has read it, or a consensus reading is wanted, it waits for an admin to name somebody.
    Returns how many were given.
    """
    if (
        reader_study.adjudication != ReaderStudy.Adjudication.THIRD_READER
        or reader_study.state != ReaderStudy.State.RUNNING
    ):
        return 0
    given = 0
    for case in _given_to_nobody(reader_study):
        reader = next_third_reader(case)
        if reader is not None:
            start_adjudication(case=case, reader=reader, actor=None)
            given += 1
    return given


def preview_adjudication(*, case: Case, reader: User, actor: User | None) -> None:
    """Nothing is given. Refuses what giving it refuses."""
    with taken_back():
        start_adjudication(case=case, reader=reader, actor=actor)


def preview_every_dispute(*, reader_study: ReaderStudy, reader: User, actor: User) -> tuple[int, int]:
    """How many would be given, and how many not; nothing is. Refuses what giving them refuses."""
    with taken_back():
        return give_every_dispute(reader_study=reader_study, reader=reader, actor=actor)


class WaitsOtherwise(RefusedByRule):
    """More or fewer cases would be given than were shown: `counts`, how many now, and how many not."""

    def __init__(self, counts: tuple[int, int]) -> None:
        super().__init__(
            "Meanwhile more or fewer cases wait for somebody than were shown. Nothing was given: look at it "
            "again."
        )
        self.counts = counts


@transaction.atomic
def give_every_dispute(
    *, reader_study: ReaderStudy, reader: User, actor: User, shown: int | None = None
) -> tuple[int, int]:
    """Put every disputed case that nobody was given yet on this reader's worklist, but those that the reader
    may not settle. Returns how many were given, and how many not. Raises RefusedByRule where none was.
    `shown`: how many were agreed to, else WaitsOtherwise."""
    waiting, given = _given_to_nobody(reader_study), 0
    refusal = RefusedByRule("Every disputed case has been given to somebody already.")
    for case in waiting:
        try:
            start_adjudication(case=case, reader=reader, actor=actor)
        except RefusedByRule as reason:
            refusal = reason
        else:
            given += 1
    if not given:
        raise refusal
    counts = given, len(waiting) - given
    if shown is not None and given != shown:
        raise WaitsOtherwise(counts)
    return counts


def _given_to_nobody(reader_study: ReaderStudy) -> list[Case]:
    """Disputed cases without an adjudicating reader."""
    disputed = [found.case for found in find_disagreements(reader_study)]
    adjudications = Assignment.objects.filter(case__in=disputed, kind=Kind.ADJUDICATION, withdrawn_at=None)
    having = set(adjudications.values_list("case", flat=True))
    return [case for case in disputed if case.pk not in having]


def adjudicate_doubts(doubts: Mapping[Case, Collection[str]]) -> int:
    """Have everything asked anew of each case with strikes in doubt, and outright whether these findings are
    there, where its running reader study has adjudication by a third reader: of whoever was given its
    disputes and has not begun, else of a reader who has not read it. Returns of how many it is asked now.
    Nobody is asked while somebody settles its disputes, nor where an adjudication that was asked everything
    left it open."""
    return sum(_ask_everything(case, findings) for case, findings in doubts.items())


@transaction.atomic
def _ask_everything(case: Case, findings: Collection[str]) -> bool:
    reader_study = case.reader_study
    if (
        reader_study.adjudication != ReaderStudy.Adjudication.THIRD_READER
        or reader_study.state != ReaderStudy.State.RUNNING
        or case.role != Case.Role.DATA
    ):
        return False
    given = Assignment.objects.filter(case=case, kind=Kind.ADJUDICATION, withdrawn_at=None)
    if given.filter(asks_everything=True).exists():
        return False
    waiting = given.filter(signed_at=None).select_for_update().first()
    if waiting is None:
        reader = next_third_reader(case)
        if reader is None:
            return False
        start_adjudication(case=case, reader=reader, actor=None, doubts=findings)
        return True
    if waiting.readings.filter(opened_at__isnull=False).exists():
        return False
    waiting.asks_everything = True
    waiting.save(update_fields=["asks_everything"])
    waiting.doubts.set(doubt_criteria(findings))
    record_event(actor=None, action="ask_everything", subject=waiting)
    return True


@transaction.atomic
def start_adjudication(
    *, case: Case, reader: User, actor: User | None, doubts: Collection[str] = ()
) -> Assignment:
    """Put a disputed case on this reader's worklist, to be read with the earlier readings beside it; one with
    findings in doubt, `doubts`, may have been read by one reader alone."""
    require_designer(actor)
    case = Case.objects.select_for_update().select_related("reader_study").get(pk=case.pk)
    reader_study = case.reader_study
    if reader_study.state not in (ReaderStudy.State.RUNNING, ReaderStudy.State.PAUSED):
        raise RefusedByRule("Only a running reader study is adjudicated.")
    if reader_study.adjudication == ReaderStudy.Adjudication.OFF:
        raise RefusedByRule("The design of this reader study has no adjudication.")
    if case.role != Case.Role.DATA:
        raise RefusedByRule("Only a case of data is adjudicated: of the others the answer is known.")
    if not may(reader, Capability.READ_CASES):
        raise RefusedByRule(f"{reader.pseudonym} may not read cases. Choose an expert.")
    first = Assignment.objects.filter(case=case, kind=Kind.FIRST)
    if (
        reader_study.adjudication == ReaderStudy.Adjudication.THIRD_READER
        and first.filter(reader=reader).filter(Q(withdrawn_at=None) | _OPENED).exists()
    ):
        raise RefusedByRule(
            f"{reader.pseudonym} has read this case. Choose a reader who has not, or a consensus reading."
        )
    if not doubts and first.filter(signed_at__isnull=False).count() < 2:
        raise RefusedByRule("Fewer than 2 readers have signed this case, so there is nothing to settle.")
    given = Assignment.objects.filter(case=case, kind=Kind.ADJUDICATION, withdrawn_at=None)
    if (given.filter(signed_at=None) if doubts else given).exists():
        raise RefusedByRule("This case is being adjudicated already.")
    last = Assignment.objects.filter(case__reader_study=reader_study, reader=reader).aggregate(
        last=Max("position")
    )["last"]
    assignment, is_new = Assignment.objects.update_or_create(
        case=case,
        reader=reader,
        kind=Kind.ADJUDICATION,
        defaults={
            "position": (last or 0) + 1,
            "withdrawn_at": None,
            "asks_everything": bool(doubts),
        },
    )
    assignment.doubts.set(doubt_criteria(doubts))
    if is_new:
        rng = random.Random(seed_of(reader_study, "adjudication", case.pk))
        unopened_reading(
            assignment,
            completions=ground_of(reader_study, cases=[case]).completions[case.pk],
            swap=rng.random() < 0.5,
            shows=reader_study.shows,
            asks_first_read=_asks_first_read(case),
        ).save()
    record_event(
        actor=actor, action="start_adjudication", subject=assignment, details={"reader": str(reader.uid)}
    )
    return assignment


@transaction.atomic
def hand_over_adjudication(*, case: Case, reader: User, actor: User | None) -> Assignment:
    """Take a disputed case from whoever was given it and has not signed it, and give it to this reader, with
    all that was asked. What was said of it unsigned stays and counts for nothing; who loses it is told."""
    require_designer(actor)
    case = Case.objects.select_for_update().select_related("reader_study").get(pk=case.pk)
    given = Assignment.objects.filter(case=case, kind=Kind.ADJUDICATION, withdrawn_at=None, signed_at=None)
    held = given.select_for_update(of=("self",)).select_related("reader").first()
    if held is None:
        raise RefusedByRule("Nobody has this case to settle any more. Look at the page again.")
    if held.reader_id == reader.pk:
        raise RefusedByRule(f"{reader.pseudonym} has this case already. Choose somebody else.")
    held.withdrawn_at = timezone.now()
    held.save(update_fields=["withdrawn_at"])
    record_event(
        actor=actor, action="take_adjudication", subject=held, details={"reader": str(held.reader.uid)}
    )
    tell_of_taken_case(held.reader, reader_study=case.reader_study, actor=actor)
    doubts = [doubt.finding for doubt in held.doubts.all()]
    return start_adjudication(case=case, reader=reader, actor=actor, doubts=doubts)


def preview_hand_over(*, case: Case, reader: User, actor: User | None) -> None:
    """Nothing is given. Refuses what handing it over refuses."""
    with taken_back():
        hand_over_adjudication(case=case, reader=reader, actor=actor)


def _asks_first_read(case: Case) -> bool:
    """Of a third reader, where one was asked of an earlier one: whoever decides sees the film by themselves
    before anybody's words. A consensus reading is held over these words."""
    if case.reader_study.adjudication != ReaderStudy.Adjudication.THIRD_READER:
        return False
    return Reading.objects.filter(
        assignment__case=case, assignment__kind=Kind.FIRST, asks_first_read=True, signed_at__isnull=False
    ).exists()


_OPENED = Q(readings__opened_at__isnull=False)
