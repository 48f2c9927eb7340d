"""Which texts are examples to follow: what readers corrected as a whole, as far as they corrected it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Protocol, TypeVar


class _Corrected(Protocol):
    @property
    def origin(self) -> str: ...
    @property
    def prefix(self) -> str: ...


Row = TypeVar("Row", bound=_Corrected)
CORRECTED = frozenset(("rewrite", "region"))


def texts_to_follow(rows: Iterable[tuple[Hashable, Row]]) -> list[Row]:
    """Of pairs, each with its completion's name, those whose chosen text is one to be written as it stands.

    A single step is none: the rewritten whole holds it. A text of which the regions alone were moved still
    says what its readers found wrong with its words: where they rewrote it, their rewriting stands for it.
    """
    whole = [(name, row) for name, row in rows if row.origin in CORRECTED and not row.prefix]
    rewritten = {name for name, row in whole if row.origin == "rewrite"}
    return [row for name, row in whole if row.origin == "rewrite" or name not in rewritten]
