"""The pages on criteria: what readers can be asked, and an admin's own questions with their anchors."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.criteria import versions
from deepmedix_review.reviews.criteria.form import (
    MOST_OPTIONS,
    NUM_BLANK,
    OPTION_FIELDS,
    CriterionForm,
    OptionForms,
    first_options,
    initial_of,
    is_untouched,
    options_of,
)
from deepmedix_review.reviews.designing import choices
from deepmedix_review.reviews.models import Criterion

designers_only = needs_capability(Capability.DESIGN_READER_STUDIES)


@require_safe
@designers_only
def list_criteria(request: HttpRequest) -> HttpResponse:
    context = {"criteria": list(versions.library()), "retired": list(choices.retired_criteria())}
    return render(request, "reviews/criteria/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@designers_only
def create_criterion(request: HttpRequest) -> HttpResponse:
    return _answer(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@designers_only
def change_criterion(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Of the product's own criteria the page shows what readers see, and no form."""
    return _answer(request, get_object_or_404(Criterion, uid=uid))


@require_POST
@designers_only
def preview(request: HttpRequest) -> HttpResponse:
    """As readers will see it, of what is in the form at this moment."""
    return render(request, "reviews/criteria/preview.html", {"shown": _shown(request.POST)})


@require_POST
@designers_only
def retire(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    criterion = get_object_or_404(Criterion, uid=uid)
    versions.retire_criterion(criterion=criterion, actor=acting_user(request))
    messages.success(request, f"{criterion.name} is asked in no new reader study.")
    return redirect("criterion-list")


def _answer(request: HttpRequest, criterion: Criterion | None) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    form = CriterionForm(posted, initial=initial_of(criterion) if criterion else None)
    # A bound row that equals its initial counts as empty, so that a sent page has none.
    initial = _options_shown(criterion) if posted is None else None
    options = OptionForms(_with_rows(posted), initial=initial, prefix="options")
    if posted is not None and posted.get("action") == "save" and form.is_valid() and options.is_valid():
        try:
            return _keep(request, criterion, form.cleaned_data, [row.cleaned_data for row in options.forms])
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
    if posted is None and criterion is not None:
        record_event(actor=acting_user(request), action="view_criterion", subject=criterion)
    context = {
        "criterion": criterion,
        "form": form,
        "options": options,
        "why_new_version": versions.why_new_version(criterion) if criterion else "",
        "versions": Criterion.objects.filter(key=criterion.key).order_by("-version") if criterion else [],
        "shown": _shown(posted) if posted is not None else criterion,
        "num_asking": criterion.reader_studies.count() if criterion else 0,
    }
    return render(request, "reviews/criteria/criterion.html", context)


def _keep(
    request: HttpRequest, criterion: Criterion | None, said: dict[str, Any], rows: list[Any]
) -> HttpResponse:
    saved = versions.save_criterion(
        actor=acting_user(request),
        name=said["name"],
        question=said["question"],
        target=said["target"],
        kind=said["kind"],
        options=[] if said["kind"] == Criterion.Kind.TEXT else options_of(rows, kind=said["kind"]),
        criterion=criterion,
    )
    number = saved.criterion.version
    kept = f"{saved.criterion.name}, version {number}, is kept."
    if saved.reason:
        kept += f" Version {number - 1} stays as it is: what asks it, and what was answered, keeps it."
    messages.success(request, kept)
    return redirect("criterion-detail", uid=saved.criterion.uid)


def _options_shown(criterion: Criterion | None) -> list[dict[str, Any]]:
    if criterion is None:
        return first_options(Criterion.Kind.SCALE)
    blank: list[dict[str, Any]] = [{} for _ in range(NUM_BLANK)]
    return [*criterion.options, *blank]


def _with_rows(posted: QueryDict | None) -> QueryDict | None:
    """Two more rows where the button for more was pressed; those of its kind where another kind was chosen
    before anything was typed."""
    if posted is None:
        return None
    data = posted.copy()
    total = data.get("options-TOTAL_FORMS", "0")
    number = min(int(total), MOST_OPTIONS) if total.isascii() and total.isdigit() else 0
    action = data.get("action")
    rows = [{name: data.get(f"options-{at}-{name}", "") for name in OPTION_FIELDS} for at in range(number)]
    if action == "first-options" and is_untouched(rows):
        rows = first_options(data.get("kind", ""))
        for at, row in enumerate(rows):
            data.update({f"options-{at}-{name}": row.get(name, "") for name in OPTION_FIELDS})
        number = len(rows)
    more = NUM_BLANK if action == "add-option" else 0
    data["options-TOTAL_FORMS"] = str(min(number + more, MOST_OPTIONS))
    data["options-INITIAL_FORMS"] = "0"
    return data


def _shown(posted: QueryDict) -> Criterion:
    """A criterion as it is in the form, never saved."""
    form, options = CriterionForm(posted), OptionForms(_with_rows(posted), prefix="options")
    form.is_valid(), options.is_valid()
    kind = form.cleaned_data.get("kind", "")
    rows = [row.cleaned_data for row in options.forms if not row.errors]
    return Criterion(
        name=form.cleaned_data.get("name", ""),
        question=form.cleaned_data.get("question", ""),
        target=form.cleaned_data.get("target", ""),
        kind=kind,
        options=[
            {"value": option.value, "label": option.label, "anchor": option.anchor}
            for option in options_of(rows, kind=kind)
        ],
    )
