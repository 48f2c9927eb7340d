"""Makes the tokens with which programs use the JSON interface, lists them, and takes them back."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from deepmedix_review.accounts.models import ApiToken, User
from deepmedix_review.accounts.permissions import CAPABILITIES, Capability, may
from deepmedix_review.accounts.signals import account_changed
from deepmedix_review.accounts.token_authentication import hashed
from deepmedix_review.common.errors import NotYours, RefusedByRule

# So that scanners for leaked secrets know one, and people what it is.
PREFIX = "dmr_"
MOST_DAYS = 366
MOST_OPEN = 50
# What the addresses below /api/ ask for, but to read cases: a rating is a clinician's own.
FOR_PROGRAMS = frozenset(
    {
        Capability.IMPORT_STUDIES,
        Capability.DECIDE_HELD_STUDIES,
        Capability.ERASE_STUDIES,
        Capability.VIEW_ALL_STUDIES,
        Capability.REQUEST_INFERENCE,
        Capability.EXPORT_DATASETS,
        Capability.FREEZE_DATASETS,
        Capability.TRAIN_MODELS,
        Capability.VIEW_MODELS,
        Capability.REGISTER_MODELS,
        Capability.PROMOTE_MODELS,
        Capability.TRACE_LEARNING,
    }
)


def scopes_for(account: User) -> list[Capability]:
    """What a token of this account may be made for."""
    return [one for one in Capability if one in CAPABILITIES[account.role] & FOR_PROGRAMS]


@transaction.atomic
def make_token(
    *, account: User, name: str, scopes: Collection[Capability], days: int
) -> tuple[ApiToken, str]:
    """The token as it is kept, and its words, which nobody can tell again. Raises RefusedByRule, with the way
    out, for what can't be."""
    name = name.strip()
    if not name:
        raise RefusedByRule("The token has no name. Say what it is for.")
    if not 1 <= days <= MOST_DAYS:
        raise RefusedByRule(f"A token holds for 1 to {MOST_DAYS} days. Choose a number between.")
    if not scopes:
        raise RefusedByRule("The token may do nothing. Choose what it is for.")
    for scope in scopes:
        if scope not in scopes_for(account):
            raise RefusedByRule(f"A token of yours may not {scope}. Leave that out.")
    # A new password ends every token: none is made beside it.
    locked = User.objects.select_for_update(no_key=True).get(pk=account.pk)
    if locked.password != account.password:
        raise RefusedByRule("Your password was changed meanwhile. Log in again, then make the token.")
    if open_tokens(account).count() >= MOST_OPEN:
        raise RefusedByRule(f"You have {MOST_OPEN} open tokens. Revoke one that is not used any more.")
    words = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        account=account,
        name=name,
        sha256=hashed(words),
        scopes=sorted(scope.name for scope in scopes),
        expires_at=timezone.now() + timedelta(days=days),
    )
    _tell(token, action="make_token", actor=account, scopes=token.scopes, days=days)
    return token, words


@transaction.atomic
def revoke_token(token: ApiToken, *, actor: User) -> None:
    """By its own person or by who manages accounts; it is refused from the next request on."""
    if token.account_id != actor.pk and not may(actor, Capability.MANAGE_ACCOUNTS):
        raise NotYours("This token is another account's. Go back to your own.")
    token = ApiToken.objects.select_for_update().get(pk=token.pk)
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        _tell(token, action="revoke_token", actor=actor)


def revoke_all_tokens(account: User, *, actor: User | None) -> None:
    """Where its password was changed: whoever had that may have had tokens too."""
    for token in open_tokens(account):
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        _tell(token, action="revoke_token", actor=actor)


def open_tokens(account: User) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(account=account, revoked_at=None, expires_at__gt=timezone.now())


@dataclass(frozen=True)
class TokenRow:
    """A token, and what of its scopes the role may."""

    token: ApiToken
    scopes: tuple[Capability, ...]


def tokens_of(account: User) -> Sequence[TokenRow]:
    """Open ones first, then those that were."""
    every = ApiToken.objects.filter(account=account)
    return [
        TokenRow(token, tuple(one for one in scopes_for(account) if one.name in token.scopes))
        for token in sorted(every, key=lambda token: not token.is_open)
    ]


def _tell(token: ApiToken, *, action: str, actor: User | None, **details: object) -> None:
    account_changed.send(
        sender=User,
        account=token.account,
        action=action,
        actor=actor,
        details={"token": str(token.uid), **details},
    )
