"""Pages on which models from outside are registered."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.registry import tasks
from deepmedix_review.registry.forms import FolderForm
from deepmedix_review.registry.models import ModelJob
from deepmedix_review.registry.registering import cancel_model_job
from deepmedix_review.registry.selectors import incoming_folder, incoming_names, model_job_for, model_jobs


@require_http_methods(["GET", "HEAD", "POST"])
@needs_capability(Capability.REGISTER_MODELS)
def register(request: HttpRequest) -> HttpResponse:
    """What lies in the incoming folder becomes a version; a worker copies it."""
    folders = incoming_names()
    form = FolderForm(request.POST if request.method == "POST" else None, folders=folders)
    if request.method == "POST" and form.is_valid():
        try:
            tasks.request_registering(
                form.cleaned_data["folder"], wanted=form.wanted(), actor=acting_user(request)
            )
        except NotYours:
            raise
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("model-register")
    context = {"form": form, "folders": folders, "incoming_folder": incoming_folder(), **_registrations()}
    return render(request, "registry/register.html", context)


@require_safe
@needs_capability(Capability.REGISTER_MODELS)
def show_registrations(request: HttpRequest) -> HttpResponse:
    """What renews itself while a worker copies."""
    return render(request, "registry/registrations.html", _registrations())


@require_POST
@needs_capability(Capability.REGISTER_MODELS)
def cancel_job(request: HttpRequest, uid: UUID) -> HttpResponse:
    job = _job(request, uid)
    try:
        cancel_model_job(job, actor=acting_user(request))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return _back(job)


@require_POST
@needs_capability(Capability.REGISTER_MODELS)
def retry_job(request: HttpRequest, uid: UUID) -> HttpResponse:
    job = _job(request, uid)
    try:
        tasks.request_model_retry(job, actor=acting_user(request))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return _back(job)


def _registrations() -> dict[str, Any]:
    found = model_jobs(kind=ModelJob.Kind.REGISTER)
    return {"registrations": found, "is_live": any(not job.is_final for job in found)}


def _back(job: ModelJob) -> HttpResponse:
    return redirect("model-register")


def _job(request: HttpRequest, uid: UUID) -> ModelJob:
    try:
        return model_job_for(acting_user(request), uid)
    except ModelJob.DoesNotExist as error:
        raise Http404("There is no such job.") from error
