"""Asks the serving model about a study, and lets a worker answer."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing

import numpy as np
from celery import shared_task
from django.conf import settings
from django.db import transaction
from numpy.typing import NDArray

from deepmedix_review.accounts.models import User
from deepmedix_review.common import jobs
from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning import services
from deepmedix_review.reasoning.models import InferenceJob
from deepmedix_review.reasoning.selectors import films_to_read, studies_to_ask
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import prompt_of, serving_model
from deepmedix_review.registry.tasks import engine_of
from deepmedix_review.studies.models import Instance, Study
from deepmedix_review.studies.storage import film_path
from inference.engines import (
    Done,
    EngineError,
    Failed,
    GenerationRequest,
    Token,
)
from inference.images import render_reference

logger = logging.getLogger(__name__)

# How often a running job tells its tokens; a person sees no more, and each costs two queries.
SECONDS_BETWEEN_BEATS = 0.2
# Studies that one transaction asks about: until it commits, nobody else's act takes its place in the audit
# record. A thousand take a second.
NUM_STUDIES_AT_ONCE = 1000


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


def request_inference_of_films(
    films: Sequence[Instance], *, version: ModelVersion, actor: User, query: str | None, num_samples: int = 2
) -> int:
    """Ask a version about films of ready studies in one go; returns of how many it has an answer to write.

    Only the first jobs get a message: each that ends calls for the next.
    """
    with transaction.atomic():
        wanted = services.queue_inference_of_films(
            films, version=version, query=query, num_samples=num_samples, actor=actor
        )
        waiting = [job for of_film in wanted for job in of_film if job.state == JobState.QUEUED]
        for job in waiting[: jobs.NUM_WOKEN_AT_ONCE]:
            jobs.wake(run_inference, job)
    return sum(any(not job.is_final for job in of_film) for of_film in wanted)


def request_inference_of_all(
    *, actor: User, version: ModelVersion | None = None, query: str | None = None
) -> str:
    """Ask the serving model, or another version, about every ready study that it has not seen.

    Returns the sentence that says what was asked. Raises RefusedByRule where no model serves.
    """
    version = version or serving_model()
    num_asked, oldest = 0, None
    while True:
        with transaction.atomic():
            # A second press waits here, and then finds what the first has asked.
            ModelVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
            films = films_to_read(studies_to_ask(version, before=oldest)[:NUM_STUDIES_AT_ONCE])
            num_asked += request_inference_of_films(films, version=version, actor=actor, query=query)
        if len(films) < NUM_STUDIES_AT_ONCE:
            break
        oldest = films[-1].study.pk
    if not num_asked:
        return f"{version} has been asked about every ready study already."
    return f"{version} is asked about {num_asked} {'study' if num_asked == 1 else 'studies'}."


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
    _call_for_next()


@shared_task
def reconcile_inference() -> None:
    """Queue again what lost its worker, and call for what lost its message."""
    for job_id in jobs.requeue_expired(InferenceJob):
        run_inference.apply_async((job_id,))


def _call_for_next() -> None:
    """Of what was asked about many studies at once, only the first jobs have a message."""
    waiting = InferenceJob.objects.filter(state=JobState.QUEUED).order_by("pk").first()
    if waiting is not None:
        jobs.wake(run_inference, waiting)


def _generate(job: InferenceJob, check: Callable[[], None]) -> Done:
    request = GenerationRequest(
        key=str(job.uid),
        film=_film(job),
        prompt=prompt_of(job.model_version).render(job.query),
        temperature=job.temperature,
        seed=job.seed,
        max_new_tokens=job.max_new_tokens,
        deadline_seconds=settings.INFERENCE_SECONDS,
    )
    beat_at = 0.0
    with closing(engine_of(job.model_version).generate([request])) as events:
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
