"""Puts into the record what apps below this one tell of: accounts made and changed."""

from typing import Any

from django.dispatch import receiver

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.signals import account_changed
from deepmedix_review.audit.services import record_event


@receiver(account_changed)
def record_account_change(
    *, account: User, action: str, actor: User | None, details: dict[str, Any], **kwargs: Any
) -> None:
    record_event(actor=actor, action=action, subject=account, details=details)
