"""Pauses, resumes, extends and locks a reader study."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.designs import draw
from deepmedix_review.reviews.guards import require_designer
from deepmedix_review.reviews.models import Case, Invitation, ReaderStudy
from deepmedix_review.reviews.study_services.assigning import (
    design_readers,
    ground_of,
    seed_of,
    write_assignments,
)
from deepmedix_review.reviews.study_services.drafting import design_of
from deepmedix_review.reviews.study_services.showing import choose_completions
from deepmedix_review.reviews.study_services.starting import deal
from deepmedix_review.studies.models import Study

State = ReaderStudy.State


@transaction.atomic
def pause_reader_study(*, reader_study: ReaderStudy, actor: User | None) -> ReaderStudy:
    """No new case opens; readings that are open can be finished."""
    return _move(reader_study, actor=actor, to=State.PAUSED, of=(State.RUNNING,), action="pause_reader_study")


@transaction.atomic
def resume_reader_study(*, reader_study: ReaderStudy, actor: User | None) -> ReaderStudy:
    return _move(
        reader_study, actor=actor, to=State.RUNNING, of=(State.PAUSED,), action="resume_reader_study"
    )


@transaction.atomic
def lock_reader_study(*, reader_study: ReaderStudy, actor: User | None) -> ReaderStudy:
    """For good: nothing is said of its cases any more, and its results can be seen."""
    locked = _move(
        reader_study,
        actor=actor,
        to=State.LOCKED,
        of=(State.RUNNING, State.PAUSED),
        action="lock_reader_study",
    )
    locked.locked_at = timezone.now()
    locked.save(update_fields=["locked_at"])
    return locked


@transaction.atomic
def extend_reader_study(
    *,
    reader_study: ReaderStudy,
    actor: User | None,
    cases: Sequence[Study] = (),
    deadline: date | None = None,
) -> ReaderStudy:
    """More cases behind those that are there, drawn by the same design, or a later deadline, or both."""
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
    if deadline is not None:
        if deadline < timezone.localdate():
            raise RefusedByRule("That deadline has passed. Choose a later one.")
        reader_study.deadline = deadline
        reader_study.save(update_fields=["deadline"])
        Invitation.objects.filter(reader_study=reader_study, deadline__lt=deadline).update(deadline=None)
    if cases:
        _add_cases(reader_study, cases)
    record_event(
        actor=actor,
        action="extend_reader_study",
        subject=reader_study,
        details={"cases": len(cases), "deadline": deadline.isoformat() if deadline else None},
    )
    return reader_study


def _add_cases(reader_study: ReaderStudy, studies: Sequence[Study]) -> None:
    there = set(Case.objects.filter(reader_study=reader_study).values_list("study", flat=True))
    again = sorted({study.label for study in studies if study.pk in there})
    if again:
        raise RefusedByRule(f"{', '.join(again)} is a case of this reader study already. Take it out.")
    unseen = sorted(study.label for study in studies if study.state == Study.State.UNSEEN)
    if unseen:
        raise RefusedByRule(
            f"Nobody has looked yet whether a name is written on {', '.join(unseen)}. Look at the unseen "
            "films, from the list of studies, first."
        )
    withdrawn = sorted(study.label for study in studies if study.state != Study.State.READY)
    if withdrawn:
        raise RefusedByRule(f"{', '.join(withdrawn)} is on hold or rejected. Accept it first.")
    chosen = choose_completions(
        studies,
        shows=reader_study.shows,
        model_version=reader_study.model_version,
        other_version=reader_study.other_version,
    )
    silent = sorted(study.label for study in studies if study.pk not in chosen)
    if silent:
        raise RefusedByRule(f"{', '.join(silent)} has no completion to read. Request inference first.")
    last = Case.objects.filter(reader_study=reader_study).order_by("-position")[0].position
    cases = Case.objects.bulk_create(
        Case(reader_study=reader_study, study=study, position=position)
        for position, study in enumerate({study.pk: study for study in studies}.values(), start=last + 1)
    )
    seed = seed_of(reader_study, "extend", last)
    readers = deal(reader_study, cases, readers=design_readers(reader_study), seed=seed)
    ground = ground_of(reader_study, cases=cases)
    planned = draw(design_of(reader_study), cases=ground.design_cases, readers=readers, seed=seed)
    write_assignments(planned, ground)


def _move(
    reader_study: ReaderStudy, *, actor: User | None, to: State, of: tuple[State, ...], action: str
) -> ReaderStudy:
    require_designer(actor)
    locked = ReaderStudy.objects.select_for_update().get(pk=reader_study.pk)
    if locked.state not in of:
        raise RefusedByRule(
            f"This reader study is {locked.get_state_display().lower()}, so it can't be "
            f"{to.label.lower()} now."
        )
    locked.state = to
    locked.save(update_fields=["state"])
    record_event(actor=actor, action=action, subject=locked)
    return locked
