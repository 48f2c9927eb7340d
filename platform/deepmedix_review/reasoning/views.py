"""Pages on which inference is asked for and watched."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.reasoning import services, tasks
from deepmedix_review.reasoning.batches.selectors import live_of, progress_of
from deepmedix_review.reasoning.batches.views import batch_of
from deepmedix_review.reasoning.forms import SamplingForm
from deepmedix_review.reasoning.models import InferenceJob
from deepmedix_review.reasoning.selectors import (
    inference_jobs,
    job_for,
    num_jobs_by_state,
    study_inference,
    waiting_cancel,
)
from deepmedix_review.reasoning.workers.selectors import why_queued
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import (
    askable_versions,
    prompt_of,
    serving_model,
    tell_apart,
    versions,
)
from deepmedix_review.studies.models import Study
from deepmedix_review.studies.selectors import demo_import, study_for
from inference.prompts import TEMPLATES

NUM_JOBS_A_PAGE = 50


@require_GET
@needs_capability(Capability.REQUEST_INFERENCE)
def show_inference_list(request: HttpRequest) -> HttpResponse:
    """All jobs, newest first; the table renews itself while one is under way."""
    before = read_before(request.GET.get("before"))
    page = page_of(inference_jobs(), before=before, size=NUM_JOBS_A_PAGE)
    cancelling = waiting_cancel()
    serving = versions().filter(state=ModelVersion.State.SERVING).first()
    is_part = request.headers.get("HX-Target") == "inference-table"
    return render(
        request,
        "reasoning/inference_table.html" if is_part else "reasoning/inference_list.html",
        {
            "jobs": page.rows,
            "counts": num_jobs_by_state(),
            "why_queued": why_queued(page.rows),
            "cancelling": cancelling,
            "is_live": any(not job.is_final for job in page.rows)
            or (cancelling is not None and not cancelling.is_final),
            "demo_comes": not page.rows and before is None and demo_import() is not None,
            "before": before,
            "next_before": page.next_before,
            "serving": serving,
            "asked": live_of([serving] if serving and not is_part else []),
        },
    )


@require_GET
@needs_capability(Capability.REQUEST_INFERENCE)
def show_study_inference(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The part of a study's page that asks for completions and shows them; `version` is the one to ask."""
    study = study_for(acting_user(request), uid)
    record_event(actor=acting_user(request), action="view_completions", subject=study)
    return _render_study_inference(
        request, study, query=request.GET.get("query"), version=request.GET.get("version", "")
    )


@require_GET
@needs_capability(Capability.REQUEST_INFERENCE)
def show_live_part(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Jobs under way and completions: what renews itself."""
    study = study_for(acting_user(request), uid)
    return render(request, "reasoning/live_part.html", {"study": study, "inference": study_inference(study)})


@require_POST
@needs_capability(Capability.REQUEST_INFERENCE)
def ask(request: HttpRequest, uid: UUID) -> HttpResponse:
    study, said = study_for(acting_user(request), uid), ""
    form = SamplingForm(request.POST)
    try:
        if not form.is_valid():
            raise RefusedByRule("Nothing was asked: see what is marked under Sampling.")
        wanted = tasks.request_inference(
            study=study,
            actor=acting_user(request),
            query=request.POST.get("query"),
            version=_chosen(request.POST.get("version", "")),
            sampling=form.sampling(),
        )
        if not any(not job.is_final for job in wanted):
            said = "The model answered this already: the same film, question and seeds give the same text."
    except RefusedByRule as refusal:
        said = str(refusal)
    if "HX-Request" in request.headers:
        return _render_study_inference(
            request,
            study,
            said=said,
            query=request.POST.get("query"),
            version=request.POST.get("version", ""),
            sampling=form,
        )
    if said:
        messages.warning(request, said)
    return redirect("study-detail", uid=study.uid)


@require_POST
@needs_capability(Capability.REQUEST_INFERENCE)
def ask_about_all(request: HttpRequest) -> HttpResponse:
    """Ask about every ready study that lacks completions of the serving model; the list shows how far."""
    messages.success(request, tasks.request_inference_of_all(actor=acting_user(request)))
    return redirect("inference-list")


@require_POST
@needs_capability(Capability.REQUEST_INFERENCE)
def cancel_waiting(request: HttpRequest) -> HttpResponse:
    """Answers at once; the list shows how far the worker is with it."""
    if tasks.request_waiting_cancel(actor=acting_user(request)) is None:
        messages.info(request, "Nothing waited any more.")
    return redirect("inference-list")


@require_GET
@needs_capability(Capability.REQUEST_INFERENCE)
def show_asked(request: HttpRequest, uid: UUID) -> HttpResponse:
    """How far a batch is; the page is told once, by an event, that it is through."""
    (asked,) = progress_of([batch_of(request, uid)])
    response = render(request, "reasoning/asked.html", {"asked": asked})
    if not asked.is_live:
        response["HX-Trigger"] = "asked-through"
    return response


@require_POST
@needs_capability(Capability.REQUEST_INFERENCE)
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    job = _job(request, uid)
    services.cancel_inference(job, actor=acting_user(request))
    return _back(request, job)


@require_POST
@needs_capability(Capability.REQUEST_INFERENCE)
def retry(request: HttpRequest, uid: UUID) -> HttpResponse:
    job = _job(request, uid)
    tasks.request_retry(job, actor=acting_user(request))
    return _back(request, job)


def _chosen(uid: str) -> ModelVersion | None:
    """The version that a person chose; None where none was, which means the one that serves."""
    if not uid:
        return None
    try:
        return askable_versions().get(uid=UUID(uid))
    except (ValueError, ModelVersion.DoesNotExist) as error:
        raise RefusedByRule("There is no such version to be asked. Choose one of the list.") from error


def _render_study_inference(
    request: HttpRequest,
    study: Study,
    *,
    said: str = "",
    query: str | None = None,
    version: str = "",
    sampling: SamplingForm | None = None,
) -> HttpResponse:
    refusal, asked, question = "", None, query or ""
    askable = list(askable_versions())
    try:
        asked = _chosen(version) or serving_model()
        # A question that nobody changed is the version's own.
        if question.strip() in {"", *(template.default_query for template in TEMPLATES.values())}:
            question = prompt_of(asked).default_query
    except RefusedByRule as error:
        refusal = str(error)
    return render(
        request,
        "reasoning/study_inference.html",
        {
            "study": study,
            "inference": study_inference(study),
            "version": asked,
            "askable": askable,
            "apart": tell_apart(askable),
            "query": question,
            "sampling": sampling or SamplingForm(request.GET if "num_samples" in request.GET else None),
            "said": said or refusal,
        },
    )


def _back(request: HttpRequest, job: InferenceJob) -> HttpResponse:
    """To where the button was: the list, or the study's page."""
    if "HX-Request" in request.headers:
        return render(
            request,
            "reasoning/live_part.html",
            {"study": job.study, "inference": study_inference(job.study)},
        )
    if request.POST.get("back") == "list":
        return redirect("inference-list")
    return redirect("study-detail", uid=job.study.uid)


def _job(request: HttpRequest, uid: UUID) -> InferenceJob:
    try:
        return job_for(acting_user(request), uid)
    except InferenceJob.DoesNotExist as error:
        raise Http404("There is no such inference.") from error
