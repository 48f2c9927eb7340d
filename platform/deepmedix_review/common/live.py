"""How a view answers a live part of a page, which htmx asks for, and a plain form alike."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url


def leave_for(request: HttpRequest, to: str, **arguments: Any) -> HttpResponse:
    """Go on to another page. htmx follows a redirect by itself and would put that page into this one."""
    there = resolve_url(to, **arguments)
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": there})
    return HttpResponseRedirect(there)
