"""What is built on a version of a collection, told by the apps above, which this one does not know.

Such an app appends a function to COLLECTION_USES in its AppConfig.ready: given the user who asks and a
collection, it returns what uses which version.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.models import Collection


@dataclass(frozen=True)
class Use:
    """`address` is empty where this user may not open it."""

    version: int
    title: str
    address: str = ""


COLLECTION_USES: list[Callable[[User, Collection], Iterable[Use]]] = []


def uses_of(collection: Collection, *, user: User) -> Mapping[int, Sequence[Use]]:
    """By the version's primary key."""
    found: dict[int, list[Use]] = defaultdict(list)
    for uses in COLLECTION_USES:
        for use in uses(user, collection):
            found[use.version].append(use)
    return found
