"""Long lists page by page, each as quick as the first: a page begins after a row, not after a count."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """`next_before` goes into the link to the older rows; None on the last page."""

    rows: list[Row]
    next_before: int | None


def page_of(rows: QuerySet[Row], *, before: int | None, size: int) -> Page[Row]:
    """The newest `size` rows whose primary key is below `before`."""
    rows = rows.order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: size + 1])
    is_last = len(found) <= size
    return Page(found[:size], None if is_last else found[size - 1].pk)


def read_before(value: str | None) -> int | None:
    """The cursor of an address; what is no number begins at the newest row."""
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 19 else None
