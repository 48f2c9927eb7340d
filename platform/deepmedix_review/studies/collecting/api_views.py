"""Collections by JSON, to be read: which studies are in a version, and on which side of the split."""

import uuid

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.api import read_choice
from deepmedix_review.common.paging import read_before
from deepmedix_review.studies.collecting import selectors
from deepmedix_review.studies.collecting.serializers import (
    CollectionDetailSerializer,
    CollectionPageSerializer,
    CollectionVersionDetailSerializer,
)
from deepmedix_review.studies.models import Split

MEMBERS_A_PAGE = 500
BEFORE = OpenApiParameter("before", int, description="`next_before` of the page before")


class _ViewersOnly(APIView):
    permission_classes = (*APIView.permission_classes, needs(Capability.VIEW_ALL_STUDIES))


class CollectionListView(_ViewersOnly):
    @extend_schema(operation_id="list_collections", parameters=[BEFORE], responses=CollectionPageSerializer)
    def get(self, request: Request) -> Response:
        """The newest collections first, each with its newest version."""
        before = read_before(request.query_params.get("before"))
        page = selectors.collection_page(acting_user(request), before=before)
        return Response(
            CollectionPageSerializer({"results": page.rows, "next_before": page.next_before}).data
        )


class CollectionView(_ViewersOnly):
    @extend_schema(operation_id="show_collection", responses=CollectionDetailSerializer)
    def get(self, request: Request, uid: uuid.UUID) -> Response:
        """One collection with its versions, the newest first."""
        collection = selectors.collection_for(acting_user(request), uid)
        answer = CollectionDetailSerializer(
            {"collection": collection, "versions": selectors.versions_of(collection)}
        ).data
        record_event(actor=acting_user(request), action="view_collection", subject=collection)
        return Response(answer)


class CollectionVersionView(_ViewersOnly):
    @extend_schema(
        operation_id="show_collection_version",
        parameters=[OpenApiParameter("side", str, enum=Split.values), BEFORE],
        responses=CollectionVersionDetailSerializer,
    )
    def get(self, request: Request, uid: uuid.UUID, number: int) -> Response:
        """A version with a page of its members, 500 at once, the newest studies first."""
        asked, user = request.query_params, acting_user(request)
        collection = selectors.collection_for(user, uid)
        version = selectors.version_of(collection, number)
        side = read_choice(request, "side", Split.values)
        page = selectors.member_page(
            user,
            version,
            side=side,
            before=read_before(asked.get("before")),
            size=MEMBERS_A_PAGE,
            has_films=False,
        )
        answer = CollectionVersionDetailSerializer(
            {"version": version, "members": page.rows, "next_before": page.next_before}
        ).data
        record_event(
            actor=user, action="view_collection", subject=collection, details={"version": version.number}
        )
        return Response(answer)
