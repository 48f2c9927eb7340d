"""Counts a reader's time at a case: no more of it than has passed, and none of it at two cases.

A browser says how long its reader was at work. Reports may come late and many at once, when a network is
back, so each is laid onto the time that has passed since the case was opened and that no report of this
reader, from any window or device, has taken yet. What finds no room there was counted already.
"""

from datetime import timedelta

from django.db import connection
from django.db.models import F
from django.utils import timezone

from deepmedix_review.reviews.models import ReaderClock, Reading
from deepmedix_review.reviews.reading.changes import AddActiveTime

# SQL, since it makes the reader's clock where there is none, holds it, and reads it, all at once.
HOLD_CLOCK = """
INSERT INTO reviews_readerclock AS clock (reader_id, counted_until)
SELECT assignment.reader_id, reading.opened_at + make_interval(secs => reading.active_seconds)
FROM reviews_reading reading JOIN reviews_assignment assignment ON assignment.id = reading.assignment_id
WHERE reading.id = %s AND reading.opened_at IS NOT NULL
ON CONFLICT (reader_id) DO UPDATE SET counted_until = greatest(clock.counted_until, excluded.counted_until)
RETURNING reader_id, counted_until
"""


def count_active_time(reading: Reading, change: AddActiveTime) -> None:
    """Nothing is counted of a case that was never opened."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD_CLOCK, [reading.pk])
        held = cursor.fetchone()
    if held is None:
        return
    reader, counted_until = held
    num_free_seconds = int((timezone.now() - counted_until).total_seconds())
    seconds = max(0, min(change.seconds, num_free_seconds))
    ReaderClock.objects.filter(pk=reader).update(counted_until=counted_until + timedelta(seconds=seconds))
    Reading.objects.filter(pk=reading.pk).update(active_seconds=F("active_seconds") + seconds)
