"""Sends one message, and says how that went."""

import json
import time
from http import HTTPStatus

import requests

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.webhooks.addresses import require_allowed
from deepmedix_review.webhooks.models import Delivery
from deepmedix_review.webhooks.services import Answered
from deepmedix_review.webhooks.signing import secret_of, signed_headers

# To connect, and for the answer, in seconds.
PATIENCE = (5, 10)


def body_of(delivery: Delivery) -> bytes:
    """The same bytes at each try."""
    said = {"type": delivery.kind, "timestamp": delivery.happened_at.isoformat(), "data": delivery.data}
    return json.dumps(said, separators=(",", ":"), sort_keys=True).encode()


def send(delivery: Delivery) -> Answered:
    """Whatever the receiver does, an answer: of its own words nothing is read or kept."""
    url, body = delivery.webhook.url, body_of(delivery)
    try:
        require_allowed(url)
    except RefusedByRule as refusal:
        return Answered(None, str(refusal))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "DeepMedix-Review-Webhooks/1",
        **signed_headers(
            body, message=delivery.uid, at=int(time.time()), secret=secret_of(delivery.webhook.uid)
        ),
    }
    try:
        with requests.post(
            url, data=body, headers=headers, timeout=PATIENCE, allow_redirects=False, stream=True
        ) as answer:
            status = answer.status_code
    except requests.exceptions.SSLError:
        return Answered(None, "Its certificate can't be trusted.")
    except requests.exceptions.Timeout:
        return Answered(None, f"It did not answer within {sum(PATIENCE)} s.")
    except (requests.exceptions.RequestException, OSError):
        return Answered(None, "It can't be reached.")
    if 200 <= status < 300:
        return Answered(status)
    if 300 <= status < 400:
        return Answered(status, "It points to another address. Give that one: no redirect is followed.")
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "an answer of its own"
    return Answered(status, f"It answered {status}, {phrase}.")
