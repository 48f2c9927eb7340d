"""The part of a candidate's page on shadow studies: made by a button, followed while the models answer."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.feedback.gating.shadow import (
    EXPECTED,
    MOST_CASES,
    USUAL_CASES,
    collections_to_shadow,
    films_needed,
    make_shadow_study,
    shadow_studies_of,
    too_few,
)
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import versions


@require_http_methods(["GET", "HEAD", "POST"])
@needs_capability(Capability.VIEW_MODELS)
def shadow_study(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Asked for, how far the shadow studies are; sent, a new one is drafted and its answers requested."""
    version = get_object_or_404(versions(), uid=uid)
    if request.method != "POST":
        return render(request, "feedback/shadow.html", shadow_context(version))
    offered = {str(row.uid): row for row in collections_to_shadow()}
    collection = offered.get(request.POST.get("collection", ""))
    number = request.POST.get("num_cases", "")
    try:
        if collection is None:
            raise RefusedByRule("Choose the collection whose test side is shown.")
        if not (number.isascii() and number.isdigit() and len(number) < 6):
            raise RefusedByRule(f"Say how many cases, 1 to {MOST_CASES}.")
        made = make_shadow_study(
            version, collection=collection, num_cases=int(number), actor=acting_user(request)
        )
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request,
            f"The draft “{made.title}” is among the reader studies. Once both versions have answered, an "
            "admin invites the readers and starts it.",
        )
        if few := too_few(made.cases.count()):
            messages.warning(request, f"{few} A collection with a larger test side makes it worth reading.")
    return redirect("model-detail", version.uid)


def shadow_context(version: ModelVersion) -> dict[str, Any]:
    studies = shadow_studies_of(version)
    return {
        "version": version,
        "shadow_studies": studies,
        "shadow_collections": collections_to_shadow() if version.parent else (),
        "usual_cases": USUAL_CASES,
        "most_cases": MOST_CASES,
        "films_needed": [(share, films_needed(share)) for share in EXPECTED],
        "shadow_is_live": any(not one.is_ready and not one.num_failed for one in studies),
    }
