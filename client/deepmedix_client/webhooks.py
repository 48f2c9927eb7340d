"""Checks that a message came from the platform: Standard Webhooks 1.0 (standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from deepmedix_client.errors import DeepMedixError

TOLERANCE_SECONDS = 300


class NotSigned(DeepMedixError):
    """Not from the platform, changed on its way, or sent once more by somebody: believe nothing of it."""


def verified(
    body: bytes, headers: Mapping[str, str], secret: str, *, now: float | None = None
) -> dict[str, Any]:
    """The message: `type`, `timestamp`, `data`, and `id`, the same each time that it is sent.

    `body` is what arrived, byte for byte; `headers` may be in any case. Raises NotSigned.
    """
    told = {name.lower(): value for name, value in headers.items()}
    try:
        message, moment = told["webhook-id"], told["webhook-timestamp"]
        age = (time.time() if now is None else now) - int(moment)
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (KeyError, ValueError, binascii.Error):
        raise NotSigned("It has no signature, or the secret is none of ours.") from None
    if abs(age) > TOLERANCE_SECONDS:
        raise NotSigned(f"It was signed {age:.0f} s ago: sent once more by somebody, or a clock is wrong.")
    expected = hmac.new(key, f"{message}.{moment}.".encode() + body, hashlib.sha256).digest()
    given = told.get("webhook-signature", "").split()
    wanted = "v1," + base64.b64encode(expected).decode()
    if not any(hmac.compare_digest(wanted.encode(), one.encode()) for one in given):
        raise NotSigned("Its signature is another's, or it was changed on its way.")
    return {**json.loads(body), "id": message}
