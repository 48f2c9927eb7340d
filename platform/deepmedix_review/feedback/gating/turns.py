"""Lets one worker at a time decide on candidates: two would score the same steps in the same files."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# Any fixed number: the advisory lock of who decides.
GATE_LOCK = 20_261_127


@contextmanager
def a_turn_at_the_gate() -> Iterator[bool]:
    """False while another worker decides. A turn ends with its worker's connection at the latest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [GATE_LOCK])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [GATE_LOCK])
