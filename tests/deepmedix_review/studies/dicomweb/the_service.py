"""Asks the DICOMweb service as a program does: with a token."""

from typing import Any

from django.test import Client

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.accounts.tokens import make_token


def token_of(user: User, *scopes: Capability) -> str:
    wanted = scopes or (Capability.VIEW_ALL_STUDIES,)
    return make_token(account=user, name="DICOMweb", scopes=wanted, days=1)[1]


def ask(user: User | None, address: str, *, accept: str = "*/*", **headers: str) -> Any:
    """`address`: below the service's own."""
    sent = {"Accept": accept, **headers}
    if user is not None:
        client = Client()
        client.force_login(user)
        return client.get(f"/dicom-web/{address}", headers=sent)
    return Client().get(f"/dicom-web/{address}", headers=sent)
