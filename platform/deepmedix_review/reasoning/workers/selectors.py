"""Which inference workers there are, and what each is at."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from deepmedix_review.reasoning.models import InferenceWorker
from deepmedix_review.registry.models import ModelVersion

# One that left is shown for so long.
SHOWN_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Seen:
    """A worker and its state: at work, idle, can't generate, draining, gone, or lost, which is gone without
    a word."""

    worker: InferenceWorker
    state: str

    @property
    def is_there(self) -> bool:
        return self.state not in ("gone", "lost")


def workers() -> list[Seen]:
    """Those that are there first, by their names, then those that left, the last of them first."""
    since = timezone.now() - SHOWN_AFTER
    found = InferenceWorker.objects.select_related("model_version")
    seen = [
        Seen(worker, _state(worker))
        for worker in found.filter(Q(ended_at=None, seen_at__gte=since) | Q(ended_at__gte=since))
    ]
    there = [one for one in seen if one.is_there]
    left = [one for one in seen if not one.is_there]
    return [*there, *sorted(left, key=lambda one: one.worker.seen_at, reverse=True)]


def none_answers_because(version: ModelVersion) -> str:
    """Why what waits for this version waits on, in a sentence; empty where some worker may take it."""
    there = [one for one in workers() if one.is_there and one.state != "draining"]
    if not there:
        return "No inference worker is at work. Start one, or wait until one is back."
    whys = [one.worker.unfit.get(str(version.pk), "") for one in there]
    return "" if not all(whys) else f"No inference worker can run {version}. {whys[0]}"


def _state(worker: InferenceWorker) -> str:
    if worker.ended_at:
        return "gone"
    if timezone.now() - worker.seen_at > timedelta(seconds=settings.LEASE_SECONDS):
        return "lost"
    if worker.drains_until:
        return "draining"
    if worker.num_running:
        return "at work"
    return "can't generate" if worker.unfit else "idle"
