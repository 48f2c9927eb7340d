"""What every address of the DICOMweb service shares: who asks, in which form it answers, and where it
lies."""

import json
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deepmedix_review.studies.dicomweb.matching import QueryRefused
from deepmedix_review.studies.dicomweb.negotiation import Offer
from deepmedix_review.studies.dicomweb.responding import RangeRefused
from deepmedix_review.studies.film_response import CACHING

JSON_OFFERS = (Offer("application/dicom+json"), Offer("application/json"))
_PORTS = {"http": "80", "https": "443"}


class _RefusalsAreJson(BaseContentNegotiation):
    """What is served is chosen by `negotiation.choose`; what is refused says why in JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        renderer: BaseRenderer = renderers[0]
        return renderer, renderer.media_type


class DicomWebView(APIView):
    """Described by the standard, so that the schema of `/api/` does not."""

    schema = None
    content_negotiation_class = _RefusalsAreJson

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, TooManyFieldsSent):
            exc = QueryRefused("The address has more parameters than a search can have. Ask in several.")
        answer = super().handle_exception(exc)
        if isinstance(exc, RangeRefused):
            answer["Content-Range"] = f"bytes */{exc.length}"
        # Else Django logs the address, in which a hospital's own UID may stand.
        answer._has_been_logged = True  # type: ignore[attr-defined]
        return answer


class NoSuchAddressView(DicomWebView):
    """What no other address takes. Else Django refuses it, and logs it with the UIDs and names in it."""

    http_method_names = ()

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        raise NotFound(
            "The DICOMweb service has no such address. Its addresses begin with studies, series or "
            "instances, and end without a slash."
        )


def service_address(request: Request) -> str:
    """As the client calls it, without a slash at its end.

    dicomweb-client sends the host without the port. Where no proxy stands between, that is the one that the
    connection came in by.
    """
    host = request.get_host()
    is_direct = not {"X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"} & set(request.headers)
    port = request.get_port()
    if is_direct and ":" not in host.rpartition("]")[2] and port != _PORTS.get(request.scheme or "http"):
        host = f"{host}:{port}"
    return f"{request.scheme}://{host}/dicom-web"


def answer_json(request: Request, found: Any, *, offer: Offer, warnings: Iterable[str] = ()) -> HttpResponse:
    """204 where nothing was found (PS3.18, table 10.6.3-1)."""
    if found:
        answer = HttpResponse(json.dumps(found), content_type=offer.media_type)
    else:
        answer = HttpResponse(status=204)
    if warnings:
        answer["Warning"] = ", ".join(f'299 {request.get_host()} "{text}"' for text in warnings)
    answer["Cache-Control"] = CACHING
    patch_vary_headers(answer, ["Accept", "Authorization", "Cookie"])
    return answer
