"""Sessions in the database, found by a statement that PostgreSQL planned before: every request asks for one.

Built by the ORM and planned anew, finding the session and its account took a quarter of a click's CPU.
"""

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from deepmedix_review.common.prepared import prepared_cursor

FIND = """
SELECT session_key, session_data, expire_date FROM django_session WHERE session_key = %s AND expire_date > %s
"""


class SessionStore(DatabaseSessionStore):
    def _get_session_from_db(self) -> Session | None:
        with prepared_cursor() as cursor:
            cursor.execute(FIND, [self.session_key, timezone.now()])
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return None
        return Session(*found)
