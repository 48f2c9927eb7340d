"""Writes what was asked of a model and what it answered: jobs, completions, steps and regions."""

import hashlib
import json
from collections.abc import Callable, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, QuerySet

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event, record_events
from deepmedix_review.common import jobs
from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES, JobState
from deepmedix_review.reasoning.models import (
    Completion,
    InferenceBatch,
    InferenceJob,
    Purpose,
    ReasoningStep,
    Region,
    WaitingCancel,
)
from deepmedix_review.reasoning.sampling import Draws, Sampling
from deepmedix_review.reasoning.selectors import film_to_read
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import prompt_of, read_by
from deepmedix_review.studies.models import Instance, Study
from inference.engines import Done
from inference.grounding import ParsedCompletion
from inference.regions import region_problem, to_image_px

LONGEST_QUERY = 2000
# The temperature and the seed of one completion.
Draw = tuple[float, int]
# Of one transaction, since nobody else's act takes its place in the audit record until it commits.
NUM_CANCELLED_AT_ONCE = 2000


def queue_inference(
    *, study: Study, version: ModelVersion, query: str | None, sampling: Sampling, actor: User | None
) -> list[InferenceJob]:
    """One job per sample; the same wish again gives the same jobs, failed ones queued anew."""
    require_ready(study)
    film = film_to_read(study)
    (wanted,) = queue_inference_of_films(
        [film], version=version, query=query, draws=sampling.of(version), actor=actor
    )
    return wanted


def queue_inference_of_films(
    films: Sequence[Instance],
    *,
    version: ModelVersion,
    query: str | None,
    draws: Draws,
    actor: User | None,
    batch: InferenceBatch | None = None,
) -> list[list[InferenceJob]]:
    """For each film the jobs that `queue_inference` gives for its study, in seven statements however many.

    Those of a `batch` are new, or failed before; without one a person waits for them, for those too that wait
    in a batch.
    """
    query = question(query, version=version)
    wishes = [
        [
            _job(
                film=film,
                version=version,
                query=query,
                draw=(draws.temperature, seed),
                actor=actor,
                batch=batch,
            )
            for seed in draws.seeds
        ]
        for film in films
    ]
    keys = [wish.content_key for of_film in wishes for wish in of_film]
    with transaction.atomic():
        keep_whole()
        found = InferenceJob.objects.filter(content_key__in=keys)
        _reopen_batches(found)
        purpose = Purpose.INTERACTIVE if batch is None else batch.purpose
        moved = {} if batch is None else {"batch": batch}
        jobs.retry_all(found, num_tokens=0, purpose=purpose, **moved)
        if batch is None:
            found.filter(state=JobState.QUEUED).update(purpose=purpose)
        InferenceJob.objects.bulk_create(
            [wish for of_film in wishes for wish in of_film], ignore_conflicts=True
        )
        kept = InferenceJob.objects.in_bulk(keys, field_name="content_key")
        wanted = [[kept[wish.content_key] for wish in of_film] for of_film in wishes]
        record_events(
            actor=actor,
            action="request_inference",
            about=[
                (film.study, {"model": version.number, "jobs": [str(job.uid) for job in of_film]})
                for film, of_film in zip(films, wanted, strict=True)
            ],
        )
    return wanted


def question(query: str | None, *, version: ModelVersion) -> str:
    """What is asked: the version's own question where none is given."""
    query = (query or "").strip() or prompt_of(version).default_query
    if len(query) > LONGEST_QUERY:
        raise RefusedByRule(f"The question has {len(query)} characters; ask in at most {LONGEST_QUERY}.")
    return query


def require_ready(study: Study) -> None:
    """Raises RefusedByRule for a study that no model may see: unseen, held, or rejected meanwhile.

    As all reasons of a batch's failures it names no study, so that they are grouped.
    """
    if study.state == Study.State.UNSEEN:
        raise RefusedByRule(
            "The study was not looked at yet, so no model sees it. An admin looks at it first, from the list "
            "of studies."
        )
    if study.state != Study.State.READY:
        raise RefusedByRule(f"The study is {study.state}, so no model sees it. An admin can accept it first.")


