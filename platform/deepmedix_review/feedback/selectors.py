"""Reads data sets, training runs and gate decisions, and traces a version back to the readings it learned
from."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.selectors import done_by_commands
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES, JobState
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.evaluation.services import ensure_benchmarks_for
from deepmedix_review.feedback.gating.compared import (
    before_the_gate,
    compared_with,
    decision_beside,
    latest_decision,
)
from deepmedix_review.feedback.models import (
    DatasetReading,
    GateDecision,
    PreferenceDataset,
    Promotion,
    TrainingMetric,
    TrainingRun,
)
from deepmedix_review.feedback.readings_learned import ReadingLearned, first_readings_of, readings_of
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import Apart, tell_apart
from deepmedix_review.reviews.selectors import signed_readings
from deepmedix_review.studies.models import Split
from rl_feedback.engines.placement import LOCAL

# A curve on a page is some 300 pixels wide.
MOST_STEPS_SHOWN = 300


@dataclass(frozen=True)
class Measuring:
    """Films that candidate and parent have answered before the gate; `is_stuck` until a person retries."""

    num_done: int
    num_films: int
    is_stuck: bool


@dataclass(frozen=True)
class Branch:
    """One version in the tree of versions; `depth` is the number of its ancestors. `is_measured`: the gate
    waits for measurements that go on; `is_stuck`: for one that ended early. `apart` is said beside a name
    that several bear."""

    version: ModelVersion
    depth: int
    run: TrainingRun | None
    decision: GateDecision | None
    is_measured: bool = False
    is_stuck: bool = False
    apart: Apart | None = None

    @property
    def indent(self) -> range:
        return range(self.depth - 1)


@dataclass(frozen=True)
class Generation:
    """A version on the way to another, and on how many readings of how many readers its own run learned;
    `num_erased` readings more were erased since."""

    version: ModelVersion
    run: TrainingRun | None
    num_readings: int
    num_readers: int
    num_erased: int


@dataclass(frozen=True)
class Lineage:
    """From the readings to a version: what it learned from, the run, and the versions before it, oldest
    first."""

    run: TrainingRun | None
    decision: GateDecision | None
    ancestors: tuple[ModelVersion, ...]
    generations: tuple[Generation, ...]
    readings: tuple[ReadingLearned, ...]
    num_readings: int
    num_readers: int

    @property
    def num_erased(self) -> int:
        return self.generations[0].num_erased

    @property
    def num_erased_in_all(self) -> int:
        """Of its own run and of its ancestors'."""
        return sum(one.num_erased for one in self.generations)


def datasets(user: User) -> QuerySet[PreferenceDataset]:
    """Newest first, with the number of runs on each, without what only a set's own page shows."""
    require(user, Capability.VIEW_MODELS)
    rows = PreferenceDataset.objects.defer("left_out", "disputes", "readers")
    return rows.annotate(num_runs=Count("runs")).order_by("-id")


def dataset_for(user: User, uid: UUID) -> PreferenceDataset:
    """Raises NotYours, or Http404."""
    require(user, Capability.VIEW_MODELS)
    return get_object_or_404(PreferenceDataset.objects.select_related("created_by"), uid=uid)


def dataset_named(user: User, name: str) -> PreferenceDataset:
    """By uid, or by its title where one set alone has that. Raises NotYours, RefusedByRule or Http404."""
    try:
        return dataset_for(user, UUID(name))
    except ValueError:
        pass
    require(user, Capability.VIEW_MODELS)
    found = PreferenceDataset.objects.select_related("created_by").filter(title=name)[:2]
    if len(found) > 1:
        raise RefusedByRule("Several data sets have that title. Name the uid of one: it is in its address.")
    if not found:
        raise Http404
    return found[0]


def num_readings_waiting(dataset: PreferenceDataset | None) -> int:
    """Signed readings that the newest data set does not hold yet."""
    readings = signed_readings()
    return (readings if dataset is None else readings.filter(signed_at__gt=dataset.as_of)).count()


