"""What binds an audit event to the one before it."""

import hashlib
import hmac
import json

from django.conf import settings

from deepmedix_review.audit.models import AuditEvent

GENESIS = "0" * 64


def event_hash(event: AuditEvent) -> str:
    """HMAC-SHA256 under AUDIT_KEY over every other column, so that a rewritten table can't be re-chained
    without the key (RFC 2104)."""
    row = [
        event.sequence,
        event.at.isoformat(),
        event.actor_id,
        event.action,
        event.subject_type,
        event.subject_uid,
        event.details,
        event.previous_hash,
    ]
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.new(settings.AUDIT_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
