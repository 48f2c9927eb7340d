"""The sheet of films that nobody has looked at: those that show a name are ticked, the rest is let in."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.paging import read_before
from deepmedix_review.studies.looking import selectors, services
from deepmedix_review.studies.selectors import study_for


@require_http_methods(["GET", "HEAD", "POST"])
@needs_capability(Capability.DECIDE_HELD_STUDIES)
def look(request: HttpRequest) -> HttpResponse:
    user = acting_user(request)
    if request.method == "POST":
        _keep(request)
        return redirect("study-look")
    context = {
        "sheet": selectors.sheet(user, before=read_before(request.GET.get("before"))),
        "num_unseen": selectors.count_unseen(user),
        "num_reported": selectors.count_reported(user),
    }
    return render(request, "studies/look.html", context)


@require_POST
@needs_capability(Capability.DECIDE_HELD_STUDIES)
def tick(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """One tick of the sheet, kept at once; answers with the words that stand beside it."""
    user = acting_user(request)
    is_seen = any(token.startswith(f"{uid}:") for token in request.POST.getlist("marked"))
    study = services.tick_name(study_for(user, uid), is_seen=is_seen, actor=user)
    if request.headers.get("HX-Request"):
        return render(request, "studies/look_kept.html", {"study": study})
    return redirect("study-detail", uid)


def _keep(request: HttpRequest) -> None:
    looked = services.look_through(
        tokens=request.POST.getlist("study"),
        marked=set(request.POST.getlist("marked")),
        actor=acting_user(request),
    )
    told = f"{_studies(looked.num_clear)} looked at, no name on {_them(looked.num_clear)}"
    if looked.num_held:
        told += f"; {_studies(looked.num_held)} put on hold"
    messages.success(request, f"{told}.")
    if looked.num_left:
        messages.warning(
            request,
            f"{_studies(looked.num_left)} changed since the sheet was shown: look again, or somebody else "
            "decided meanwhile.",
        )


def _studies(number: int) -> str:
    return "1 study" if number == 1 else f"{number:,} studies"


def _them(number: int) -> str:
    return "it" if number == 1 else "them"
