"""Pages of evaluations: those that were asked for, and what each found."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.evaluation import tasks
from deepmedix_review.evaluation.arena.forms import LimitsForm
from deepmedix_review.evaluation.measuring.forms import EvaluationForm
from deepmedix_review.evaluation.measuring.selectors import (
    metric_run_for,
    metric_runs,
    run_with_cases_for,
    studies_of_cases,
)
from deepmedix_review.evaluation.measuring.services import cancel_run, note_cases, note_download
from deepmedix_review.evaluation.models import MetricRun
from deepmedix_review.registry.selectors import Apart, tell_apart

PAGE_SIZE = 50
FILE_TYPES = {
    "results.json": "application/json",
    "report.html": "text/html; charset=utf-8",
    "figures.csv": "text/csv; charset=utf-8",
    "differences.csv": "text/csv; charset=utf-8",
    "tables.tex": "application/x-tex; charset=utf-8",
    "model-card.md": "text/markdown; charset=utf-8",
}
_VIEW = needs_capability(Capability.VIEW_MODELS)
_SEE = needs_capability(Capability.VIEW_ALL_STUDIES)
_TRAIN = needs_capability(Capability.TRAIN_MODELS)
_EXPORT = needs_capability(Capability.EXPORT_DATASETS)


@never_cache
@_VIEW
def list_runs(request: HttpRequest) -> HttpResponse:
    """`?version=` and `?collection=` choose for the form."""
    user = acting_user(request)
    chosen = {name: request.GET[name] for name in ("version", "beside", "collection") if name in request.GET}
    form = EvaluationForm(request.POST or None, initial=chosen)
    if request.method == "POST" and form.is_valid():
        try:
            run = tasks.request_metrics(form.wanted(), actor=user)
        except NotYours:
            raise
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"“{run.title}” begins as soon as a worker is free.")
            return redirect("metric-run", run.uid)
    before = read_before(request.GET.get("before"))
    page = page_of(metric_runs(user), before=before, size=PAGE_SIZE)
    context = {"page": page, "before": before, "form": form, "apart": _apart(*page.rows)}
    return render(request, "evaluation/metric_list.html", context)


@never_cache
@require_safe
@_VIEW
def show_run(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    run = _run(request, uid)
    context: dict[str, object] = {
        "run": run,
        "apart": _apart(run),
        "files": list(FILE_TYPES),
        "limits": LimitsForm(initial=run.limits),
    }
    if run.result:
        # With it come statistics, which few requests need.
        from deepmedix_review.evaluation.measuring.shown import shown_result

        context["shown"] = shown_result(run.result, studies=studies_of_cases(user, run))
    return render(request, "evaluation/metric_run.html", context)


@never_cache
@require_safe
@_SEE
def show_cases(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The films of its cases; for htmx the part alone that the run's page shows."""
    user = acting_user(request)
    try:
        run = run_with_cases_for(user, uid)
    except MetricRun.DoesNotExist:
        raise Http404 from None
    # With it come statistics, which few requests need.
    from deepmedix_review.evaluation.measuring.case_films import films_of_cases

    films = films_of_cases(user, run)
    page = "metric_case_films.html" if "HX-Request" in request.headers else "metric_cases.html"
    response = render(request, f"evaluation/{page}", {"run": run, "films": films, "apart": _apart(run)})
    if films:
        note_cases(run, {film.study: film.truth is not None for film in films}, actor=user)
    return response


@never_cache
@require_safe
@_VIEW
def show_live(request: HttpRequest, uid: UUID) -> HttpResponse:
    """How far it is; where it ended meanwhile the page is read anew, with its result."""
    run = _run(request, uid)
    context = {"run": run, "limits": LimitsForm(initial=run.limits)}
    response = render(request, "evaluation/metric_progress.html", context)
    if run.is_final:
        response["HX-Refresh"] = "true"
    return response


@never_cache
@require_safe
@_VIEW
@_EXPORT
def download(request: HttpRequest, uid: UUID, name: str) -> HttpResponse:
    run = _run(request, uid)
    if name not in FILE_TYPES or not run.result:
        raise Http404
    from rl_feedback.evaluation.printing.writing import files_of

    text = files_of(run.result)[name]
    note_download(run, actor=acting_user(request), name=name)
    response = HttpResponse(text, content_type=FILE_TYPES[name])
    response["Content-Disposition"] = f'attachment; filename="evaluation-{run.uid}-{name}"'
    return response


@require_POST
@_TRAIN
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    try:
        cancel_run(_run(request, uid), actor=acting_user(request))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect("metric-run", uid)


@require_POST
@_TRAIN
def go_on(request: HttpRequest, uid: UUID) -> HttpResponse:
    run, form = _run(request, uid), LimitsForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(map(str, errors)))
        return redirect("metric-run", uid)
    try:
        tasks.request_metrics_again(
            run, actor=acting_user(request), limits=form.limits() if run.judge else None
        )
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect("metric-run", uid)


def _run(request: HttpRequest, uid: UUID) -> MetricRun:
    try:
        return metric_run_for(acting_user(request), uid)
    except MetricRun.DoesNotExist:
        raise Http404 from None


def _apart(*runs: MetricRun) -> dict[int, Apart]:
    """Of the versions of these."""
    return tell_apart(one for run in runs for one in (run.model_version, run.beside) if one is not None)
