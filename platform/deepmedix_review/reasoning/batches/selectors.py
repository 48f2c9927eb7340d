"""How far batches are, how fast, and what failed in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.models import FINAL_STATES, JobState
from deepmedix_review.common.paging import Page, page_of
from deepmedix_review.reasoning.models import InferenceBatch, InferenceJob, Purpose
from deepmedix_review.reasoning.workers.selectors import none_answers_because
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Study
from deepmedix_review.studies.selectors import visible_studies

NUM_BATCHES_A_PAGE = 25
# What was answered in this time tells how fast a batch is.
RATE_OVER = timedelta(minutes=5)
MOST_REASONS = 20
NUM_LATEST = 10
# Between two rounds nothing of a batch runs; one that no worker has taken up for so long waits. Where another
# batch runs, one that no worker ever took up waits at once.
WAITS_AFTER = timedelta(seconds=20)


@dataclass(frozen=True)
class Counts:
    """Of a batch's jobs."""

    num_queued: int = 0
    num_running: int = 0
    num_done: int = 0
    num_failed: int = 0
    num_cancelled: int = 0

    @property
    def num_ended(self) -> int:
        return self.num_done + self.num_failed + self.num_cancelled

    @property
    def num_asked(self) -> int:
        return self.num_queued + self.num_running + self.num_ended


@dataclass(frozen=True)
class Wait:
    """What a batch waits for, in a sentence; `behind` is the batch that workers are at, if it is one."""

    why: str
    behind: InferenceBatch | None = None


@dataclass(frozen=True)
class Progress:
    """`per_minute` and `seconds_left` are None where nothing was answered lately, or nothing is left. A pause
    counts for neither. `wait` is None where workers are at it."""

    batch: InferenceBatch
    counts: Counts
    per_minute: float | None = None
    seconds_left: float | None = None
    wait: Wait | None = None

    @property
    def is_live(self) -> bool:
        return self.batch.ended_at is None

    @property
    def is_asking(self) -> bool:
        return self.batch.state not in FINAL_STATES

    @property
    def phase(self) -> str:
        batch = self.batch
        if batch.cancelled_at:
            return "cancelled" if batch.ended_at else "ending"
        if batch.ended_at:
            return "not asked" if batch.state == JobState.FAILED else "through"
        if batch.paused_at:
            return "paused"
        if self.wait is not None:
            return "waiting"
        return "at work" if self.counts.num_asked else "beginning"

    @property
    def minutes_left(self) -> int | None:
        return None if self.seconds_left is None else max(1, round(self.seconds_left / 60))


@dataclass(frozen=True)
class Reason:
    """Why so many of a batch failed, empty where they were cancelled; of which study one did, and whether the
    viewer may open it."""

    error: str
    number: int
    example: Study | None = None
    may_open: bool = False


def batches() -> QuerySet[InferenceBatch]:
    return InferenceBatch.objects.select_related("model_version", "collection__collection", "requested_by")


def batch_for(user: User, uid: UUID) -> InferenceBatch:
    """Raises NotYours, or DoesNotExist."""
    require(user, Capability.REQUEST_INFERENCE)
    return batches().get(uid=uid)


def batch_page(*, before: int | None) -> tuple[Sequence[Progress], Page[InferenceBatch]]:
    """Newest first. What is through is not counted anew: a page takes as long however much was asked."""
    page = page_of(batches(), before=before, size=NUM_BATCHES_A_PAGE)
    return progress_of(page.rows), page


def progress_of(found: Sequence[InferenceBatch]) -> list[Progress]:
    """In six statements, however many there are, and one for each version that something waits for."""
    live = [batch for batch in found if batch.ended_at is None]
    counted, speeds = counts_of(live), _per_minute(live)
    waits = _waits_of([batch for batch in live if _may_wait(batch, counted[batch.pk])])
    progress = []
    for batch in found:
        counts = counted.get(batch.pk) or Counts(
            num_done=batch.num_done, num_failed=batch.num_failed, num_cancelled=batch.num_cancelled
        )
        wait = waits.get(batch.pk)
        speed = None if wait else speeds.get(batch.pk)
        left = counts.num_queued + counts.num_running
        seconds = 60 * left / speed if speed and left and not batch.paused_at else None
        progress.append(Progress(batch, counts, per_minute=speed, seconds_left=seconds, wait=wait))
    return progress


