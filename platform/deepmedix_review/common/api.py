"""What every JSON endpoint shares: refusals by their sentence, and filters that a list knows."""

from collections.abc import Sequence
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

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
    return exception_handler(error, context)


def read_choice(request: Request, name: str, choices: Sequence[str]) -> str:
    """The address's filter of that name; without one, the empty text. A word that is none of `choices` is
    refused: taken for no filter, it would hand a program everything where it asked for a part."""
    value = request.query_params.get(name, "")
    if value and value not in choices:
        raise ValidationError({name: [f"There is no {value!r} here: it can be {', '.join(choices)}."]})
    return value
