"""What events are about, as people call it: each app above says so of its own rows as it starts."""

import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.urls import reverse

from deepmedix_review.accounts.models import User

# By the name of their kind, as events keep it.
Uids = Mapping[str, Collection[uuid.UUID]]


@dataclass(frozen=True)
class Called:
    """`page` is where it is looked at by whoever sees the record; empty where there is none."""

    label: str
    page: str = ""


# From what an admin typed to what may be meant by it.
FINDERS: list[Callable[[str], Uids]] = []
# From studies to what belongs to them, so that a study's or a patient's events are found all together.
FOLLOWERS: list[Callable[[Collection[uuid.UUID]], Uids]] = []
# By kind, how those that are there are called; whatever is left out shows its uid.
CALLED: dict[str, Callable[[Collection[uuid.UUID]], Mapping[uuid.UUID, Called]]] = {}

_START = re.compile(r"[0-9a-f]{8,32}")


def find_subjects(words: str) -> dict[str, set[uuid.UUID]]:
    """Everything that is called so, and what belongs to it; empty where nothing is."""
    found: dict[str, set[uuid.UUID]] = defaultdict(set)

    def keep(uids: Uids) -> None:
        for kind, named in uids.items():
            found[kind].update(named)

    for finder in FINDERS:
        keep(finder(words))
    studies = frozenset(found["Study"])
    for follower in FOLLOWERS if studies else ():
        keep(follower(studies))
    return {kind: uids for kind, uids in found.items() if uids}


def uids_beginning(words: str, *, prefix: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """Of `S-1f0dcab1`, a uid, or at least eight digits of its start: the first and the last uid that begin
    so, for a range of the index; None for other words."""
    start = words.strip().lower().removeprefix(prefix.lower()).replace("-", "")
    if not _START.fullmatch(start):
        return None
    return uuid.UUID(start.ljust(32, "0")), uuid.UUID(start.ljust(32, "f"))


def people(words: str) -> QuerySet[User]:
    """By pseudonym or user name, in capitals or not."""
    return User.objects.filter(Q(pseudonym__iexact=words) | Q(username__iexact=words))


def _find_people(words: str) -> Uids:
    return {"User": set(people(words).values_list("uid", flat=True))}


def _called_people(uids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Called]:
    found = User.objects.filter(uid__in=uids).values_list("uid", "pseudonym")
    return {uid: Called(pseudonym, reverse("account-detail", args=[uid])) for uid, pseudonym in found}


FINDERS.append(_find_people)
CALLED["User"] = _called_people
