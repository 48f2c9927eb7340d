"""What every page's template knows of the person who looks at it."""

from typing import Any

from django.http import HttpRequest

from deepmedix_review.accounts.permissions import Capability, may


def page(request: HttpRequest) -> dict[str, Any]:
    """`may.IMPORT_STUDIES` and its like, for the navigation."""
    user = getattr(request, "user", None)
    return {"may": {c.name: user is not None and may(user, c) for c in Capability}}
