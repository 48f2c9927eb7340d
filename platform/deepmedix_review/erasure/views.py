"""Pages on erasures: what one would take, how far it is, what is left, and all of them."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.erasure import selectors, services
from deepmedix_review.erasure.forms import ErasureForm
from deepmedix_review.erasure.previewing import lines_of, preview
from deepmedix_review.erasure.scope import SHOWN, Scope, patient_scope, study_scope
from deepmedix_review.erasure.tasks import request_erasure, request_erasure_retry
from deepmedix_review.studies.retention.due import keepings_of

PAGE_SIZE = 50
erasers_only = needs_capability(Capability.ERASE_STUDIES)


@require_safe
@erasers_only
def list_erasures(request: HttpRequest) -> HttpResponse:
    before = read_before(request.GET.get("before"))
    page = page_of(selectors.erasures(acting_user(request)), before=before, size=PAGE_SIZE)
    return render(request, "erasure/list.html", {"erasures": page, "before": before})


@require_POST
@erasers_only
def find_patient(request: HttpRequest) -> HttpResponse:
    """The pseudonym comes in the body, and goes on as a study's uid: no address holds it."""
    try:
        scope = patient_scope(acting_user(request), request.POST.get("pseudonym", ""))
    except Http404:
        messages.error(
            request,
            "No study of a patient of that pseudonym is here. A study's page says its patient's, as P-…",
        )
        return redirect("erasure-list")
    return redirect("patient-erase", scope.studies[0].uid)


@require_http_methods(["GET", "HEAD", "POST"])
@erasers_only
def erase_study(request: HttpRequest, uid: UUID) -> HttpResponse:
    return _ask(request, study_scope(acting_user(request), uid), uid)


@require_http_methods(["GET", "HEAD", "POST"])
@erasers_only
def erase_patient(request: HttpRequest, uid: UUID) -> HttpResponse:
    """All of the patient of the study with this uid."""
    user = acting_user(request)
    [study] = study_scope(user, uid).studies
    return _ask(request, patient_scope(user, study.patient_pseudonym), uid)


def _ask(request: HttpRequest, scope: Scope, uid: UUID) -> HttpResponse:
    form = ErasureForm(request.POST if request.method == "POST" else None, name=scope.name)
    if form.is_bound and form.is_valid():
        try:
            erasure = request_erasure(scope, form.asked(), actor=acting_user(request))
        except NotYours:
            raise
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("erasure-detail", erasure.uid)
    context = {
        "scope": scope,
        "uid": uid,
        "shown": scope.studies[:SHOWN],
        "num_more": max(0, len(scope.studies) - SHOWN),
        "preview": preview(scope),
        "form": form,
        "keepings": keepings_of(scope.keys),
    }
    if not form.is_bound:
        services.record_preview(scope, actor=acting_user(request))
    return render(request, "erasure/ask.html", context)


@require_safe
@erasers_only
def show_erasure(request: HttpRequest, uid: UUID) -> HttpResponse:
    """htmx asks for the part that renews itself alone."""
    erasure = selectors.erasure_for(acting_user(request), uid)
    num_left = erasure.files.count()
    context = {
        "erasure": erasure,
        "studies": list(erasure.studies.order_by("pk")),
        "lines": lines_of(erasure.gone if erasure.erased_at else erasure.found),
        "uses": selectors.uses_now(erasure),
        "num_left": num_left,
        "num_deleted": erasure.num_files - num_left,
    }
    is_part = "HX-Request" in request.headers
    if not is_part:
        record_event(actor=acting_user(request), action="view_erasure", subject=erasure)
    return render(request, f"erasure/{'progress' if is_part else 'detail'}.html", context)


@require_POST
@erasers_only
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    erasure = selectors.erasure_for(user, uid)
    try:
        services.cancel_erasure(erasure, actor=user)
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect("erasure-detail", uid)


@require_POST
@erasers_only
def retry(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    request_erasure_retry(selectors.erasure_for(user, uid), actor=user)
    return redirect("erasure-detail", uid)


@require_POST
@erasers_only
def let_in(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    services.let_in_again(selectors.erasure_for(user, uid), actor=user)
    messages.success(request, "It may come in again from now on. What was erased stays gone.")
    return redirect("erasure-detail", uid)
