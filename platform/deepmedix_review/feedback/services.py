"""Queues training runs on frozen data sets, and keeps what a run and its gate produced."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES, JobState
from deepmedix_review.evaluation.models import Benchmark, Evaluation
from deepmedix_review.evaluation.patient_changes import record_changes
from deepmedix_review.evaluation.selectors import measured, scores_of, write_the_same
from deepmedix_review.evaluation.services import ensure_benchmarks_for
from deepmedix_review.feedback.changed_cases import find_changed
from deepmedix_review.feedback.datasets.freezing import freeze_dataset
from deepmedix_review.feedback.examples import (
    LEARNS_FROM,
    Examples,
    examples_of,
    num_misfits,
    num_pairs_to_learn,
    num_withdrawn_pairs,
    without_drawn,
)
from deepmedix_review.feedback.gating.compared import compared_with, decision_beside
from deepmedix_review.feedback.gating.patients import compare_on_patients, ensure_patients
from deepmedix_review.feedback.gating.policies import current_policy
from deepmedix_review.feedback.gating.step_scores import StepsCompared, compare_steps_of
from deepmedix_review.feedback.models import (
    GateDecision,
    PreferenceDataset,
    TrainingMetric,
    TrainingRun,
)
from deepmedix_review.feedback.runs.engines import require_place
from deepmedix_review.feedback.sealed_patients import lineage_refusal, sealed_refusal
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import serving_model, training_refusal
from deepmedix_review.registry.services import register_candidate, retire
from rl_feedback.counting import counted
from rl_feedback.engines.placement import LOCAL
from rl_feedback.gate import BenchmarkScores, GateOutcome, Suite, TwinScores, decide
from rl_feedback.training.config import require_reportable
from rl_feedback.training.figures import StepFigures
from rl_feedback.training.loss_by_agreement import VotesBehind, with_losses_chosen
from rl_feedback.training.recipe import DEFAULT_RECIPE, Recipe

__all__ = [
    "cancel_training",
    "freeze_dataset",
    "hold_unmeasured",
    "pass_or_hold",
    "queue_training",
    "record_candidate",
    "record_cluster_job",
    "record_retry",
    "record_start",
    "record_step",
    "requeue_training",
    "retire_candidate",
]


def queue_training(
    *,
    dataset: PreferenceDataset,
    actor: User,
    recipe: Mapping[str, Any] | None = None,
    placement: Mapping[str, Any] | None = None,
) -> TrainingRun:
    """A run of a recipe from the version that serves now; without one, corrections and then preferences. A
    loss that it does not name is chosen by how far the data set's readers agree, and the run keeps why.
    Without a placement it learns in one process of this machine's worker."""
    require(actor, Capability.TRAIN_MODELS)
    parent = serving_model()
    if refusal := training_refusal(parent):
        raise RefusedByRule(refusal)
    try:
        wanted = DEFAULT_RECIPE if recipe is None else Recipe.from_json(recipe)
    except ValueError as error:
        raise RefusedByRule(str(error)) from error
    examples = examples_of(dataset, parent=parent)
    chosen = Recipe(tuple(without_drawn(stage, examples) for stage in wanted.stages))
    _require_something_to_learn(chosen, dataset=dataset, parent=parent, examples=examples)
    chosen = _with_losses(chosen, dataset=dataset, examples=examples)
    place = require_place(placement or {}, recipe=chosen)
    _require_reportable(chosen)
    with transaction.atomic():
        run = TrainingRun.objects.create(
            dataset=dataset,
            parent_version=parent,
            requested_by=actor,
            recipe=chosen.as_json(),
            num_steps=chosen.num_steps,
            engine=place.engine,
            placement={name: value for name, value in place.as_json().items() if name != "engine"},
        )
        record_event(
            actor=actor,
            action="request_training",
            subject=run,
            details={
                "data_set": str(dataset.uid),
                "stages": [stage.kind for stage in chosen.stages],
                "num_examples": [len(examples.of(stage)) for stage in chosen.stages],
                "num_drawn": [examples.num_drawn(stage) for stage in chosen.stages],
                "num_withdrawn": num_withdrawn_pairs(dataset),
                "engine": place.engine,
            },
        )
    return run


def _require_reportable(recipe: Recipe) -> None:
    """The learning worker has the packages that are installed here."""
    try:
        for stage in recipe.stages:
            require_reportable(stage.report_to)
    except ValueError as error:
        raise RefusedByRule(str(error)) from error


def _with_losses(recipe: Recipe, *, dataset: PreferenceDataset, examples: Examples) -> Recipe:
    try:
        return with_losses_chosen(
            recipe, votes=lambda: VotesBehind.from_json(dataset.readers), pairs=examples.pairs_of
        )
    except ValueError as error:
        raise RefusedByRule(str(error)) from error


