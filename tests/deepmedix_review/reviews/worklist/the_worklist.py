"""Who looks at a worklist."""

from django.test import Client

from deepmedix_review.accounts.models import User


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
