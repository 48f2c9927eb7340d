"""Reads the cursor of a long list out of a page's address."""

import uuid

from django.http import HttpRequest


def read_cursor(request: HttpRequest, name: str) -> uuid.UUID | None:
    """An unreadable one starts at the first page."""
    try:
        return uuid.UUID(request.GET[name]) if name in request.GET else None
    except ValueError:
        return None