def cancel_inference(job: InferenceJob, *, actor: User) -> None:
    """Ends a waiting job at once and a running one within a token; what is done stays."""
    with transaction.atomic():
        if job.is_final:
            raise RefusedByRule(f"This inference is {job.state} already, there is nothing to cancel.")
        jobs.request_cancel(job)
        record_event(actor=actor, action="cancel_inference", subject=job)


def queue_waiting_cancel(*, actor: User) -> WaitingCancel | None:
    """A worker ends every job that waits now, whoever asked; what runs goes on. None where none waits, the
    same where one is under way."""
    with transaction.atomic():
        under_way = WaitingCancel.objects.exclude(state__in=FINAL_STATES).first()
        if under_way is not None:
            return under_way
        waiting = InferenceJob.objects.filter(state=JobState.QUEUED).aggregate(last=Max("pk"), n=Count("pk"))
        if not waiting["n"]:
            return None
        try:
            with transaction.atomic():
                wanted = WaitingCancel.objects.create(
                    requested_by=actor, up_to=waiting["last"], num_wanted=waiting["n"]
                )
        except IntegrityError:
            # Pressed twice at once: the other press has asked for it.
            return WaitingCancel.objects.order_by("-pk").first()
        record_event(
            actor=actor,
            action="cancel_waiting_inference",
            subject=wanted,
            details={"inferences": wanted.num_wanted},
        )
    return wanted


def cancel_waiting(wanted: WaitingCancel, *, check: Callable[[], None]) -> None:
    """Chunk by chunk, each whole or not at all, with its line for each job in the audit record."""
    while _cancel_last_waiting(wanted):
        check()
    jobs.finish(wanted, state=JobState.DONE)


def requeue_inference(job: InferenceJob, *, actor: User) -> None:
    """A person tries a failed or cancelled job again."""
    with transaction.atomic():
        if job.state not in (JobState.FAILED, JobState.CANCELLED):
            raise RefusedByRule(
                f"This inference is {job.state}; only a failed or cancelled one can be retried."
            )
        _reopen_batches(InferenceJob.objects.filter(pk=job.pk))
        jobs.retry(job, num_tokens=0, purpose=Purpose.INTERACTIVE)
        record_event(actor=actor, action="retry_inference", subject=job)


def record_completion(*, job: InferenceJob, output: Done) -> Completion:
    """Keep what the model said, malformed or not, and end the job; whole or not at all.

    Raises LeaseLost where another attempt has the job: then nothing is written.
    """
    # A byte-level vocabulary can write NUL, which PostgreSQL's text can't hold.
    text = output.text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    parsed = read_by(job.model_version, text, question=job.query)
    with transaction.atomic():
        jobs.hold(job)
        completion, is_new = Completion.objects.get_or_create(
            content_key=job.content_key,
            defaults={
                "study": job.study,
                "instance": job.instance,
                "model_version": job.model_version,
                "job": job,
                "query": job.query,
                "prompt": output.prompt,
                "text": text,
                "answer": parsed.answer or "",
                "problems": list(parsed.problems),
                "temperature": job.temperature,
                "seed": job.seed,
                "num_tokens": output.num_tokens,
                "seconds": output.seconds,
                "image_width": job.instance.columns,
                "image_height": job.instance.rows,
                "model_width": output.model_size[0],
                "model_height": output.model_size[1],
            },
        )
        if is_new:
            _record_steps(completion, parsed)
        jobs.finish(job, state=JobState.DONE, num_tokens=output.num_tokens)
        record_event(
            actor=None,
            action="record_completion",
            subject=completion,
            details={"model": job.model_version.number, "problems": list(parsed.problems)},
        )
    return completion


