"""Messages whose senders don't wait (RFC 7240, section 4.1): they go once all of it is kept, and ask later
what became of it."""

import re
from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.models import JobState
from deepmedix_review.studies.dicomweb.negotiation import choose
from deepmedix_review.studies.dicomweb.service import JSON_OFFERS, DicomWebView, answer_json, service_address
from deepmedix_review.studies.film_response import CACHING
from deepmedix_review.studies.models import SentMessage
from deepmedix_review.studies.sent_messages.selectors import answer_of, own_messages

RESPOND_ASYNC = "respond-async"
ASK_AGAIN_SECONDS = 2
# A comma inside quotes belongs to a value.
_PREFERENCES = re.compile(r'(?:[^,"]|"[^"]*")+')


class MessageGone(APIException):
    status_code = status.HTTP_410_GONE
    default_detail = (
        "What became of this message is not kept any more; films of it that came in stay. An admin finds "
        "each of them in the audit record."
    )


def wants_to_go(prefer: str) -> bool:
    """Whether the header asks for an answer before the films are in."""
    named = (one.split(";")[0].split("=")[0].strip().lower() for one in _PREFERENCES.findall(prefer))
    return RESPOND_ASYNC in named


def answer_left(request: Request, message: SentMessage) -> HttpResponse:
    """All of the message is durable, and none of its films is in."""
    answer = _how_far(message)
    answer["Location"] = service_address(request) + _below_service(message)
    answer["Preference-Applied"] = RESPOND_ASYNC
    return answer


class SentMessageView(DicomWebView):
    """For who left it alone: the answer has the names by which the films came."""

    def get_permissions(self) -> list[Any]:
        return [one() for one in (*DicomWebView.permission_classes, needs(Capability.IMPORT_STUDIES))]

    def get(self, request: Request, uid: UUID) -> HttpResponse:
        """202 while it waits or is brought in; then the answer of STOW-RS, with 200 whatever became of its
        films; 409 where it failed or was cancelled, with a sentence."""
        offer = choose(request, JSON_OFFERS)
        message = own_messages(acting_user(request)).filter(uid=uid).first()
        if message is None:
            raise NoSuchMessage
        if message.state != JobState.DONE:
            return _how_far(message)
        if not message.is_here:
            raise MessageGone
        report = answer_of(message, address=service_address(request))
        return answer_json(
            request,
            report.answer(address=service_address(request)).to_json_dict(),
            offer=offer,
            warnings=report.warnings,
        )


class NoSuchMessage(APIException):
    status_code = status.HTTP_404_NOT_FOUND
    default_detail = "You have left no such message here."


def _how_far(message: SentMessage) -> HttpResponse:
    told = {
        "message": str(message.uid),
        "state": str(message.state),
        "num_films": message.num_films,
        "num_done": message.num_done,
        "detail": _said(message),
    }
    answer = JsonResponse(told, status=409 if message.is_final else 202)
    answer["Cache-Control"] = CACHING
    if not message.is_final:
        answer["Retry-After"] = str(ASK_AGAIN_SECONDS)
    return answer


def _said(message: SentMessage) -> str:
    match message.state:
        case JobState.FAILED:
            return (
                f"{message.error} An admin can try it again on the page Import films."
                if message.is_here
                else message.error
            )
        case JobState.CANCELLED:
            return "It was cancelled: films that were in stay, the others are deleted. Send them again."
        case JobState.RUNNING:
            return "Its films are being brought in."
    return "All of it is kept; its films wait to be brought in."


def _below_service(message: SentMessage) -> str:
    return reverse("dicomweb-message", args=[message.uid]).removeprefix("/dicom-web")
