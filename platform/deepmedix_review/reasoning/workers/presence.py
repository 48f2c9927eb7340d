"""How an inference worker says that it is there: a row of its own, renewed from a thread while it lives."""

import logging
import threading
from datetime import timedelta
from typing import Any

from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from deepmedix_review.reasoning.answering import Answering
from deepmedix_review.reasoning.models import InferenceWorker

QUEUE = "inference"
SECONDS_BETWEEN_BEATS = 2.0
logger = logging.getLogger(__name__)


class Presence:
    """Of one process. The row is made by the first beat, and made anew where somebody has deleted it."""

    def __init__(self, answering: Answering, *, name: str) -> None:
        self._answering = answering
        self._name = name
        self._row: InferenceWorker | None = None
        self._changed, self._ends = threading.Event(), False
        self._thread = threading.Thread(target=self._beat_on, name="presence", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def tell(self) -> None:
        """What has changed is told at once. Safe in a signal's handler."""
        self._changed.set()

    def end(self) -> None:
        self._ends = True
        self._changed.set()
        self._thread.join()

    def beat(self) -> None:
        """Say how it is now."""
        now, answering = timezone.now(), self._answering
        said: dict[str, Any] = {
            "model_version_id": answering.version,
            "num_running": max(0, answering.num_held),
            "num_answered": answering.num_answered,
            "num_remembered": answering.num_remembered,
            "unfit": {str(pk): one.why for pk, one in answering.unfit.copy().items()},
            "seen_at": now,
        }
        if answering.drain.is_asked and (self._row is None or self._row.drains_until is None):
            said["drains_until"] = now + timedelta(seconds=settings.DRAIN_SECONDS)
        if self._ends:
            said["ended_at"] = now
        if self._row is None or not InferenceWorker.objects.filter(pk=self._row.pk).update(**said):
            self._row = InferenceWorker.objects.create(name=self._name, **said)
        self._row.drains_until = said.get("drains_until", self._row.drains_until)

    def _beat_on(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._ends
            try:
                self.beat()
            except DatabaseError as error:
                logger.warning("this worker could not say that it is there: %s", error)
            finally:
                connection.close()
            if not is_last:
                self._changed.wait(SECONDS_BETWEEN_BEATS)
                self._changed.clear()


def announce(answering: Answering) -> None:
    """In the process of an inference worker: its row lives as long as it does, and SIGTERM drains it. In any
    other nothing happens."""
    present: list[Presence] = []

    def begin(sender: Any, **_: Any) -> None:
        if QUEUE in sender.app.amqp.queues.consume_from:
            present.append(Presence(answering, name=sender.hostname))
            present[0].begin()

    def drain(**_: Any) -> None:
        answering.drain.ask()
        for one in present:
            one.tell()

    def end(**_: Any) -> None:
        for one in present:
            one.end()

    worker_ready.connect(begin, weak=False)
    worker_shutting_down.connect(drain, weak=False)
    worker_shutdown.connect(end, weak=False)
