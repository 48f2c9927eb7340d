"""Looks after reader studies: frees cases that readers left, lets repeats come due, hands on disputes."""

from celery import shared_task

from deepmedix_review.reviews import study_services
from deepmedix_review.reviews.models import ReaderStudy


@shared_task
def tend_reader_studies() -> None:
    """Every sweep does whatever is due; a lost one is made up by the next."""
    study_services.release_expired_leases()
    study_services.release_due_repeats()
    adjudicated = ReaderStudy.objects.filter(
        state=ReaderStudy.State.RUNNING, adjudication=ReaderStudy.Adjudication.THIRD_READER
    )
    for reader_study in adjudicated:
        study_services.queue_adjudications(reader_study=reader_study)
