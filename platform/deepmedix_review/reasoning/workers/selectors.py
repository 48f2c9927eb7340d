"""Which inference workers there are, and what each is at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.models import InferenceJob, InferenceWorker
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


def why_queued(jobs: Iterable[InferenceJob]) -> list[str]:
    """Of each version that some of these wait for and no worker can run now, why not."""
    waited_for = {job.model_version for job in jobs if job.state == JobState.QUEUED}
    if not waited_for:
        return []
    there = _who_take_more()
    whys = (_why_none(version, there) for version in sorted(waited_for, key=lambda one: one.pk))
    return list(dict.fromkeys(filter(None, whys)))


def none_answers_because(version: ModelVersion) -> str:
    """Why what waits for this version waits on, in a sentence; empty where some worker may take it."""
    return _why_none(version, _who_take_more())


def _who_take_more() -> list[Seen]:
    return [one for one in workers() if one.is_there and one.state != "draining"]


def _why_none(version: ModelVersion, there: Sequence[Seen]) -> str:
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
