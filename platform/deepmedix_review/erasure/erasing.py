"""Erases: the rows in one transaction, so that nobody is shown half a study, then the files, one by one."""

import logging
from collections.abc import Callable, Sequence

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.erasing import begin_erasing
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.erasure.files import delete_files, files_of
from deepmedix_review.erasure.in_use import hindrances, hindrances_of_rule
from deepmedix_review.erasure.models import BatchedStudy, ErasedStudy, Erasure, FileToDelete, NamedUse
from deepmedix_review.erasure.previewing import (
    archives_kept,
    films_in,
    messages_kept,
    pictures_of,
    pulls_kept,
    same_elsewhere,
)
from deepmedix_review.erasure.rows import delete_rows, detach_rows, forget_labels, in_order
from deepmedix_review.erasure.uses import data_sets_with, uses_of
from deepmedix_review.reviews.models import Assignment, Case, Reading
from deepmedix_review.studies.erased import keep_out, lock_names
from deepmedix_review.studies.models import ArchiveImport, Instance, SentMessage, Study
from deepmedix_review.studies.picture_views import record_taken, take_views_of
from deepmedix_review.studies.pulling.pulls import forget_names

logger = logging.getLogger(__name__)
# Of the rows, where readers work on other cases at the same moment and both wait for each other.
MOST_TRIES = 3
DEADLOCK = "40P01"


def erase(erasure: Erasure, *, check: Callable[[], None]) -> None:
    """To its end. A worker that takes it up again goes on where the last one stopped. Raises RefusedByRule
    with a sentence; then the rows are all there, or all gone."""
    if erasure.erased_at is None:
        _erase_rows(erasure)

    def tell() -> None:
        check()
        jobs.heartbeat(erasure, is_kept=True)

    delete_files(erasure, on_deleted=tell)
    with transaction.atomic():
        jobs.finish(erasure, state=JobState.DONE)
        record_event(
            actor=erasure.requested_by,
            action="delete_erased_files",
            subject=erasure,
            details={"num_files": erasure.num_files},
        )


def _erase_rows(erasure: Erasure) -> None:
    for attempt in range(1, MOST_TRIES + 1):
        try:
            with transaction.atomic():
                _erase_in_one_transaction(erasure)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != DEADLOCK or attempt == MOST_TRIES:
                raise
            logger.warning("erasure %s waited for readers who waited for it: once more", erasure.pk)
        else:
            return


def _erase_in_one_transaction(erasure: Erasure) -> None:
    begin_erasing()
    held = Erasure.objects.select_for_update().get(pk=erasure.pk)
    jobs.hold(erasure)
    if held.cancel_requested:
        raise jobs.JobCancelled
    studies = _locked_studies(erasure)
    keys = [study.pk for study in studies]
    against = hindrances(keys)
    batched = BatchedStudy.objects.filter(erasure=erasure).select_related("batch").first()
    if batched is not None:
        against += hindrances_of_rule(studies[0], as_of=batched.batch.as_of)
    if against:
        raise RefusedByRule(f"Nothing was erased. {' '.join(against)} Then try again.")
    films = films_in(keys)
    pictures = pictures_of(films)
    lock_names(pictures)
    _lock_rows(keys)
    _name_uses(erasure, keys)
    staying = set(pictures_of(same_elsewhere(films)))
    archives, messages, sets = archives_kept(keys), messages_kept(keys), list(data_sets_with(keys))
    files = files_of(films, archives=archives, messages=messages, sets=sets)
    for pull in pulls_kept(keys):
        forget_names(pull)
    views = take_views_of(films)
    copies = list(Instance.objects.filter(copy_of__in=films).exclude(series__study__in=keys).order_by("pk"))
    gone = detach_rows(keys) + delete_rows(keys)
    _lead_on(copies)
    forget_labels([study.label for study in studies])
    ArchiveImport.objects.filter(pk__in=[archive.pk for archive in archives]).update(is_here=False)
    SentMessage.objects.filter(pk__in=[message.pk for message in messages]).update(is_here=False)
    now = timezone.now()
    keep_out(
        studies=[study.study_instance_uid for study in studies],
        patients=[erasure.patient_pseudonym] if erasure.kind == Erasure.Kind.PATIENT else [],
        pictures=[picture for picture in pictures if picture not in staying],
        by=erasure.uid,
        at=now,
    )
    FileToDelete.objects.bulk_create(
        FileToDelete(erasure=erasure, folder=folder, path=path) for folder, path in files
    )
    erasure.erased_at, erasure.patient_pseudonym = now, ""
    erasure.gone, erasure.num_files = in_order(gone), len(files)
    erasure.save(update_fields=["erased_at", "patient_pseudonym", "gone", "num_files"])
    with connection.cursor() as cursor:
        # A table that still leads to what went is told here, and takes all of it back.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    record_taken(views)
    record_event(
        actor=erasure.requested_by,
        action="erase_studies",
        subject=erasure,
        details={"kind": str(erasure.kind), "why": str(erasure.why), "gone": erasure.gone},
    )


def _locked_studies(erasure: Erasure) -> list[Study]:
    """Those that it is of, with all that came in until now; what comes in waits for its end."""
    named = Study.objects.filter(uid__in=erasure.studies.values("study_uid"))
    if erasure.kind == Erasure.Kind.PATIENT:
        lock_names([erasure.patient_pseudonym])
        named = Study.objects.filter(patient_pseudonym=erasure.patient_pseudonym)
    else:
        lock_names(named.values_list("patient_pseudonym", flat=True))
    lock_names(named.values_list("study_instance_uid", flat=True))
    studies = list(named.select_for_update(of=("self",)).order_by("pk"))
    if not studies:
        raise RefusedByRule("It is not here any more: nothing is left to erase. Cancel this erasure.")
    known = set(erasure.studies.values_list("study_uid", flat=True))
    ErasedStudy.objects.bulk_create(
        ErasedStudy(erasure=erasure, study_uid=study.uid) for study in studies if study.uid not in known
    )
    return studies


def _lock_rows(studies: Sequence[int]) -> None:
    """Readings first, as whoever reads locks them, each kind in the order of its keys."""
    readings = Reading.objects.filter(assignment__case__study__in=studies)
    assignments = Assignment.objects.filter(case__study__in=studies)
    for rows in (readings, assignments, Case.objects.filter(study__in=studies)):
        list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk"))


def _name_uses(erasure: Erasure, studies: Sequence[int]) -> None:
    NamedUse.objects.bulk_create(
        NamedUse(erasure=erasure, kind=use.kind, uid=use.uid, name=use.name, said=use.said)
        for use in uses_of(studies)
    )


def _lead_on(copies: Sequence[Instance]) -> None:
    """The same picture in other studies: the first of them is no copy any more, and the others are its."""
    firsts: dict[str, Instance] = {}
    for copy in copies:
        first = firsts.setdefault(copy.pixel_sha256, copy)
        Instance.objects.filter(pk=copy.pk).update(copy_of=None if first == copy else first)
