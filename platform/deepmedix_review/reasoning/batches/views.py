"""The pages of batches: what was asked about many studies at once, how far it is, and what failed."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.paging import read_before
from deepmedix_review.reasoning import tasks
from deepmedix_review.reasoning.batches import services
from deepmedix_review.reasoning.batches.asking import ALL_ASKED
from deepmedix_review.reasoning.batches.forms import BatchForm
from deepmedix_review.reasoning.batches.selectors import (
    batch_for,
    batch_page,
    failures_of,
    latest_answers,
    progress_of,
)
from deepmedix_review.reasoning.models import InferenceBatch
from deepmedix_review.registry.selectors import tell_apart


@require_GET
@needs_capability(Capability.REQUEST_INFERENCE)
def show_batches(request: HttpRequest) -> HttpResponse:
    """Newest first; the table renews itself while one is under way."""
    before = read_before(request.GET.get("before"))
    rows, page = batch_page(before=before)
    is_part = request.headers.get("HX-Target") == "batch-table"
    return render(
        request,
        "reasoning/batches/table.html" if is_part else "reasoning/batches/list.html",
        {
            "rows": rows,
            "is_live": any(row.is_live for row in rows),
            "before": before,
            "next_before": page.next_before,
            "apart": tell_apart(row.batch.model_version for row in rows),
        },
    )


@needs_capability(Capability.REQUEST_INFERENCE)
def make_batch(request: HttpRequest) -> HttpResponse:
    """Ask a version about every ready study, or about a collection."""
    form = BatchForm(request.POST or None, initial={"collection": request.GET.get("collection")})
    if request.method == "POST" and form.is_valid():
        batch = tasks.request_batch(form.wanted(), actor=acting_user(request))
        if batch is not None:
            return redirect("inference-batch", uid=batch.uid)
        form.add_error(None, ALL_ASKED)
    return render(request, "reasoning/batches/make.html", {"form": form})


@require_GET
@needs_capability(Capability.REQUEST_INFERENCE)
def show_batch(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One batch; what changes renews itself while it is under way."""
    batch = batch_of(request, uid)
    is_part = request.headers.get("HX-Target") == "batch-live"
    if not is_part:
        record_event(actor=acting_user(request), action="view_inference_batch", subject=batch)
    (progress,) = progress_of([batch])
    response = render(
        request,
        "reasoning/batches/live.html" if is_part else "reasoning/batches/detail.html",
        {
            "progress": progress,
            "batch": batch,
            "failures": failures_of(batch, viewer=acting_user(request)),
            "answers": latest_answers(batch),
        },
    )
    if is_part and not progress.is_live:
        # Its buttons are of what is under way.
        response["HX-Refresh"] = "true"
    return response


@require_POST
@needs_capability(Capability.REQUEST_INFERENCE)
def pause(request: HttpRequest, uid: UUID) -> HttpResponse:
    batch = batch_of(request, uid)
    services.pause_batch(batch, actor=acting_user(request))
    messages.success(request, "Paused. What a worker has begun goes on to its end.")
    return redirect("inference-batch", uid=uid)


@require_POST
@needs_capability(Capability.REQUEST_INFERENCE)
def resume(request: HttpRequest, uid: UUID) -> HttpResponse:
    tasks.request_resume(batch_of(request, uid), actor=acting_user(request))
    messages.success(request, "It goes on.")
    return redirect("inference-batch", uid=uid)


@require_POST
@needs_capability(Capability.REQUEST_INFERENCE)
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    tasks.request_batch_cancel(batch_of(request, uid), actor=acting_user(request))
    messages.success(request, "Cancelled. What was answered stays.")
    return redirect("inference-batch", uid=uid)


@require_POST
@needs_capability(Capability.REQUEST_INFERENCE)
def retry(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Those that failed for one reason."""
    batch, reason = batch_of(request, uid), request.POST.get("reason", "")
    number = tasks.request_failures_retry(batch, reason=reason, actor=acting_user(request))
    messages.success(request, f"{number} {'is' if number == 1 else 'are'} tried again.")
    return redirect("inference-batch", uid=uid)


def batch_of(request: HttpRequest, uid: UUID) -> InferenceBatch:
    try:
        return batch_for(acting_user(request), uid)
    except InferenceBatch.DoesNotExist as error:
        raise Http404("There is no such batch.") from error
