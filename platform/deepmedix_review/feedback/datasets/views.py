"""Pages on frozen data sets: the list with the freeze, one set, and its card as a file."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.cursors import read_cursor
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.feedback.datasets.card import as_markdown, card_of
from deepmedix_review.feedback.datasets.choosing import Wanted, cautions_on_signed, offered
from deepmedix_review.feedback.datasets.freezing import freeze_dataset
from deepmedix_review.feedback.datasets.page import page_of_dataset
from deepmedix_review.feedback.datasets.samples import sample_pairs
from deepmedix_review.feedback.examples import Examples, examples_of
from deepmedix_review.feedback.forms import TrainingForm
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.feedback.runs.lengths import TRIAL_STEPS, seconds_of_texts
from deepmedix_review.feedback.selectors import dataset_for, datasets, num_readings_waiting, run_for
from deepmedix_review.feedback.tasks import request_training
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import versions
from rl_feedback.counting import counted
from rl_feedback.training.loss_by_agreement import VotesBehind

PAGE_SIZE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@needs_capability(Capability.VIEW_MODELS)
def show_datasets(request: HttpRequest) -> HttpResponse:
    """The list, and the form that freezes what is signed by now. What can be chosen of it, and what speaks
    against its readers, is counted over all that is signed: it comes where it was asked for, with `?choose`
    and `?cautions`."""
    user = acting_user(request)
    if request.method == "POST":
        try:
            dataset = freeze_dataset(title=request.POST.get("title", ""), actor=user, wanted=_wanted(request))
        except NotYours:
            raise
        except RefusedByRule as refusal:
            messages.error(request, str(refusal))
            return redirect("dataset-list")
        pairs, readings = counted(dataset.num_pairs, "pair"), counted(dataset.num_readings, "reading")
        messages.success(request, f"Frozen: {pairs} of {readings}.")
        return redirect("dataset-detail", dataset.uid)
    page = page_of(datasets(user), before=read_before(request.GET.get("before")), size=PAGE_SIZE)
    newest = datasets(user).first()
    context = {
        "datasets": page,
        "num_waiting": num_readings_waiting(newest),
        "newest": newest,
        "offer": offered() if "choose" in request.GET else None,
        "cautions": cautions_on_signed() if "cautions" in request.GET else None,
    }
    return render(request, "feedback/dataset_list.html", context)


def _wanted(request: HttpRequest) -> Wanted:
    """What is ticked on the form. A form without the list of reader studies takes them all."""
    sent = request.POST
    return Wanted(
        reader_studies=frozenset(sent.getlist("reader_study")) if "chooses" in sent else None,
        left_out_readers={name: sent.get(f"reason-{name}", "") for name in sent.getlist("without")},
    )


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_dataset(request: HttpRequest, uid: UUID) -> HttpResponse:
    """`again` names a run with whose settings the form begins."""
    dataset = dataset_for(acting_user(request), uid)
    record_event(actor=acting_user(request), action="view_dataset", subject=dataset)
    run = read_cursor(request, "again")
    again = run_for(acting_user(request), run).recipe if run else None
    return _render_dataset(request, dataset, _form(dataset, again=again))


@require_POST
@needs_capability(Capability.TRAIN_MODELS)
def train(request: HttpRequest, uid: UUID) -> HttpResponse:
    dataset = dataset_for(acting_user(request), uid)
    form = _form(dataset, request.POST)
    if form.is_valid():
        try:
            run = request_training(
                dataset=dataset,
                actor=acting_user(request),
                recipe=form.recipe(),
                placement=form.placement(),
            )
        except NotYours:
            raise
        except RefusedByRule as refusal:
            form.refusal = str(refusal)
        else:
            return redirect("training-run", run.uid)
    return _render_dataset(request, dataset, form)


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def download_card(request: HttpRequest, uid: UUID, form: str) -> HttpResponse:
    """The card as Markdown to read, or as JSON to compute with."""
    dataset = dataset_for(acting_user(request), uid)
    record_event(actor=acting_user(request), action="download_card", subject=dataset, details={"form": form})
    card = card_of(dataset, page_of_dataset(dataset).summary)
    if form == "json":
        response: HttpResponse = JsonResponse(card, json_dumps_params={"indent": 2})
    else:
        response = HttpResponse(as_markdown(card), content_type="text/markdown; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{dataset.uid}-card.{form}"'
    return response


def _render_dataset(request: HttpRequest, dataset: PreferenceDataset, form: TrainingForm) -> HttpResponse:
    page = page_of_dataset(dataset)
    context = {
        "dataset": dataset,
        "page": page,
        "summary": page.summary,
        "samples": sample_pairs(dataset),
        "runs": dataset.runs.select_related("candidate", "parent_version").order_by("-id"),
        "hand_overs": dataset.hand_overs.select_related("parent_version", "run__candidate").order_by("-id"),
        "form": form,
        "trial_steps": TRIAL_STEPS,
    }
    return render(request, "feedback/dataset_detail.html", context)


def _form(
    dataset: PreferenceDataset,
    data: Mapping[str, Any] | None = None,
    *,
    again: Mapping[str, Any] | None = None,
) -> TrainingForm:
    return TrainingForm(
        _examples(dataset),
        data,
        again=again,
        seconds=seconds_of_texts(),
        votes=VotesBehind.from_json(dataset.readers),
    )


def _examples(dataset: PreferenceDataset) -> Examples | None:
    """For the version that serves now, if one does."""
    parent = versions().filter(state=ModelVersion.State.SERVING).first()
    return examples_of(dataset, parent=parent) if parent else None
