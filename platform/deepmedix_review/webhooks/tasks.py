"""Messages go out by beat: a receiver that is slow or away holds up nobody's click."""

import time

from celery import shared_task

from deepmedix_review.webhooks import services
from deepmedix_review.webhooks.sending import send

# One receiver that never answers must not keep the worker from all else.
LONGEST_SECONDS = 20.0


@shared_task
def tend_webhooks() -> None:
    """Gather what happened, send what is due, forget what is long over."""
    services.gather_messages()
    until = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < until and (delivery := services.next_due()) is not None:
        services.note_answer(delivery, send(delivery))
    services.forget_old_messages()
