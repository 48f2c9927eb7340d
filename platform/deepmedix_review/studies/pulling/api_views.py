"""Films of a PACS for programs: search, start, see what became of each study, cancel, try again."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.paging import read_before
from deepmedix_review.studies.archive_imports.api_views import REFUSALS
from deepmedix_review.studies.models import PacsPull
from deepmedix_review.studies.pulling import pulls, selectors
from deepmedix_review.studies.pulling.serializers import (
    PacsPullJson,
    PacsPullPageJson,
    PacsPullWithStudiesJson,
    PacsSourceJson,
    SearchJson,
    TickedJson,
)
from deepmedix_review.studies.tasks import retry_pull, start_pull

_IMPORT = needs(Capability.IMPORT_STUDIES)


class PacsSourcesView(APIView):
    permission_classes = [_IMPORT]

    @extend_schema(operation_id="pacs_source_list", responses={200: PacsSourceJson(many=True), **REFUSALS})
    def get(self, request: Request) -> Response:
        """Those that the operator's file names; none other is ever asked."""
        return Response(PacsSourceJson(selectors.sources_for(acting_user(request)), many=True).data)


class PacsPullsView(APIView):
    permission_classes = [_IMPORT]

    @extend_schema(
        operation_id="pacs_pull_list",
        parameters=[OpenApiParameter("before", int)],
        responses={200: PacsPullPageJson, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        """Your own that were started, newest first, page by page."""
        page = selectors.pull_page(
            acting_user(request), before=read_before(request.query_params.get("before"))
        )
        return Response(PacsPullPageJson({"results": page.rows, "next_before": page.next_before}).data)

    @extend_schema(
        operation_id="pacs_pull_search",
        request=SearchJson,
        responses={201: PacsPullWithStudiesJson, **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Search a PACS. What was found is known for an hour; start it with the numbers of some."""
        asked = SearchJson(data=request.data)
        asked.is_valid(raise_exception=True)
        told = asked.validated_data
        user = acting_user(request)
        pull = pulls.search_pacs(
            told["source"], asked.query(), actor=user, limit=told["limit"], offset=told["offset"]
        )
        return Response(_with_studies(request, pull.uid), status=status.HTTP_201_CREATED)


class PacsPullView(APIView):
    permission_classes = [_IMPORT]

    @extend_schema(operation_id="pacs_pull_retrieve", responses={200: PacsPullWithStudiesJson, **REFUSALS})
    def get(self, request: Request, uid: UUID) -> Response:
        """How far it is, and what became of each of its studies."""
        return Response(_with_studies(request, uid))


class StartView(APIView):
    permission_classes = [_IMPORT]

    @extend_schema(
        operation_id="pacs_pull_start", request=TickedJson, responses={200: PacsPullJson, **REFUSALS}
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """Bring some of what was found in; the rest is forgotten."""
        asked = TickedJson(data=request.data)
        asked.is_valid(raise_exception=True)
        start_pull(_pull(request, uid), numbers=asked.validated_data["studies"], actor=acting_user(request))
        return Response(PacsPullJson(_pull(request, uid)).data)


class CancelView(APIView):
    permission_classes = [_IMPORT]

    @extend_schema(operation_id="pacs_pull_cancel", request=None, responses={200: PacsPullJson, **REFUSALS})
    def post(self, request: Request, uid: UUID) -> Response:
        """A running one ends after the film in hand; films that are in stay."""
        pulls.cancel_pull(_pull(request, uid), actor=acting_user(request))
        return Response(PacsPullJson(_pull(request, uid)).data)


class RetryView(APIView):
    permission_classes = [_IMPORT]

    @extend_schema(operation_id="pacs_pull_retry", request=None, responses={200: PacsPullJson, **REFUSALS})
    def post(self, request: Request, uid: UUID) -> Response:
        """One that failed goes on where it stopped; nothing is fetched twice."""
        retry_pull(_pull(request, uid), actor=acting_user(request))
        return Response(PacsPullJson(_pull(request, uid)).data)


class GiveUpView(APIView):
    permission_classes = [_IMPORT]

    @extend_schema(operation_id="pacs_pull_give_up", request=None, responses={200: PacsPullJson, **REFUSALS})
    def post(self, request: Request, uid: UUID) -> Response:
        """One that failed is not tried again: what the PACS calls its studies is forgotten."""
        pulls.give_up_pull(_pull(request, uid), actor=acting_user(request))
        return Response(PacsPullJson(_pull(request, uid)).data)


def _pull(request: Request, uid: UUID) -> PacsPull:
    return selectors.pull_for(acting_user(request), uid)


def _with_studies(request: Request, uid: UUID) -> dict[str, object]:
    pull = _pull(request, uid)
    told = {"pull": pull, "studies": selectors.studies_of(pull)}
    return dict(PacsPullWithStudiesJson(told).data)
