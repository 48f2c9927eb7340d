"""Pages on which an admin reads the code that a model brings, allows it to run, and takes that back."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.registry.allowing import allow_code, revoke_code, words_to_type
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.own_code import code_of, code_version_for, versions_with_code
from deepmedix_review.registry.selectors import tell_apart


@require_safe
@needs_capability(Capability.ALLOW_MODEL_CODE)
def list_code(request: HttpRequest) -> HttpResponse:
    found = versions_with_code()
    apart = tell_apart([version for version, _ in found])
    return render(request, "registry/code_list.html", {"versions": found, "apart": apart})


@require_http_methods(["GET", "HEAD", "POST"])
def show_code(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Read by admins and researchers; POST allows it, by an admin who types so."""
    user, version, refused = acting_user(request), _version(request, uid), ""
    if request.method == "POST":
        try:
            allow_code(
                version,
                confirmed=request.POST.get("confirmed", ""),
                read_sha256=request.POST.get("sha256", ""),
                actor=user,
            )
        except NotYours:
            raise
        except RefusedByRule as refusal:
            refused = str(refusal)
        else:
            messages.success(request, f"The code of {version} may run from now on.")
            return redirect("model-code", version.uid)
    else:
        record_event(actor=user, action="view_model_code", subject=version)
    context = {
        "version": version,
        "code": code_of(version),
        "apart": tell_apart([version]),
        "words": words_to_type(version),
        "refused": refused,
        "confirmed": request.POST.get("confirmed", ""),
    }
    return render(request, "registry/code.html", context)


@require_POST
@needs_capability(Capability.ALLOW_MODEL_CODE)
def revoke(request: HttpRequest, uid: UUID) -> HttpResponse:
    version = _version(request, uid)
    try:
        revoke_code(version, actor=acting_user(request))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The code of {version} does not run any more.")
    return redirect("model-code", version.uid)


def _version(request: HttpRequest, uid: UUID) -> ModelVersion:
    try:
        return code_version_for(acting_user(request), uid)
    except ModelVersion.DoesNotExist as error:
        raise Http404("There is no such version that brings code of its own.") from error
