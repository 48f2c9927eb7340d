"""Pages on data sets and training runs."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.feedback.charts import column_names, metric_rows, training_curves
from deepmedix_review.feedback.examples import Examples, examples_of
from deepmedix_review.feedback.forms import KINDS, LABELS, TrainingForm
from deepmedix_review.feedback.models import PreferenceDataset, TrainingRun
from deepmedix_review.feedback.pair_texts import shown_pair
from deepmedix_review.feedback.selectors import (
    dataset_counts,
    dataset_for,
    datasets,
    measuring_of,
    metrics_of,
    num_readings_waiting,
    run_for,
    sample_pairs,
    seconds_left,
)
from deepmedix_review.feedback.services import cancel_training, freeze_dataset
from deepmedix_review.feedback.tasks import request_training, request_training_retry
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import versions
from rl_feedback.training.recipe import Recipe

PAGE_SIZE = 50
NUM_SAMPLES = 5


@require_http_methods(["GET", "HEAD", "POST"])
@needs_capability(Capability.VIEW_MODELS)
def show_datasets(request: HttpRequest) -> HttpResponse:
    """The list, and the form that freezes what is signed by now."""
    user = acting_user(request)
    if request.method == "POST":
        try:
            dataset = freeze_dataset(title=request.POST.get("title", ""), actor=user)
        except NotYours:
            raise
        except RefusedByRule as refusal:
            messages.error(request, str(refusal))
            return redirect("dataset-list")
        messages.success(request, f"Frozen: {dataset.num_pairs} pairs of {dataset.num_readings} readings.")
        return redirect("dataset-detail", dataset.uid)
    page = page_of(datasets(user), before=read_before(request.GET.get("before")), size=PAGE_SIZE)
    newest = datasets(user).first()
    context = {"datasets": page, "num_waiting": num_readings_waiting(newest), "newest": newest}
    return render(request, "feedback/dataset_list.html", context)


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_dataset(request: HttpRequest, uid: UUID) -> HttpResponse:
    dataset = dataset_for(acting_user(request), uid)
    record_event(actor=acting_user(request), action="view_dataset", subject=dataset)
    return _render_dataset(request, dataset, TrainingForm(_examples(dataset)))


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def train(request: HttpRequest, uid: UUID) -> HttpResponse:
    dataset = dataset_for(acting_user(request), uid)
    form = TrainingForm(_examples(dataset), request.POST)
    if form.is_valid():
        try:
            run = request_training(dataset=dataset, actor=acting_user(request), recipe=form.recipe())
        except NotYours:
            raise
        except RefusedByRule as refusal:
            form.refusal = str(refusal)
        else:
            return redirect("training-run", run.uid)
    return _render_dataset(request, dataset, form)


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_run(request: HttpRequest, uid: UUID) -> HttpResponse:
    run = run_for(acting_user(request), uid)
    return render(request, "feedback/training_run.html", _live(run))


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_live_run(request: HttpRequest, uid: UUID) -> HttpResponse:
    """State and curves: what renews itself while the run goes on."""
    return render(request, "feedback/training_run_live.html", _live(run_for(acting_user(request), uid)))


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    run = run_for(acting_user(request), uid)
    cancel_training(run, actor=acting_user(request))
    return redirect("training-run", run.uid)


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def retry(request: HttpRequest, uid: UUID) -> HttpResponse:
    run = run_for(acting_user(request), uid)
    request_training_retry(run, actor=acting_user(request))
    return redirect("training-run", run.uid)


def _render_dataset(request: HttpRequest, dataset: PreferenceDataset, form: TrainingForm) -> HttpResponse:
    context = {
        "dataset": dataset,
        "counts": dataset_counts(dataset),
        "samples": [shown_pair(pair) for pair in sample_pairs(dataset, number=NUM_SAMPLES)],
        "runs": dataset.runs.select_related("candidate", "parent_version").order_by("-id"),
        "form": form,
    }
    return render(request, "feedback/dataset_detail.html", context)


def _examples(dataset: PreferenceDataset) -> Examples | None:
    """For the version that serves now, if one does."""
    parent = versions().filter(state=ModelVersion.State.SERVING).first()
    return examples_of(dataset, parent=parent) if parent else None


def _live(run: TrainingRun) -> dict[str, Any]:
    metrics = metrics_of(run)
    measuring = measuring_of(run)
    recipe = Recipe.from_json(run.recipe)
    return {
        "run": run,
        "metrics": metrics,
        "curves": training_curves(metrics),
        "columns": column_names(metrics),
        "rows": metric_rows(metrics),
        "seconds_left": seconds_left(run, metrics),
        "memory_mb": max((metric.memory_mb for metric in metrics), default=0),
        "is_live": not run.is_final,
        "measuring": measuring,
        "renews": not run.is_final or (measuring is not None and not measuring.is_stuck),
        "has_checkpoint": run.step > recipe.stages[0].checkpoint_every,
        "stages": [
            (KINDS[stage.kind], [(label, said[name]) for name, label in LABELS.items() if name in said])
            for stage in recipe.stages
            for said in (stage.as_json(),)
        ],
    }
