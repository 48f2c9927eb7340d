"""Asks for erasures, cancels and tries them again, and lets what was erased in again."""

from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event, record_events
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure.in_use import hindrances
from deepmedix_review.erasure.models import ErasedStudy, Erasure
from deepmedix_review.erasure.rows import count_rows
from deepmedix_review.erasure.scope import Scope
from deepmedix_review.studies import erased

LONGEST_NOTE = 300
# Any fixed number: the lock under which erasures are asked for, so that none is asked for twice.
ASKING_LOCK = 7_205_761


@dataclass(frozen=True)
class Asked:
    """`confirmed` is the name of the scope, typed by the person who asks."""

    why: str
    note: str
    confirmed: str


def record_preview(scope: Scope, *, actor: User) -> None:
    """Who looked at what would go."""
    record_events(
        actor=actor,
        action="preview_erasure",
        about=[(study, {"of": str(scope.kind)}) for study in scope.studies],
    )


def queue_erasure(scope: Scope, asked: Asked, *, actor: User) -> Erasure:
    """What stands against it is said at once, and asked again before anything goes."""
    require(actor, Capability.ERASE_STUDIES)
    note = checked(scope, asked)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ASKING_LOCK])
        under_way = ErasedStudy.objects.filter(study_uid__in=[study.uid for study in scope.studies]).exclude(
            erasure__state__in=(JobState.CANCELLED, JobState.DONE)
        )
        if under_way.exists():
            raise RefusedByRule(
                "It is being erased already. The page of erasures says how far that is, and has the button "
                "to try again where it failed."
            )
        against = hindrances(scope.keys)
        if against:
            raise RefusedByRule(" ".join(against))
        erasure = Erasure.objects.create(
            kind=scope.kind,
            why=asked.why,
            note=note,
            requested_by=actor,
            patient_pseudonym=scope.patient,
            found=count_rows(scope.keys),
        )
        ErasedStudy.objects.bulk_create(
            ErasedStudy(erasure=erasure, study_uid=study.uid) for study in scope.studies
        )
        record_event(
            actor=actor,
            action="request_erasure",
            subject=erasure,
            details={
                "kind": str(erasure.kind),
                "why": str(erasure.why),
                "studies": [str(study.uid) for study in scope.studies],
            },
        )
    return erasure


def cancel_erasure(erasure: Erasure, *, actor: User) -> None:
    """Only before anything went."""
    require(actor, Capability.ERASE_STUDIES)
    with transaction.atomic():
        held = Erasure.objects.select_for_update().get(pk=erasure.pk)
        if held.erased_at is not None:
            raise RefusedByRule("It is too late to cancel this: what it takes is gone already.")
        if held.state == JobState.FAILED:
            Erasure.objects.filter(pk=held.pk).update(state=JobState.CANCELLED, cancel_requested=True)
        else:
            jobs.request_cancel(held)
        record_event(actor=actor, action="cancel_erasure", subject=held)
    forget_cancelled()
    erasure.refresh_from_db()


def forget_cancelled() -> None:
    """Whom they were of: nobody needs to know it any more."""
    cancelled = Erasure.objects.filter(state=JobState.CANCELLED)
    cancelled.exclude(patient_pseudonym="").update(patient_pseudonym="")


def requeue_erasure(erasure: Erasure, *, actor: User) -> None:
    """One that failed goes on: with what is left of its files, where its rows are gone."""
    require(actor, Capability.ERASE_STUDIES)
    if erasure.state != JobState.FAILED:
        raise RefusedByRule(f"This erasure is {erasure.state}; only a failed one can be tried again.")
    with transaction.atomic():
        jobs.retry(erasure)
        record_event(actor=actor, action="retry_erasure", subject=erasure)


@transaction.atomic
def let_in_again(erasure: Erasure, *, actor: User) -> None:
    """The same study, patient or picture may come in from now on. What went stays gone."""
    require(actor, Capability.ERASE_STUDIES)
    held = Erasure.objects.select_for_update().get(pk=erasure.pk)
    if held.state != JobState.DONE:
        raise RefusedByRule("Its files are still being deleted. Let it in again once that is done.")
    if held.let_in_at is not None:
        raise RefusedByRule("It may come in again already.")
    erased.let_in(held.uid)
    held.let_in_at, held.let_in_by = timezone.now(), actor
    held.save(update_fields=["let_in_at", "let_in_by"])
    record_event(actor=actor, action="let_in_again", subject=held)
    erasure.refresh_from_db()


def checked(scope: Scope, asked: Asked) -> str:
    """The note as it is kept. Raises RefusedByRule, with the way out, for what can't be asked."""
    note = " ".join(asked.note.split())
    if asked.why not in Erasure.Why.values:
        raise RefusedByRule("Choose why it is erased.")
    if asked.why == Erasure.Why.OTHER and not note:
        raise RefusedByRule("Say in words why it is erased, without names.")
    if len(note) > LONGEST_NOTE:
        raise RefusedByRule(f"The words have {len(note)} characters; write at most {LONGEST_NOTE}.")
    if asked.confirmed.strip().lower() != scope.name.lower():
        raise RefusedByRule(f"To confirm, type {scope.name} as it stands.")
    return note
