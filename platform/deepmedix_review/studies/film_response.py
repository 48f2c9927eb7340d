"""Sends a film to a screen: whole, de-identified, kept by the browser alone, which asks before showing it."""

from pathlib import Path

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags

# Who may see a film changes, and its file where text on it is overwritten: the browser asks before it shows
# its copy.
CACHING = "private, no-cache"


def send_file(request: HttpRequest, *, path: Path, etag: str, content_type: str) -> HttpResponseBase:
    """By nginx where settings.FILM_SERVER says so (X-Accel-Redirect), else in chunks from here."""
    tag = f'"{etag}"'
    if tag in parse_etags(request.headers.get("If-None-Match", "")):
        response: HttpResponseBase = HttpResponseNotModified()
    elif settings.FILM_SERVER == "nginx":
        response = HttpResponse(content_type=content_type)
        response["X-Accel-Redirect"] = f"/films/{path.relative_to(settings.FILM_FOLDER)}"
    else:
        response = FileResponse(path.open("rb"), content_type=content_type)
    response["ETag"] = tag
    response["Cache-Control"] = CACHING
    # On a shared computer the next person's session asks again, and is judged again.
    patch_vary_headers(response, ["Cookie"])
    return response