def _reopen_batches(found: QuerySet[InferenceJob]) -> None:
    """A batch is not through any more of which something is tried again."""
    again = found.filter(state__in=(JobState.FAILED, JobState.CANCELLED))
    InferenceBatch.objects.filter(pk__in=again.values("batch"), ended_at__isnull=False).update(ended_at=None)


def content_key(*, film: Instance, version: ModelVersion, query: str, draw: Draw) -> str:
    """The same for the same pixels, weights, picture, prompt and sampling: such completions are one."""
    prompt_of(version)
    return recorded_key(film=film, version=version, query=query, draw=draw)


def recorded_key(*, film: Instance, version: ModelVersion, query: str, draw: Draw) -> str:
    """As `content_key`, of a version that can't be asked."""
    parts = {
        "pixels": film.pixel_sha256,
        "model": version.sha256,
        "image": [version.image_preparation, version.min_pixels, version.max_pixels],
        "box_frame": version.box_frame,
        "prompt": [version.prompt_template, version.prompt_version, query],
        "sampling": [*draw, version.max_new_tokens],
    }
    if version.source == ModelVersion.Source.RECORDED:
        # Two films may have the same pixels, and one file two models.
        parts |= {"film": str(film.uid), "of": version.served_model}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def _cancel_last_waiting(wanted: WaitingCancel) -> bool:
    """Whether there was one."""
    queued = InferenceJob.objects.select_for_update(skip_locked=True).filter(state=JobState.QUEUED)
    waiting = list(queued.filter(pk__lte=wanted.up_to).order_by("-pk")[:NUM_CANCELLED_AT_ONCE])
    jobs.cancel_unclaimed(InferenceJob.objects.filter(pk__in=[job.pk for job in waiting]))
    record_events(actor=wanted.requested_by, action="cancel_inference", about=[(job, {}) for job in waiting])
    wanted.num_done += len(waiting)
    jobs.heartbeat(wanted, is_kept=True, num_done=wanted.num_done)
    return bool(waiting)


def _job(
    *,
    film: Instance,
    version: ModelVersion,
    query: str,
    draw: Draw,
    actor: User | None,
    batch: InferenceBatch | None,
) -> InferenceJob:
    temperature, seed = draw
    return InferenceJob(
        content_key=content_key(film=film, version=version, query=query, draw=draw),
        study_id=film.study.pk,
        instance_id=film.pk,
        model_version_id=version.pk,
        requested_by_id=None if actor is None else actor.pk,
        purpose=Purpose.INTERACTIVE if batch is None else batch.purpose,
        batch=batch,
        query=query,
        temperature=temperature,
        seed=seed,
        max_new_tokens=version.max_new_tokens,
    )


def read_regions(
    completion: Completion, parsed: ParsedCompletion
) -> list[tuple[ReasoningStep, list[Region]]]:
    """Its steps with their regions on the film, not stored yet."""
    image_size = (completion.image_width, completion.image_height)
    found = []
    for place, read in enumerate(parsed.steps, start=1):
        step = ReasoningStep(completion=completion, position=place, text=read.label or read.text)
        regions = []
        for position, written in enumerate(read.boxes, start=1):
            box = to_image_px(
                written,
                frame=completion.model_version.box_frame,
                model_size=(completion.model_width, completion.model_height),
                image_size=image_size,
                preparation=completion.model_version.image_preparation,
            )
            regions.append(
                Region(
                    step=step,
                    position=position,
                    **box._asdict(),
                    model_box=list(written),
                    problem=region_problem(box, image_size),
                )
            )
        found.append((step, regions))
    return found


def _record_steps(completion: Completion, parsed: ParsedCompletion) -> None:
    read = read_regions(completion, parsed)
    ReasoningStep.objects.bulk_create(step for step, _ in read)
    Region.objects.bulk_create(region for _, regions in read for region in regions)
