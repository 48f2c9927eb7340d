"""A rule's refusal reaches a person as a page with its sentence, never as a server error."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from deepmedix_review.common.errors import NotYours, RefusedByRule


class RefusalMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, RefusedByRule):
            return None
        status = 403 if isinstance(error, NotYours) else 409
        return render(request, "refused.html", {"sentence": str(error), "status": status}, status=status)
