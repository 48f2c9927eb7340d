"""The pages of an expert: the worklist with its invitations and pools, the reading page, and amendments."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.cursors import read_cursor
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reviews import selectors, services, study_services
from deepmedix_review.reviews.conduct.falling_due import falling_due_for
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.worklist import offers
from deepmedix_review.reviews.worklist.endings import ending_of_pool
from deepmedix_review.reviews.worklist.forms import AmendmentForm

readers_only = needs_capability(Capability.READ_CASES)


@require_safe
@readers_only
def show_worklist(request: HttpRequest) -> HttpResponse:
    return _show_worklist(request)


@require_POST
@readers_only
def answer_invitation(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Accepted, the worklist offers the first case at once."""
    reader = acting_user(request)
    invitation = offers.invitation_for(reader, uid)
    accepts = request.POST.get("answer") == "accept"
    try:
        study_services.answer_invitation(invitation=invitation, reader=reader, accepts=accepts)
    except RefusedByRule as refusal:
        return _show_worklist(request, refusal=str(refusal))
    if accepts:
        return redirect(f"{reverse('worklist')}?accepted={invitation.reader_study.uid}")
    messages.success(request, f"You declined {invitation.reader_study.title}; nothing of it is left here.")
    return redirect("worklist")


@require_POST
@readers_only
def dismiss_notice(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    study_services.dismiss_notice(notice=offers.notice_for(reader, uid), reader=reader)
    return redirect("worklist")


@require_POST
@readers_only
def take_case(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """The next free case of a pool, opened at once."""
    reader = acting_user(request)
    pool = offers.pool_for(reader, uid)
    try:
        reading = study_services.take_next_case(reader_study=pool, reader=reader)
    except NotYours:
        raise
    except RefusedByRule as refusal:
        return _show_worklist(request, refusal=str(refusal))
    if reading is None:
        messages.info(request, ending_of_pool(pool, reader.pk).sentence)
        return redirect("worklist")
    return redirect("reading", uid=reading.uid)


@require_POST
@readers_only
def give_back(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    assignment = selectors.assignment_for(reader, uid)
    try:
        study_services.give_case_back(assignment=assignment, reader=reader)
    except RefusedByRule as refusal:
        return _show_worklist(request, refusal=str(refusal))
    messages.success(request, "The case is free for others. What you said of it is kept.")
    return redirect("worklist")


@require_POST
@readers_only
def open_assignment(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    try:
        reading = services.open_reading(assignment=selectors.assignment_for(reader, uid), reader=reader)
    except NotYours:
        raise
    except RefusedByRule as refusal:
        return _show_worklist(request, refusal=str(refusal))
    return redirect("reading", uid=reading.uid)


@require_safe
@readers_only
def show_reading_page(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    reading = selectors.reading_for(reader, uid)
    services.mark_opened(reading, reader=reader)
    context = {"reading": reading, "is_new_here": not selectors.has_signed(reader)}
    return render(request, "reviews/reading.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@readers_only
def amend(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    reading = selectors.reading_for(reader, uid)
    form = AmendmentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            amendment = services.amend_reading(
                reading=reading, reader=reader, reason=form.cleaned_data["reason"]
            )
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("reading", uid=amendment.uid)
    status = 409 if form.errors else 200
    return render(request, "reviews/amend.html", {"reading": reading, "form": form}, status=status)


@require_POST
@readers_only
def discard_amendment(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    reading = selectors.reading_for(reader, uid)
    try:
        services.discard_amendment(reading=reading, reader=reader)
    except RefusedByRule as refusal:
        return _show_worklist(request, refusal=str(refusal))
    messages.success(request, "The amendment is discarded. Your signed reading stays as it is.")
    return redirect("worklist")


def _show_worklist(request: HttpRequest, *, refusal: str = "") -> HttpResponse:
    """As it is now; what was refused is said above it, and the status is 409."""
    reader = acting_user(request)
    signed = request.GET.get("show") == "signed"
    worklist = selectors.worklist(reader, signed=signed, after=read_cursor(request, "after"))
    mine = offers.reader_studies_of(reader)
    accepted = read_cursor(request, "accepted")
    goes_on = offers.study_to_go_on_with(mine)
    context = {
        "worklist": worklist,
        "signed": signed,
        "has_to_settle": not signed and any(row.is_adjudication for row in worklist.rows),
        "refusal": refusal,
        "notices": offers.notices_of(reader),
        "falling_due": falling_due_for(reader),
        "invitations": [study for study in mine if study.is_invited],
        "reader_studies": [study for study in mine if not study.is_invited],
        "accepted": next((study for study in mine if study.uid == accepted and not study.is_invited), None),
        "waits_for_pool": any(study.takes_cases and study.is_waiting_for_pool for study in mine),
        "lost_to_lock": any(study.state == ReaderStudy.State.LOCKED and study.num_open for study in mine),
        "is_waiting": any(study.state == ReaderStudy.State.PAUSED and study.num_open for study in mine),
        "goes_on": goes_on,
        # Of cases that can't be read yet no number is told.
        "is_all_waiting": not goes_on
        and not (worklist.rows and not signed)
        and any(study.waits for study in mine),
        "opens_at": min((study.opens_at for study in mine if study.opens_at), default=None),
        "demo": None if mine else selectors.demo_being_made(),
    }
    return render(request, "reviews/worklist.html", context, status=409 if refusal else 200)
