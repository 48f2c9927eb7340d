"""The pages of last resort: they need neither the database nor the person who asks."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from deepmedix_review.common.came_from import came_from

RETRY_AFTER_SECONDS = 30


def show_error(request: HttpRequest) -> HttpResponse:
    """503 where the database is away, which ends by itself; 500 for everything else."""
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        page = HttpResponse(render_to_string("503.html", _way_on(request)), status=503)
        page["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return page
    return HttpResponse(render_to_string("500.html"), status=500)


def _way_on(request: HttpRequest) -> dict[str, str]:
    """Only a whole page is asked for again by its address: a form would be sent twice, and a part would stand
    alone."""
    is_page = request.method in ("GET", "HEAD") and "HX-Request" not in request.headers
    return {"again": request.get_full_path()} if is_page else {"before": came_from(request)}
