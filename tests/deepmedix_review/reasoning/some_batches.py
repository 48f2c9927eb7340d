"""Batches of inference with jobs in each state, and who looks at them."""

from django.test import Client
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.reasoning.models import InferenceBatch
from tests.factories.jobs import BatchedJobFactory, InferenceBatchFactory


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def batch_with(**numbers: int) -> InferenceBatch:
    """So many jobs in each state."""
    batch = InferenceBatchFactory.create()
    for state, number in numbers.items():
        ended = timezone.now() if state not in ("queued", "running") else None
        BatchedJobFactory.create_batch(number, batch=batch, state=state, finished_at=ended)
    return batch