def run_for(user: User, uid: UUID) -> TrainingRun:
    """Raises NotYours, or Http404."""
    require(user, Capability.VIEW_MODELS)
    runs = TrainingRun.objects.select_related("dataset", "parent_version", "candidate", "requested_by")
    return get_object_or_404(runs, uid=uid)


def run_ahead_of(run: TrainingRun) -> TrainingRun | None:
    """The one that the learning worker trains while this one waits for it."""
    if run.state != JobState.QUEUED or run.engine != LOCAL:
        return None
    # It may have begun since it was read.
    return _trained_here().exclude(pk=run.pk).first()


def run_ahead_of_measuring(evaluations: Iterable[Evaluation]) -> TrainingRun | None:
    """The one that the learning worker trains while all of these wait for it."""
    states = {evaluation.state for evaluation in evaluations}
    if JobState.QUEUED not in states or JobState.RUNNING in states:
        return None
    return _trained_here().first()


def _trained_here() -> QuerySet[TrainingRun]:
    return TrainingRun.objects.filter(state=JobState.RUNNING, engine=LOCAL).order_by("started_at")


def measuring_of(run: TrainingRun) -> Measuring | None:
    """How far the gate's measurements of this run's candidate are; None unless the gate waits for them."""
    candidate = run.candidate
    if candidate is None or candidate.state != ModelVersion.State.CANDIDATE:
        return None
    if GateDecision.objects.filter(candidate=candidate).exists():
        return None
    benchmarks = ensure_benchmarks_for(candidate)
    evaluations = Evaluation.objects.filter(
        model_version__in=[candidate.pk, candidate.parent_id], benchmark__in=benchmarks
    ).values_list("state", "num_done")
    return Measuring(
        num_done=sum(num_done for _, num_done in evaluations),
        num_films=2 * sum(benchmark.num_phantoms for benchmark in benchmarks),
        is_stuck=any(state in (JobState.FAILED, JobState.CANCELLED) for state, _ in evaluations),
    )


