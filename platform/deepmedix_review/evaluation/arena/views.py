"""Pages of the Report Arena: runs, and the board of each."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.evaluation import tasks
from deepmedix_review.evaluation.arena.forms import ArenaForm, GoOnForm
from deepmedix_review.evaluation.arena.selectors import arena_run_for, arena_runs
from deepmedix_review.evaluation.arena.services import cancel_run
from deepmedix_review.evaluation.arena.shown import boards_of, shown_board, shown_judges
from deepmedix_review.evaluation.models import ArenaRun
from deepmedix_review.registry.selectors import key_names

PAGE_SIZE = 50
_VIEW = needs_capability(Capability.VIEW_MODELS)
_TRAIN = needs_capability(Capability.TRAIN_MODELS)


@never_cache
@_VIEW
def list_runs(request: HttpRequest) -> HttpResponse:
    user = acting_user(request)
    form = ArenaForm(request.POST or None, keys=key_names())
    if request.method == "POST" and form.is_valid():
        try:
            run = tasks.request_arena(form.wanted(), actor=user)
        except NotYours:
            raise
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"“{run.title}” begins as soon as a worker is free.")
            return redirect("arena-run", run.uid)
    before = read_before(request.GET.get("before"))
    page = page_of(arena_runs(user), before=before, size=PAGE_SIZE)
    context = {"page": page, "before": before, "form": form, "origins": settings.INFERENCE_ENDPOINTS}
    return render(request, "evaluation/arena_list.html", context)


@never_cache
@require_safe
@_VIEW
def show_run(request: HttpRequest, uid: UUID) -> HttpResponse:
    """`?board=` names which of its boards is shown."""
    run = arena_run_for(acting_user(request), uid)
    form = GoOnForm(initial={**run.limits, "num_wanted": run.num_wanted})
    context = {"run": run, "form": form, **_board(request, run)}
    return render(request, "evaluation/arena_run.html", context)


@never_cache
@require_safe
@_VIEW
def show_live(request: HttpRequest, uid: UUID) -> HttpResponse:
    """How far it is; where it ended meanwhile the page is read anew, with its board."""
    run = arena_run_for(acting_user(request), uid)
    response = render(request, "evaluation/arena_progress.html", {"run": run})
    if run.is_final:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@_TRAIN
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    try:
        cancel_run(arena_run_for(user, uid), actor=user)
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect("arena-run", uid)


@require_POST
@_TRAIN
def go_on(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    form = GoOnForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(map(str, errors)))
        return redirect("arena-run", uid)
    try:
        tasks.request_arena_again(
            arena_run_for(user, uid),
            actor=user,
            num_wanted=form.cleaned_data["num_wanted"],
            limits=form.limits(),
        )
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect("arena-run", uid)


def _board(request: HttpRequest, run: ArenaRun) -> dict[str, object]:
    if not run.board:
        return {"has_board": False, "is_waiting": run.state in (JobState.QUEUED, JobState.RUNNING)}
    boards = boards_of(run.board)
    chosen = request.GET.get("board", "judges")
    chosen = chosen if chosen in boards else "judges"
    title, board = boards[chosen]
    return {
        "has_board": True,
        "protocol": run.board["protocol"],
        "judges": shown_judges(run.board),
        "choices": [(key, name) for key, (name, _) in boards.items()],
        "chosen": chosen,
        "board": shown_board(board, name=title),
        "told": run.board,
    }
