"""Held studies for programs: listed a hundred at a time, decided on together, and a decision taken back."""

import uuid

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.api import read_choice
from deepmedix_review.common.paging import read_before
from deepmedix_review.studies.deciding.selectors import held_sheet
from deepmedix_review.studies.deciding.serializers import (
    DecidedJson,
    DecideTogetherJson,
    HeldSheetJson,
    TakenBackJson,
)
from deepmedix_review.studies.deciding.services import decide_together, take_back
from deepmedix_review.studies.intake.odd import OddKind
from deepmedix_review.studies.models import HeldDecision

_DECIDES_ON_WHAT_IT_SEES = (
    *APIView.permission_classes,
    needs(Capability.VIEW_ALL_STUDIES),
    needs(Capability.DECIDE_HELD_STUDIES),
)


class HeldStudiesView(APIView):
    permission_classes = _DECIDES_ON_WHAT_IT_SEES

    @extend_schema(
        operation_id="list_held_studies",
        parameters=[
            OpenApiParameter("kind", str, enum=list(OddKind), description="of what is odd; all, without"),
            OpenApiParameter("before", int, description="`next_before` of the page before"),
        ],
        responses=HeldSheetJson,
    )
    def get(self, request: Request) -> Response:
        """What waits for a decision, the newest hundred first, under what is gravest of each."""
        sheet = held_sheet(
            acting_user(request),
            kind=read_choice(request, "kind", list(OddKind)),
            before=read_before(request.query_params.get("before")),
        )
        answer = {
            "kinds": sheet.kinds,
            "results": [card for group in sheet.groups for card in group.cards],
            "next_before": sheet.next_before,
        }
        return Response(HeldSheetJson(answer).data)

    @extend_schema(
        operation_id="decide_held_studies", request=DecideTogetherJson, responses={200: DecidedJson}
    )
    def post(self, request: Request) -> Response:
        """Accept or reject many at once, by their tokens. What can't be accepted, and what changed since it
        was listed, stays as it is, and is told of; the others are decided on all the same."""
        asked = DecideTogetherJson(data=request.data)
        asked.is_valid(raise_exception=True)
        decided = decide_together(
            tokens=asked.validated_data["tokens"],
            accept=asked.validated_data["decision"] == "accept",
            has_looked=asked.validated_data["looked"],
            actor=acting_user(request),
        )
        return Response(DecidedJson(decided).data)


class TakeBackView(APIView):
    permission_classes = _DECIDES_ON_WHAT_IT_SEES

    @extend_schema(operation_id="take_back_decision", request=None, responses=TakenBackJson)
    def post(self, request: Request, uid: uuid.UUID) -> Response:
        """A decision of your own: its studies are held again as they were, but for what was done to them
        since. 409 where it was taken back already."""
        user = acting_user(request)
        decision = get_object_or_404(HeldDecision, uid=uid, decided_by=user)
        return Response(TakenBackJson(take_back(decision, actor=user)).data)
