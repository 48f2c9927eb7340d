"""Decides on many held studies at once, and takes a decision back."""

from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.studies.deciding.selectors import objection_on_sheet
from deepmedix_review.studies.holding import close_sightings, twins_in_use
from deepmedix_review.studies.looking.selectors import sightings_of, study_of, token_of
from deepmedix_review.studies.models import DecidedStudy, HeldDecision, Instance, Sighting, Study


@dataclass(frozen=True)
class Decided:
    """`decision`: None where nothing was decided. `objections`: why some can't be accepted. `num_left`:
    decided on by somebody else meanwhile, or a film came to them that was not on the sheet."""

    decision: HeldDecision | None
    num_done: int
    objections: Sequence[str]
    num_left: int


@dataclass(frozen=True)
class TakenBack:
    """`num_left`: what became of them since stays."""

    num_back: int
    num_left: int


@transaction.atomic
def decide_together(*, tokens: Sequence[str], accept: bool, has_looked: bool, actor: User) -> Decided:
    """The held studies that these tokens of a sheet name are accepted, or rejected, in one go.

    `has_looked`: the admin says of all their films that no name is written on any; nothing is accepted
    without. What can't be accepted, and what changed since the sheet was shown, stays held.
    """
    require(actor, Capability.DECIDE_HELD_STUDIES)
    if accept and not has_looked:
        raise RefusedByRule(
            "Nothing was accepted. Look at the films, and say with the acceptance that no name is written on "
            "any."
        )
    said = {uid: token for token in tokens if (uid := study_of(token))}
    studies = list(Study.objects.select_for_update().filter(uid__in=said).order_by("pk"))
    films = _films_of(studies)
    sightings = sightings_of(studies)
    standing = [
        study
        for study in studies
        if study.state == Study.State.HELD
        and token_of(study.uid, films[study.pk], sightings.get(study.pk, ())) == said[study.uid]
    ]
    objections = _objections(standing, films, reported=sightings) if accept else {}
    chosen = [study for study in standing if study.pk not in objections]
    decision = _decide(chosen, accept=accept, actor=actor) if chosen else None
    return Decided(decision, len(chosen), tuple(objections.values()), len(said) - len(standing))


def _decide(studies: Sequence[Study], *, accept: bool, actor: User) -> HeldDecision:
    now = timezone.now()
    decision = HeldDecision.objects.create(decided_by=actor, is_accepted=accept, decided_at=now)
    DecidedStudy.objects.bulk_create(
        DecidedStudy(
            decision=decision,
            study=study,
            looked_at_before=study.looked_at,
            looked_by_before=study.looked_by,
        )
        for study in studies
    )
    for study in studies:
        study.state = Study.State.READY if accept else Study.State.REJECTED
        if accept:
            study.looked_at, study.looked_by = now, actor
        study.save(update_fields=["state", "looked_at", "looked_by"])
        close_sightings(study, at=now)
        record_event(
            actor=actor,
            action="accept_study" if accept else "reject_study",
            subject=study,
            details={"decision": str(decision.uid), "studies": len(studies)},
        )
    return decision


@transaction.atomic
def take_back(decision: HeldDecision, *, actor: User) -> TakenBack:
    """Each study that still stands as it was decided is held again, as it was before.

    Only whoever decided takes it back so; what others did to a study since is not undone.
    """
    require(actor, Capability.DECIDE_HELD_STUDIES)
    decision = HeldDecision.objects.select_for_update().get(pk=decision.pk)
    if decision.decided_by_id != actor.pk:
        raise NotYours("Somebody else decided that. Put the study on hold, or accept it, on its page.")
    if decision.undone_at is not None:
        raise RefusedByRule("That was taken back already.")
    before = {row.study_id: row for row in decision.studies.all()}
    back = 0
    for study in Study.objects.select_for_update().filter(pk__in=before).order_by("pk"):
        if not _stands(study, decision):
            continue
        row = before[study.pk]
        study.state = Study.State.HELD
        study.looked_at, study.looked_by_id = row.looked_at_before, row.looked_by_before_id
        study.save(update_fields=["state", "looked_at", "looked_by"])
        _reopen_sightings(study, closed_at=decision.decided_at)
        record_event(
            actor=actor, action="undo_decision", subject=study, details={"decision": str(decision.uid)}
        )
        back += 1
    decision.undone_at = timezone.now()
    decision.save(update_fields=["undone_at"])
    return TakenBack(back, len(before) - back)


def _stands(study: Study, decision: HeldDecision) -> bool:
    if not decision.is_accepted:
        return study.state == Study.State.REJECTED
    return study.state == Study.State.READY and study.looked_at == decision.decided_at


def _reopen_sightings(study: Study, *, closed_at: datetime) -> None:
    Sighting.objects.filter(film__series__study=study, looked_at=closed_at).update(looked_at=None)


def _films_of(studies: Sequence[Study]) -> dict[int, list[Instance]]:
    films: dict[int, list[Instance]] = defaultdict(list)
    for film in Instance.objects.filter(series__study__in=studies).select_related("series").order_by("pk"):
        films[film.series.study_id].append(film)
    return films


def _objections(
    studies: Sequence[Study], films: dict[int, list[Instance]], *, reported: Container[int]
) -> dict[int, str]:
    """By study, why it can't be accepted; of two with one picture the first one can."""
    twins = twins_in_use(studies)
    taken: dict[str, Study] = {}
    found = {}
    for study in studies:
        pictures = [film.pixel_sha256 for film in films[study.pk]]
        twin = twins.get(study.pk) or next((taken[one] for one in pictures if one in taken), None)
        if objection := objection_on_sheet(
            study, films=films[study.pk], twin=twin, is_name_reported=study.pk in reported
        ):
            found[study.pk] = objection
        else:
            taken.update(dict.fromkeys(pictures, study))
    return found
