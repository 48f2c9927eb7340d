"""Which inference a worker takes next: what a person waits for, then batches, fairly between who asked."""

from collections.abc import Callable, Collection, Iterable, Sequence

from django.db import transaction
from django.db.models import (
    BooleanField,
    Case,
    Count,
    F,
    Max,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from deepmedix_review.common import jobs
from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning import unfinished
from deepmedix_review.reasoning.models import InferenceBatch, InferenceJob, Purpose
from deepmedix_review.registry.models import ModelVersion

AtOnce = Callable[[ModelVersion], int]
# As the index of what is queued has it. By the key alone PostgreSQL may walk past all that are done already.
_IN_BATCH = ("created_at", "pk")


def claim_next(
    at_once: AtOnce, *, keeps: int | None = None, leaves: Collection[int] = ()
) -> list[InferenceJob]:
    """Jobs of one version, as many as it answers `at_once`, now leased by the caller; none where none waits.

    First what a person waits for, the oldest first. Then a batch of whoever has least running, and was served
    longest ago; a round goes to one person, filled up with others' of the same version. Batches of the
    version `keeps` go before the others, so that a model is not read into memory for every round. What died
    with its worker is taken alone: see decision 69. Versions that the caller `leaves` are for other workers.
    """
    with transaction.atomic():
        keep_whole()
        taken = _take_interactive(at_once, leaves) or _take_of_batches(at_once, keeps=keeps, leaves=leaves)
        _lease(taken)
    return taken


def claim_more(version: ModelVersion, *, number: int) -> list[InferenceJob]:
    """As `claim_next`, for a worker that has room beside what it does already: none where it is another
    version's turn, or a job's that is taken alone."""
    with transaction.atomic():
        keep_whole()
        taken = _take_interactive(lambda _: number) or _take_of_batches(lambda _: number, keeps=version.pk)
        if taken and (taken[0].model_version_id != version.pk or taken[0].attempt):
            return []
        _lease(taken)
    return taken


def something_waits(leaves: Collection[int] = ()) -> bool:
    """Of other versions than those that the caller `leaves`."""
    return _interactive(leaves).exists() or batches_in_turn(keeps=None, leaves=leaves).exists()


def batches_in_turn(*, keeps: int | None, leaves: Collection[int] = ()) -> QuerySet[InferenceBatch]:
    """Those with something to do, whoever is next first. Nothing is counted but what runs."""
    under_way = InferenceBatch.objects.filter(ended_at=None)
    of_asker = under_way.filter(requested_by=OuterRef("requested_by")).order_by().values("requested_by")
    running = (
        InferenceJob.objects.filter(state=JobState.RUNNING, batch__requested_by=OuterRef("requested_by"))
        .order_by()
        .values("batch__requested_by")
    )
    # Of each batch one, by its index: EXISTS is made a join, which reads all that are queued.
    queued = InferenceJob.objects.filter(state=JobState.QUEUED, batch=OuterRef("pk")).order_by(*_IN_BATCH)
    return (
        under_way.filter(paused_at=None, cancelled_at=None)
        .exclude(model_version__in=leaves)
        .annotate(next_queued=Subquery(queued.values("pk")[:1]))
        .filter(next_queued__isnull=False)
        .annotate(
            waits_for_evaluation=_is_so(purpose=Purpose.EVALUATION),
            is_loaded=_is_so(model_version=keeps),
            num_running=Coalesce(Subquery(running.annotate(number=Count("pk")).values("number")), 0),
            asker_served_at=Subquery(of_asker.annotate(last=Max("served_at")).values("last")),
        )
        .order_by(
            "waits_for_evaluation",
            "-is_loaded",
            "num_running",
            F("asker_served_at").asc(nulls_first=True),
            "pk",
        )
    )


def _is_so(**holds: object) -> Case:
    return Case(When(**holds, then=Value(True)), default=Value(False), output_field=BooleanField())


def _take_interactive(at_once: AtOnce, leaves: Collection[int] = ()) -> list[InferenceJob]:
    first = _locked(_interactive(leaves)).first()
    if first is None:
        return []
    return _with_others(first, [_interactive()], at_once(first.model_version))


def _take_of_batches(
    at_once: AtOnce, *, keeps: int | None, leaves: Collection[int] = ()
) -> list[InferenceJob]:
    in_turn = list(batches_in_turn(keeps=keeps, leaves=leaves))
    for place, batch in enumerate(in_turn):
        first = _locked(_queued_of(batch)).first()
        if first is None:
            continue
        same = [
            one
            for one in in_turn[place:]
            if (one.purpose, one.model_version_id) == (batch.purpose, batch.model_version_id)
        ]
        return _with_others(first, map(_queued_of, same), at_once(first.model_version))
    return []


def _lease(taken: Sequence[InferenceJob]) -> None:
    jobs.lease(taken)
    if taken:
        unfinished.begin_anew(taken)
    served = {job.batch_id for job in taken if job.batch_id and job.purpose != Purpose.INTERACTIVE}
    if served:
        InferenceBatch.objects.filter(pk__in=served).update(served_at=timezone.now())


def _with_others(
    first: InferenceJob, lines: Iterable[QuerySet[InferenceJob]], number: int
) -> list[InferenceJob]:
    taken = [first]
    if first.attempt:
        return taken
    for line in lines:
        if len(taken) >= number:
            break
        others = line.filter(model_version=first.model_version, attempt=0).exclude(pk=first.pk)
        taken += _locked(others)[: number - len(taken)]
    return taken


def _interactive(leaves: Collection[int] = ()) -> QuerySet[InferenceJob]:
    queued = InferenceJob.objects.filter(state=JobState.QUEUED, purpose=Purpose.INTERACTIVE).order_by("pk")
    return queued.exclude(model_version__in=leaves)


def _queued_of(batch: InferenceBatch) -> QuerySet[InferenceJob]:
    return InferenceJob.objects.filter(state=JobState.QUEUED, batch=batch).order_by(*_IN_BATCH)


def _locked(found: QuerySet[InferenceJob]) -> QuerySet[InferenceJob]:
    return found.select_related("study", "instance", "model_version").select_for_update(
        skip_locked=True, of=("self",)
    )
