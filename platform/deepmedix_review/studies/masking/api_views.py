"""Text on a film is overwritten by a program, for the person whose token it has."""

import uuid

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.studies.masking.finding import find_text
from deepmedix_review.studies.masking.selectors import latest_masking
from deepmedix_review.studies.masking.serializers import (
    FoundTextSerializer,
    MaskTextSerializer,
    TextMaskingSerializer,
)
from deepmedix_review.studies.masking.services import cancel_masking
from deepmedix_review.studies.models import TextMasking
from deepmedix_review.studies.selectors import film_for
from deepmedix_review.studies.tasks import request_masking

_MASKS_WHAT_IT_SEES = (
    *APIView.permission_classes,
    needs(Capability.VIEW_ALL_STUDIES),
    needs(Capability.DECIDE_HELD_STUDIES),
)


def _latest(request: Request, uid: uuid.UUID) -> TextMasking:
    masking = latest_masking(film_for(acting_user(request), uid))
    if masking is None:
        raise Http404
    return masking


class TextMaskingView(APIView):
    permission_classes = _MASKS_WHAT_IT_SEES

    @extend_schema(operation_id="show_masking", responses=TextMaskingSerializer)
    def get(self, request: Request, uid: uuid.UUID) -> Response:
        """What became of the boxes that were asked for last; 404 where none ever were."""
        return Response(TextMaskingSerializer(_latest(request, uid)).data)

    @extend_schema(
        operation_id="mask_text", request=MaskTextSerializer, responses={202: TextMaskingSerializer}
    )
    def post(self, request: Request, uid: uuid.UUID) -> Response:
        """Overwrite boxes of a film for good. Its study is held from now on; a worker puts the film without
        the text in its place and deletes the one with it."""
        asked = MaskTextSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        masking = request_masking(
            film_for(acting_user(request), uid),
            boxes=asked.boxes_asked,
            accept=asked.validated_data["accept"],
            has_looked=asked.validated_data["looked"],
            actor=acting_user(request),
        )
        return Response(TextMaskingSerializer(masking).data, status=status.HTTP_202_ACCEPTED)


class FoundTextView(APIView):
    permission_classes = _MASKS_WHAT_IT_SEES

    @extend_schema(operation_id="find_text", responses=FoundTextSerializer)
    def get(self, request: Request, uid: uuid.UUID) -> Response:
        """Where lines of print may stand on a film, to be looked at by a person: some are missed, and what
        was found may be none. It takes a second or two."""
        film = film_for(acting_user(request), uid)
        boxes = find_text(film)
        record_event(actor=acting_user(request), action="view_film", subject=film)
        return Response(FoundTextSerializer({"boxes": boxes}).data)


class CancelMaskingView(APIView):
    permission_classes = _MASKS_WHAT_IT_SEES

    @extend_schema(operation_id="cancel_masking", request=None, responses=TextMaskingSerializer)
    def post(self, request: Request, uid: uuid.UUID) -> Response:
        """Before the film is replaced; 409 once it is."""
        cancel_masking(_latest(request, uid), actor=acting_user(request))
        return Response(TextMaskingSerializer(_latest(request, uid)).data)
