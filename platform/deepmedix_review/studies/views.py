"""Pages on studies: the list, bringing films in, deciding on odd ones, and one study with its films."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.paging import read_before
from deepmedix_review.studies.api_views import DiskFull, receive_uploads, uploaded
from deepmedix_review.studies.archive_imports.views import latest_archives
from deepmedix_review.studies.collecting.filters import condition
from deepmedix_review.studies.collecting.forms import StudyFilterForm
from deepmedix_review.studies.film_files import look_for_files
from deepmedix_review.studies.holding import LONGEST_REASON, decide_held, hold_study, twins_in_use
from deepmedix_review.studies.intake.profiles import CLEAN_PIXEL_DATA, PROFILES, said_profiles
from deepmedix_review.studies.looking.selectors import count_reported, count_unseen, sightings_of, unseen
from deepmedix_review.studies.models import ImportBatch, ImportItem, Study
from deepmedix_review.studies.retention.due import count_due, end_of, keeping_of
from deepmedix_review.studies.selectors import (
    count_outcomes,
    count_states,
    demo_import,
    films_of,
    others_of_patient,
    recent_imports,
    reference_for,
    studies_without_a_film,
    study_for,
    study_page,
)
from deepmedix_review.studies.sent_messages.selectors import open_messages


@require_safe
@needs_capability(Capability.VIEW_ALL_STUDIES)
def show_studies(request: HttpRequest) -> HttpResponse:
    user, asked = acting_user(request), request.GET
    state, search = asked.get("state", ""), asked.get("search", "")
    form = StudyFilterForm(asked)
    narrowed = form.asked()
    page = study_page(
        user,
        state=state,
        search=search,
        before=read_before(asked.get("before")),
        only=condition(narrowed),
    )
    counts = count_states(user)
    context = {
        "studies": page,
        "counts": counts,
        "num_unseen": next((count for count in counts if count.state == Study.State.UNSEEN), None),
        "num_reported": count_reported(user),
        "num_due": count_due(user),
        "missing": studies_without_a_film(user),
        "demo_comes": not page.rows and demo_import() is not None,
        "state": state,
        "search": search,
        "form": form,
        "narrowed": narrowed,
        "query": _query(asked, without=("before",)),
        "query_of_states": _query(asked, without=("before", "state")),
        "query_of_search": [(name, value) for name, values in asked.lists() for value in values],
    }
    return render(request, "studies/study_list.html", context)


def _query(asked: QueryDict, *, without: Sequence[str]) -> str:
    """What an address asks, to be carried on to the next one."""
    kept = asked.copy()
    for name in without:
        kept.pop(name, None)
    return kept.urlencode()


@require_http_methods(["GET", "HEAD", "POST"])
@needs_capability(Capability.IMPORT_STUDIES)
def import_studies(request: HttpRequest) -> HttpResponse:
    """Also the way without a script: one form with many files, and a page that says what became of each."""
    if request.method == "POST":
        try:
            files = uploaded(request)
        except DiskFull as refusal:
            messages.error(request, str(refusal))
            return redirect("study-import")
        if not files:
            messages.error(request, "No file was chosen. Choose films or archives, then import.")
            return redirect("study-import")
        try:
            received = receive_uploads(
                files, actor=acting_user(request), profile=request.POST.get("profile", "")
            )
        except (RefusedByRule, DiskFull) as refusal:
            messages.error(request, str(refusal))
            return redirect("study-import")
        if received.items:
            _tell_outcomes(request, received.batch)
        if received.archives:
            num = len(received.archives)
            told = "1 archive waits" if num == 1 else f"{num} archives wait"
            messages.success(request, f"{told} to be unpacked; the list of archives shows how far that is.")
        return redirect("study-import")
    before = read_before(request.GET.get("before"))
    context = _latest(acting_user(request), before=before) | latest_archives(acting_user(request))
    context |= {"left": open_messages(acting_user(request))}
    context |= {"profiles": PROFILES.values(), "site_profile": settings.DEIDENTIFICATION_PROFILE}
    return render(request, "studies/study_import.html", context)


def _tell_outcomes(request: HttpRequest, batch: ImportBatch) -> None:
    numbers = count_outcomes(batch.uid, user=acting_user(request))
    total = sum(numbers.values())
    told = ", ".join(f"{number} {outcome}" for outcome, number in numbers.items())
    tell = messages.warning if ImportItem.Outcome.REFUSED in numbers else messages.success
    tell(request, f"{total} {'file' if total == 1 else 'files'}: {told}.")


@require_safe
@needs_capability(Capability.IMPORT_STUDIES)
def show_latest_files(request: HttpRequest) -> HttpResponse:
    """The import page's list; 204 while its newest file is the one that the page names, so nothing moves."""
    latest = _latest(acting_user(request))
    items = latest["items"].rows
    if items and str(items[0].uid) == request.GET.get("newest"):
        return HttpResponse(status=204)
    return render(request, "studies/latest_files.html", latest)


def _latest(user: User, *, before: int | None = None) -> dict[str, Any]:
    items = recent_imports(user, before=before)
    return {"items": items, "before": before, "num_unseen": count_unseen(user)}


@require_POST
@needs_capability(Capability.DECIDE_HELD_STUDIES)
def decide_study(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    study = study_for(acting_user(request), uid)
    accept = request.POST.get("decision") == "accept"
    try:
        decide_held(
            study,
            accept=accept,
            actor=acting_user(request),
            has_looked=request.POST.get("looked") == "yes",
        )
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    else:
        page = reverse("study-detail", args=[study.uid])
        take_back = "put it on hold" if accept else "accept it"
        done = "accepted" if accept else "rejected"
        messages.success(
            request,
            format_html(
                '{} was {}. To take that back, <a href="{}">{} on its page</a>.',
                study.label,
                done,
                page,
                take_back,
            ),
        )
    return redirect("study-held")


@require_POST
@needs_capability(Capability.DECIDE_HELD_STUDIES)
def hold(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    study = study_for(acting_user(request), uid)
    try:
        hold_study(study, reason=request.POST.get("reason", ""), actor=acting_user(request))
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{study.label} is on hold: no reader and no model sees it now.")
    return redirect("study-detail", study.uid)


@require_safe
@needs_capability(Capability.VIEW_ALL_STUDIES)
def show_study(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    study = study_for(acting_user(request), uid)
    films = list(films_of(study))
    missing = look_for_files(films)
    sightings = sightings_of([study]).get(study.pk, ())
    context = {
        "study": study,
        "films": films,
        "profiles": said_profiles({film.profile for film in films}),
        "cleaned": CLEAN_PIXEL_DATA,
        "missing": missing,
        "others": others_of_patient(acting_user(request), study),
        "longest_reason": LONGEST_REASON,
        "twin": twins_in_use([study]).get(study.pk)
        if study.state in (Study.State.HELD, Study.State.REJECTED)
        else None,
        "sightings": sightings,
        "reference": reference_for(acting_user(request), study),
        "unseen": unseen(study, sightings) if study.state == Study.State.UNSEEN else None,
        "due": end_of(study),
        "keeping": keeping_of(study),
    }
    response = render(request, "studies/study_detail.html", context)
    record_event(actor=acting_user(request), action="view_study", subject=study)
    return response
