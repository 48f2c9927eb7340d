"""Whose act a command is, where its --actor says so."""

from django.core.management.base import CommandError

from deepmedix_review.accounts.models import User


def find_actor(username: str | None) -> User | None:
    if username is None:
        return None
    try:
        return User.objects.get(username=username)
    except User.DoesNotExist as error:
        raise CommandError(
            f"There is no user {username}. Leave --actor out, or name one that exists."
        ) from error
