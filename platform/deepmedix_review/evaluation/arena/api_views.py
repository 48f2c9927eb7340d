"""The JSON interface of the Report Arena."""

import tempfile
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.evaluation import tasks
from deepmedix_review.evaluation.arena.battle_json import (
    BattlePageJson,
    WholeBattleJson,
    told_battles,
    whole_battle,
)
from deepmedix_review.evaluation.arena.battle_list import EXPERTS, JUDGE, ONLY, Chosen, battles_for
from deepmedix_review.evaluation.arena.downloads import may_leave
from deepmedix_review.evaluation.arena.selectors import arena_run_for, arena_runs
from deepmedix_review.evaluation.arena.serializers import (
    ArenaGoOnJson,
    ArenaRunJson,
    ArenaRunPageJson,
    ArenaWantedJson,
    WholeArenaRunJson,
)
from deepmedix_review.evaluation.arena.services import cancel_run
from deepmedix_review.evaluation.models import ArenaRun, Battle

PAGE_SIZE = 50
_VIEW = needs(Capability.VIEW_MODELS)
_TRAIN = needs(Capability.TRAIN_MODELS)
_STUDIES = needs(Capability.VIEW_ALL_STUDIES)


class ArenaRunsView(APIView):
    def get_permissions(self) -> list[BasePermission]:
        return [_TRAIN() if self.request.method == "POST" else _VIEW()]

    @extend_schema(
        operation_id="arena_list", parameters=[OpenApiParameter("before", int)], responses=ArenaRunPageJson
    )
    def get(self, request: Request) -> Response:
        """Newest first, page by page: `before` takes the last answer's `next_before`."""
        before = read_before(request.query_params.get("before"))
        page = page_of(arena_runs(acting_user(request)), before=before, size=PAGE_SIZE)
        return Response(ArenaRunPageJson({"results": page.rows, "next_before": page.next_before}).data)

    @extend_schema(operation_id="arena_request", request=ArenaWantedJson, responses={202: ArenaRunJson})
    def post(self, request: Request) -> Response:
        """Let a judge compare what versions wrote of the same films: one on a model server, a version whose
        weights are here, or one whose judgements are sent along."""
        wanted = ArenaWantedJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        with tempfile.TemporaryDirectory(dir=settings.UPLOAD_FOLDER) as folder:
            run = tasks.request_arena(wanted.wanted(Path(folder)), actor=acting_user(request))
        return Response(ArenaRunJson(run).data, status=202)


class ArenaRunView(APIView):
    permission_classes = [_VIEW]

    @extend_schema(operation_id="arena_run", responses=WholeArenaRunJson)
    def get(self, request: Request, uid: UUID) -> Response:
        """How far it is, and its board."""
        return Response(WholeArenaRunJson(_run(request, uid)).data)


class ArenaBattlesView(APIView):
    permission_classes = [_VIEW, _STUDIES]

    @extend_schema(
        operation_id="arena_battles",
        parameters=[
            OpenApiParameter("pair", description="numbers of two versions, as 3-4"),
            OpenApiParameter("by", enum=[JUDGE, EXPERTS]),
            OpenApiParameter("won", description="number of a version, or tie"),
            OpenApiParameter("only", enum=list(ONLY)),
            OpenApiParameter("before", int),
        ],
        responses=BattlePageJson,
    )
    def get(self, request: Request, uid: UUID) -> Response:
        """What the judge was asked about or experts voted on, newest first: `before` takes the last answer's
        `next_before`. What is not understood counts as not asked."""
        user, run = acting_user(request), _run(request, uid)
        before = read_before(request.query_params.get("before"))
        rows = may_leave(battles_for(user, run, Chosen.of(request.query_params)))
        page = page_of(
            rows.select_related("study", "left__model_version", "right__model_version"),
            before=before,
            size=PAGE_SIZE,
        )
        record_event(actor=user, action="view_arena_battles", subject=run)
        told = {"results": told_battles(run, page.rows), "next_before": page.next_before}
        return Response(BattlePageJson(told).data)


class ArenaBattleView(APIView):
    permission_classes = [_VIEW, _STUDIES]

    @extend_schema(operation_id="arena_battle", responses=WholeBattleJson)
    def get(self, request: Request, uid: UUID, battle: UUID) -> Response:
        """Both texts, and each judgement that counts: in which order, which is better, why, and what it
        cost."""
        user, run = acting_user(request), _run(request, uid)
        try:
            whole = whole_battle(user, run, battle)
        except Battle.DoesNotExist:
            raise Http404 from None
        record_event(actor=user, action="view_completions", subject=whole.told.battle.study)
        return Response(WholeBattleJson(whole).data)


class ArenaCancelView(APIView):
    permission_classes = [_TRAIN]

    @extend_schema(operation_id="arena_cancel", request=None, responses=ArenaRunJson)
    def post(self, request: Request, uid: UUID) -> Response:
        """End it; what is judged is kept."""
        run = _run(request, uid)
        cancel_run(run, actor=acting_user(request))
        return Response(ArenaRunJson(run).data)


class ArenaGoOnView(APIView):
    permission_classes = [_TRAIN]

    @extend_schema(operation_id="arena_go_on", request=ArenaGoOnJson, responses={202: ArenaRunJson})
    def post(self, request: Request, uid: UUID) -> Response:
        """Let one that ended go on, with more battles or other limits where these are given."""
        wanted = ArenaGoOnJson(data=request.data)
        wanted.is_valid(raise_exception=True)
        run = _run(request, uid)
        tasks.request_arena_again(run, actor=acting_user(request), **wanted.validated_data)
        return Response(ArenaRunJson(run).data, status=202)


def _run(request: Request, uid: UUID) -> ArenaRun:
    try:
        return arena_run_for(acting_user(request), uid)
    except ArenaRun.DoesNotExist:
        raise Http404 from None