def _require_something_to_learn(
    recipe: Recipe, *, dataset: PreferenceDataset, parent: ModelVersion, examples: Examples
) -> None:
    sealed = sealed_refusal(dataset)
    if sealed:
        raise RefusedByRule(f"A run on this data set would be refused by the gate. {sealed}")
    num_to_learn = num_pairs_to_learn(dataset)
    num_misfit = num_misfits(dataset, parent=parent)
    if num_misfit > 0:
        raise RefusedByRule(
            f"{num_misfit} of {counted(num_to_learn, 'pair')} {'has' if num_misfit == 1 else 'have'} "
            f"regions in coordinates that {parent} does not write. Freeze a data set of readings of {parent}."
        )
    for number, stage in enumerate(recipe.stages, 1):
        if examples.of(stage) or examples.num_drawn(stage):
            continue
        if dataset.num_pairs and not num_to_learn:
            raise RefusedByRule(
                f"Stage {number} has nothing to learn from: every pair of this data set is of a patient who "
                "is held out for tuning or testing. Freeze one once cases of more patients are signed."
            )
        kind = LEARNS_FROM[stage.kind].noun
        wanted = f" of the origin {' or '.join(stage.origins)}" if stage.origins else ""
        raise RefusedByRule(
            f"Stage {number} has nothing to learn from: this data set holds no {kind}{wanted} of studies "
            "that are ready. Choose another recipe, or freeze a data set that has them."
        )


def cancel_training(run: TrainingRun, *, actor: User) -> None:
    require(actor, Capability.TRAIN_MODELS)
    with transaction.atomic():
        jobs.request_cancel(run)
        record_event(actor=actor, action="cancel_training", subject=run)


def requeue_training(run: TrainingRun, *, actor: User) -> None:
    require(actor, Capability.TRAIN_MODELS)
    if run.state not in (JobState.FAILED, JobState.CANCELLED):
        raise RefusedByRule(f"This run is {run.state}; only a failed or cancelled one can be tried again.")
    with transaction.atomic():
        jobs.retry(run)
        record_event(actor=actor, action="retry_training", subject=run)


def record_start(run: TrainingRun, about: Mapping[str, Any]) -> None:
    """Under what an attempt runs: a run that goes on elsewhere keeps both."""
    with transaction.atomic():
        jobs.hold(run)
        known = [{name: value for name, value in one.items() if name != "attempt"} for one in run.abouts]
        # A job on a cluster is told again to each worker that follows it.
        if run.engine == LOCAL or dict(about) not in known:
            run.abouts = [*run.abouts, {"attempt": len(run.abouts) + 1, **about}]
            run.save(update_fields=["abouts"])


def record_step(run: TrainingRun, figures: StepFigures) -> None:
    """Renew the lease and keep one step's figures; a step that a resumed run repeats keeps one row."""
    with transaction.atomic():
        jobs.heartbeat(run, step=figures.step)
        TrainingMetric.objects.update_or_create(
            run=run,
            step=figures.step,
            defaults={
                "stage": figures.stage,
                "values": dict(figures.values),
                "seconds": figures.seconds,
                "memory_mb": figures.memory_mb,
            },
        )


def record_retry(run: TrainingRun, reason: str) -> None:
    """Why the engine began a job, or a worker of it, again; who follows the job anew is told once more."""
    with transaction.atomic():
        jobs.hold(run)
        if reason not in run.retries:
            run.retries = [*run.retries, reason]
            run.save(update_fields=["retries"])


def record_cluster_job(run: TrainingRun, name: str) -> None:
    """The name under which a job may run for it from now on, empty once none does."""
    TrainingRun.objects.filter(pk=run.pk).update(cluster_job=name)
    run.cluster_job = name


def forget_left_job(run: TrainingRun) -> None:
    """No job runs for it any more, unless a person let the run go on meanwhile."""
    TrainingRun.objects.filter(pk=run.pk, state__in=FINAL_STATES).update(cluster_job="")


def record_candidate(run: TrainingRun, folder: Path) -> ModelVersion:
    """Register what the run wrote and end the run: both or neither, so that a run has one candidate at
    most."""
    with transaction.atomic():
        jobs.hold(run)
        candidate = register_candidate(
            parent=run.parent_version,
            folder=folder,
            name=run.parent_version.name,
            card={
                "trained_by": ", then ".join(stage["kind"].upper() for stage in run.recipe["stages"]),
                "data_set": {"uid": str(run.dataset.uid), "sha256": run.dataset.sha256},
                "recipe": run.recipe,
                **({"step_scorer": run.about["step_scorer"]} if "step_scorer" in run.about else {}),
            },
            actor=run.requested_by,
        )
        jobs.finish(run, state=JobState.DONE, candidate=candidate)
    return candidate


