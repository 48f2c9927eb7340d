"""Takes a model folder in from the page or the API: queued, copied by a worker, registered whole or not."""

from collections.abc import Callable

from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES, JobState
from deepmedix_review.registry.incoming import incoming_folder, incoming_names, unfit_folders
from deepmedix_review.registry.models import ModelJob
from deepmedix_review.registry.services import lock_registry, register_folder
from deepmedix_review.registry.wanted import WantedVersion


def queue_registering(folder: str, *, wanted: WantedVersion, actor: User) -> ModelJob:
    """One of the folders that `incoming_names` finds, taken in by a worker."""
    require(actor, Capability.REGISTER_MODELS)
    if reason := next((one.reason for one in unfit_folders() if one.name == folder), ""):
        raise RefusedByRule(f"{folder} can't be registered. {reason}")
    if folder not in incoming_names():
        raise RefusedByRule(
            "There is no such folder among those that wait to be registered. Copy the model there, with its "
            "config.json and its .safetensors files."
        )
    wanted.settings()
    with transaction.atomic():
        # Two presses ask once: where nothing waits yet, no row could hold up the second.
        lock_registry()
        waiting = ModelJob.objects.filter(kind=ModelJob.Kind.REGISTER, folder=folder)
        if waiting.exclude(state__in=FINAL_STATES).exists():
            raise RefusedByRule(f"{folder} is being registered already.")
        job = ModelJob.objects.create(
            kind=ModelJob.Kind.REGISTER, folder=folder, wanted=wanted.as_json(), requested_by=actor
        )
        record_event(actor=actor, action="request_model", subject=job, details={"preset": wanted.preset})
    return job


def take_in(job: ModelJob, *, check: Callable[[], None]) -> None:
    """Ends the job with the version that it gives."""

    def tell(num_done: int, num_bytes: int) -> None:
        check()
        jobs.heartbeat(job, num_done=num_done, num_wanted=num_bytes)

    wanted = WantedVersion.from_json(job.wanted)
    registered = register_folder(
        folder=incoming_folder() / job.folder,
        preset=wanted.settings(),
        fetched_from=wanted.fetched_from(),
        card={},
        actor=job.requested_by,
        tell=tell,
    )
    result = {} if registered.is_new else {"is_known": True}
    jobs.finish(job, state=JobState.DONE, version=registered.version, result=result)


def cancel_model_job(job: ModelJob, *, actor: User) -> None:
    require(actor, Capability.REGISTER_MODELS)
    with transaction.atomic():
        if job.is_final:
            raise RefusedByRule(f"This is {job.state} already, there is nothing to cancel.")
        jobs.request_cancel(job)
        record_event(actor=actor, action="cancel_model_job", subject=job)


def requeue_model_job(job: ModelJob, *, actor: User) -> None:
    require(actor, Capability.REGISTER_MODELS)
    with transaction.atomic():
        if job.state not in (JobState.FAILED, JobState.CANCELLED):
            raise RefusedByRule(f"This is {job.state}; only what failed or was cancelled is tried again.")
        jobs.retry(job, num_done=0)
        record_event(actor=actor, action="retry_model_job", subject=job)
