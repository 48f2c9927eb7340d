"""Pages on archives: their part of the import page, and one with what became of its files."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.paging import read_before
from deepmedix_review.studies.archive_imports import selectors, services
from deepmedix_review.studies.models import ArchiveImport, ImportItem
from deepmedix_review.studies.tasks import retry_archive

# On the page where they are brought in; all of them stand on a page of their own.
NUM_LATEST = 5
importers_only = needs_capability(Capability.IMPORT_STUDIES)


@require_safe
@importers_only
def list_archives(request: HttpRequest) -> HttpResponse:
    before = read_before(request.GET.get("before"))
    page = selectors.archive_page(acting_user(request), before=before)
    return render(
        request,
        "studies/archives/list.html",
        {"archives": page, "before": before, "is_live": is_any_live(page.rows), "is_all": True},
    )


@require_safe
@importers_only
def show_live_archives(request: HttpRequest) -> HttpResponse:
    """What renews itself while an archive is on its way in."""
    return render(request, "studies/archives/rows.html", latest_archives(acting_user(request)))


@require_safe
@importers_only
def show_archive(request: HttpRequest, uid: UUID) -> HttpResponse:
    """htmx asks for the part that renews itself alone."""
    job = selectors.archive_for(acting_user(request), uid)
    outcome, before = request.GET.get("outcome", ""), read_before(request.GET.get("before"))
    context = {
        "job": job,
        "outcome": outcome if outcome in ImportItem.Outcome.values else "",
        "counts": services.counts_of(job),
        "files": selectors.files_of(job, outcome=outcome, before=before),
        "before": before,
    }
    is_part = "HX-Request" in request.headers
    return render(request, f"studies/archives/{'progress' if is_part else 'detail'}.html", context)


@require_POST
@importers_only
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    services.cancel_archive(selectors.archive_for(user, uid), actor=user)
    return _back(request, uid)


@require_POST
@importers_only
def retry(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    retry_archive(selectors.archive_for(user, uid), actor=user)
    return _back(request, uid)


@require_POST
@importers_only
def delete(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    services.delete_archive(selectors.archive_for(user, uid), actor=user)
    if "HX-Request" not in request.headers:
        messages.success(request, "The archive is deleted. Films that came out of it stay.")
    return _back(request, uid)


def latest_archives(user: User) -> dict[str, Any]:
    """For their part of the import page."""
    page = selectors.archive_page(user, size=NUM_LATEST)
    return {"archives": page, "is_live": is_any_live(page.rows)}


def is_any_live(shown: list[ArchiveImport]) -> bool:
    return any(not one.is_final for one in shown)


def _back(request: HttpRequest, uid: UUID) -> HttpResponse:
    if "HX-Request" in request.headers:
        return render(request, "studies/archives/rows.html", latest_archives(acting_user(request)))
    match request.POST.get("back"):
        case "detail":
            return redirect("archive-import", uid)
        case "list":
            return redirect("archive-import-list")
        case _:
            return redirect("study-import")
