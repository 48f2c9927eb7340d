"""Parts of a frame and of a stored film leave by themselves where a program asks for them."""

import pytest

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.models import Instance
from tests.deepmedix_review.studies.dicomweb.the_service import SIZE, ask, at, body, parts

pytestmark = pytest.mark.django_db
RANGES = [
    ("bytes=0-9", [(0, 10)]),
    ("bytes=10-", [(10, None)]),
    ("bytes=-5", [(-5, None)]),
    ("bytes=0-99999999", [(0, None)]),
    ("bytes=-99999999", [(0, None)]),
    ("bytes=0-0,5-6", [(0, 1), (5, 7)]),
    ("bytes=0-1, 99999999-", [(0, 2)]),
]


@pytest.mark.parametrize("accept", ["application/octet-stream", "image/jphc"])
@pytest.mark.parametrize(("header", "wanted"), RANGES)
def test_ranges_of_a_frame(
    film: Instance, admin: User, accept: str, header: str, wanted: list[tuple[int, int | None]]
) -> None:
    whole = body(ask(admin, at(film, "/frames/1"), accept=accept))
    answer = ask(admin, at(film, "/frames/1"), accept=accept, Range=header)
    assert answer.status_code == 206
    if len(wanted) == 1:
        ((first, end),) = wanted
        assert answer.content == whole[first:end]
        assert answer["Content-Range"].endswith(f"/{len(whole)}")
        assert int(answer["Content-Length"]) == len(answer.content)
    else:
        assert answer["Content-Type"].startswith("multipart/byteranges")
        assert [content for _, content in parts(answer)] == [whole[first:end] for first, end in wanted]


@pytest.mark.parametrize(
    "header",
    ["bytes=9-1", "bytes=-", "bytes=a-b", "bytes=99999999-", "bytes=-0", "bytes=" + "0-0," * 500, "bytes=٣-"],
)
def test_ranges_that_cant_be_are_416_with_the_length_that_there_is(
    film: Instance, admin: User, header: str
) -> None:
    answer = ask(admin, at(film, "/frames/1"), accept="application/octet-stream", Range=header)
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{2 * SIZE * SIZE}")
    assert answer.json()["detail"].endswith("from 0 on.")


def test_a_range_of_another_unit_or_of_what_has_changed_is_the_whole(film: Instance, admin: User) -> None:
    for headers in ({"Range": "frames=1-2"}, {"Range": "bytes=0-1", "If-Range": '"older"'}):
        answer = ask(admin, at(film, "/frames/1"), accept="application/octet-stream", **headers)
        assert (answer.status_code, len(answer.content)) == (200, 2 * SIZE * SIZE)
    overlapping = "bytes=0-,0-,0-"
    answer = ask(admin, at(film, "/frames/1"), accept="application/octet-stream", Range=overlapping)
    assert (answer.status_code, len(answer.content)) == (200, 2 * SIZE * SIZE)


def test_a_range_of_a_stored_film(film: Instance, admin: User) -> None:
    accept = "application/dicom; transfer-syntax=*"
    answer = ask(admin, at(film), accept=accept, Range="bytes=128-131")
    assert (answer.status_code, answer.content) == (206, b"DICM")
