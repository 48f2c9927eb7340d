"""Who is logged in, and logging in again in place, so that a page with unsaved work need not be left."""

from typing import Any

from django.contrib.auth import login
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect, ensure_csrf_cookie
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.preferences import ReadingRoomPreference, preference_of, set_preference
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.accounts.serializers import (
    LogInAgainSerializer,
    PreferenceSerializer,
    SessionRefusalSerializer,
    SessionSerializer,
)
from deepmedix_review.accounts.services import check_login
from deepmedix_review.common.errors import NotYours, RefusedByRule


# REST framework checks the token for those who are logged in alone; here nobody is yet.
@method_decorator(csrf_protect, name="dispatch")
@method_decorator(ensure_csrf_cookie, name="dispatch")
class SessionView(APIView):
    permission_classes = [AllowAny]
    parser_classes = [JSONParser]

    @extend_schema(operation_id="session_retrieve", responses=SessionSerializer)
    def get(self, request: Request) -> Response:
        """Who is logged in, nobody included."""
        return _answer(request.user)

    @extend_schema(
        operation_id="session_renew",
        request=LogInAgainSerializer,
        responses={200: SessionSerializer, 400: SessionRefusalSerializer, 409: SessionRefusalSerializer},
    )
    def post(self, request: Request) -> Response:
        """Log the page's own account in again. Another account's password logs nobody in."""
        form = LogInAgainSerializer(data=request.data)
        if not form.is_valid():
            return Response({"detail": "Type your user name and your password."}, status=400)
        user = check_login(
            request._request,
            username=form.validated_data["username"],
            password=form.validated_data["password"],
            account=form.validated_data["account"],
        )
        login(request._request, user)
        return _answer(user)


def _answer(user: Any) -> Response:
    known = user if isinstance(user, User) else None
    shown = {"account": known.uid if known else None, "pseudonym": known.pseudonym if known else None}
    return Response(SessionSerializer(shown).data)


OF_ACCOUNT = OpenApiParameter(
    "account", OpenApiTypes.UUID, description="whose page asks: refused where another is logged in by now"
)


class KeysView(APIView):
    parser_classes = [JSONParser]

    @extend_schema(
        operation_id="keys_retrieve",
        parameters=[OF_ACCOUNT],
        responses={200: PreferenceSerializer, 409: SessionRefusalSerializer},
    )
    def get(self, request: Request) -> Response:
        """The keys of the reading room as this person set them."""
        return Response(PreferenceSerializer(preference_of(_owner(request))).data)

    @extend_schema(
        operation_id="keys_update",
        parameters=[OF_ACCOUNT],
        request=PreferenceSerializer,
        responses={200: PreferenceSerializer, 400: SessionRefusalSerializer, 409: SessionRefusalSerializer},
    )
    def put(self, request: Request) -> Response:
        """Keep the keys. Those that are left out are as they come."""
        form = PreferenceSerializer(data=request.data)
        if not form.is_valid():
            return Response({"detail": "These keys could not be read. Reload the page."}, status=400)
        kept = set_preference(_owner(request), ReadingRoomPreference(**form.validated_data))
        return Response(PreferenceSerializer(kept).data)


def _owner(request: Request) -> User:
    """A page stays open while somebody else logs in beside it: its keys are not theirs."""
    user = acting_user(request)
    if user.token is not None:
        raise NotYours("A program has no keys. A person sets them in the reading room.")
    if request.query_params.get("account", str(user.uid)) != str(user.uid):
        raise RefusedByRule("Another account is logged in in this browser now. Log in again.")
    return user
