"""Sends what was asked for: not again what the client has, and of a whole the parts that it wants (RFC
9110)."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.http import HttpResponse, HttpResponseBase, HttpResponseNotModified, StreamingHttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from deepmedix_review.studies.film_response import CACHING

MOST_RANGES = 20
_RANGE = re.compile(r"([0-9]{0,18})-([0-9]{0,18})")


class RangeRefused(APIException):
    """416, with the length that there is."""

    status_code = 416

    def __init__(self, length: int) -> None:
        super().__init__(
            f"There are {length} bytes here, and the Range asks for none of them, or for more than "
            f"{MOST_RANGES} parts. Ask for bytes=FIRST-LAST, from 0 on."
        )
        self.length = length


@dataclass(frozen=True)
class Part:
    """Of a multipart answer. `chunks` may be made while they are sent."""

    content_type: str
    chunks: Iterable[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)


def etag_of(*parts: object) -> str:
    """The same for the same parts: the boundary between parts is made of it, so that an answer is too."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:40]


def is_known(request: Request, etag: str) -> bool:
    """Whether the client has this answer already."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or f'"{etag}"' in [one.removeprefix("W/") for one in known]


def not_modified(etag: str) -> HttpResponseBase:
    return finish(HttpResponseNotModified(), etag=etag)


def send_parts(
    request: Request, parts: Iterable[Part], *, media_type: str, etag: str, status: int = 200
) -> HttpResponseBase:
    """`multipart/related`, as its parts are made."""
    content_type = f'multipart/related; type="{media_type}"; boundary={etag}'
    if request.method == "HEAD":
        return finish(HttpResponse(content_type=content_type, status=status), etag=etag)
    answer = StreamingHttpResponse(_delimited(parts, etag), content_type=content_type, status=status)
    return finish(answer, etag=etag)


def send_whole(request: Request, whole: bytes, *, content_type: str, etag: str) -> HttpResponseBase:
    """Or the ranges of it that are asked for, one by itself, several as `multipart/byteranges`."""
    ranges = wanted_ranges(request, length=len(whole), etag=etag)
    if not ranges:
        answer = HttpResponse(whole, content_type=content_type)
    elif len(ranges) == 1:
        ((first, end),) = ranges
        answer = HttpResponse(whole[first:end], content_type=content_type, status=206)
        answer["Content-Range"] = content_range(first, end, len(whole))
    else:
        parts = [
            Part(content_type, [whole[first:end]], {"Content-Range": content_range(first, end, len(whole))})
            for first, end in ranges
        ]
        kind = f"multipart/byteranges; boundary={etag}"
        answer = HttpResponse(b"".join(_delimited(parts, etag)), content_type=kind, status=206)
    answer["Accept-Ranges"] = "bytes"
    return finish(answer, etag=etag)


def finish(answer: HttpResponseBase, *, etag: str) -> HttpResponseBase:
    """As the film's own address sends it: who may see a film changes, so the browser asks before it shows
    it."""
    answer["ETag"] = f'"{etag}"'
    answer["Cache-Control"] = CACHING
    patch_vary_headers(answer, ["Accept", "Authorization", "Cookie"])
    return answer


def wanted_ranges(request: Request, *, length: int, etag: str) -> list[tuple[int, int]]:
    """From the first byte to before the end; empty where the whole is wanted. Raises RangeRefused."""
    header = request.headers.get("Range", "")
    unit, _, asked = header.partition("=")
    only_if = request.headers.get("If-Range")
    if unit.strip().lower() != "bytes" or (only_if and only_if != f'"{etag}"'):
        return []
    found = [_RANGE.fullmatch(one.strip()) for one in asked[: 64 * MOST_RANGES].split(",")]
    if len(found) > MOST_RANGES:
        raise RangeRefused(length)
    ranges = []
    for one in found:
        if one is None or one[0] == "-":
            raise RangeRefused(length)
        if one[1]:
            first, end = int(one[1]), min(int(one[2]) + 1 if one[2] else length, length)
            if one[2] and int(one[2]) < first:
                raise RangeRefused(length)
        else:
            first, end = max(0, length - int(one[2])), length
        if first < end:
            ranges.append((first, end))
    if not ranges:
        raise RangeRefused(length)
    # Parts that overlap may come to many times the whole.
    return ranges if sum(end - first for first, end in ranges) <= length else []


def content_range(first: int, end: int, length: int) -> str:
    return f"bytes {first}-{end - 1}/{length}"


def _delimited(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    """RFC 2046, 5.1.1."""
    start = f"--{boundary}\r\n"
    for part in parts:
        headers = {"Content-Type": part.content_type, **part.headers}
        yield (start + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n").encode()
        yield from part.chunks
        start = f"\r\n--{boundary}\r\n"
    yield f"\r\n--{boundary}--\r\n".encode()
