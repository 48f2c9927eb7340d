"""Tests of two at once: go on when the other one waits for this one."""

import threading

from django.db import connection

# For this transaction, whoever else waits for something.
_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid"


def until_it_waits(other: threading.Thread) -> None:
    """Return once the other one waits for a row that this transaction holds, or has ended."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        while other.is_alive() and not cursor.fetchone()[0]:
            cursor.execute(_WAITING)