def metrics_of(run: TrainingRun) -> list[TrainingMetric]:
    """Each step's figures; of a long run evenly spaced steps, with the first and the last."""
    stride = max(1, run.num_steps // MOST_STEPS_SHOWN)
    spaced = run.metrics.annotate(rest=F("step") % stride).filter(Q(rest=0) | Q(step__in=(1, run.step)))
    return list(spaced.order_by("step"))


def seconds_left(run: TrainingRun, metrics: Sequence[TrainingMetric]) -> float | None:
    """By the median time of the last steps; None where nothing is known or the run has ended."""
    latest = [metric.seconds for metric in metrics[-20:] if metric.seconds]
    if run.is_final or not latest:
        return None
    return median(latest) * (run.num_steps - run.step)


def runs_left_on_the_cluster() -> Sequence[TrainingRun]:
    """Runs that ended here while a job of theirs may go on there."""
    return list(TrainingRun.objects.filter(state__in=FINAL_STATES).exclude(cluster_job=""))


def is_measured(candidate: ModelVersion, *, beside: ModelVersion) -> bool:
    """Whether both are measured on every benchmark of the gate."""
    benchmarks = ensure_benchmarks_for(candidate)
    done = Evaluation.objects.filter(
        model_version__in=[candidate, beside], benchmark__in=benchmarks, state=JobState.DONE
    )
    return done.count() == len(benchmarks) * 2


def damage_of(candidate: ModelVersion) -> str:
    """Why the candidate's files are no sound model; empty where nothing was found wrong with them."""
    found = Evaluation.objects.filter(model_version=candidate, state=JobState.FAILED, is_damaged=True)
    return found.values_list("error", flat=True).first() or ""


def undecided_beside(version: ModelVersion) -> tuple[ModelVersion, ...]:
    """Other versions that the gate measures beside the same one: they share its measurements."""
    other = compared_with(version)
    waiting = {one.candidate for one in before_the_gate() if one.beside == other}
    return tuple(sorted(waiting - {version}, key=lambda one: one.number))


@dataclass(frozen=True)
class UnsignedStart:
    """A command let a version serve, past the gate, which nobody signs."""

    created_at: datetime
    kind: str = "unsigned"


def signatures_of(version: ModelVersion) -> list[Promotion | UnsignedStart]:
    """Who let it serve, who returned to it, and who put or returned to another in its place; the newest
    first."""
    of_it = Promotion.objects.filter(Q(version=version) | Q(replaced=version))
    found: list[Promotion | UnsignedStart] = [
        *of_it.select_related("signed_by", "version", "replaced"),
        *map(UnsignedStart, done_by_commands(version, action="promote_model")),
    ]
    return sorted(found, key=lambda one: one.created_at, reverse=True)


def model_tree() -> tuple[Branch, ...]:
    """Every version below its parent, oldest first, with what it was trained on and what the gate said."""
    versions = (
        ModelVersion.objects.select_related("training_run__dataset")
        .prefetch_related("gate_decisions")
        .order_by("number")
    )
    children: dict[int | None, list[ModelVersion]] = defaultdict(list)
    for version in versions:
        children[version.parent_id].append(version)
    apart = tell_apart(versions)
    waiting_at_the_gate = {one.candidate.pk: one.is_stuck for one in before_the_gate()}
    branches: list[Branch] = []
    waiting = [(version, 0) for version in reversed(children[None])]
    while waiting:
        version, depth = waiting.pop()
        branches.append(
            Branch(
                version=version,
                depth=depth,
                run=getattr(version, "training_run", None),
                decision=latest_decision(version),
                is_measured=waiting_at_the_gate.get(version.pk) is False,
                is_stuck=waiting_at_the_gate.get(version.pk, False),
                apart=apart.get(version.pk),
            )
        )
        waiting.extend((child, depth + 1) for child in reversed(children[version.pk]))
    return tuple(branches)


def lineage_of(version: ModelVersion) -> Lineage:
    """Everything that the version came from, down to the blinded labels of the readings."""
    run = TrainingRun.objects.select_related("dataset", "parent_version").filter(candidate=version).first()
    ancestors = [version]
    while ancestors[-1].parent is not None:
        ancestors.append(ancestors[-1].parent)
    return Lineage(
        run=run,
        decision=_decision_shown(version),
        ancestors=tuple(reversed(ancestors)),
        generations=_generations(ancestors),
        readings=first_readings_of(run.dataset) if run else (),
        num_readings=readings_of(run.dataset).count() if run else 0,
        num_readers=readings_of(run.dataset).values("assignment__reader").distinct().count() if run else 0,
    )


def _decision_shown(version: ModelVersion) -> GateDecision | None:
    """Beside the version that it is compared with now; of a version that serves, the one that let it."""
    other = compared_with(version)
    return decision_beside(version, other) if other else latest_decision(version)


def _generations(versions: Sequence[ModelVersion]) -> tuple[Generation, ...]:
    """Newest first; one query for all their runs, one for all their readings."""
    runs = {
        run.candidate_id: run
        for run in TrainingRun.objects.select_related("dataset").filter(candidate__in=versions)
    }
    counted = {
        row["dataset"]: row
        for row in DatasetReading.with_erased.filter(
            dataset__in={run.dataset_id for run in runs.values()}, split=Split.TRAIN
        )
        .order_by()
        .values("dataset")
        .annotate(
            num=Count("reading"),
            num_readers=Count("reading__assignment__reader", distinct=True),
            num_erased=Count("pk", filter=Q(reading__isnull=True)),
        )
    }
    return tuple(
        Generation(
            version,
            run,
            *(row[name] if row else 0 for name in ("num", "num_readers", "num_erased")),
        )
        for version in versions
        for run in (runs.get(version.pk),)
        for row in (counted.get(run.dataset_id) if run else None,)
    )
