"""The sheet of held studies: decided on one by one, or all that are ticked."""

import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.paging import read_before
from deepmedix_review.studies.deciding.selectors import cards_of, held_sheet, last_decision
from deepmedix_review.studies.deciding.services import Decided, TakenBack, decide_together, take_back
from deepmedix_review.studies.looking.selectors import study_of
from deepmedix_review.studies.models import DecidedStudy, HeldDecision
from deepmedix_review.studies.selectors import study_for


@require_http_methods(["GET", "HEAD", "POST"])
@needs_capability(Capability.DECIDE_HELD_STUDIES)
def show_held(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _decide(request)
    user, kind = acting_user(request), request.GET.get("kind", "")
    context = {
        "sheet": held_sheet(user, kind=kind, before=read_before(request.GET.get("before"))),
        "kind": kind,
        "last": last_decision(user),
    }
    return render(request, "studies/study_held.html", context)


@require_POST
@needs_capability(Capability.DECIDE_HELD_STUDIES)
def undo(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Answers the sheet with the study's card, where one was decided on by itself."""
    user = acting_user(request)
    decision = get_object_or_404(HeldDecision, uid=uid, decided_by=user)
    refusal, back = "", TakenBack(0, 0)
    try:
        back = take_back(decision, actor=user)
    except RefusedByRule as error:
        refusal = str(error)
    if request.headers.get("HX-Request"):
        study = study_for(user, get_object_or_404(DecidedStudy, decision=decision).study.uid)
        if back.num_back:
            [card] = cards_of([study])
            return render(request, "studies/held/card.html", {"card": card})
        return render(request, "studies/held/decided.html", {"study": study, "refusal": refusal or CHANGED})
    if refusal:
        messages.error(request, refusal)
    if back.num_back:
        messages.success(request, f"{_studies(back.num_back)} held again.")
    if back.num_left:
        left = f"{_studies(back.num_left)} changed since the decision, and stay as they are."
        messages.warning(request, left)
    return redirect(_sheet_of(request))


CHANGED = "It changed since: a film came to it, or somebody else decided. Load the page again."


def _decide(request: HttpRequest) -> HttpResponse:
    """The button of one card, or that of all that are ticked."""
    post = request.POST
    one = post.get("accept") or post.get("reject") or ""
    accept = "accept" in post if one else post.get("decision") == "accept"
    tokens = [one] if one else post.getlist("ticked")
    # Each button that accepts says that its films were looked at.
    decided = decide_together(tokens=tokens, accept=accept, has_looked=accept, actor=acting_user(request))
    if one and request.headers.get("HX-Request"):
        study = study_for(acting_user(request), study_of(one) or uuid.UUID(int=0))
        refusal = "" if decided.decision else " ".join(decided.objections) or CHANGED
        context = {"study": study, "decision": decided.decision, "refusal": refusal}
        return render(request, "studies/held/decided.html", context)
    _tell(request, decided, accept=accept)
    return redirect(_sheet_of(request))


def _tell(request: HttpRequest, decided: Decided, *, accept: bool) -> None:
    if decided.num_done:
        done = "accepted: looked at, no name on any film" if accept else "rejected"
        messages.success(request, f"{_studies(decided.num_done)} {done}.")
    elif not decided.objections and not decided.num_left:
        messages.error(request, "No study was ticked. Tick those that you mean, then decide.")
    for objection in decided.objections:
        messages.warning(request, objection)
    if decided.num_left:
        messages.warning(
            request,
            f"{_studies(decided.num_left)} changed since the sheet was shown: look again, or somebody else "
            "decided meanwhile.",
        )


def _sheet_of(request: HttpRequest) -> str:
    kind = request.POST.get("kind", "")
    return reverse("study-held") + (f"?{urlencode({'kind': kind})}" if kind else "")


def _studies(number: int) -> str:
    return "1 study" if number == 1 else f"{number:,} studies"
