"""Pages on films of a PACS: search it, tick what to bring in, and one pull with what became of each film."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.paging import read_before
from deepmedix_review.studies.models import PacsPull
from deepmedix_review.studies.pulling import pulls, selectors
from deepmedix_review.studies.pulling.forms import SearchForm
from deepmedix_review.studies.pulling.sources import CannotPull
from deepmedix_review.studies.tasks import retry_pull, start_pull

importers_only = needs_capability(Capability.IMPORT_STUDIES)


@require_http_methods(["GET", "HEAD", "POST"])
@importers_only
@never_cache
def search(request: HttpRequest) -> HttpResponse:
    """What is searched for comes back with the answer, and stands in no address."""
    user = acting_user(request)
    context: dict[str, Any] = latest_pulls(user, before=read_before(request.GET.get("before")))
    try:
        sources = selectors.sources_for(user)
    except CannotPull as refusal:
        return render(request, "studies/pacs/search.html", context | {"unusable": str(refusal)})
    form = SearchForm(request.POST if request.method == "POST" else None, sources=sources)
    if form.is_bound and form.is_valid():
        context |= _found(form, user)
    return render(request, "studies/pacs/search.html", context | {"form": form, "sources": sources})


def _found(form: SearchForm, user: User) -> dict[str, Any]:
    offset = form.cleaned_data["offset"] or 0
    try:
        pull = pulls.search_pacs(form.cleaned_data["source"], form.query(), actor=user, offset=offset)
    except CannotPull as refusal:
        return {"refusal": str(refusal)}
    found = selectors.studies_of(pull)
    behind = offset + pulls.MOST_STUDIES if len(found) >= pulls.MOST_STUDIES else None
    return {"pull": pull, "found": found, "offset": offset, "behind": behind}


@require_safe
@importers_only
def show_live_pulls(request: HttpRequest) -> HttpResponse:
    """What renews itself while a pull is under way."""
    return render(request, "studies/pacs/rows.html", latest_pulls(acting_user(request)))


@require_safe
@importers_only
@never_cache
def show_pull(request: HttpRequest, uid: UUID) -> HttpResponse:
    """htmx asks for the part that renews itself alone."""
    pull = selectors.pull_for(acting_user(request), uid)
    studies = selectors.studies_of(pull)
    if pull.state == PacsPull.State.CHOOSING:
        return render(request, "studies/pacs/choose.html", {"pull": pull, "found": studies})
    part = "progress" if "HX-Request" in request.headers else "detail"
    context = {
        "pull": pull,
        "studies": studies,
        "counts": pulls.counts_of(pull),
        "pull_days": settings.PULL_DAYS,
        "num_studies_done": selectors.count_studies_done(pull),
    }
    return render(request, f"studies/pacs/{part}.html", context)


@require_POST
@importers_only
def start(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    ticked = [int(one) for one in request.POST.getlist("study") if one.isdecimal() and len(one) < 10]
    try:
        start_pull(selectors.pull_for(user, uid), numbers=ticked, actor=user)
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect("pacs-pull", uid)


@require_POST
@importers_only
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    pulls.cancel_pull(selectors.pull_for(user, uid), actor=user)
    return redirect("pacs-pull", uid)


@require_POST
@importers_only
def retry(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    retry_pull(selectors.pull_for(user, uid), actor=user)
    return redirect("pacs-pull", uid)


@require_POST
@importers_only
def give_up(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    pulls.give_up_pull(selectors.pull_for(user, uid), actor=user)
    messages.success(request, "It is not tried again. Films that came in stay.")
    return redirect("pacs-pull", uid)


def latest_pulls(user: User, *, before: int | None = None) -> dict[str, Any]:
    page = selectors.pull_page(user, before=before)
    return {"pulls": page, "before": before, "is_live": any(not one.is_final for one in page.rows)}
