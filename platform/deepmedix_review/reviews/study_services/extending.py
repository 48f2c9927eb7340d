"""Gives a reader study on its way more cases, more time or both, and says first whom that would give what."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.dates import say_day
from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.designs import draw
from deepmedix_review.reviews.guards import require_designer
from deepmedix_review.reviews.models import Case, Invitation, ReaderStudy
from deepmedix_review.reviews.same_texts import HOW_ALIKE, saying_the_same
from deepmedix_review.reviews.study_services.assigning import (
    as_design_case,
    design_readers,
    ground_of,
    list_before,
    seed_of,
    staying,
    write_assignments,
)
from deepmedix_review.reviews.study_services.drafting import design_of
from deepmedix_review.reviews.study_services.moves import ListChange, changes_since, lists_of, taken_back
from deepmedix_review.reviews.study_services.naming import it_or_them, named
from deepmedix_review.reviews.study_services.notices import tell_of_extension
from deepmedix_review.reviews.study_services.showing import choose_completions
from deepmedix_review.reviews.study_services.starting import deal
from deepmedix_review.studies.models import Study

State = ReaderStudy.State


@dataclass(frozen=True)
class Growth:
    """What more cases give each reader to read, `num_repeats` of it hidden repeats over all; of a pool, how
    many places are free then.

    `later` are the primary keys of readers whose deadline changes with the reader study's.
    """

    num_cases: int
    changes: tuple[ListChange, ...]
    num_places: int = 0
    later: frozenset[int] = frozenset()
    num_repeats: int = 0

    @property
    def num_readings(self) -> int:
        return sum(change.num_come for change in self.changes)

    @property
    def fingerprint(self) -> str:
        """Alike where the same readers get as many."""
        told = (self.num_cases, [(change.reader.pk, change.num_come) for change in self.changes])
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


class GrewOtherwise(RefusedByRule):
    """Readers came or left since it was shown: `growth`, as it is now."""

    def __init__(self, growth: Growth) -> None:
        super().__init__(
            "Meanwhile a reader came or left, so others would get these cases than were shown. Nothing was "
            "changed: look at it again."
        )
        self.growth = growth


def preview_extension(
    *,
    reader_study: ReaderStudy,
    actor: User | None,
    cases: Sequence[Study],
    deadline: date | None = None,
) -> Growth:
    """What these cases would give whom; nothing is changed. Refuses what an extension refuses."""
    with taken_back():
        return _extend(reader_study, actor=actor, cases=cases, deadline=deadline)[1]


@transaction.atomic
def extend_reader_study(
    *,
    reader_study: ReaderStudy,
    actor: User | None,
    cases: Sequence[Study] = (),
    deadline: date | None = None,
    shown: str | None = None,
) -> ReaderStudy:
    """More cases behind those that are there, drawn by the same design, or a later deadline, or both.

    `shown`: the fingerprint of the growth that was agreed to, else GrewOtherwise.
    """
    keep_whole()
    reader_study, growth = _extend(reader_study, actor=actor, cases=cases, deadline=deadline)
    if shown is not None and shown != growth.fingerprint:
        raise GrewOtherwise(growth)
    tell_of_extension(
        growth.changes,
        reader_study=reader_study,
        actor=actor,
        later=growth.later,
        num_pooled=growth.num_cases if growth.num_places else 0,
    )
    record_event(
        actor=actor,
        action="extend_reader_study",
        subject=reader_study,
        details={"cases": len(cases), "deadline": deadline.isoformat() if deadline else None},
    )
    return reader_study


def _extend(
    reader_study: ReaderStudy, *, actor: User | None, cases: Sequence[Study], deadline: date | None
) -> tuple[ReaderStudy, Growth]:
    require_designer(actor)
    reader_study = ReaderStudy.objects.select_for_update().get(pk=reader_study.pk)
    if reader_study.state not in (State.RUNNING, State.PAUSED):
        raise RefusedByRule(
            "This reader study is locked, so it can't be extended. Design a new one."
            if reader_study.state == State.LOCKED
            else "This reader study has not begun. Change its draft instead."
        )
    if not cases and deadline is None:
        raise RefusedByRule("Nothing was added. Choose studies, a later deadline, or both.")
    later = _set_deadline(reader_study, deadline) if deadline is not None else frozenset()
    if not cases:
        return reader_study, Growth(0, (), later=later)
    before = lists_of(reader_study)
    num_places = _add_cases(reader_study, cases)
    readers = [invitation.reader for invitation in staying(reader_study)]
    changes = changes_since(before, reader_study=reader_study, readers=readers)
    num_repeats = lists_of(reader_study).num_repeats - before.num_repeats
    return reader_study, Growth(len(cases), changes, num_places, later, num_repeats)


def _set_deadline(reader_study: ReaderStudy, deadline: date) -> frozenset[int]:
    """An own one that is later stays. Returns the readers for whom it is another than before."""
    if deadline < timezone.localdate():
        raise RefusedByRule("That deadline has passed. Choose a later one.")
    if reader_study.deadline is not None and deadline < reader_study.deadline:
        raise RefusedByRule(
            f"The deadline is {say_day(reader_study.deadline)} already, and readers count on it. "
            "Choose a later one."
        )
    invitations = Invitation.objects.filter(reader_study=reader_study)
    own = Q(deadline__lt=deadline) if reader_study.deadline == deadline else ~Q(deadline__gte=deadline)
    later = frozenset(invitations.filter(own).values_list("reader", flat=True))
    reader_study.deadline = deadline
    reader_study.save(update_fields=["deadline"])
    invitations.filter(deadline__lt=deadline).update(deadline=None)
    return later


def _add_cases(reader_study: ReaderStudy, studies: Sequence[Study]) -> int:
    """Returns how many free places they have, which only a pool's have."""
    there = set(Case.objects.filter(reader_study=reader_study).values_list("study", flat=True))
    again = sorted({study.label for study in studies if study.pk in there})
    if again:
        raise RefusedByRule(
            f"{named(again, 'is a case', 'are cases')} of this reader study already. "
            f"Take {it_or_them(again)} out."
        )
    unseen = sorted(study.label for study in studies if study.state == Study.State.UNSEEN)
    if unseen:
        raise RefusedByRule(
            f"Nobody has looked yet whether a name is written on {named(unseen)}. Look at the unseen "
            "films, from the list of studies, first."
        )
    withdrawn = sorted(study.label for study in studies if study.state != Study.State.READY)
    if withdrawn:
        raise RefusedByRule(
            f"{named(withdrawn, 'is', 'are')} on hold or rejected. Accept {it_or_them(withdrawn)} first."
        )
    chosen = choose_completions(
        studies,
        shows=reader_study.shows,
        model_version=reader_study.model_version,
        other_version=reader_study.other_version,
    )
    silent = sorted(study.label for study in studies if study.pk not in chosen)
    if silent:
        raise RefusedByRule(f"{named(silent, 'has', 'have')} no completion to read. Request inference first.")
    _refuse_same(reader_study, studies)
    last = Case.objects.filter(reader_study=reader_study).order_by("-position")[0].position
    cases = Case.objects.bulk_create(
        Case(reader_study=reader_study, study=study, position=position)
        for position, study in enumerate({study.pk: study for study in studies}.values(), start=last + 1)
    )
    seed = seed_of(reader_study, "extend", last)
    readers = deal(reader_study, cases, readers=design_readers(reader_study), seed=seed)
    ground = ground_of(reader_study)
    planned = draw(
        design_of(reader_study),
        cases=[as_design_case(case) for case in cases],
        readers=readers,
        seed=seed,
        lists_before=list_before(reader_study, ground),
    )
    write_assignments(planned, ground)
    return sum(case.num_free for case in cases)


def _refuse_same(reader_study: ReaderStudy, studies: Sequence[Study]) -> None:
    """Where the design leaves out pairs that say the same, none comes in later."""
    same = saying_the_same(
        shows=reader_study.shows,
        model_version=reader_study.model_version,
        other_version=reader_study.other_version,
    )
    if not reader_study.leaves_out_same or same is None:
        return
    found = Study.objects.filter(pk__in=[study.pk for study in studies]).filter(same)
    labels = sorted(study.label for study in found)
    if labels:
        raise RefusedByRule(
            f"The two outputs of {', '.join(labels)} say the same, {HOW_ALIKE}. This reader study leaves "
            "such pairs out: take it out."
        )
