"""The pages on reader studies: the list, one study on its way, and what an admin does to it."""

import uuid
from collections.abc import Callable, Mapping

from django.contrib import messages
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user, readers, readers_by_uid
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.paging import read_before
from deepmedix_review.reviews import study_services
from deepmedix_review.reviews.conduct import overview
from deepmedix_review.reviews.criteria.versions import asked_of
from deepmedix_review.reviews.cursors import read_cursor
from deepmedix_review.reviews.designing import choices
from deepmedix_review.reviews.designing.form import ADJUDICATION, DESIGNS, FIRST_READS, SHOWS
from deepmedix_review.reviews.forms import ExtensionForm, InvitationForm
from deepmedix_review.reviews.guards import require_results_visible
from deepmedix_review.reviews.models import Case, ReaderStudy

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
    return render(request, "reviews/reader_study_list.html", {"reader_studies": rows, "before": before})


@require_safe
@designers_only
def show_reader_study(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    if reader_study.state == ReaderStudy.State.DRAFT:
        return redirect("reader-study-design", uid=uid)
    user = acting_user(request)
    try:
        require_results_visible(user, reader_study)
        hidden = ""
    except RefusedByRule as refusal:
        hidden = str(refusal)
    rows = overview.reader_rows(reader_study)
    cases, after = overview.case_rows(reader_study, after=read_before(request.GET.get("after")))
    context = {
        "reader_study": reader_study,
        "readers": rows,
        "cases": cases,
        "after": after,
        "num_cases": reader_study.cases.count(),
        "num_readers": sum(row.is_here for row in rows),
        "num_assigned": sum(row.num_assigned for row in rows),
        "num_signed": sum(row.num_signed for row in rows),
        "asked": asked_of(reader_study),
        "said": _words(reader_study),
        "controls": overview.control_cases(reader_study),
        "repeats": overview.repeats(reader_study),
        "disputes": overview.disputes(reader_study, shows_reasons=not hidden),
        "hidden": hidden,
        "experts": list(readers()),
        "invitation_form": _invitation_form(reader_study),
        "extension_form": _extension_form(reader_study),
    }
    record_event(actor=user, action="view_reader_study", subject=reader_study)
    return render(request, "reviews/reader_study_detail.html", context)


@require_POST
@designers_only
def move(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Pause, resume or lock it."""
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    found = MOVES.get(request.POST.get("move", ""))
    if found is None:
        raise RefusedByRule("Say what to do: pause, resume or lock. Go back and choose.")
    service, sentence = found
    service(reader_study=reader_study, actor=acting_user(request))
    messages.success(request, sentence.format(reader_study.title))
    return redirect("reader-study-detail", uid=uid)


@require_POST
@designers_only
def invite(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    form = _invitation_form(reader_study, request)
    if not form.is_valid():
        raise RefusedByRule(f"Nobody was invited. {_errors(form.errors)}")
    [reader] = readers_by_uid([uuid.UUID(form.cleaned_data["reader"])])
    study_services.invite_reader(
        reader_study=reader_study,
        reader=reader,
        actor=acting_user(request),
        deadline=form.cleaned_data["deadline"],
    )
    messages.success(request, f"{reader.pseudonym} is invited.")
    return redirect("reader-study-detail", uid=uid)


@require_POST
@designers_only
def remove(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """What the reader signed stays; the rest goes to the others."""
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    row = get_object_or_404(
        reader_study.invitations.select_related("reader"), reader__uid=_uid(request.POST.get("reader"))
    )
    study_services.remove_reader(reader_study=reader_study, reader=row.reader, actor=acting_user(request))
    messages.success(request, f"{row.reader.pseudonym} reads here no more. What was signed stays.")
    return redirect("reader-study-detail", uid=uid)


@require_POST
@designers_only
def extend(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    form = _extension_form(reader_study, request)
    if not form.is_valid():
        raise RefusedByRule(f"Nothing was changed. {_errors(form.errors)}")
    studies = choices.studies_by_uid([uuid.UUID(value) for value in form.cleaned_data["studies"]])
    study_services.extend_reader_study(
        reader_study=reader_study,
        actor=acting_user(request),
        cases=studies,
        deadline=form.cleaned_data["deadline"],
    )
    messages.success(request, f"{reader_study.title} is extended.")
    return redirect("reader-study-detail", uid=uid)


@require_POST
@designers_only
def adjudicate(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Give a disputed case to a reader."""
    case = get_object_or_404(Case, uid=_uid(request.POST.get("case")), reader_study__uid=uid)
    [reader] = readers_by_uid([_uid(request.POST.get("reader"))])
    study_services.start_adjudication(case=case, reader=reader, actor=acting_user(request))
    messages.success(request, f"Case {case.position} is on the worklist of {reader.pseudonym}.")
    return redirect("reader-study-detail", uid=uid)


def _invitation_form(reader_study: ReaderStudy, request: HttpRequest | None = None) -> InvitationForm:
    return InvitationForm(
        request.POST if request else None,
        readers=[(str(r.uid), r.pseudonym) for r in overview.readers_to_invite(reader_study)],
        prefix="invite",
    )


def _extension_form(reader_study: ReaderStudy, request: HttpRequest | None = None) -> ExtensionForm:
    found = choices.readable_studies(
        shows=reader_study.shows,
        model_version=reader_study.model_version,
        other_version=reader_study.other_version,
    ).exclude(pk__in=overview.studies_in(reader_study))
    return ExtensionForm(
        request.POST if request else None,
        studies=[(str(study.uid), study.label) for study in found[: choices.MOST_OFFERED]],
        prefix="extend",
    )


def _words(reader_study: ReaderStudy) -> dict[str, str]:
    """The choices of the design, in the words of the page on which it was made."""
    return {
        "design": dict(DESIGNS)[reader_study.design],
        "shows": dict(SHOWS)[reader_study.shows],
        "first_reads": dict(FIRST_READS)[reader_study.first_reads],
        "adjudication": dict(ADJUDICATION)[reader_study.adjudication],
    }


def _errors(errors: ErrorDict) -> str:
    return " ".join(
        f"{name.capitalize()}: {' '.join(str(one) for one in said)}" for name, said in errors.items()
    )


def _uid(value: str | None) -> uuid.UUID:
    try:
        return uuid.UUID(value or "")
    except ValueError:
        raise RefusedByRule("Nobody and nothing was named. Go back, reload the page and choose.") from None
