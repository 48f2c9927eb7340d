"""The parts of pages that plot how fast versions and engines answer."""

from collections import defaultdict
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.evaluation.answer_times import Span, answered, versions_with_times
from deepmedix_review.feedback.speeds.charts import speeds
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import versions

ENGINES = {
    ModelVersion.Source.FOLDER: "Engine transformers, on this installation's workers",
    ModelVersion.Source.ENDPOINT: "Model servers, by the OpenAI protocol",
}

SPANS = ((Span.HOUR, "the last 48 hours"), (Span.DAY, "the last 30 days"))


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_version_speeds(request: HttpRequest, uid: UUID) -> HttpResponse:
    version = get_object_or_404(versions(), uid=uid)
    span, now = _span(request), timezone.now()
    found = speeds(str(version), answered([version], span=span, now=now), span=span, now=now)
    return render(
        request,
        "feedback/speeds.html",
        {
            "every": [found],
            "span": span,
            "spans": SPANS,
            "part_id": "version-speeds",
            "version": version,
        },
    )


@require_safe
@needs_capability(Capability.REQUEST_INFERENCE)
def show_engine_speeds(request: HttpRequest) -> HttpResponse:
    """Each engine that answered anything, with its versions together, then each of these versions."""
    span, now = _span(request), timezone.now()
    by_engine: dict[str, list[ModelVersion]] = defaultdict(list)
    for version in versions_with_times():
        by_engine[version.source].append(version)
    every = []
    for source, title in ENGINES.items():
        mine = by_engine.get(source, [])
        if not mine:
            continue
        every.append(speeds(title, answered(mine, span=span, now=now), span=span, now=now))
        if len(mine) > 1:
            found = [(one, answered([one], span=span, now=now)) for one in mine]
            every += [speeds(f"{one} {one.name}", of, span=span, now=now) for one, of in found if of]
    return render(
        request,
        "feedback/speeds.html",
        {"every": every, "span": span, "spans": SPANS, "part_id": "engine-speeds"},
    )


def _span(request: HttpRequest) -> Span:
    return Span.DAY if request.GET.get("by") == Span.DAY else Span.HOUR
