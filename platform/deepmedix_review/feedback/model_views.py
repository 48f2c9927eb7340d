"""Pages on model versions: the list, and one version with its gate, its run and where it came from."""

import io
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from PIL import Image

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import Benchmark, Evaluation
from deepmedix_review.evaluation.selectors import evaluations_of
from deepmedix_review.evaluation.services import cancel_evaluation, ensure_benchmarks_for
from deepmedix_review.evaluation.tasks import retry_evaluation
from deepmedix_review.feedback.card_figures import card_figures
from deepmedix_review.feedback.changed_cases import MOST_KEPT, NUM_SHOWN, most_changed
from deepmedix_review.feedback.charts import figures_meant, gate_plots, preference_plot
from deepmedix_review.feedback.gating.compared import compared_with, decision_beside
from deepmedix_review.feedback.gating.measuring import measuring_refusal, request_gate_beside_serving
from deepmedix_review.feedback.gating.patients_page import patients_shown
from deepmedix_review.feedback.gating.preference import preference_of
from deepmedix_review.feedback.gating.promoting import (
    gains_nothing,
    promote_candidate,
    promotion_refusal,
    require_promotable,
    return_to_former,
)
from deepmedix_review.feedback.gating.shadow_views import shadow_context
from deepmedix_review.feedback.gating.time_left import seconds_left
from deepmedix_review.feedback.runs.curves import curves_of, series_of
from deepmedix_review.feedback.selectors import (
    lineage_of,
    metrics_of,
    model_tree,
    run_ahead_of_measuring,
    signatures_of,
    undecided_beside,
)
from deepmedix_review.feedback.services import retire_candidate
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.own_code import brings_code, code_refusal
from deepmedix_review.registry.selectors import (
    find_former_model,
    find_serving_model,
    former_model,
    serving_model,
    tell_apart,
    training_refusal,
    versions,
)
from deepmedix_review.registry.views import checks_of
from inference.phantoms import draw_phantom

FILM_SIDE_PX = 224


GOING = (JobState.QUEUED, JobState.RUNNING)
ENDED_EARLY = (JobState.FAILED, JobState.CANCELLED)


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_models(request: HttpRequest) -> HttpResponse:
    return render(
        request, "feedback/model_list.html", {"branches": model_tree(), "former": find_former_model()}
    )


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_model(request: HttpRequest, uid: UUID) -> HttpResponse:
    version = get_object_or_404(versions(), uid=uid)
    record_event(actor=acting_user(request), action="view_model", subject=version)
    lineage, other = lineage_of(version), compared_with(version)
    metrics = metrics_of(lineage.run) if lineage.run else []
    context = {
        **_gate(version),
        **checks_of(version),
        "lineage": lineage,
        "num_recorded": version.completions.count() if version.source == ModelVersion.Source.RECORDED else 0,
        "training_refusal": training_refusal(version),
        "brings_code": brings_code(version),
        "code_refusal": code_refusal(version),
        "card": card_figures(version),
        "curves": curves_of(series_of(metrics, recipe=lineage.run.recipe)) if lineage.run else (),
        "changes": most_changed(lineage.decision, number=_num_changed(request)) if lineage.decision else None,
        "patients": patients_shown(version, lineage.decision, beside=other),
        **_preference(version, other),
        **_promoting(version),
        **shadow_context(version),
        "signatures": signatures_of(version),
        "apart": tell_apart([version, *lineage.ancestors]),
        "former": find_former_model(),
    }
    return render(request, "feedback/model_detail.html", context)