def pass_or_hold(candidate: ModelVersion, *, beside: ModelVersion | None = None) -> GateDecision:
    """The gate's word on a candidate whose evaluations are done, beside the version that it is compared with
    where no other is named; said once, it stands."""
    parent = _other(candidate, beside)
    known = decision_beside(candidate, parent)
    if known is not None:
        return known
    sealed = lineage_refusal(candidate)
    if sealed:
        return hold_unmeasured(candidate, reason=sealed, beside=parent)
    ensure_patients(candidate, beside=parent)
    both = [
        (_measured(parent, benchmark), _measured(candidate, benchmark))
        for benchmark in ensure_benchmarks_for(candidate)
    ]
    on_patients = compare_on_patients(both)
    drawn = [two for two in both if two[1].benchmark.suite != Suite.PATIENTS]
    scores = [(after.benchmark, scores_of(before, after)) for before, after in drawn]
    policy = current_policy()
    asks_steps = bool(policy.of(Suite.STEPS))
    steps = compare_steps_of(candidate, parent=parent, both=drawn) if asks_steps else StepsCompared(())
    outcome = decide(
        [*(one for _, one in scores if one.suite is not Suite.TWINS), *steps.scores, *on_patients.scores],
        twins=_twins(scores),
        policy=policy,
        parent=str(parent),
        absent={
            suite: reason
            for suite, reason in ((Suite.STEPS, steps.absent), (Suite.PATIENTS, on_patients.absent))
            if reason
        },
        writes_the_same=all(write_the_same(before, after) for before, after in both),
    )
    record_changes(on_patients.pairs)
    return _keep_decision(candidate, parent, outcome, both)


def _twins(scores: Sequence[tuple[Benchmark, BenchmarkScores]]) -> list[TwinScores]:
    """The sealed films of each site beside their twins."""
    sealed = {benchmark.site: one for benchmark, one in scores if one.suite is Suite.SEALED}
    return [TwinScores(sealed[benchmark.site], one) for benchmark, one in scores if one.suite is Suite.TWINS]


def hold_unmeasured(
    candidate: ModelVersion, *, reason: str, beside: ModelVersion | None = None
) -> GateDecision:
    """A candidate that no figure could save is refused for good: its files are no sound model, or it learned
    from patients of the sealed films."""
    parent = _other(candidate, beside)
    known = decision_beside(candidate, parent)
    if known is not None:
        return known
    policy = current_policy()
    refused = GateOutcome(False, f"Held. {reason} By policy {policy.number}.", policy, ())
    return _keep_decision(candidate, parent, refused, ())


def _other(candidate: ModelVersion, beside: ModelVersion | None) -> ModelVersion:
    other = beside or compared_with(candidate)
    if other is None:
        raise RefusedByRule(f"{candidate} has no parent to be compared with.")
    return other


def _keep_decision(
    candidate: ModelVersion,
    parent: ModelVersion,
    outcome: GateOutcome,
    both: Sequence[tuple[Evaluation, Evaluation]],
) -> GateDecision:
    """`both` are the measurements of parent and candidate that it rests on."""
    changed = find_changed([two for two in both if two[1].benchmark.suite == Suite.SEALED])
    with transaction.atomic():
        decision, is_new = GateDecision.objects.get_or_create(
            candidate=candidate,
            parent=parent,
            defaults={
                "outcome": _outcome(outcome),
                "policy": outcome.policy.as_json(),
                "comparisons": [asdict(comparison) for comparison in outcome.comparisons],
                "sentence": outcome.sentence,
                "absent": dict(outcome.absent),
                "changed": asdict(changed) if changed else None,
            },
        )
        if is_new:
            decision.evaluations.set([evaluation for two in both for evaluation in two])
            record_event(
                actor=None, action="decide_gate", subject=candidate, details={"outcome": decision.outcome}
            )
    return decision


def _outcome(decided: GateOutcome) -> GateDecision.Outcome:
    if decided.unchanged:
        return GateDecision.Outcome.UNCHANGED
    return GateDecision.Outcome.PASSED if decided.passed else GateDecision.Outcome.HELD


def _measured(version: ModelVersion, benchmark: Benchmark) -> Evaluation:
    evaluation = measured(version, benchmark)
    if evaluation is None:
        raise RefusedByRule(f"{version} is not measured yet. The gate decides when its evaluations are done.")
    return evaluation


def retire_candidate(candidate: ModelVersion, *, actor: User) -> None:
    """A candidate that shall never serve."""
    require(actor, Capability.PROMOTE_MODELS)
    retire(candidate, actor=actor)
