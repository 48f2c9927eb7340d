"""The pages of readers' work: the worklist and the reading page for experts, reader studies for admins."""

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user, readers, readers_by_uid
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import versions
from deepmedix_review.reviews import choices, selectors, services, study_services
from deepmedix_review.reviews.forms import AmendmentForm, ReaderStudyForm
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.studies.models import Study


@require_GET
@needs_capability(Capability.READ_CASES)
def show_worklist(request: HttpRequest) -> HttpResponse:
    signed = request.GET.get("show") == "signed"
    worklist = selectors.worklist(acting_user(request), signed=signed, after=_cursor(request, "after"))
    context = {
        "worklist": worklist,
        "signed": signed,
        "demo_is_being_made": not worklist.progress and selectors.demo_is_being_made(),
    }
    return render(request, "reviews/worklist.html", context)


@require_POST
@needs_capability(Capability.READ_CASES)
def open_assignment(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    reading = services.open_reading(assignment=selectors.assignment_for(reader, uid), reader=reader)
    return redirect("reading", uid=reading.uid)


@require_GET
@needs_capability(Capability.READ_CASES)
def show_reading_page(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    reading = selectors.reading_for(reader, uid)
    services.mark_opened(reading, reader=reader)
    return render(request, "reviews/reading.html", {"reading": reading})


@needs_capability(Capability.READ_CASES)
def amend(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader = acting_user(request)
    reading = selectors.reading_for(reader, uid)
    form = AmendmentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        amendment = services.amend_reading(reading=reading, reader=reader, reason=form.cleaned_data["reason"])
        return redirect("reading", uid=amendment.uid)
    return render(request, "reviews/amend.html", {"reading": reading, "form": form})


@require_GET
@needs_capability(Capability.DESIGN_READER_STUDIES)
def list_reader_studies(request: HttpRequest) -> HttpResponse:
    rows, before = selectors.reader_studies(before=_cursor(request, "before"))
    return render(request, "reviews/reader_study_list.html", {"reader_studies": rows, "before": before})


@needs_capability(Capability.DESIGN_READER_STUDIES)
def create(request: HttpRequest) -> HttpResponse:
    """The form on the completions of one version, by default the serving one; the version that the page was
    opened with stays, whatever is promoted meanwhile."""
    offered = choices.versions_to_read()
    serving = versions().filter(state=ModelVersion.State.SERVING).first()
    version = _chosen_version(request, serving, offered)
    studies = list(choices.studies_to_choose(model_version=version)) if version else []
    experts = list(readers())
    form = ReaderStudyForm(
        request.POST or None,
        initial={"studies": [str(study.uid) for study in studies] if "choose" in request.GET else []},
        studies=[(str(study.uid), study.label) for study in studies],
        readers=[(str(reader.uid), reader.pseudonym) for reader in experts],
    )
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            reader_study = study_services.create_reader_study(
                title=chosen["title"],
                studies=list(Study.objects.filter(uid__in=chosen["studies"]).order_by("pk")),
                readers=readers_by_uid(uuid.UUID(uid) for uid in chosen["readers"]),
                actor=acting_user(request),
                seed=chosen["seed"],
                model_version=version,
            )
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{reader_study.title} is on its readers' worklists.")
            return redirect("reader-study-detail", uid=reader_study.uid)
    context = {
        "form": form,
        "studies": studies,
        "readers": experts,
        "version": version,
        "serving": serving,
        "versions": offered,
    }
    return render(request, "reviews/reader_study_create.html", context)


@require_GET
@needs_capability(Capability.DESIGN_READER_STUDIES)
def show_reader_study(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    progress = selectors.progress_by_reader(reader_study)
    context = {
        "reader_study": reader_study,
        "progress": progress,
        "cases": selectors.cases_of(reader_study),
        "num_assigned": sum(reader.num_assigned for reader in progress),
        "num_signed": sum(reader.num_signed for reader in progress),
    }
    return render(request, "reviews/reader_study_detail.html", context)


def _chosen_version(
    request: HttpRequest, serving: ModelVersion | None, offered: Sequence[choices.VersionToRead]
) -> ModelVersion | None:
    """The version named by uid, else the serving one, else the newest that has something to read."""
    try:
        wanted = uuid.UUID(request.POST.get("version") or request.GET.get("version", ""))
    except ValueError:
        named = None
    else:
        named = versions().filter(uid=wanted).first()
    return named or serving or (offered[0].version if offered else None)


def _cursor(request: HttpRequest, name: str) -> uuid.UUID | None:
    """The cursor of the page; an unreadable one starts at the first page."""
    try:
        return uuid.UUID(request.GET[name]) if name in request.GET else None
    except ValueError:
        return None
