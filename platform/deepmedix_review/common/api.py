"""What every JSON endpoint shares: a refusal becomes 409 or 403 with its sentence."""

from typing import Any

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
