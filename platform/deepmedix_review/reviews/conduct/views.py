"""The pages on reader studies: the list, one study on its way, and what an admin does to it.

What is refused is said on the study's page, beside the control, with what was entered kept.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user, readers_by_uid
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.cursors import read_cursor
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.live import leave_for
from deepmedix_review.reviews import study_services
from deepmedix_review.reviews.conduct import overview
from deepmedix_review.reviews.conduct.disputes import minutes_each
from deepmedix_review.reviews.conduct.lists import readers_lists
from deepmedix_review.reviews.conduct.page import (
    Giving,
    Removal,
    Said,
    Settling,
    extension_form,
    invitation_form,
    show_page,
)
from deepmedix_review.reviews.designing import choices
from deepmedix_review.reviews.models import Assignment, Case, Invitation, ReaderStudy
from deepmedix_review.reviews.results.downloads import csv_lines
from deepmedix_review.reviews.selectors import demo_being_made

designers_only = needs_capability(Capability.DESIGN_READER_STUDIES)

MOVES: Mapping[str, tuple[Callable[..., ReaderStudy], str]] = {
    "pause": (study_services.pause_reader_study, "{} is paused: no new case opens until you resume it."),
    "resume": (study_services.resume_reader_study, "{} goes on."),
    "lock": (study_services.lock_reader_study, "{} is locked. What was said stays as it is."),
}


@require_safe
@needs_capability(Capability.VIEW_RESULTS)
def list_reader_studies(request: HttpRequest) -> HttpResponse:
    """Who designs goes on to a study's page, who only learns from it to its results."""
    rows, before = overview.reader_studies(before=read_cursor(request, "before"))
    context = {"reader_studies": rows, "before": before, "demo": None if rows else demo_being_made()}
    return render(request, "reviews/reader_study_list.html", context)


