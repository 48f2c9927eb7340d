"""The page that shows two versions on the same case."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.comparing.selectors import (
    MOST_STUDIES_OFFERED,
    same_case,
    studies_of_both,
    two_to_begin_with,
    version_to_compare,
    versions_to_compare,
)
from deepmedix_review.registry.selectors import tell_apart
from deepmedix_review.studies.models import Study
from deepmedix_review.studies.selectors import study_for


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_comparison(request: HttpRequest) -> HttpResponse:
    """Without a study the newest of which both said something; without versions the one that serves and
    another."""
    user = acting_user(request)
    a, b = (version_to_compare(request.GET.get(side, "")) for side in ("a", "b"))
    if not {"a", "b"} & set(request.GET):
        a, b = two_to_begin_with()
    told = request.GET.get("sample", "")
    sample = int(told) if told.isascii() and told.isdigit() and len(told) < 7 else 1
    studies = studies_of_both(user, a, b) if a and b and a != b else []
    wanted, case, refusal = request.GET.get("study", ""), None, ""
    study = _study(user, wanted) if wanted else (studies[0] if studies else None)
    if a and b and a != b and study is not None:
        try:
            case = same_case(a, b, study, sample=sample)
            sample = min(max(1, sample), case.num_samples)
        except RefusedByRule as error:
            refusal = str(error)
        else:
            record_event(actor=user, action="view_completions", subject=study)
    offered = list(versions_to_compare())
    place = studies.index(study) if study in studies else None
    context = {
        "versions": offered,
        "apart": tell_apart(offered),
        "a": a,
        "b": b,
        "studies": studies,
        "most_studies": MOST_STUDIES_OFFERED,
        "study": study,
        "case": case,
        "sample": sample,
        "former_sample": sample - 1 if case and sample > 1 else None,
        "next_sample": sample + 1 if case and sample < case.num_samples else None,
        "refusal": refusal,
        "newer": studies[place - 1] if place else None,
        "older": studies[place + 1] if place is not None and place + 1 < len(studies) else None,
    }
    return render(request, "feedback/compare.html", context)


def _study(user: User, wanted: str) -> Study:
    try:
        return study_for(user, UUID(wanted))
    except ValueError as error:
        raise Http404("There is no such study.") from error
