"""Finds accounts: who is there, and who may read cases."""

import uuid
from collections.abc import Iterable

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.request import Request

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import CAPABILITIES, Capability, may
from deepmedix_review.common.errors import NotYours, RefusedByRule


def accounts() -> QuerySet[User]:
    """Every account, closed ones last."""
    return User.objects.order_by("-is_active", "role", "pseudonym")


def readers() -> QuerySet[User]:
    """The accounts that may be given cases to read."""
    return User.objects.filter(is_active=True, role__in=_roles_with(Capability.READ_CASES)).order_by(
        "pseudonym"
    )


def readers_by_uid(uids: Iterable[uuid.UUID]) -> list[User]:
    """Raises RefusedByRule where one of them may not read cases."""
    wanted = set(uids)
    found = list(readers().filter(uid__in=wanted))
    if len(found) < len(wanted):
        raise RefusedByRule("One of the chosen readers can't read cases any more. Choose the readers again.")
    return found


def name_for(viewer: User | AnonymousUser, account: User) -> str:
    """The name that the account logs in with, for who manages accounts; nothing for everybody else."""
    return account.username if may(viewer, Capability.MANAGE_ACCOUNTS) else ""


def called(account: User, *, viewer: User | AnonymousUser) -> str:
    """As a list to choose from names a person: the pseudonym, with the name for who manages accounts."""
    return " · ".join(filter(None, (account.pseudonym, name_for(viewer, account))))


def account_named(username: str) -> User:
    """For commands, which say who acts. Raises RefusedByRule where there is no such active account."""
    account = User.objects.filter(username=username, is_active=True).first()
    if account is None:
        raise RefusedByRule(f"There is no active account {username}. Name one that exists.")
    return account


def acting_user(request: HttpRequest | Request) -> User:
    """The person who makes this request. Raises NotYours where nobody is logged in."""
    if not isinstance(request.user, User):
        raise NotYours("You are not logged in. Log in and try again.")
    return request.user


def _roles_with(capability: Capability) -> list[str]:
    return [role for role, capabilities in CAPABILITIES.items() if capability in capabilities]