def _num_changed(request: HttpRequest) -> int:
    """How many of the films that changed most are asked for."""
    asked = request.GET.get("changed", "")
    return min(MOST_KEPT, max(NUM_SHOWN, int(asked))) if asked.isdecimal() and len(asked) < 4 else NUM_SHOWN


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_live_gate(request: HttpRequest, uid: UUID) -> HttpResponse:
    """How far the measurements are; once the gate has decided, the whole page is asked for again."""
    context = _gate(get_object_or_404(versions(), uid=uid))
    response = render(request, "feedback/gate_waiting.html", context)
    if context["decision"] is not None:
        response.headers["HX-Refresh"] = "true"
    return response


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def measure(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Any version that can answer, beside the one that serves."""
    version = get_object_or_404(versions(), uid=uid)
    try:
        request_gate_beside_serving(version, actor=acting_user(request))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect("model-detail", version.uid)


@require_http_methods(["GET", "HEAD", "POST"])
@needs_capability(Capability.PROMOTE_MODELS)
def promote(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Asked for, it names what changes; signed, it is done. What a signature lacks is said beside it."""
    version = get_object_or_404(versions(), uid=uid)
    try:
        decision = require_promotable(version)
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
        return redirect("model-detail", version.uid)
    reason = request.POST.get("reason", "")
    context = {
        "version": version,
        "decision": decision,
        "gains_nothing": gains_nothing(decision),
        "reason": reason,
        "lineage": lineage_of(version),
    }
    if request.method == "POST":
        try:
            promote_candidate(
                version,
                actor=acting_user(request),
                password=request.POST.get("password", ""),
                reason=reason,
            )
        except NotYours:
            raise
        except RefusedByRule as refusal:
            context["refusal"] = str(refusal)
        else:
            messages.success(request, f"{version} serves from now on.")
            return redirect("model-detail", version.uid)
    return render(request, "feedback/promote.html", context)


@require_POST
@needs_capability(Capability.PROMOTE_MODELS)
def retire(request: HttpRequest, uid: UUID) -> HttpResponse:
    version = get_object_or_404(versions(), uid=uid)
    try:
        retire_candidate(version, actor=acting_user(request))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{version} is retired and will never serve.")
    return redirect("model-detail", version.uid)


@require_http_methods(["GET", "HEAD", "POST"])
@needs_capability(Capability.PROMOTE_MODELS)
def return_to_former_model(request: HttpRequest) -> HttpResponse:
    """Asked for, it names what changes; sent, it is done."""
    try:
        if request.method != "POST":
            former = former_model()
            context = {"former": former, "serving": serving_model(), "lineage": lineage_of(former)}
            return render(request, "feedback/roll_back.html", context)
        version = return_to_former(actor=acting_user(request), expected=request.POST.get("former", ""))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
        return redirect("model-list")
    messages.success(request, f"{version} serves again.")
    return redirect("model-detail", version.uid)


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def retry_measurement(request: HttpRequest, uid: UUID, measurement: UUID) -> HttpResponse:
    return _told_to(retry_evaluation, request, uid, measurement)


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def cancel_measurement(request: HttpRequest, uid: UUID, measurement: UUID) -> HttpResponse:
    return _told_to(cancel_evaluation, request, uid, measurement)


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def retry_measurements(request: HttpRequest, uid: UUID) -> HttpResponse:
    version = get_object_or_404(versions(), uid=uid)
    return _told_all_to(retry_evaluation, request, version, _measurements(version), of=ENDED_EARLY)


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def cancel_measurements(request: HttpRequest, uid: UUID) -> HttpResponse:
    """All that nobody else waits for: on films that all candidates share the parent's goes on for others."""
    version = get_object_or_404(versions(), uid=uid)
    measurements = _measurements(version).exclude(_shared(version, undecided_beside(version)))
    return _told_all_to(cancel_evaluation, request, version, measurements, of=GOING)


def _told_all_to(
    act: Callable[..., None],
    request: HttpRequest,
    version: ModelVersion,
    measurements: QuerySet[Evaluation],
    *,
    of: Sequence[JobState],
) -> HttpResponse:
    """Done to each of them in one of these states, but for one that left it meanwhile."""
    for evaluation in measurements.filter(state__in=of):
        with suppress(RefusedByRule):
            act(evaluation, actor=acting_user(request))
    return redirect("model-detail", version.uid)


def _told_to(act: Callable[..., None], request: HttpRequest, uid: UUID, measurement: UUID) -> HttpResponse:
    """Done to one of the measurements that the gate waits for, of the candidate or of its parent."""
    version = get_object_or_404(versions(), uid=uid)
    evaluation = get_object_or_404(_measurements(version), uid=measurement)
    try:
        act(evaluation, actor=acting_user(request))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect("model-detail", version.uid)


@require_safe
@needs_capability(Capability.VIEW_MODELS)
@cache_control(private=True, max_age=86400, immutable=True)
def show_held_out_film(request: HttpRequest, uid: UUID, seed: int) -> HttpResponse:
    """A held-out phantom as a picture, drawn anew."""
    benchmark = get_object_or_404(Benchmark, uid=uid)
    if not benchmark.first_seed <= seed < benchmark.first_seed + benchmark.num_phantoms:
        raise Http404
    phantom = draw_phantom(seed=seed, width=FILM_SIDE_PX, height=FILM_SIDE_PX, site=benchmark.site)
    picture = io.BytesIO()
    Image.fromarray(phantom.to_uint8()).save(picture, "PNG")
    return HttpResponse(picture.getvalue(), content_type="image/png")


def _preference(version: ModelVersion, other: ModelVersion | None) -> dict[str, Any]:
    """Readers' votes between the version and the one that it is compared with, where a reader study showed
    both."""
    found = preference_of(version, parent=other) if other else None
    return {
        "preference": found,
        "preference_plot": preference_plot(found.comparison) if found and found.comparison else None,
    }


def _promoting(version: ModelVersion) -> dict[str, Any]:
    """Whether it may be promoted and measured, and what stands in the way of either."""
    refusal = promotion_refusal(version)
    return {
        "serving": find_serving_model(),
        "promotion_refusal": refusal,
        "may_be_measured": bool(refusal) and not measuring_refusal(version),
    }


def _measurements(version: ModelVersion) -> QuerySet[Evaluation]:
    """Those that the gate's decision on this version waits for."""
    other = compared_with(version)
    involved = [version] if other is None else [other, version]
    return evaluations_of(involved).filter(benchmark__in=ensure_benchmarks_for(version))


def _shared(version: ModelVersion, others: Sequence[ModelVersion]) -> Q:
    """Of the measurements on a candidate's page those that others beside the same version wait for."""
    if not others:
        return Q(pk__in=())
    return Q(model_version=compared_with(version), benchmark__drawn_for__isnull=True)


def _gate(version: ModelVersion) -> dict[str, Any]:
    other = compared_with(version)
    decision = decision_beside(version, other) if other else None
    evaluations = list(_measurements(version)) if decision is None and other else []
    others = undecided_beside(version) if evaluations else ()
    shared = set(
        _measurements(version).filter(_shared(version, others)).values_list("pk", flat=True) if others else ()
    )
    mine = [row for row in evaluations if row.pk not in shared]
    is_stuck = any(row.state in ENDED_EARLY for row in evaluations)
    return {
        "others": others,
        "ahead": run_ahead_of_measuring(evaluations),
        "num_films_done": sum(row.num_done for row in evaluations),
        "num_films": sum(row.benchmark.num_phantoms for row in evaluations),
        "seconds_left": seconds_left(evaluations, now=timezone.now()),
        "is_deciding": bool(evaluations) and all(row.state == JobState.DONE for row in evaluations),
        "version": version,
        "beside": other,
        "decision": decision,
        "gains_nothing": decision is not None and gains_nothing(decision),
        # The sentence begins with the outcome, which the page shows by itself.
        "reason": decision.sentence.partition(". ")[2] if decision else "",
        "plots": gate_plots(decision) if decision else (),
        "figures_meant": figures_meant(decision) if decision else (),
        "patients_meant": figures_meant(decision, on_patients=True) if decision else (),
        "evaluations": evaluations,
        "is_stuck": is_stuck,
        "num_going": sum(not (row.is_final or row.cancel_requested) for row in mine),
        "num_ended_early": sum(row.state in ENDED_EARLY for row in evaluations),
        "is_live": bool(evaluations) and (not is_stuck or not all(row.is_final for row in evaluations)),
    }
