"""A cursor for the few statements that run at every click: PostgreSQL plans them once a connection.

Django binds values on the client's side, so that each execution is a statement of its own and planned anew:
for joins of many tables that took five times as long as their execution. A pooler between this and PostgreSQL
must hand prepared statements on (session pooling, or PgBouncer from 1.21).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor


@contextmanager
def prepared_cursor() -> Iterator[CursorWrapper]:
    """Values are bound by the server: where a statement leaves their type open, it needs a cast."""
    # As Django's own cursors do at a request's first statement: the server may have gone since the last one.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    raw = connection.connection
    # Django's own cursors bind on the client's side and never prepare, whatever this says.
    raw.prepare_threshold = 1
    cursor: Any = Cursor(raw)
    make = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with make(cursor) as wrapped:
        yield wrapped
