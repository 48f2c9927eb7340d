"""From which page of this product a request came."""

from urllib.parse import urlsplit, urlunsplit

from django.http import HttpRequest


def came_from(request: HttpRequest) -> str:
    """Its path and query; empty where the request came from elsewhere, or does not say."""
    before = urlsplit(request.headers.get("Referer", ""))
    is_ours = before.netloc == request.get_host()
    return urlunsplit(("", "", before.path, before.query, "")) if is_ours else ""
