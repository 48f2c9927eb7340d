"""Pages on which models from outside are registered."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.registry import tasks
from deepmedix_review.registry.correcting import frame_found, register_corrected
from deepmedix_review.registry.endpoints import register_endpoint
from deepmedix_review.registry.forms import EndpointForm, FolderForm
from deepmedix_review.registry.incoming import incoming_folder, incoming_names, incoming_place, unfit_folders
from deepmedix_review.registry.models import ModelJob, ModelVersion
from deepmedix_review.registry.registering import cancel_model_job
from deepmedix_review.registry.selectors import (
    key_names,
    latest_job,
    model_job_for,
    model_jobs,
    version_for,
)
from inference.grounding import PROBLEM_SENTENCES


@require_http_methods(["GET", "HEAD", "POST"])
@needs_capability(Capability.REGISTER_MODELS)
def register(request: HttpRequest) -> HttpResponse:
    """What lies in the incoming folder becomes a version; a worker copies it."""
    form = _folder_form(request.POST if request.method == "POST" else None)
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
    return _registering_page(request, folder_form=form)


@require_POST
@needs_capability(Capability.REGISTER_MODELS)
def register_server(request: HttpRequest) -> HttpResponse:
    """A model that another server runs becomes a version; its page asks it once."""
    form = _endpoint_form(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            registered = register_endpoint(
                url=said["url"],
                served_model=said["served_model"],
                key_name=said["key_name"],
                wanted=form.wanted(),
                actor=acting_user(request),
            )
        except NotYours:
            raise
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, registered.sentence)
            return redirect("model-detail", registered.version.uid)
    return _registering_page(request, endpoint_form=form)


@require_POST
@needs_capability(Capability.REGISTER_MODELS)
def ask(request: HttpRequest, uid: UUID) -> HttpResponse:
    return _check(request, uid, ModelJob.Kind.ASK)


@require_POST
@needs_capability(Capability.REGISTER_MODELS)
def calibrate(request: HttpRequest, uid: UUID) -> HttpResponse:
    return _check(request, uid, ModelJob.Kind.CALIBRATE)


@require_POST
@needs_capability(Capability.REGISTER_MODELS)
def correct(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One press registers the version in the frame that fits."""
    version = _version(request, uid)
    try:
        corrected = register_corrected(version, actor=acting_user(request))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
        return redirect("model-detail", version.uid)
    messages.success(
        request, f"{corrected} is {version} read in the frame {corrected.box_frame}. Ask that from now on."
    )
    return redirect("model-detail", corrected.uid)


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_checks(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What renews itself while a worker asks the version."""
    version = _version(request, uid)
    return render(request, "registry/checks.html", {"version": version, **checks_of(version)})


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


def checks_of(version: ModelVersion) -> dict[str, Any]:
    """What a version's page shows of the checks."""
    asked = latest_job(version, ModelJob.Kind.ASK)
    calibrating = latest_job(version, ModelJob.Kind.CALIBRATE)
    return {
        "calibrating": calibrating,
        "found": frame_found(version),
        "asked": asked,
        "problems": [PROBLEM_SENTENCES[problem] for problem in asked.result.get("problems", ())]
        if asked
        else [],
        "is_checked_now": any(job is not None and not job.is_final for job in (asked, calibrating)),
    }


def _check(request: HttpRequest, uid: UUID, kind: ModelJob.Kind) -> HttpResponse:
    version = _version(request, uid)
    try:
        tasks.request_check(version, kind=kind, actor=acting_user(request))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect(f"{reverse('model-detail', args=[version.uid])}#checks")


def _folder_form(said: QueryDict | None = None) -> FolderForm:
    return FolderForm(said, folders=incoming_names(), prefix="folder")


def _endpoint_form(said: QueryDict | None = None) -> EndpointForm:
    return EndpointForm(said, keys=key_names(), prefix="server")


def _registering_page(
    request: HttpRequest,
    *,
    folder_form: FolderForm | None = None,
    endpoint_form: EndpointForm | None = None,
) -> HttpResponse:
    context = {
        "folder_form": folder_form or _folder_form(),
        "endpoint_form": endpoint_form or _endpoint_form(),
        "folders": incoming_names(),
        "unfit_folders": unfit_folders(),
        "incoming_folder": incoming_folder(),
        "incoming_place": incoming_place(),
        "origins": settings.INFERENCE_ENDPOINTS,
        **_registrations(),
    }
    return render(request, "registry/register.html", context)


def _registrations() -> dict[str, Any]:
    found = model_jobs(kind=ModelJob.Kind.REGISTER)
    return {"registrations": found, "is_live": any(not job.is_final for job in found)}


def _back(job: ModelJob) -> HttpResponse:
    if job.kind == ModelJob.Kind.REGISTER or job.version is None:
        return redirect("model-register")
    return redirect(f"{reverse('model-detail', args=[job.version.uid])}#checks")


def _version(request: HttpRequest, uid: UUID) -> ModelVersion:
    try:
        return version_for(acting_user(request), uid)
    except ModelVersion.DoesNotExist as error:
        raise Http404("There is no such version.") from error


def _job(request: HttpRequest, uid: UUID) -> ModelJob:
    try:
        return model_job_for(acting_user(request), uid)
    except ModelJob.DoesNotExist as error:
        raise Http404("There is no such job.") from error
