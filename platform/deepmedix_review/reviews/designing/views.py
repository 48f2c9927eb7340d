"""The page on which an admin designs a reader study, and sees what it will cost before it starts."""

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reasoning.tasks import request_inference_of_all
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews import study_services
from deepmedix_review.reviews.designing import example
from deepmedix_review.reviews.designing.page import DesignPage
from deepmedix_review.reviews.models import ReaderStudy
from inference.prompts import template
from rl_feedback.counting import counted

designers_only = needs_capability(Capability.DESIGN_READER_STUDIES)


@require_http_methods(["GET", "HEAD", "POST"])
@designers_only
def create(request: HttpRequest) -> HttpResponse:
    return _answer(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@designers_only
def redesign(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    if reader_study.state != ReaderStudy.State.DRAFT:
        raise RefusedByRule(
            "This reader study has begun, so its design stays. Extend it on its page instead."
        )
    if request.method != "POST":
        record_event(actor=acting_user(request), action="view_reader_study", subject=reader_study)
    return _answer(request, reader_study)


@require_POST
@designers_only
def delete(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    study_services.delete_draft(reader_study=reader_study, actor=acting_user(request))
    messages.success(request, f"The draft of {reader_study.title} is deleted.")
    return redirect("reader-study-list")


@require_POST
@designers_only
def duplicate(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """A draft like any reader study, to be changed and started by itself."""
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    draft = study_services.design_another_like(reader_study=reader_study, actor=acting_user(request))
    messages.success(
        request,
        f"This draft is like {reader_study.title}: give it a title of its own, which readers see, and change "
        "what should differ. Its seed is the same, so the "
        "same cases and readers would be drawn in the same order.",
    )
    return redirect("reader-study-design", uid=draft.uid)


@require_POST
@designers_only
def show_plan(request: HttpRequest) -> HttpResponse:
    """The plan beside the form, of what is in the form at this moment; nothing is kept."""
    page = DesignPage(request, reader_study=_draft(request))
    return render(request, "reviews/design/plan_live.html", {"page": page})


@require_safe
@designers_only
def show_example(request: HttpRequest) -> HttpResponse:
    plan = example.example_plan()
    half_width = plan.vote_half_width or 0.0
    context = {
        "decisions": example.DECISIONS,
        "plan": plan,
        "vote_low": example.VOTES_FOR - half_width,
        "vote_high": example.VOTES_FOR + half_width,
    }
    return render(request, "reviews/design/example.html", context)


def _answer(request: HttpRequest, reader_study: ReaderStudy | None) -> HttpResponse:
    action = request.POST.get("action", "")
    page = DesignPage(request, reader_study=reader_study)
    if action in ("save", "start") and page.is_valid():
        try:
            return _keep(request, page, starts=action == "start")
        except RefusedByRule as refusal:
            page.form.add_error(None, str(refusal))
    elif action == "ask":
        _ask(request, page)
    if action not in ("save", "start"):
        page.overlook_gaps()
    page.mark()
    response = render(
        request, "reviews/design/page.html", {"page": page, "is_sent": action in ("save", "start")}
    )
    if request.headers.get("HX-Target") == "questions":
        # A plan that was asked for meanwhile counted what was ticked before.
        response["HX-Trigger-After-Settle"] = "questions-listed"
    return response


def _ask(request: HttpRequest, page: DesignPage) -> None:
    """The versions that readers are to see; two of them the same question, or they can't be compared."""
    shown: Sequence[ModelVersion | None] = page.models.shown or (None,)
    query = template(shown[0].prompt_template).default_query if shown[0] and len(shown) > 1 else None
    for version in shown:
        try:
            said = request_inference_of_all(actor=acting_user(request), version=version, query=query)
        except RefusedByRule as refusal:
            messages.error(request, str(refusal))
        else:
            messages.info(request, said)


def _keep(request: HttpRequest, page: DesignPage, *, starts: bool) -> HttpResponse:
    """The draft is kept even where it can't start yet."""
    actor = acting_user(request)
    draft = study_services.design_reader_study(
        draft=page.draft_said(), actor=actor, reader_study=page.reader_study
    )
    if not starts:
        messages.success(request, f"The draft of {draft.title} is kept.")
        return redirect("reader-study-design", uid=draft.uid)
    design = reverse("reader-study-design", args=[draft.uid])
    if study_services.find_unready(study_services.draft_of(draft)):
        # The page lists what it lacks.
        return redirect(design)
    try:
        study_services.start_reader_study(reader_study=draft, actor=actor)
    except RefusedByRule as refusal:
        messages.error(request, f"The draft is kept, but it can't start yet. {refusal}")
        return redirect(design)
    # Of "every ready study" more can be ready by now than when the plan was looked at.
    num_cases = counted(draft.cases.count(), "case")
    messages.success(request, f"{draft.title} has begun with {num_cases}; its readers are invited.")
    return redirect("reader-study-detail", uid=draft.uid)


def _draft(request: HttpRequest) -> ReaderStudy | None:
    """The draft that the page shows; None for one that was never kept."""
    try:
        uid = uuid.UUID(request.GET.get("draft", ""))
    except ValueError:
        return None
    return ReaderStudy.objects.filter(uid=uid, state=ReaderStudy.State.DRAFT).first()
