"""Pages on bundles that leave for a cluster, and on models that come back."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.feedback.handing_over.folders import archive_path
from deepmedix_review.feedback.handing_over.leaving import cancel_bundle, delete_archive
from deepmedix_review.feedback.handing_over.returning import cancel_return
from deepmedix_review.feedback.handing_over.selectors import (
    hand_over_for,
    hand_overs,
    model_return_for,
    model_returns,
    returned_folders,
)
from deepmedix_review.feedback.handing_over.tasks import request_bundle, request_return
from deepmedix_review.feedback.selectors import dataset_for

PAGE_SIZE = 50


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_hand_overs(request: HttpRequest) -> HttpResponse:
    return render(request, "feedback/hand_over_list.html", _context(request))


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_live_hand_overs(request: HttpRequest) -> HttpResponse:
    """What renews itself while something is written or taken back."""
    return render(request, "feedback/hand_overs.html", _context(request))


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def hand_over(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Write a bundle of this data set."""
    user = acting_user(request)
    dataset = dataset_for(user, uid)
    try:
        request_bundle(dataset, actor=user, reward=request.POST.get("reward", ""))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
        return redirect("dataset-detail", dataset.uid)
    return redirect("hand-over-list")


@require_safe
@needs_capability(Capability.TRAIN_MODELS)
def download_bundle(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    left = hand_over_for(acting_user(request), uid)
    path = archive_path(left)
    if left.archive_bytes is None or not path.is_file():
        raise Http404
    record_event(
        actor=acting_user(request),
        action="download_bundle",
        subject=left.dataset,
        details={"sha256": left.sha256},
    )
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"bundle-{left.sha256[:12]}.zip")


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def cancel_writing(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    cancel_bundle(hand_over_for(user, uid), actor=user)
    return redirect("hand-over-list")


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def delete_bundle(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    delete_archive(hand_over_for(user, uid), actor=user)
    messages.success(request, "The archive is deleted. What is trained on it can still come back.")
    return redirect("hand-over-list")


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def take_back(request: HttpRequest) -> HttpResponse:
    try:
        request_return(request.POST.get("folder", ""), actor=acting_user(request))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect("hand-over-list")


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def cancel_taking(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    cancel_return(model_return_for(user, uid), actor=user)
    return redirect("hand-over-list")


def _context(request: HttpRequest) -> dict[str, Any]:
    user = acting_user(request)
    before = read_before(request.GET.get("before"))
    page = page_of(hand_overs(user), before=before, size=PAGE_SIZE)
    returns = model_returns(user)
    return {
        "hand_overs": page,
        "before": before,
        "returns": returns,
        "folders": returned_folders(user),
        "return_folder": settings.RETURN_FOLDER,
        "is_live": any(not job.is_final for job in (*page.rows, *returns)),
    }
