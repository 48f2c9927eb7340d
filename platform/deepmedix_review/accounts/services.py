"""Makes the accounts of readers, admins and researchers, and changes what each may do."""

import secrets
import uuid
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from deepmedix_review.accounts.models import Role, User
from deepmedix_review.accounts.signals import account_changed
from deepmedix_review.accounts.tokens import revoke_all_tokens
from deepmedix_review.common.errors import RefusedByRule


@transaction.atomic
def create_account(
    *, username: str, password: str, role: Role, pseudonym: str = "", actor: User | None = None
) -> User:
    """Raises RefusedByRule, with every problem at once: a taken name or pseudonym, a weak password."""
    problems = []
    if User.objects.filter(username=username).exists():
        problems.append(f"The name {username} is taken. Choose another.")
    if pseudonym and User.objects.filter(pseudonym=pseudonym).exists():
        problems.append(f"The pseudonym {pseudonym} is taken. Choose another, or leave it empty.")
    account = User(username=username, role=role, pseudonym=pseudonym or _draw_pseudonym(role))
    problems += _password_problems(account, password)
    if problems:
        raise RefusedByRule(" ".join(problems))
    account.set_password(password)
    account.save()
    _tell(account, action="create_account", actor=actor, role=str(role))
    return account


@transaction.atomic
def change_role(account: User, *, role: Role, actor: User) -> None:
    """An admin gives an account another role; nobody changes their own. How to be reached is forgotten with
    the role that it was said in."""
    if account.pk == actor.pk:
        raise RefusedByRule("Nobody changes their own role. Ask another admin.")
    account.role, account.contact = role, account.contact if role == account.role else ""
    account.save(update_fields=["role", "contact"])
    _tell(account, action="change_role", actor=actor, role=str(role))


@transaction.atomic
def set_active(account: User, *, active: bool, actor: User) -> None:
    """An admin closes or reopens an account; its readings stay."""
    if account.pk == actor.pk:
        raise RefusedByRule("Nobody closes their own account. Ask another admin.")
    account.is_active = active
    account.save(update_fields=["is_active"])
    _tell(account, action="open_account" if active else "close_account", actor=actor)


@transaction.atomic
def change_contact(account: User, *, contact: str, actor: User) -> None:
    """How readers reach an admin, who alone says it; another may take it back, which an empty one does. The
    record says that it changed, and not to what: it stands for ever, and a person's number need not. Raises
    RefusedByRule of somebody else's, and of another role."""
    said = " ".join(contact.split())
    if said and account.pk != actor.pk:
        raise RefusedByRule("Nobody says for another how to be reached. You can take it back.")
    if said and account.role != Role.ADMIN:
        raise RefusedByRule("Readers are told how to reach an admin. This account is none.")
    account.contact = said
    account.save(update_fields=["contact"])
    _tell(account, action="change_contact", actor=actor, is_set=bool(account.contact))


@transaction.atomic
def change_password(account: User, *, password: str, actor: User | None) -> None:
    """Raises RefusedByRule where the password is too weak."""
    problems = _password_problems(account, password)
    if problems:
        raise RefusedByRule(" ".join(problems))
    account.set_password(password)
    account.save(update_fields=["password"])
    _tell(account, action="change_password", actor=actor)
    revoke_all_tokens(account, actor=actor)


def check_login(request: HttpRequest, *, username: str, password: str, account: uuid.UUID) -> User:
    """Whose name and password these are. Raises RefusedByRule for a mistyped one or another account's."""
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        raise RefusedByRule("User name and password don't match an open account. Both are case-sensitive.")
    if user.uid != account:
        raise RefusedByRule(
            "That is another account, so it was not logged in: this page keeps unsent work of its own. "
            "Log in with the account that opened it, or go to the login page."
        )
    return user


def _password_problems(account: User, password: str) -> list[str]:
    try:
        validate_password(password, account)
    except ValidationError as weak:
        return weak.messages
    return []


def _draw_pseudonym(role: Role) -> str:
    """A name that says the role and nothing of the person: E-7QK2MD."""
    letters = "".join(secrets.choice("23456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(6))
    return f"{role.value[0].upper()}-{letters}"


def _tell(account: User, *, action: str, actor: User | None, **details: Any) -> None:
    account_changed.send(sender=User, account=account, action=action, actor=actor, details=details)
