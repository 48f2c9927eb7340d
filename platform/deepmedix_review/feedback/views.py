"""Pages on training runs."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.feedback.charts import column_names, metric_rows, training_curves
from deepmedix_review.feedback.forms import KINDS, LABELS
from deepmedix_review.feedback.models import TrainingRun
from deepmedix_review.feedback.selectors import measuring_of, metrics_of, run_for, seconds_left
from deepmedix_review.feedback.services import cancel_training
from deepmedix_review.feedback.tasks import request_training_retry
from rl_feedback.training.recipe import Recipe


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
