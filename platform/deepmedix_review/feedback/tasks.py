"""Retrains the model from a frozen data set in the background, then brings the candidate before the gate."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celery import shared_task
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback import services
from deepmedix_review.feedback.examples import examples_of
from deepmedix_review.feedback.gating.compared import before_the_gate
from deepmedix_review.feedback.gating.measuring import request_gate
from deepmedix_review.feedback.gating.patients import are_patients_set
from deepmedix_review.feedback.gating.turns import a_turn_at_the_gate
from deepmedix_review.feedback.handing_over.tasks import reconcile_hand_overs
from deepmedix_review.feedback.models import PreferenceDataset, TrainingRun
from deepmedix_review.feedback.runs.engines import (
    learn_in_worker,
    learn_on_cluster,
    queue_of,
    stop_left_job,
)
from deepmedix_review.feedback.runs.folders import run_folder
from deepmedix_review.feedback.runs.samples import films_to_sample, record_sample
from deepmedix_review.feedback.sealed_patients import lineage_refusal
from deepmedix_review.feedback.selectors import damage_of, is_measured, runs_left_on_the_cluster
from rl_feedback.engines.placement import RAY
from rl_feedback.engines.telling import Listener
from rl_feedback.training.examples import SampledFilm, write_examples
from rl_feedback.training.figures import StepFigures, TakenSample
from rl_feedback.training.recipe import Recipe, begun_with_other

logger = logging.getLogger(__name__)


def request_training(
    *,
    dataset: PreferenceDataset,
    actor: User,
    recipe: Mapping[str, Any] | None = None,
    placement: Mapping[str, Any] | None = None,
) -> TrainingRun:
    """A run from the serving model on a frozen data set; see `services.queue_training`."""
    with transaction.atomic():
        run = services.queue_training(dataset=dataset, actor=actor, recipe=recipe, placement=placement)
        jobs.wake(run_training, run, queue=queue_of(run))
    return run


def request_training_retry(run: TrainingRun, *, actor: User) -> None:
    """A failed or cancelled run goes on from its last checkpoint."""
    with transaction.atomic():
        services.requeue_training(run, actor=actor)
        jobs.wake(run_training, run, queue=queue_of(run))


@shared_task
def run_training(run_id: int) -> None:
    run = jobs.claim(TrainingRun, job_id=run_id)
    if run is None:
        return
    try:
        candidate = services.record_candidate(run, _train(run))
        shutil.rmtree(run_folder(run) / "checkpoints", ignore_errors=True)
        request_gate(candidate, actor=run.requested_by)
    except Exception as error:
        jobs.end_by(run, error)


@shared_task
def reconcile_training() -> None:
    """Queue again what lost its worker, wake what waits, and let the gate decide on what is measured."""
    for run in TrainingRun.objects.filter(pk__in=jobs.requeue_expired(TrainingRun)).order_by("pk"):
        run_training.apply_async((run.pk,), expires=60, queue=queue_of(run))
    reconcile_hand_overs()
    for run in runs_left_on_the_cluster():
        _stop_left_job(run)
    for waiting in before_the_gate():
        if damage := damage_of(waiting.candidate):
            services.hold_unmeasured(waiting.candidate, reason=damage, beside=waiting.beside)
    with a_turn_at_the_gate() as is_mine:
        if is_mine:
            _decide_on_measured()


def _decide_on_measured() -> None:
    for waiting in before_the_gate():
        if waiting.is_stuck:
            continue
        candidate, beside = waiting.candidate, waiting.beside
        try:
            sealed = lineage_refusal(candidate)
            if sealed:
                services.hold_unmeasured(candidate, reason=sealed, beside=beside)
            elif are_patients_set(candidate) and is_measured(candidate, beside=beside):
                services.pass_or_hold(candidate, beside=beside)
            else:
                request_gate(candidate, actor=None, beside=beside)
        except (RefusedByRule, ValueError):
            # The next candidate shall not wait for this one.
            logger.exception("the gate could not decide on %s", candidate)


def _stop_left_job(run: TrainingRun) -> None:
    """What ended here, cancelled say while no worker followed it, shall not go on there."""
    try:
        stop_left_job(run)
        services.forget_left_job(run)
    except (RefusedByRule, ValueError, OSError) as error:
        logger.warning("the job of training run %s may still run on the cluster: %s", run.pk, error)


def _train(run: TrainingRun) -> Path:
    """The folder of the trained candidate."""
    folder, parent = run_folder(run), run.parent_version
    examples = examples_of(run.dataset, parent=parent)
    num_lost = examples.num_missing_films()
    if num_lost:
        raise RefusedByRule(
            f"Of this data set's films {num_lost} can't be found in the film folder. "
            "Restore what is missing, then go on."
        )
    shutil.rmtree(folder / "data", ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    examples.write(folder / "data")
    sampled = films_to_sample(parent)
    if sampled:
        write_examples(folder / "data", sampled, kind=SampledFilm)
    work, model = folder / "checkpoints", Path(parent.folder)
    if begun_with_other(work, Recipe.from_json(run.recipe), parent=model, data=folder / "data"):
        # A study was withdrawn meanwhile: what was learned from it goes, and the run starts again.
        shutil.rmtree(work)
    with jobs.kept_alive(run) as check:

        def tell(figures: StepFigures) -> None:
            check()
            services.record_step(run, figures)

        def keep(sample: TakenSample) -> None:
            check()
            record_sample(run, sample)

        listener = Listener(
            on_step=tell,
            on_sample=keep,
            on_begin=lambda about: services.record_start(run, about),
            on_retry=lambda reason: services.record_retry(run, reason),
        )
        if run.engine == RAY:
            learn_on_cluster(
                run,
                data=folder / "data",
                listener=listener,
                check=check,
                record_job=lambda name: services.record_cluster_job(run, name),
            )
        else:
            learn_in_worker(run, data=folder / "data", listener=listener, check=check)
        check()
    return folder / "candidate"
