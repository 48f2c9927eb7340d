"""Pages on exports: the list that renews itself, and the form with what an export would contain."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.exports import selectors, services
from deepmedix_review.exports.forms import STATEMENTS, ExportForm
from deepmedix_review.exports.sending import send_archive
from deepmedix_review.exports.tasks import request_export

PAGE_SIZE = 50
exporters_only = needs_capability(Capability.EXPORT_DATASETS)


@require_safe
@exporters_only
def list_exports(request: HttpRequest) -> HttpResponse:
    return render(request, "exports/list.html", _context(request))


@require_safe
@exporters_only
def show_live_exports(request: HttpRequest) -> HttpResponse:
    """What renews itself while something is written."""
    return render(request, "exports/rows.html", _context(request))


@require_http_methods(["GET", "HEAD", "POST"])
@exporters_only
def new_export(request: HttpRequest) -> HttpResponse:
    user = acting_user(request)
    form = ExportForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_bound and form.is_valid():
        try:
            request_export(form.asked(), actor=user)
        except NotYours:
            raise
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("export-list")
    context = {"form": form, "statements": STATEMENTS, **_preview(form, request)}
    return render(request, "exports/new.html", context)


@require_POST
@exporters_only
def show_preview(request: HttpRequest) -> HttpResponse:
    """What the form's choice contains at this moment; nothing is kept."""
    form = ExportForm(request.POST, user=acting_user(request))
    form.is_valid()
    return render(request, "exports/preview.html", _preview(form, request))


@require_POST
@exporters_only
def export_data_set(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A frozen data set, asked for on its own page."""
    asked = services.AskedDataSet(uid, request.POST.get("data_use", ""))
    try:
        request_export(asked, actor=acting_user(request))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
        return redirect("dataset-detail", uid)
    return redirect("export-list")


@require_safe
@exporters_only
def download(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    user = acting_user(request)
    return send_archive(request, selectors.export_for(user, uid), actor=user)


@require_POST
@exporters_only
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    services.cancel_export(selectors.export_for(user, uid), actor=user)
    return redirect("export-list")


@require_POST
@exporters_only
def delete(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    services.delete_export(selectors.export_for(user, uid), actor=user)
    messages.success(request, "The archive is deleted. The same request makes it again, byte by byte.")
    return redirect("export-list")


def _preview(form: ExportForm, request: HttpRequest) -> dict[str, Any]:
    said = getattr(form, "cleaned_data", {})
    found = selectors.preview(acting_user(request), form.chosen(), as_of=said.get("as_of"))
    return {"preview": found, "problems": form.errors.get("as_of", ())}


def _context(request: HttpRequest) -> dict[str, Any]:
    before = read_before(request.GET.get("before"))
    page = page_of(selectors.exports(acting_user(request)), before=before, size=PAGE_SIZE)
    return {
        "listed": selectors.listed(page.rows),
        "next_before": page.next_before,
        "before": before,
        "is_live": any(not one.is_final for one in page.rows),
    }
