"""Parts and files of a training run: what the model wrote meanwhile, its figures, its config, its log."""

import csv
import io
import zipfile
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.feedback.runs.comparing import compare_runs, training_runs
from deepmedix_review.feedback.runs.curves import series_of, table_of
from deepmedix_review.feedback.runs.folders import cluster_log, log_folder
from deepmedix_review.feedback.runs.samples import sample_series, strips_of, takes_samples
from deepmedix_review.feedback.selectors import run_for

PAGE_SIZE = 50


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_samples(request: HttpRequest, uid: UUID) -> HttpResponse:
    """204 while the newest sample is the one that the page names, so nothing moves. Where there is none, only
    before the first step: after it none comes."""
    run = run_for(acting_user(request), uid)
    newest = run.samples.order_by("-pk").values_list("pk", flat=True).first() or 0
    is_known = str(newest) == request.GET.get("newest") and (newest or not run.step)
    if is_known and not run.is_final:
        return HttpResponse(status=204)
    context = {
        "run": run,
        "strips": strips_of(run),
        "takes_samples": takes_samples(run),
        "newest": newest,
        "is_live": not run.is_final,
    }
    return render(request, "feedback/run_samples.html", context)


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def download_figures(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Every figure of every step as CSV."""
    run = run_for(acting_user(request), uid)
    metrics = list(run.metrics.all())
    stages = {metric.step: metric.stage + 1 for metric in metrics}
    columns, rows = table_of(series_of(metrics, recipe=run.recipe, sampled=sample_series(run)))
    record_event(actor=acting_user(request), action="download_figures", subject=run)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["step", "stage", *columns])
    writer.writerows([step, stages.get(step, ""), *values] for step, values in rows)
    return _file(buffer.getvalue(), name=f"{run.uid}-figures.csv", kind="text/csv; charset=utf-8")


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def download_config(request: HttpRequest, uid: UUID) -> HttpResponse:
    """With which `python -m rl_feedback recipe --config …` runs the same again."""
    run = run_for(acting_user(request), uid)
    record_event(actor=acting_user(request), action="download_config", subject=run)
    config = {**run.recipe, **({"about": run.about} if run.about else {})}
    response = JsonResponse(config, json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="{run.uid}-config.json"'
    return response


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def download_log(request: HttpRequest, uid: UUID) -> HttpResponse:
    """TensorBoard's event files, one folder a stage; 404 where the recipe asked for none."""
    run = run_for(acting_user(request), uid)
    files = sorted(log_folder(run).glob("stage-*/events.*"))
    if not files:
        raise Http404
    record_event(actor=acting_user(request), action="download_log", subject=run)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, path in enumerate(files, 1):
            # The writer's own name ends with that of the machine.
            archive.write(path, f"{path.parent.name}/events.out.tfevents.{number}")
    return _file(packed.getvalue(), name=f"{run.uid}-tensorboard.zip", kind="application/zip")


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def download_cluster_log(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What a job on a cluster printed so far; 404 where that is nothing, or where the run learns here."""
    run = run_for(acting_user(request), uid)
    log = cluster_log(run)
    if not log.is_file():
        raise Http404
    record_event(actor=acting_user(request), action="download_cluster_log", subject=run)
    return _file(log.read_bytes(), name=f"{run.uid}-cluster.log", kind="text/plain; charset=utf-8")


def _file(content: str | bytes, *, name: str, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_runs(request: HttpRequest) -> HttpResponse:
    """Newest first, each with a tick for the comparison."""
    page = page_of(
        training_runs(acting_user(request)), before=read_before(request.GET.get("before")), size=PAGE_SIZE
    )
    return render(request, "feedback/run_list.html", {"runs": page})


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_comparison(request: HttpRequest) -> HttpResponse:
    try:
        comparison = compare_runs(acting_user(request), _uids(request.GET.getlist("run")))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
        return redirect("training-run-list")
    record_event(
        actor=acting_user(request),
        action="compare_runs",
        subject=comparison.runs[0].run,
        details={"runs": [str(one.run.uid) for one in comparison.runs]},
    )
    return render(request, "feedback/run_comparison.html", {"comparison": comparison})


def _uids(given: list[str]) -> list[UUID]:
    """What is no uid names no run."""
    found = []
    for text in given:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
