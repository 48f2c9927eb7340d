"""Retrains the model from a frozen data set in the background, then brings the candidate before the gate."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.services import ensure_gate_benchmarks
from deepmedix_review.evaluation.tasks import request_evaluation
from deepmedix_review.feedback import services
from deepmedix_review.feedback.models import PreferenceDataset, TrainingRun
from deepmedix_review.feedback.selectors import candidates_before_the_gate, is_measured, pairs_to_train_on
from deepmedix_review.registry.models import ModelVersion
from rl_feedback.dpo_config import DpoConfig, FilmView, StepFigures, write_pairs

logger = logging.getLogger(__name__)


def request_training(
    *, dataset: PreferenceDataset, actor: User, config: Mapping[str, Any] | None = None
) -> TrainingRun:
    """A run of DPO from the serving model on a frozen data set."""
    with transaction.atomic():
        run = services.queue_training(dataset=dataset, actor=actor, config=config or {})
        jobs.wake(run_training, run)
    return run


def request_training_retry(run: TrainingRun, *, actor: User) -> None:
    """A failed or cancelled run goes on from its last checkpoint."""
    with transaction.atomic():
        services.requeue_training(run, actor=actor)
        jobs.wake(run_training, run)


def request_gate(candidate: ModelVersion, *, actor: User | None) -> None:
    """Measure the candidate and its parent on every benchmark of the gate; the gate decides when all are
    done."""
    if candidate.parent is None:
        raise RefusedByRule(f"{candidate} has no parent to be compared with.")
    for benchmark in ensure_gate_benchmarks():
        for version in (candidate.parent, candidate):
            request_evaluation(benchmark=benchmark, model_version=version, actor=actor)


@shared_task
def run_training(run_id: int) -> None:
    run = jobs.claim(TrainingRun, job_id=run_id)
    if run is None:
        return
    try:
        candidate = services.record_candidate(run, _train(run))
        shutil.rmtree(_folder(run) / "checkpoints", ignore_errors=True)
        request_gate(candidate, actor=run.requested_by)
    except jobs.LeaseLost as reason:
        logger.warning("left to another worker: %s", reason)
    except jobs.JobCancelled:
        _end(run, JobState.CANCELLED, "")
    except (RefusedByRule, ValueError, OSError) as error:
        logger.exception("training run %s failed", run.pk)
        _end(run, JobState.FAILED, str(error))
    except Exception as error:
        logger.exception("training run %s failed", run.pk)
        _end(
            run,
            JobState.FAILED,
            f"It stopped unexpectedly ({type(error).__name__}); the worker's log names the place.",
        )


@shared_task
def reconcile_training() -> None:
    """Queue again what lost its worker, wake what waits, and let the gate decide on what is measured."""
    for run_id in jobs.requeue_expired(TrainingRun):
        run_training.apply_async((run_id,), expires=60)
    for candidate in candidates_before_the_gate():
        try:
            if is_measured(candidate):
                services.pass_or_hold(candidate)
            else:
                request_gate(candidate, actor=None)
        except (RefusedByRule, ValueError):
            # The next candidate shall not wait for this one.
            logger.exception("the gate could not decide on %s", candidate)


def _train(run: TrainingRun) -> Path:
    """The folder of the trained candidate."""
    folder, parent = _folder(run), run.parent_version
    pairs = pairs_to_train_on(run.dataset, parent=parent)
    num_lost = sum(not Path(pair.film).is_file() for pair in pairs)
    if num_lost:
        raise RefusedByRule(
            f"The films of {num_lost} pairs are missing from the film folder. Restore them, then go on."
        )
    write_pairs(folder / "data", pairs)
    with jobs.kept_alive(run) as check:
        # torch takes seconds and 200 MB: only the worker that learns pays for it, with its lease renewed
        # meanwhile.
        from rl_feedback.dpo import train_dpo

        def tell(figures: StepFigures) -> None:
            check()
            services.record_step(run, figures)

        train_dpo(
            parent=Path(parent.folder),
            data=folder / "data",
            pairs=pairs,
            view=FilmView(parent.image_preparation, parent.min_pixels, parent.max_pixels),
            config=DpoConfig.from_json(run.config),
            work=folder / "checkpoints",
            out=folder / "candidate",
            on_step=tell,
        )
        check()
    return folder / "candidate"


def _folder(run: TrainingRun) -> Path:
    return Path(settings.MODEL_FOLDER) / "runs" / str(run.uid)


def _end(run: TrainingRun, state: JobState, error: str) -> None:
    try:
        jobs.finish(run, state=state, error=error)
    except jobs.LeaseLost as reason:
        logger.warning("left to another worker: %s", reason)
