"""What every JSON endpoint shares: a refusal becomes 409 or 403 with its sentence."""

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler

from deepmedix_review.common.errors import IsOver, NotYours, OutOfUse, RefusedByRule


def answer_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, RefusedByRule):
        answer: dict[str, Any] = {"detail": str(error)}
        if isinstance(error, OutOfUse):
            answer["is_out_of_use"] = True
        if isinstance(error, IsOver):
            answer["is_over"] = True
        return Response(answer, status=403 if isinstance(error, NotYours) else 409)
    return exception_handler(error, context)
