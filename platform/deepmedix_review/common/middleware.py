"""A rule's refusal reaches a person as a page with its sentence, never as a server error or a blank page."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve

from deepmedix_review.common.came_from import came_from
from deepmedix_review.common.errors import FileAway, NotYours, RefusedByRule


class RefusalMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content:
            page = render(
                request, "405.html", {"above": _page_above(request.path)}, status=response.status_code
            )
            page["Allow"] = response["Allow"]
            return page
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, RefusedByRule):
            return None
        status = status_of(error)
        context = {"sentence": str(error), "status": status, "back": _page_before(request)}
        page = render(request, "refused.html", context, status=status)
        for name, value in headers_of(error).items():
            page[name] = value
        return page


def status_of(refusal: RefusedByRule) -> int:
    match refusal:
        case NotYours():
            return HTTPStatus.FORBIDDEN
        case FileAway():
            return HTTPStatus.GONE
        case _:
            return HTTPStatus.CONFLICT


def headers_of(refusal: RefusedByRule) -> dict[str, str]:
    """A browser keeps what is gone unless it is told not to; the file may be back in a minute."""
    return {"Cache-Control": "no-store"} if isinstance(refusal, FileAway) else {}


def _page_before(request: HttpRequest) -> str:
    """Where the request came from, if that was another page."""
    before = came_from(request)
    return "" if urlsplit(before).path == request.path else before


def _page_above(path: str) -> str:
    """The way up to the nearest address that the product has: where the page with the button is."""
    way = ""
    while path.strip("/"):
        path, way = path.rstrip("/").rpartition("/")[0] + "/", f"{way}../"
        try:
            resolve(path)
        except Resolver404:
            continue
        return way
    return "/"