def counts_of(found: Iterable[InferenceBatch]) -> dict[int, Counts]:
    """From an index alone."""
    by_batch: dict[int, dict[str, int]] = {batch.pk: {} for batch in found}
    if not by_batch:
        return {}
    rows = InferenceJob.objects.filter(batch__in=by_batch).order_by().values_list("batch", "state")
    for batch, state, number in rows.annotate(number=Count("pk")):
        by_batch[batch][f"num_{state}"] = number
    return {batch: Counts(**numbers) for batch, numbers in by_batch.items()}


def live_of(versions: Iterable[ModelVersion]) -> list[Progress]:
    """Of each batch of these versions that is at work, the oldest first."""
    found = batches().filter(model_version__in=list(versions), ended_at=None)
    return progress_of(list(found.order_by("pk")))


def failures_of(batch: InferenceBatch, *, viewer: User) -> list[Reason]:
    """The commonest reasons first, and what was cancelled last."""
    failed = InferenceJob.objects.filter(batch=batch, state=JobState.FAILED).order_by().values_list("error")
    counted = failed.annotate(number=Count("pk"), example=Max("study")).order_by("-number", "error")
    rows = list(counted[:MOST_REASONS])
    studies = Study.objects.in_bulk([study for _, _, study in rows])
    open_to_them = set(visible_studies(viewer).filter(pk__in=studies).values_list("pk", flat=True))
    reasons = [Reason(error, number, studies.get(pk), pk in open_to_them) for error, number, pk in rows]
    num_cancelled = InferenceJob.objects.filter(batch=batch, state=JobState.CANCELLED).count()
    return [*reasons, *([Reason("", num_cancelled)] if num_cancelled else [])]


def latest_answers(batch: InferenceBatch) -> Sequence[InferenceJob]:
    """The last that were answered, the newest first, each with its study and what was said."""
    done = batch.jobs.filter(state=JobState.DONE).select_related("study", "model_version", "completion")
    return list(done.order_by("-finished_at", "-pk")[:NUM_LATEST])


def _may_wait(batch: InferenceBatch, counts: Counts) -> bool:
    """Whether there is something to do of it, and no worker at it."""
    return bool(counts.num_queued and not (batch.paused_at or batch.cancelled_at or counts.num_running))


def _is_between_rounds(batch: InferenceBatch) -> bool:
    """Whether no worker is at it for no longer than a round takes to begin."""
    since = max(filter(None, (batch.created_at, batch.served_at, batch.resumed_at)))
    return timezone.now() - since <= WAITS_AFTER


def _waits_of(waiting: Sequence[InferenceBatch]) -> dict[int, Wait]:
    if not waiting:
        return {}
    running = InferenceJob.objects.filter(state=JobState.RUNNING).order_by()
    at_work = running.exclude(purpose=Purpose.INTERACTIVE).values("batch")
    before = batches().filter(pk__in=at_work).order_by("pk").first()
    waiting = [
        batch
        for batch in waiting
        if not _is_between_rounds(batch) or (before is not None and batch.served_at is None)
    ]
    if not waiting:
        return {}
    a_person = running.filter(purpose=Purpose.INTERACTIVE).exists()
    why_none = {version: none_answers_because(version) for version in {one.model_version for one in waiting}}
    waits = {}
    for batch in waiting:
        if why := why_none[batch.model_version]:
            waits[batch.pk] = Wait(why)
        elif before is not None:
            waits[batch.pk] = Wait("Workers are at another batch; its turn comes.", behind=before)
        elif a_person:
            waits[batch.pk] = Wait("Workers answer what people wait for on a study's page; that goes first.")
        else:
            waits[batch.pk] = Wait("No worker has taken it up yet.")
    return waits


def _per_minute(live: Sequence[InferenceBatch]) -> dict[int, float]:
    """Of what was answered since the last pause; while one is paused, as it was until then."""
    if not live:
        return {}
    now = timezone.now()
    until = {batch.pk: batch.paused_at or now for batch in live}
    of_each = Q()
    for batch in live:
        since = max(filter(None, (until[batch.pk] - RATE_OVER, batch.resumed_at)))
        of_each |= Q(batch=batch.pk, finished_at__gte=since, finished_at__lte=until[batch.pk])
    recent = InferenceJob.objects.filter(of_each, state=JobState.DONE)
    rows = (
        recent.order_by()
        .values_list("batch")
        .annotate(number=Count("pk"), first=Min("finished_at"), last=Max("finished_at"))
    )
    # Between the first and the last there is one fewer than there are.
    return {
        batch: 60 * (number - 1) / seconds
        for batch, number, first, last in rows
        if (seconds := (until[batch] - first).total_seconds()) > 0 and number > 1
    }
