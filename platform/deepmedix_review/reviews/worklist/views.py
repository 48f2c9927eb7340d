"""The pages of an expert: the worklist with its invitations and pools, the reading page, and amendments."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.reviews import selectors, services, study_services
from deepmedix_review.reviews.cursors import read_cursor
from deepmedix_review.reviews.forms import AmendmentForm
from deepmedix_review.reviews.worklist import offers

readers_only = needs_capability(Capability.READ_CASES)


@require_safe
@readers_only
def show_worklist(request: HttpRequest) -> HttpResponse:
    reader = acting_user(request)
    signed = request.GET.get("show") == "signed"
    worklist = selectors.worklist(reader, signed=signed, after=read_cursor(request, "after"))
    mine = offers.reader_studies_of(reader)
    context = {
        "worklist": worklist,
        "signed": signed,
        "invitations": [study for study in mine if study.is_invited],
        "reader_studies": [study for study in mine if not study.is_invited],
        "demo_is_being_made": not mine and selectors.demo_is_being_made(),
    }
    return render(request, "reviews/worklist.html", context)


@require_POST
@readers_only
def answer_invitation(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    invitation = offers.invitation_for(reader, uid)
    accepts = request.POST.get("answer") == "accept"
    study_services.answer_invitation(invitation=invitation, reader=reader, accepts=accepts)
    title = invitation.reader_study.title
    messages.success(
        request,
        f"You read in {title} now." if accepts else f"You declined {title}; nothing of it is left here.",
    )
    return redirect("worklist")


@require_POST
@readers_only
def take_case(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """The next free case of a pool, opened at once."""
    reader = acting_user(request)
    reading = study_services.take_next_case(reader_study=offers.pool_for(reader, uid), reader=reader)
    if reading is None:
        messages.info(
            request, "No case is free at the moment. One comes back as soon as its reader leaves it."
        )
        return redirect("worklist")
    return redirect("reading", uid=reading.uid)


@require_POST
@readers_only
def give_back(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    study_services.give_case_back(assignment=selectors.assignment_for(reader, uid), reader=reader)
    messages.success(request, "The case is free for others. What you said of it is kept.")
    return redirect("worklist")


@require_POST
@readers_only
def open_assignment(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    reading = services.open_reading(assignment=selectors.assignment_for(reader, uid), reader=reader)
    return redirect("reading", uid=reading.uid)


@require_safe
@readers_only
def show_reading_page(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    reading = selectors.reading_for(reader, uid)
    services.mark_opened(reading, reader=reader)
    return render(request, "reviews/reading.html", {"reading": reading})


@require_http_methods(["GET", "HEAD", "POST"])
@readers_only
def amend(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    reading = selectors.reading_for(reader, uid)
    form = AmendmentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        amendment = services.amend_reading(reading=reading, reader=reader, reason=form.cleaned_data["reason"])
        return redirect("reading", uid=amendment.uid)
    return render(request, "reviews/amend.html", {"reading": reading, "form": form})
