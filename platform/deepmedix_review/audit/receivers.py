"""Puts into the record what apps below this one tell of: accounts made and changed, logins."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.signals import account_changed
from deepmedix_review.audit.services import record_event


@receiver(account_changed)
def record_account_change(
    *, account: User, action: str, actor: User | None, details: dict[str, Any], **kwargs: Any
) -> None:
    record_event(actor=actor, action=action, subject=account, details=details)


@receiver(user_logged_in)
def record_login(*, user: User, **kwargs: Any) -> None:
    record_event(actor=user, action="log_in", subject=user)


@receiver(user_logged_out)
def record_logout(*, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        record_event(actor=user, action="log_out", subject=user)


@receiver(user_login_failed)
def record_failed_login(*, credentials: dict[str, Any], **kwargs: Any) -> None:
    """Only names that are accounts: whatever else was typed may be a password."""
    account = User.objects.filter(username=credentials.get("username", "")).first()
    if account is not None:
        record_event(actor=None, action="fail_to_log_in", subject=account)
