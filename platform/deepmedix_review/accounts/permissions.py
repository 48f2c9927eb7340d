"""What each role may see and do: one table, asked by every view, service and template."""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from deepmedix_review.accounts.models import Role, User
from deepmedix_review.common.errors import NotYours

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class Capability(StrEnum):
    """A thing that a role may do; the value completes the sentence "Your account may not …"."""

    IMPORT_STUDIES = "bring studies in"
    DECIDE_HELD_STUDIES = "decide on held studies"
    ERASE_STUDIES = "erase studies and patients"
    VIEW_ALL_STUDIES = "view studies outside your worklist"
    VIEW_REFERENCES = "see what its source says of a study"
    CHANGE_COLLECTIONS = "change collections"
    REQUEST_INFERENCE = "request inference"
    DESIGN_READER_STUDIES = "design reader studies"
    VIEW_RESULTS = "see the results of reader studies"
    READ_CASES = "read cases"
    EXPORT_DATASETS = "take data sets out"
    FREEZE_DATASETS = "freeze data sets"
    TRAIN_MODELS = "train models"
    VIEW_MODELS = "view models, data sets and training runs"
    REGISTER_MODELS = "register models"
    PROMOTE_MODELS = "promote models"
    ALLOW_MODEL_CODE = "allow models to run code of their own"
    SET_GATE_POLICY = "change the gate's policy"
    MAKE_SHADOW_STUDIES = "make shadow studies"
    TRACE_LEARNING = "see which models learned from whom"
    VIEW_AUDIT = "view the audit record"
    MANAGE_ACCOUNTS = "manage accounts"
    MANAGE_WEBHOOKS = "say which programs are told of events"


CAPABILITIES: dict[str, frozenset[Capability]] = {
    Role.EXPERT: frozenset({Capability.READ_CASES}),
    Role.ADMIN: frozenset(
        {
            Capability.IMPORT_STUDIES,
            Capability.DECIDE_HELD_STUDIES,
            Capability.ERASE_STUDIES,
            Capability.VIEW_ALL_STUDIES,
            Capability.VIEW_REFERENCES,
            Capability.CHANGE_COLLECTIONS,
            Capability.REQUEST_INFERENCE,
            Capability.DESIGN_READER_STUDIES,
            Capability.VIEW_RESULTS,
            Capability.EXPORT_DATASETS,
            Capability.TRACE_LEARNING,
            Capability.ALLOW_MODEL_CODE,
            Capability.VIEW_AUDIT,
            Capability.MANAGE_ACCOUNTS,
            Capability.MANAGE_WEBHOOKS,
        }
    ),
    Role.RESEARCHER: frozenset(
        {
            Capability.VIEW_ALL_STUDIES,
            Capability.REQUEST_INFERENCE,
            Capability.VIEW_RESULTS,
            Capability.EXPORT_DATASETS,
            Capability.FREEZE_DATASETS,
            Capability.TRAIN_MODELS,
            Capability.VIEW_MODELS,
            Capability.REGISTER_MODELS,
            Capability.PROMOTE_MODELS,
            Capability.SET_GATE_POLICY,
            Capability.MAKE_SHADOW_STUDIES,
            Capability.TRACE_LEARNING,
        }
    ),
}


def may(user: User | AnonymousUser, capability: Capability) -> bool:
    """What the role may, within the scopes of the token where a program acts for the person."""
    return (
        isinstance(user, User)
        and user.is_active
        and capability in CAPABILITIES[user.role]
        and (user.token is None or capability.name in user.token.scopes)
    )


def refusal(user: User | AnonymousUser, capability: Capability) -> str:
    """Why somebody may not, with the way out."""
    if isinstance(user, User) and user.token is not None and capability in CAPABILITIES[user.role]:
        return f"This token may not {capability}: it was made without that. Make one that may."
    return f"Your account may not {capability}. Ask an admin if it should."


def require(user: User | AnonymousUser, capability: Capability) -> None:
    """Raises NotYours, with the sentence that a person reads, where the role lacks the capability."""
    if not may(user, capability):
        raise NotYours(refusal(user, capability))


def needs(capability: Capability) -> type[BasePermission]:
    """A permission class for an API view."""

    class Needs(BasePermission):
        wanted = capability

        def has_permission(self, request: Request, view: APIView) -> bool:
            self.message = refusal(request.user, capability)
            return may(request.user, capability)

    return Needs


def needs_capability(capability: Capability) -> Callable[[View], View]:
    """Guards a page view; the refusal page says what is missing."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            require(request.user, capability)
            return view(request, *args, **kwargs)

        return cast(View, guarded)

    return guard
