"""Messages that programs left, on the page where films are brought in."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.studies import tasks
from deepmedix_review.studies.sent_messages import services
from deepmedix_review.studies.sent_messages.selectors import message_for, open_messages

importers_only = needs_capability(Capability.IMPORT_STUDIES)


@require_safe
@importers_only
def show_live_messages(request: HttpRequest) -> HttpResponse:
    """What renews itself while messages wait."""
    return _rows(request)


@require_POST
@importers_only
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    services.cancel_message(message_for(user, uid), actor=user)
    return _back(request)


@require_POST
@importers_only
def retry(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    tasks.retry_message(message_for(user, uid), actor=user)
    return _back(request)


@require_POST
@importers_only
def delete(request: HttpRequest, uid: UUID) -> HttpResponse:
    user = acting_user(request)
    services.delete_message(message_for(user, uid), actor=user)
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    return _rows(request) if "HX-Request" in request.headers else redirect("study-import")


def _rows(request: HttpRequest) -> HttpResponse:
    left = open_messages(acting_user(request))
    return render(request, "studies/messages/rows.html", {"left": left})
