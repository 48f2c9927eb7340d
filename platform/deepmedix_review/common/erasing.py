"""Keeps an erasure apart from what reads studies to keep something of them: neither begins while the other's
transaction is open."""

from django.db import connection

# Any fixed number: the advisory lock that erasures hold alone and others share.
ERASING_LOCK = 7_205_760


def keep_whole() -> None:
    """Inside a transaction that keeps something of studies: none is erased before it ends, and what it reads
    from here on is of studies that are here. Call it before anything is read or locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [ERASING_LOCK])


def begin_erasing() -> None:
    """Inside the transaction that erases: alone, and past the triggers that close what was signed or frozen
    against every other deletion. Both end with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ERASING_LOCK])
        cursor.execute("SET LOCAL deepmedix.erasing = 'on'")
