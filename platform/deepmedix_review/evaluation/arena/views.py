"""Pages of the Report Arena: runs, and the board of each."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.evaluation import tasks
from deepmedix_review.evaluation.arena.battle_list import (
    Chosen,
    battles_for,
    choices_of,
    counted,
    listed,
)
from deepmedix_review.evaluation.arena.battle_page import battle_for
from deepmedix_review.evaluation.arena.downloads import (
    BATTLES,
    BOARD_TEX,
    FILE_TYPES,
    battle_lines,
    board_lines,
)
from deepmedix_review.evaluation.arena.forms import ArenaForm, GoOnForm
from deepmedix_review.evaluation.arena.selectors import arena_run_for, arena_runs
from deepmedix_review.evaluation.arena.services import cancel_run, note_download
from deepmedix_review.evaluation.arena.shown import boards_of, shown_board, shown_judges
from deepmedix_review.evaluation.arena.spending import spending_of
from deepmedix_review.evaluation.models import ArenaRun, Battle
from deepmedix_review.registry.selectors import key_names, tell_apart
from deepmedix_review.studies.selectors import MAX_COUNT, StateCount
from deepmedix_review.studies.uploads import lacked_room

PAGE_SIZE = 50
_VIEW = needs_capability(Capability.VIEW_MODELS)
_TRAIN = needs_capability(Capability.TRAIN_MODELS)
_STUDIES = needs_capability(Capability.VIEW_ALL_STUDIES)
_EXPORT = needs_capability(Capability.EXPORT_DATASETS)


@never_cache
@_VIEW
def list_runs(request: HttpRequest) -> HttpResponse:
    user, is_sent = acting_user(request), request.method == "POST"
    form = ArenaForm(request.POST if is_sent else None, request.FILES if is_sent else None, keys=key_names())
    if lacked_room(request):
        form.add_error("recorded", "The disk is full. Nothing was kept; once there is space, send it again.")
    elif is_sent and form.is_valid():
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
    context = {
        "page": page,
        "before": before,
        "form": form,
        "origins": settings.INFERENCE_ENDPOINTS,
        "apart": tell_apart(version for run in page.rows for version in run.versions.all()),
    }
    return render(request, "evaluation/arena_list.html", context)


@never_cache
@require_safe
@_VIEW
def show_run(request: HttpRequest, uid: UUID) -> HttpResponse:
    """`?board=` names which of its boards is shown."""
    run = _run(request, uid)
    form = GoOnForm(initial={**run.limits, "num_wanted": run.num_wanted})
    context = {"run": run, "form": form, "files": list(FILE_TYPES), **_board(request, run)}
    if run.asks_judge:
        context["spending"] = spending_of(run)
    return render(request, "evaluation/arena_run.html", context)


@never_cache
@require_safe
@_VIEW
@_STUDIES
def list_battles(request: HttpRequest, uid: UUID) -> HttpResponse:
    """`?pair=`, `?by=`, `?won=` and `?only=` choose among them, `?before=` goes on."""
    user, run = acting_user(request), _run(request, uid)
    chosen, before = Chosen.of(request.GET), read_before(request.GET.get("before"))
    wanted = battles_for(user, run, chosen)
    rows = wanted.select_related("study", "left__model_version", "right__model_version")
    page = page_of(rows, before=before, size=PAGE_SIZE)
    judgements = counted(run, page.rows)
    record_event(actor=user, action="view_arena_battles", subject=run)
    context = {
        "run": run,
        "battles": [listed(battle, judgements[battle.pk]) for battle in page.rows],
        "number": StateCount("", wanted.values("pk")[: MAX_COUNT + 1].count()),
        "next_before": page.next_before,
        "before": before,
        "chosen": chosen,
        "choices": choices_of(run),
    }
    return render(request, "evaluation/arena_battles.html", context)


@never_cache
@require_safe
@_VIEW
@_STUDIES
def show_battle(request: HttpRequest, uid: UUID, battle: UUID) -> HttpResponse:
    """What is chosen in the list stays chosen: the next battle is the next one of it."""
    user, run = acting_user(request), _run(request, uid)
    try:
        shown = battle_for(user, run, battle)
    except Battle.DoesNotExist:
        raise Http404 from None
    record_event(actor=user, action="view_completions", subject=shown.battle.study)
    chosen = Chosen.of(request.GET)
    beside = battles_for(user, run, chosen).values_list("uid", flat=True)
    context = {
        "run": run,
        "shown": shown,
        "apart": tell_apart(side.version for side in shown.sides),
        "chosen": chosen,
        "newer": beside.filter(pk__gt=shown.battle.pk).order_by("pk").first(),
        "older": beside.filter(pk__lt=shown.battle.pk).order_by("-pk").first(),
    }
    return render(request, "evaluation/arena_battle.html", context)


@never_cache
@require_safe
@_VIEW
@_STUDIES
@_EXPORT
def download(request: HttpRequest, uid: UUID, name: str) -> StreamingHttpResponse:
    user, run = acting_user(request), _run(request, uid)
    if name not in FILE_TYPES or not run.board:
        raise Http404
    note_download(run, actor=user, name=name)
    if name == BATTLES:
        lines = battle_lines(battles_for(user, run), of=run)
    else:
        lines = board_lines(run, is_latex=name == BOARD_TEX)
    response = StreamingHttpResponse(lines, content_type=FILE_TYPES[name])
    response["Content-Disposition"] = f'attachment; filename="arena-{run.uid}-{name}"'
    return response


@never_cache
@require_safe
@_VIEW
def show_live(request: HttpRequest, uid: UUID) -> HttpResponse:
    """How far it is; where it ended meanwhile the page is read anew, with its board."""
    run = _run(request, uid)
    response = render(request, "evaluation/arena_progress.html", {"run": run})
    if run.is_final:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@_TRAIN
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    try:
        cancel_run(_run(request, uid), actor=user)
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
            _run(request, uid),
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
    usual = "judges" if run.has_judge else "experts"
    chosen = request.GET.get("board", usual)
    chosen = chosen if chosen in boards else usual
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


def _run(request: HttpRequest, uid: UUID) -> ArenaRun:
    try:
        return arena_run_for(acting_user(request), uid)
    except ArenaRun.DoesNotExist:
        raise Http404 from None
