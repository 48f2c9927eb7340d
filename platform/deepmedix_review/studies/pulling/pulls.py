"""Searches a PACS for a person, and starts, cancels, tries again and forgets what is brought in from it."""

from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES
from deepmedix_review.studies.batches import start_import
from deepmedix_review.studies.models import FilmToPull, ImportBatch, PacsPull, StudyToPull
from deepmedix_review.studies.pulling.client import (
    SECONDS_OF_A_PERSON,
    FilmNotFetched,
    PacsClient,
    StudyQuery,
)
from deepmedix_review.studies.pulling.services import record_search, studies_here
from deepmedix_review.studies.pulling.sources import CannotPull, source_named

State = PacsPull.State
Outcome = FilmToPull.Outcome
# Of one search, and so of one pull.
MOST_STUDIES = 100
# What nobody ticks anything of in this time is forgotten.
CHOSEN_WITHIN = timedelta(hours=1)


def search_pacs(
    source: str, query: StudyQuery, *, actor: User, limit: int = MOST_STUDIES, offset: int = 0
) -> PacsPull:
    """What was found, to be ticked: at most `limit` studies behind the first `offset`. Raises CannotPull."""
    require(actor, Capability.IMPORT_STUDIES)
    with PacsClient(source_named(source), seconds=SECONDS_OF_A_PERSON) as client:
        try:
            found = client.search(query, limit=limit, offset=offset)
        except FilmNotFetched as error:
            raise CannotPull(str(error)) from None
    here = studies_here(found)
    # A PACS that names one twice means the same.
    found = list({one.uid: one for one in found}.values())
    with transaction.atomic():
        pull = PacsPull.objects.create(requested_by=actor, source=source)
        StudyToPull.objects.bulk_create(
            StudyToPull(
                pull=pull,
                number=offset + place,
                study_uid=one.uid,
                study_date=one.study_date,
                modalities=one.modalities,
                num_told=one.num_films,
                study=here.get(one.uid),
            )
            for place, one in enumerate(found, start=1)
        )
        asked = list(query.parameters())
        record_search(subject=pull, actor=actor, source=source, asked=asked, num_found=len(found))
    return pull


def start_pull(pull: PacsPull, *, numbers: Collection[int], actor: User) -> None:
    """Queue the studies of these numbers; the others that were found are forgotten."""
    require(actor, Capability.IMPORT_STUDIES)
    with transaction.atomic():
        held = PacsPull.objects.select_for_update().get(pk=pull.pk)
        if held.state != State.CHOOSING:
            raise RefusedByRule("This has begun already. Search again to bring more in.")
        chosen = held.studies.filter(number__in=numbers)
        num_studies = chosen.count()
        if not num_studies:
            raise RefusedByRule("No study is ticked. Tick at least one, then bring it in.")
        held.studies.exclude(number__in=numbers).delete()
        profile = source_named(held.source).profile
        held.batch = start_import(actor=actor, source=ImportBatch.Source.PACS, profile=profile)
        held.state = State.QUEUED
        held.save(update_fields=["batch", "state"])
        told = {"source": held.source, "num_studies": num_studies}
        record_event(actor=actor, action="start_pull", subject=held, details=told)
    pull.refresh_from_db()


def cancel_pull(pull: PacsPull, *, actor: User) -> None:
    """A running one ends after the film in hand; films that are in stay."""
    require(actor, Capability.IMPORT_STUDIES)
    with transaction.atomic():
        jobs.request_cancel(pull)
        if pull.state == State.CANCELLED:
            forget_names(pull)
        record_event(actor=actor, action="cancel_pull", subject=pull)


def retry_pull(pull: PacsPull, *, actor: User) -> None:
    """One that failed fetches what it has not judged yet, and what the PACS did not give."""
    require(actor, Capability.IMPORT_STUDIES)
    with transaction.atomic():
        held = PacsPull.objects.select_for_update().get(pk=pull.pk)
        if not held.may_be_tried_again:
            raise RefusedByRule(
                "Only what failed, and is still known, is tried again. Search again: films that are in are "
                "known then, and not fetched twice."
            )
        held.studies.exclude(problem="").update(problem="")
        failed = FilmToPull.objects.filter(of__pull=held, outcome=Outcome.FAILED)
        failed.update(outcome=Outcome.WAITING, reason="")
        jobs.retry(held)
        record_event(actor=actor, action="retry_pull", subject=held)
    pull.refresh_from_db()


def give_up_pull(pull: PacsPull, *, actor: User) -> None:
    """One that failed is not tried again: what the PACS calls its studies is forgotten."""
    require(actor, Capability.IMPORT_STUDIES)
    with transaction.atomic():
        held = PacsPull.objects.select_for_update().get(pk=pull.pk)
        if not held.is_final:
            raise RefusedByRule("This is still under way. Cancel it first.")
        forget_names(held)
        record_event(actor=actor, action="give_up_pull", subject=held)
    pull.refresh_from_db()


def close_pull(pull: PacsPull) -> None:
    """Once the job has ended; in the audit record each film stands by itself, too."""
    pull.refresh_from_db()
    if not pull.is_final:
        return
    if not pull.may_be_tried_again:
        forget_names(pull)
    told = {"source": pull.source, "state": pull.state, **counts_of(pull)}
    record_event(actor=pull.requested_by, action="pull_from_pacs", subject=pull, details=told)


def counts_of(pull: PacsPull) -> dict[str, int]:
    """Films by outcome; those that wait are left out."""
    films = FilmToPull.objects.filter(of__pull=pull).exclude(outcome=Outcome.WAITING)
    return dict(films.values_list("outcome").annotate(number=Count("pk")).order_by("outcome"))


def forget_names(pull: PacsPull) -> None:
    """What the PACS calls its studies and films, and when those were made."""
    with transaction.atomic():
        pull.studies.update(study_uid="", study_date=None)
        FilmToPull.objects.filter(of__pull=pull).update(series_uid="", instance_uid="")
        PacsPull.objects.filter(pk=pull.pk).update(is_kept=False)
    pull.is_kept = False


def tidy_pulls() -> None:
    """Delete searches of which nothing was brought in; forget what nothing more is fetched for."""
    now = timezone.now()
    PacsPull.objects.filter(state=State.CHOOSING, created_at__lt=now - CHOSEN_WITHIN).delete()
    ended = PacsPull.objects.filter(is_kept=True, state__in=FINAL_STATES)
    since = now - timedelta(days=settings.PULL_DAYS)
    for pull in ended.exclude(state=State.FAILED, finished_at__gte=since):
        forget_names(pull)
