"""The pages of last resort: they need neither the database nor the person who asks."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

RETRY_AFTER_SECONDS = 30


def show_error(request: HttpRequest) -> HttpResponse:
    """503 where the database is away, which ends by itself; 500 for everything else."""
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        page = HttpResponse(render_to_string("503.html"), status=503)
        page["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return page
    return HttpResponse(render_to_string("500.html"), status=500)
