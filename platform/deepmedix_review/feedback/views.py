"""Pages on training runs."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.feedback.models import TrainingRun
from deepmedix_review.feedback.runs.curves import curves_of, series_of, table_of
from deepmedix_review.feedback.runs.engine_form import said_of_place
from deepmedix_review.feedback.runs.folders import cluster_log, log_folder
from deepmedix_review.feedback.runs.lengths import caution_on
from deepmedix_review.feedback.runs.samples import sample_series, strips_of, takes_samples
from deepmedix_review.feedback.runs.step_scoring import step_scoring_of
from deepmedix_review.feedback.said_settings import said_setting
from deepmedix_review.feedback.selectors import measuring_of, metrics_of, run_ahead_of, run_for, seconds_left
from deepmedix_review.feedback.services import cancel_training
from deepmedix_review.feedback.stage_words import LABELS, title_of
from deepmedix_review.feedback.tasks import request_training_retry
from rl_feedback.training.recipe import Recipe


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_run(request: HttpRequest, uid: UUID) -> HttpResponse:
    run = run_for(acting_user(request), uid)
    newest = run.samples.order_by("-pk").values_list("pk", flat=True).first() or 0
    context = {
        **_live(run),
        "caution": caution_on(run.recipe),
        "strips": strips_of(run),
        "takes_samples": takes_samples(run),
        "newest": newest,
        "has_log": _has_log(run),
        "has_cluster_log": cluster_log(run).is_file(),
        "scoring": step_scoring_of(run.about),
        "engine": said_of_place(run.place),
    }
    return render(request, "feedback/training_run.html", context)


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_live_run(request: HttpRequest, uid: UUID) -> HttpResponse:
    """State and curves: what renews itself while the run goes on."""
    context = {**_live(run_for(acting_user(request), uid)), "is_renewal": True}
    return render(request, "feedback/training_run_live.html", context)


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


def _has_log(run: TrainingRun) -> bool:
    return any(log_folder(run).glob("stage-*/events.*"))


def _live(run: TrainingRun) -> dict[str, Any]:
    metrics = metrics_of(run)
    series = series_of(metrics, recipe=run.recipe, sampled=sample_series(run))
    columns, rows = table_of(series)
    measuring = measuring_of(run)
    recipe = Recipe.from_json(run.recipe)
    return {
        "run": run,
        "metrics": metrics,
        "curves": curves_of(series),
        "columns": columns,
        "rows": rows,
        "seconds_left": seconds_left(run, metrics),
        "memory_mb": max((metric.memory_mb for metric in metrics), default=0),
        "is_live": not run.is_final,
        "ahead": run_ahead_of(run),
        "judges_steps_first": not run.about and any(stage.scores_steps for stage in recipe.stages),
        "measuring": measuring,
        "renews": not run.is_final or (measuring is not None and not measuring.is_stuck),
        "has_checkpoint": run.step > recipe.stages[0].checkpoint_every,
        "stages": [
            (
                title_of(stage),
                [(label, said_setting(name, said[name])) for name, label in LABELS.items() if name in said],
            )
            for stage in recipe.stages
            for said in (stage.as_json(),)
        ],
    }
