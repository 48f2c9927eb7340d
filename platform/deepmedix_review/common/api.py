"""What every JSON endpoint shares: refusals by their sentence, and filters that a list knows."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest
from rest_framework.exceptions import APIException, NotFound, ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from deepmedix_review.common.errors import Closed, IsOver, OutOfUse, RefusedByRule
from deepmedix_review.common.middleware import headers_of, status_of


def answer_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, RefusedByRule):
        answer: dict[str, Any] = {"detail": str(error)}
        if isinstance(error, OutOfUse):
            answer["is_out_of_use"] = True
        if isinstance(error, IsOver):
            answer["is_over"] = True
        if isinstance(error, Closed):
            answer |= {"is_closed": True, "may_take": error.may_take}
        return Response(answer, status=status_of(error), headers=headers_of(error))
    return exception_handler(_in_words(error), context)


class NoSuchAddressView(APIView):
    """What no other address below `/api/` takes: a program gets JSON for it too, never a page."""

    schema = None
    http_method_names = ()

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        raise NotFound("There is no such address. /api/schema/ lists those that there are.")

    def handle_exception(self, exc: Exception) -> Response:
        answer = super().handle_exception(exc)
        # Else Django logs the address, in which a program may have put a name.
        answer._has_been_logged = True  # type: ignore[attr-defined]
        return answer


class _TooLarge(APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def _in_words(error: Exception) -> Exception:
    """Django's own limits of a request answer a bare page unless they are told here."""
    match error:
        case TooManyFilesSent():
            most = settings.DATA_UPLOAD_MAX_NUMBER_FILES
            return ParseError(f"A request takes at most {most} files. Send the others in further ones.")
        case TooManyFieldsSent():
            most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
            return ParseError(f"A request takes at most {most} fields. Send the others in further ones.")
        case RequestDataTooBig():
            most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            return _TooLarge(f"A request takes at most {most:,} bytes beside its files. Send it in parts.")
        case _:
            return error


def read_choice(request: Request, name: str, choices: Sequence[str]) -> str:
    """The address's filter of that name; without one, the empty text. A word that is none of `choices` is
    refused: taken for no filter, it would hand a program everything where it asked for a part."""
    value = request.query_params.get(name, "")
    if value and value not in choices:
        raise ValidationError({name: [f"There is no {value!r} here: it can be {', '.join(choices)}."]})
    return value
