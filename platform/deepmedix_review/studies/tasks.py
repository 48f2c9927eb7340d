"""Looks after films: lets those in again whose missing files are back."""

from celery import shared_task

from deepmedix_review.studies.film_files import look_again


@shared_task
def tend_films() -> None:
    """Every sweep does whatever is due; a lost one is made up by the next."""
    look_again()
