"""Keeps each change as it was sent, with the answer that it got."""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from deepmedix_review.common.prepared import prepared_cursor
from deepmedix_review.reviews.models import Reading

# SQL, since it runs at every click.
KEEP = """
INSERT INTO reviews_readingchange (change_id, reading_id, kind, payload, answer, received_at)
VALUES (%s, %s::bigint, %s, %s::jsonb, %s::jsonb, %s)
"""


def keep_change(
    reading: Reading,
    *,
    change_id: uuid.UUID,
    kind: str,
    payload: Mapping[str, Any],
    answer: Mapping[str, Any],
    received_at: datetime,
) -> None:
    """A repeat of `change_id` is given `answer` again."""
    payload_json = json.dumps(payload, cls=DjangoJSONEncoder)
    with prepared_cursor() as cursor:
        cursor.execute(KEEP, [change_id, reading.pk, kind, payload_json, json.dumps(answer), received_at])
