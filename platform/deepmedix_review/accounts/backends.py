"""Who a session belongs to, found by a statement that PostgreSQL planned before: every request asks."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db import DEFAULT_DB_ALIAS as DATABASE

from deepmedix_review.accounts.models import User
from deepmedix_review.common.prepared import prepared_cursor

COLUMNS = [field.attname for field in User._meta.concrete_fields]
FIND = f"SELECT {', '.join(COLUMNS)} FROM {User._meta.db_table} WHERE id = %s::bigint"


class AccountBackend(ModelBackend):
    """Names and passwords as Django checks them."""

    def get_user(self, user_id: Any) -> User | None:
        with prepared_cursor() as cursor:
            cursor.execute(FIND, [user_id])
            found = cursor.fetchone()
        if found is None:
            return None
        user = User.from_db(DATABASE, COLUMNS, found)
        return user if self.user_can_authenticate(user) else None
