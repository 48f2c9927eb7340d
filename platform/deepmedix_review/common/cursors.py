"""Reads out of a page's address where a long list goes on, or what a form begins with."""

import uuid

from django.http import HttpRequest


def read_cursor(request: HttpRequest, name: str) -> uuid.UUID | None:
    """An unreadable one counts as none."""
    try:
        return uuid.UUID(request.GET[name]) if name in request.GET else None
    except ValueError:
        return None
