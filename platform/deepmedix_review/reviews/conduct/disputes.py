"""What an admin sees of the cases that wait for another word or got one."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Avg, Q

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.selectors import readers
from deepmedix_review.reviews.disagreement import Disagreement, find_disagreements
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy, Reading
from deepmedix_review.reviews.third_readers import third_readers_of

IN_DOUBT = "A signed word is in doubt though no two readers disagree: another look was asked for."
NOT_ANY_MORE = "Another look was asked for. As its readings stand now, nothing of it is disputed."
IN_DOUBT_TOO = "A signed word is in doubt besides: everything is asked anew."


@dataclass(frozen=True)
class Able:
    """Somebody who could settle a case, perhaps one of its readers."""

    reader: User
    is_of_case: bool


@dataclass(frozen=True)
class DisputeRow:
    """A case on which readers disagree, why, and who settles it, or could. `goes_by_itself`: nobody need name
    somebody, since the clock gives it to a third reader of this study. `awaited`: it does so once one of
    these accepts the invitation."""

    case: uuid.UUID
    position: int
    study_label: str
    reasons: tuple[str, ...]
    adjudicator: User | None
    is_begun: bool
    is_signed: bool
    able: tuple[Able, ...]
    goes_by_itself: bool
    awaited: tuple[User, ...]


@dataclass(frozen=True)
class AbleForAll:
    """Somebody who could settle so many of the cases that were given to nobody, and is a reader of `num_own`
    of these; perhaps of none of these, but one that somebody has not signed."""

    reader: User
    num_cases: int
    num_own: int


def disputes_of(reader_study: ReaderStudy, *, shows_reasons: bool) -> Sequence[DisputeRow]:
    """Cases that wait for another word or got one; why they are disputed only where results may be seen."""
    if reader_study.adjudication == ReaderStudy.Adjudication.OFF:
        return []
    given = {
        row.case_id: row
        for row in Assignment.objects.filter(
            case__reader_study=reader_study, kind=Assignment.Kind.ADJUDICATION, withdrawn_at=None
        )
        .select_related("reader", "case__study")
        .prefetch_related("doubts")
        .order_by("pk")
    }
    disputed = _with_given(find_disagreements(reader_study), list(given.values()))
    had = _who_had(found.case for found in disputed)
    experts = tuple(readers())
    needs_new = reader_study.adjudication == ReaderStudy.Adjudication.THIRD_READER
    third = third_readers_of([found.case.pk for found in disputed if found.case.pk not in given])

    def row_of(case: Case, reasons: tuple[str, ...]) -> DisputeRow:
        settling = given.get(case.pk)
        every = [Able(expert, expert.pk in had[case.pk]) for expert in experts]
        able = tuple(
            one
            for one in every
            if not (needs_new and one.is_of_case) and (settling is None or one.reader != settling.reader)
        )
        waits_for = third.get(case.pk)
        return DisputeRow(
            case=case.uid,
            position=case.position,
            study_label=case.study.label,
            reasons=reasons if shows_reasons else (),
            adjudicator=settling.reader if settling else None,
            is_begun=settling is not None and settling.number is not None,
            is_signed=settling is not None and settling.signed_at is not None,
            able=able,
            goes_by_itself=waits_for is not None and waits_for.goes_by_itself,
            awaited=waits_for.awaited if waits_for else (),
        )

    return [row_of(found.case, found.reasons) for found in disputed]


def given_to_nobody(disputes: Sequence[DisputeRow]) -> Sequence[DisputeRow]:
    """Those that wait until somebody is named."""
    return [row for row in disputes if row.adjudicator is None and not row.goes_by_itself]


def able_for_all(disputes: Sequence[DisputeRow]) -> Sequence[AbleForAll]:
    """Whoever could settle any of these that is not signed, each with how many of those that wait."""
    waiting = given_to_nobody(disputes)
    counts = Counter(one.reader for row in waiting for one in row.able)
    own = Counter(one.reader for row in waiting for one in row.able if one.is_of_case)
    others = (one.reader for row in disputes if row.adjudicator and not row.is_signed for one in row.able)
    return [AbleForAll(reader, counts[reader], own[reader]) for reader in dict.fromkeys([*counts, *others])]


def minutes_each(reader_study: ReaderStudy) -> float | None:
    """Time at work on a case of data, the mean of its signed first readings; None where none was counted. An
    amendment is made in seconds, and counts as no reading."""
    signed = Reading.objects.filter(
        assignment__case__reader_study=reader_study,
        assignment__case__role=Case.Role.DATA,
        assignment__kind=Assignment.Kind.FIRST,
        signed_at__isnull=False,
        amends=None,
        active_seconds__gt=0,
    )
    seconds: float | None = signed.aggregate(mean=Avg("active_seconds"))["mean"]
    return None if seconds is None else seconds / 60


def _with_given(found: Sequence[Disagreement], given: Sequence[Assignment]) -> Sequence[Disagreement]:
    """And the cases that were given to somebody though no two readers disagree, in case order."""
    disputed = {one.case.pk for one in found}
    doubted = {row.case_id: row for row in given if row.asks_everything}
    told = [
        replace(one, reasons=(*one.reasons, IN_DOUBT_TOO, *_asked_outright(doubted[one.case.pk])))
        if one.case.pk in doubted
        else one
        for one in found
    ]
    agreed = [
        Disagreement(row.case, (IN_DOUBT, *_asked_outright(row)) if row.asks_everything else (NOT_ANY_MORE,))
        for row in given
        if row.case_id not in disputed
    ]
    return sorted([*told, *agreed], key=lambda one: one.case.position)


def _asked_outright(given: Assignment) -> tuple[str, ...]:
    names = ", ".join(sorted(doubt.finding for doubt in given.doubts.all()))
    return (f"Asked outright, whether it is there: {names}.",) if names else ()


def _who_had(cases: Iterable[Case]) -> Mapping[int, set[int]]:
    """By case, who has it on the list or has opened it: the third reader is none of them."""
    had: dict[int, set[int]] = defaultdict(set)
    rows = Assignment.objects.filter(
        Q(withdrawn_at=None) | Q(readings__opened_at__isnull=False),
        case__in=list(cases),
        kind=Assignment.Kind.FIRST,
    )
    for case, reader in rows.values_list("case", "reader"):
        had[case].add(reader)
    return had
