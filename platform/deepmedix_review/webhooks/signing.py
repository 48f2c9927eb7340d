"""Signs messages so that a receiver knows who sent them: Standard Webhooks 1.0 (standardwebhooks.com)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from uuid import UUID

from django.conf import settings

PREFIX = "whsec_"


def secret_of(webhook: UUID) -> str:
    """Of the installation's secret and the address's uid, so that none is stored."""
    key = hmac.new(settings.SECRET_KEY.encode(), f"webhook {webhook}".encode(), hashlib.sha256).digest()
    return PREFIX + base64.b64encode(key).decode()


def signed_headers(body: bytes, *, message: UUID, at: int, secret: str) -> Mapping[str, str]:
    """`at` is the moment of sending, in seconds since 1970."""
    signed = f"{message}.{at}.".encode() + body
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": str(message),
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signature}",
    }
