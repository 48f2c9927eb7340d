"""How a person has set the product up: their own keys of the reading room, and whether the tour was seen."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from deepmedix_review.accounts.models import Preference, User
from deepmedix_review.common.errors import RefusedByRule


@dataclass(frozen=True)
class ReadingRoomPreference:
    """`keys` holds, by the name of a shortcut, the place on the keyboard that it was moved to."""

    keys: Mapping[str, str]
    has_single_keys: bool
    has_toured: bool


def preference_of(user: User) -> ReadingRoomPreference:
    """The keys as they come, and no tour yet, for whoever has set nothing."""
    kept = Preference.objects.filter(user=user).first() or Preference()
    return ReadingRoomPreference(kept.keys, kept.has_single_keys, kept.has_toured)


@transaction.atomic
def set_preference(user: User, preference: ReadingRoomPreference) -> ReadingRoomPreference:
    """Raises RefusedByRule where one key would do two things."""
    codes = list(preference.keys.values())
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise RefusedByRule(f"The key {twice[0]} would do two things. Give one of them another key.")
    Preference.objects.update_or_create(
        user=user,
        defaults={
            "keys": dict(preference.keys),
            "has_single_keys": preference.has_single_keys,
            "has_toured": preference.has_toured,
        },
    )
    return preference
