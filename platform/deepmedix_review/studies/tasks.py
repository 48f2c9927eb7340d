"""Looks after films: lets those in again whose missing files are back, and records who saw which pictures."""

from celery import shared_task

from deepmedix_review.studies.film_files import look_again
from deepmedix_review.studies.picture_views import record_picture_views


@shared_task
def tend_films() -> None:
    """Every sweep does whatever is due; a lost one is made up by the next."""
    look_again()
    record_picture_views()
