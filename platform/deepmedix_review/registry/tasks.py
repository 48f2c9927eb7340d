"""What workers do for versions: they take folders in, which are gigabytes, and ask models."""

from celery import shared_task
from django.conf import settings
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry import checking, registering
from deepmedix_review.registry.models import ModelJob, ModelVersion
from deepmedix_review.registry.selectors import engine_settings
from deepmedix_review.registry.wanted import WantedVersion
from inference.engines import (
    EngineError,
    EngineSettings,
    ServingEngine,
    load_engine,
    require_generates,
)

_loaded: dict[EngineSettings, ServingEngine] = {}


def engine_of(version: ModelVersion) -> ServingEngine:
    """One model a process: the last folder that was asked stays in memory until another one is. Raises
    CannotGenerate where one is in memory and writes nothing."""
    try:
        wanted = engine_settings(version)
    except RefusedByRule:
        # Code that may not run any more goes from memory too.
        for known in [one for one in _loaded if str(one.folder) == version.folder and one.runs_own_code]:
            del _loaded[known]
        raise
    if not isinstance(wanted, EngineSettings):
        return load_engine(wanted)
    if wanted not in _loaded:
        _loaded.clear()
        engine = load_engine(wanted)
        require_generates(engine, deadline_seconds=settings.INFERENCE_SECONDS)
        _loaded[wanted] = engine
    return _loaded[wanted]


def request_registering(folder: str, *, wanted: WantedVersion, actor: User) -> ModelJob:
    """Register what lies in this folder of INCOMING_MODEL_FOLDER; see `registering.queue_registering`."""
    with transaction.atomic():
        job = registering.queue_registering(folder, wanted=wanted, actor=actor)
        jobs.wake(take_model_in, job)
    return job


def request_check(version: ModelVersion, *, kind: ModelJob.Kind, actor: User) -> ModelJob:
    """Ask a version about drawn films; see `checking`."""
    with transaction.atomic():
        job = checking.queue_check(version, kind=kind, actor=actor)
        jobs.wake(check_model, job)
    return job


def request_model_retry(job: ModelJob, *, actor: User) -> None:
    with transaction.atomic():
        registering.requeue_model_job(job, actor=actor)
        jobs.wake(_task_of(job), job)


@shared_task
def take_model_in(job_id: int) -> None:
    jobs.carry_out(ModelJob, job_id=job_id, work=registering.take_in)


@shared_task
def check_model(job_id: int) -> None:
    job = jobs.claim(ModelJob, job_id=job_id)
    if job is None:
        return
    try:
        longest = (job.num_wanted + 1) * settings.INFERENCE_SECONDS
        with jobs.kept_alive(job, at_most_seconds=longest) as check:
            if job.kind == ModelJob.Kind.CALIBRATE:
                checking.calibrate_frame(job, check=check, load=engine_of)
            else:
                checking.ask_once(job, check=check, load=engine_of)
    except Exception as error:
        jobs.end_by(job, error, says=(EngineError,))


@shared_task
def tend_model_jobs() -> None:
    """Queue again what lost its worker, and wake what waits."""
    for job in ModelJob.objects.filter(pk__in=jobs.requeue_expired(ModelJob)):
        _task_of(job).apply_async((job.pk,), expires=60)


def _task_of(job: ModelJob):  # type: ignore[no-untyped-def]  # Celery's stubs name no type for its tasks
    return take_model_in if job.kind == ModelJob.Kind.REGISTER else check_model
