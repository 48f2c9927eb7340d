"""Pages on retention: rules and what falls due, a study that is kept longer, and batches that are erased."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.erasure.models import RetentionBatch
from deepmedix_review.erasure.retention import batches, page
from deepmedix_review.erasure.retention.forms import BatchForm, KeepForm, RuleForm
from deepmedix_review.erasure.scope import study_scope
from deepmedix_review.erasure.tasks import request_batch, request_batch_retry
from deepmedix_review.studies.retention import services
from deepmedix_review.studies.retention.due import end_of, keeping_of

PAGE_SIZE = 20
STUDIES_SHOWN = 200
erasers_only = needs_capability(Capability.ERASE_STUDIES)


@require_http_methods(["GET", "HEAD", "POST"])
@erasers_only
def show_retention(request: HttpRequest) -> HttpResponse:
    """The page; what its form says makes a rule."""
    user, now = acting_user(request), timezone.now()
    form = RuleForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            services.make_rule(form.asked(), actor=user)
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The rule holds from now on. It erases nothing by itself.")
            return redirect("retention")
    context = {
        "rules": page.rule_rows(user),
        "overdue": page.overdue(user, now=now),
        "soon": page.soon(user, now=now),
        "keepings": page.keepings(user, now=now),
        "batches": page_of(page.batches(user), before=read_before(request.GET.get("before")), size=PAGE_SIZE),
        "form": form,
    }
    record_event(actor=user, action="view_retention", subject=user)
    return render(request, "erasure/retention/page.html", context)


@require_POST
@erasers_only
def switch_rule(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    is_on = request.POST.get("is_on") == "yes"
    services.switch_rule(page.rule_for(user, uid), is_on=is_on, actor=user)
    return redirect("retention")


@require_POST
@erasers_only
def delete_rule(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    services.delete_rule(page.rule_for(user, uid), actor=user)
    messages.success(request, "The rule is deleted. Nothing falls due by it any more.")
    return redirect("retention")


@require_http_methods(["GET", "HEAD", "POST"])
@erasers_only
def keep_study(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Keep one study longer than rules say."""
    user = acting_user(request)
    [study] = study_scope(user, uid).studies
    form = KeepForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        try:
            services.keep_longer(study, last_day=said["last_day"], because=said["because"], actor=user)
        except NotYours:
            raise
        except RefusedByRule as refusal:
            form.add_error("last_day", str(refusal))
        else:
            messages.success(request, f"{study.label} is kept longer.")
            return redirect("study-detail", uid)
    context = {"study": study, "form": form, "due": end_of(study), "keeping": keeping_of(study)}
    return render(request, "erasure/retention/keep.html", context)


@require_POST
@erasers_only
def end_keeping(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    [study] = study_scope(user, uid).studies
    keeping = keeping_of(study)
    if keeping is not None:
        services.end_keeping(keeping, actor=user)
    messages.success(request, f"{study.label} is kept as the rules say.")
    return redirect("study-detail", uid)


@require_http_methods(["GET", "HEAD", "POST"])
@erasers_only
def erase_due(request: HttpRequest) -> HttpResponse:
    """What would go, then the number of studies typed."""
    user, as_of, refused = acting_user(request), timezone.now(), ""
    asked = BatchForm(request.POST if request.method == "POST" else None)
    if asked.is_valid():
        said = asked.cleaned_data
        as_of = min(as_of, said["as_of"])
        try:
            batch = request_batch(batches.AskedBatch(said["num_confirmed"], as_of=as_of), actor=user)
        except NotYours:
            raise
        except RefusedByRule as refusal:
            refused = str(refusal)
        else:
            return redirect("retention-batch", batch.uid)
    found = page.preview_batch(user, as_of=as_of)
    form = BatchForm(
        request.POST if asked.is_bound else None,
        initial={"as_of": as_of.isoformat()},
        num_studies=found.num_studies,
    )
    if refused:
        form.add_error("num_confirmed", refused)
    if not form.is_bound:
        batches.record_preview(found.num_studies, as_of=as_of, actor=user)
    return render(request, "erasure/retention/erase.html", {"preview": found, "form": form})


@require_safe
@erasers_only
def show_batch(request: HttpRequest, uid: UUID) -> HttpResponse:
    """htmx asks for the part that renews itself alone."""
    user = acting_user(request)
    batch = page.batch_for(user, uid)
    rows = batch.studies.select_related("erasure").order_by("said", "pk")
    kept = rows.exclude(said="")
    context = {
        "batch": batch,
        "kept": kept[:STUDIES_SHOWN],
        "studies": rows.filter(said="")[:STUDIES_SHOWN],
        "num_failed": rows.filter(erasure__state="failed").count(),
        "shown": STUDIES_SHOWN,
    }
    is_part = "HX-Request" in request.headers
    if not is_part:
        record_event(actor=user, action="view_retention_batch", subject=batch)
    return render(request, f"erasure/retention/{'progress' if is_part else 'batch'}.html", context)


@require_POST
@erasers_only
def cancel_batch(request: HttpRequest, uid: UUID) -> HttpResponse:
    return _move(request, uid, batches.cancel_batch)


@require_POST
@erasers_only
def retry_batch(request: HttpRequest, uid: UUID) -> HttpResponse:
    return _move(request, uid, request_batch_retry)


def _move(request: HttpRequest, uid: UUID, move: Callable[..., None]) -> HttpResponse:
    user: User = acting_user(request)
    batch: RetentionBatch = page.batch_for(user, uid)
    try:
        move(batch, actor=user)
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect("retention-batch", uid)
