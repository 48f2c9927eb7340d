"""What a reading page sends to the server, and how."""

import uuid
from typing import Any

from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.models import (
    Reading,
)


def client_of(user: User) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(user)
    return client


def sent(reading: Reading, kind: str, payload: Any, **fields: Any) -> dict[str, Any]:
    return {
        "change_id": str(uuid.uuid4()),
        "sop_instance_uid": reading.completion_a.instance.sop_instance_uid,
        "kind": kind,
        "payload": payload,
        **fields,
    }


def post(client: Client, name: str, reading: Reading, data: Any) -> Any:
    return client.post(reverse(name, args=[reading.uid]), data, content_type="application/json")
