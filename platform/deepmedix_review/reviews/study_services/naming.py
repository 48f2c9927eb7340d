"""Names what a refusal speaks of: studies, the first few of many, and a design that was copied."""

from collections.abc import Sequence

MOST_NAMED = 5
# How the title of a copied design ends until it has one of its own.
COPIED = " (copy)"


def named(labels: Sequence[str], *verbs: str) -> str:
    """`verbs` of one and of several, or none.

    >>> named(["S-1"], "is", "are"), named(["S-1", "S-2"], "is", "are"), named([*"abcdefg"])
    ('S-1 is', 'S-1, S-2 are', 'a, b, c, d, e and 2 more')
    """
    more = len(labels) - MOST_NAMED
    told = ", ".join(labels[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{told} {verbs[len(labels) > 1]}" if verbs else told


def it_or_them(labels: Sequence[str]) -> str:
    return "it" if len(labels) == 1 else "them"