@require_safe
@designers_only
def show_reader_study(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    if reader_study.state == ReaderStudy.State.DRAFT:
        return redirect("reader-study-design", uid=uid)
    return show_page(request, reader_study)


@require_safe
@designers_only
def download_lists(request: HttpRequest, uid: uuid.UUID) -> StreamingHttpResponse:
    """Who reads which case, as a table to take away. It tells controls and repeats, and no rating."""
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    table = readers_lists(reader_study)
    record_event(
        actor=acting_user(request),
        action="download_lists",
        subject=reader_study,
        details={"readings": len(table.rows)},
    )
    response = StreamingHttpResponse(csv_lines(table), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{reader_study.uid}-lists.csv"'
    return response


@require_POST
@designers_only
def move(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Pause, resume or lock it."""
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    found = MOVES.get(request.POST.get("move", ""))
    if found is None:
        return show_page(request, reader_study, Said(refusal="Say what to do: pause, resume or lock."))
    service, sentence = found
    try:
        service(reader_study=reader_study, actor=acting_user(request))
    except RefusedByRule as refusal:
        return show_page(request, reader_study, Said(refusal=str(refusal)))
    messages.success(request, sentence.format(reader_study.title))
    return leave_for(request, "reader-study-detail", uid=uid)


@require_POST
@designers_only
def invite(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """First what it would move, then, with that agreed to, the invitation."""
    reader_study, actor = get_object_or_404(ReaderStudy, uid=uid), acting_user(request)
    form = invitation_form(reader_study, request, is_sent=True)
    if not form.is_valid():
        return show_page(request, reader_study, Said(invitation=form))
    try:
        [reader] = readers_by_uid([uuid.UUID(form.cleaned_data["reader"])])
        if "shown" not in request.POST:
            moves = study_services.preview_invitation(reader_study=reader_study, reader=reader, actor=actor)
            return show_page(request, reader_study, Said(invitation=form, invited=moves))
        study_services.invite_reader(
            reader_study=reader_study,
            reader=reader,
            actor=actor,
            deadline=form.cleaned_data["deadline"],
            shown=request.POST["shown"],
        )
    except study_services.ChangedMeanwhile as changed:
        form.add_error(None, str(changed))
        return show_page(request, reader_study, Said(invitation=form, invited=changed.moves))
    except RefusedByRule as refusal:
        form.add_error("reader", str(refusal))
        return show_page(request, reader_study, Said(invitation=form))
    messages.success(request, f"{reader.pseudonym} is invited.")
    return leave_for(request, "reader-study-detail", uid=uid)


@require_POST
@designers_only
def remove(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """First what it would move, then, with that agreed to, the removal. What the reader signed stays."""
    reader_study, actor = get_object_or_404(ReaderStudy, uid=uid), acting_user(request)
    row = (
        reader_study.invitations.select_related("reader")
        .filter(reader__uid=_uid(request.POST.get("reader")))
        .first()
    )
    if row is None:
        return show_page(request, reader_study, Said(refusal="No reader was named. Choose one below."))
    try:
        if "shown" not in request.POST:
            moves = study_services.preview_removal(reader_study=reader_study, reader=row.reader, actor=actor)
            return show_page(request, reader_study, Said(removal=Removal(row.reader, moves)))
        study_services.remove_reader(
            reader_study=reader_study, reader=row.reader, actor=actor, shown=request.POST["shown"]
        )
    except study_services.ChangedMeanwhile as changed:
        removal = Removal(row.reader, changed.moves, str(changed))
        return show_page(request, reader_study, Said(removal=removal))
    except RefusedByRule as refusal:
        return show_page(request, reader_study, Said(removal=Removal(row.reader, refusal=str(refusal))))
    messages.success(request, f"{row.reader.pseudonym} reads here no more. What was signed stays.")
    return leave_for(request, "reader-study-detail", uid=uid)


@require_POST
@designers_only
def extend(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """A later deadline at once. Of cases first whom they give how many, then, agreed to, the cases."""
    reader_study, actor = get_object_or_404(ReaderStudy, uid=uid), acting_user(request)
    form = extension_form(reader_study, request, is_sent=True)
    if not form.is_valid():
        return show_page(request, reader_study, Said(extension=form))
    cases = choices.studies_by_uid([uuid.UUID(value) for value in form.cleaned_data["studies"]])
    deadline = form.cleaned_data["deadline"]
    try:
        if cases and "shown" not in request.POST:
            growth = study_services.preview_extension(
                reader_study=reader_study, actor=actor, cases=cases, deadline=deadline
            )
            return show_page(request, reader_study, Said(extension=form, growth=growth))
        study_services.extend_reader_study(
            reader_study=reader_study,
            actor=actor,
            cases=cases,
            deadline=deadline,
            shown=request.POST.get("shown"),
        )
    except study_services.GrewOtherwise as changed:
        form.add_error(None, str(changed))
        return show_page(request, reader_study, Said(extension=form, growth=changed.growth))
    except RefusedByRule as refusal:
        form.add_error(None, str(refusal))
        return show_page(request, reader_study, Said(extension=form))
    messages.success(request, f"{reader_study.title} is extended.")
    return leave_for(request, "reader-study-detail", uid=uid)


@require_POST
@designers_only
def adjudicate(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """First what it costs, then, with that agreed to, a disputed case is given to a reader, or all that wait;
    `again`: one that another reader has and has not signed."""
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    if "all" in request.POST:
        return _give_every_dispute(request, reader_study)
    is_had = "again" in request.POST
    named_case = _uid(request.POST.get("again" if is_had else "case"))
    case = Case.objects.filter(uid=named_case, reader_study=reader_study).first()
    if case is None:
        return show_page(request, reader_study, Said(refusal="No case was named. Choose one below."))
    named = _uid(request.POST.get("reader"))
    try:
        if not request.POST.get("reader"):
            raise RefusedByRule("Choose who settles this case.")
        [reader] = readers_by_uid([named])
        if "confirmed" not in request.POST:
            preview = study_services.preview_hand_over if is_had else study_services.preview_adjudication
            preview(case=case, reader=reader, actor=acting_user(request))
            giving = _giving(reader_study, reader, case=case)
            return show_page(request, reader_study, Said(giving=_taken(giving, case) if is_had else giving))
        give = study_services.hand_over_adjudication if is_had else study_services.start_adjudication
        give(case=case, reader=reader, actor=acting_user(request))
    except RefusedByRule as refusal:
        return show_page(request, reader_study, Said(settling=Settling(case.uid, named, str(refusal))))
    messages.success(request, f"Case {case.position} is on the worklist of {reader.pseudonym}.")
    return leave_for(request, "reader-study-detail", uid=uid)


def _give_every_dispute(request: HttpRequest, reader_study: ReaderStudy) -> HttpResponse:
    try:
        if not request.POST.get("reader"):
            raise RefusedByRule("Choose who settles these cases.")
        [reader] = readers_by_uid([_uid(request.POST["reader"])])
        actor = acting_user(request)
        if "confirmed" not in request.POST:
            counts = study_services.preview_every_dispute(
                reader_study=reader_study, reader=reader, actor=actor
            )
            return show_page(request, reader_study, Said(giving=_giving(reader_study, reader, counts=counts)))
        num_given, num_left = study_services.give_every_dispute(
            reader_study=reader_study, reader=reader, actor=actor, shown=_number(request.POST["confirmed"])
        )
    except study_services.WaitsOtherwise as changed:
        giving = replace(_giving(reader_study, reader, counts=changed.counts), refusal=str(changed))
        return show_page(request, reader_study, Said(giving=giving))
    except RefusedByRule as refusal:
        return show_page(request, reader_study, Said(refusal=str(refusal)))
    cases = "1 disputed case is" if num_given == 1 else f"{num_given} disputed cases are"
    left = f" {num_left} wait for somebody who has not read them." if num_left else ""
    messages.success(request, f"{cases} on the worklist of {reader.pseudonym}.{left}")
    return leave_for(request, "reader-study-detail", uid=reader_study.uid)


def _giving(
    reader_study: ReaderStudy,
    reader: User,
    *,
    case: Case | None = None,
    counts: tuple[int, int] = (1, 0),
) -> Giving:
    """`counts`: how many cases this reader would be given, and how many not."""
    reads_here = reader_study.invitations.filter(reader=reader, state=Invitation.State.ACCEPTED)
    return Giving(
        reader=reader,
        is_from_outside=not reads_here.exists(),
        case=case.uid if case else None,
        position=case.position if case else None,
        num_given=counts[0],
        num_left=counts[1],
        minutes_each=minutes_each(reader_study),
    )


def _taken(giving: Giving, case: Case) -> Giving:
    """With whoever has the case now."""
    held = case.assignments.filter(kind=Assignment.Kind.ADJUDICATION, withdrawn_at=None, signed_at=None)
    had = held.select_related("reader").first()
    if had is None:
        # It was signed, or taken back, since it was looked at.
        raise RefusedByRule("Nobody has this case to settle any more. Look at the page again.")
    return replace(giving, taken_from=had.reader, is_begun=had.number is not None)


def _number(value: str) -> int:
    """Of cases that were agreed to; of none where it is no number."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else 0


def _uid(value: str | None) -> uuid.UUID:
    """What was named; of no one and nothing where it is no uid."""
    try:
        return uuid.UUID(value or "")
    except ValueError:
        return uuid.UUID(int=0)
