"""Asks the serving model about a study, and lets a worker answer."""

import logging
import time
from collections.abc import Callable
from contextlib import closing

import numpy as np
from celery import shared_task
from django.conf import settings
from django.db import transaction
from numpy.typing import NDArray

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning import services
from deepmedix_review.reasoning.models import InferenceJob
from deepmedix_review.reasoning.selectors import studies_to_ask
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import engine_settings, serving_model
from deepmedix_review.studies.models import Study
from deepmedix_review.studies.storage import film_path
from inference.engines import (
    Done,
    Engine,
    EngineError,
    EngineSettings,
    Failed,
    GenerationRequest,
    Token,
    load_engine,
)
from inference.images import render_reference
from inference.prompts import template

logger = logging.getLogger(__name__)

# How often a running job tells its tokens; a person sees no more, and each costs two queries.
SECONDS_BETWEEN_BEATS = 0.2
# What one press of a button asks for at most: a page that answers within seconds, a queue that ends.
MOST_STUDIES_AT_ONCE = 500

_loaded: dict[EngineSettings, Engine] = {}


def request_inference(
    *,
    study: Study,
    actor: User | None,
    query: str | None = None,
    num_samples: int = 2,
    version: ModelVersion | None = None,
) -> list[InferenceJob]:
    """Ask the serving model, or another version; two samples, so that readers can compare them."""
    with transaction.atomic():
        wanted = services.queue_inference(
            study=study,
            version=version or serving_model(),
            query=query,
            num_samples=num_samples,
            actor=actor,
        )
        for job in wanted:
            if job.state == JobState.QUEUED:
                jobs.wake(run_inference, job)
    return wanted


def request_inference_of_all(
    *, actor: User, version: ModelVersion | None = None, query: str | None = None
) -> str:
    """Ask the serving model, or another version, about the ready studies that it has not seen, at most
    MOST_STUDIES_AT_ONCE.

    Each study is asked about by itself, so that one that is held meanwhile stops no other. Returns the
    sentence that says what was asked. Raises RefusedByRule where no model serves.
    """
    version = version or serving_model()
    unseen = list(studies_to_ask(version)[: MOST_STUDIES_AT_ONCE + 1])
    num_asked = 0
    for study in unseen[:MOST_STUDIES_AT_ONCE]:
        try:
            request_inference(study=study, actor=actor, version=version, query=query)
        except RefusedByRule as reason:
            logger.warning("not asked: %s", reason)
        else:
            num_asked += 1
    if not num_asked:
        return f"{version} has been asked about every ready study already."
    said = f"{version} is asked about {num_asked} {'study' if num_asked == 1 else 'studies'}."
    if len(unseen) > MOST_STUDIES_AT_ONCE:
        said += " More are left; ask again when these are done."
    return said


def request_retry(job: InferenceJob, *, actor: User) -> None:
    with transaction.atomic():
        services.requeue_inference(job, actor=actor)
        jobs.wake(run_inference, job)


@shared_task
def run_inference(job_id: int) -> None:
    job = jobs.claim(InferenceJob, job_id=job_id)
    if job is None:
        return
    try:
        services.require_ready(job.study)
        with jobs.kept_alive(job, at_most_seconds=2 * settings.INFERENCE_SECONDS) as check:
            output = _generate(job, check)
        services.record_completion(job=job, output=output)
    except Exception as error:
        jobs.end_by(job, error, says=(EngineError,))


@shared_task
def reconcile_inference() -> None:
    """Queue again what lost its worker, and call for what lost its message."""
    for job_id in jobs.requeue_expired(InferenceJob):
        run_inference.apply_async((job_id,))


def _generate(job: InferenceJob, check: Callable[[], None]) -> Done:
    request = GenerationRequest(
        key=str(job.uid),
        film=_film(job),
        prompt=template(job.model_version.prompt_template).render(job.query),
        temperature=job.temperature,
        seed=job.seed,
        max_new_tokens=job.max_new_tokens,
        deadline_seconds=settings.INFERENCE_SECONDS,
    )
    beat_at = 0.0
    with closing(_engine_of(job.model_version).generate([request])) as events:
        for event in events:
            match event:
                case Done():
                    return event
                case Failed(reason=reason):
                    raise EngineError(reason)
                case Token(num_tokens=num_tokens):
                    check()
                    if time.monotonic() - beat_at >= SECONDS_BETWEEN_BEATS:
                        jobs.heartbeat(job, num_tokens=num_tokens)
                        beat_at = time.monotonic()
    raise EngineError("The model ended without an answer. Retry it.")


def _film(job: InferenceJob) -> NDArray[np.uint8]:
    path = film_path(job.instance)
    try:
        return render_reference(path)
    except OSError as error:
        raise EngineError(
            "The film's file is missing from the film folder, or can't be read. Restore it, then retry."
        ) from error


def _engine_of(version: ModelVersion) -> Engine:
    """One model a process: the last one used stays in memory until another is asked for."""
    wanted = engine_settings(version)
    if wanted not in _loaded:
        _loaded.clear()
        _loaded[wanted] = load_engine(wanted)
    return _loaded[wanted]
