"""Messages of many parts: whatever their pieces, their edges and their faults."""

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepmedix_review.studies.dicomweb.multipart_reading import (
    MessageLimits,
    MessageOfOtherKind,
    MessageRefused,
    MessageTooLarge,
    read_message,
)

LIMITS = MessageLimits(max_bytes=1024**2, max_parts=20, max_part_bytes=100_000)
HEADER = 'multipart/related; type="application/dicom"; boundary="{}"'


def read(
    body: bytes,
    folder: Path,
    *,
    content_type: str = HEADER.format("edge"),
    limits: MessageLimits = LIMITS,
    declared: int | None = None,
    most_at_once: int = 1 << 20,
) -> list[bytes]:
    source = io.BytesIO(body)
    files = read_message(content_type).read_files(
        lambda wanted: source.read(min(wanted, most_at_once)),
        declared_bytes=declared,
        limits=limits,
        folder=folder,
    )
    return [file.path.read_bytes() for file in files]


def message(
    *parts: bytes, boundary: bytes = b"edge", head: bytes = b"Content-Type: application/dicom"
) -> bytes:
    packed = b"".join(b"\r\n--%b\r\n%b\r\n\r\n%b" % (boundary, head, part) for part in parts)
    return packed + b"\r\n--%b--\r\n" % boundary


@given(
    parts=st.lists(st.binary(max_size=300), min_size=1, max_size=5),
    most_at_once=st.integers(1, 50),
    preamble=st.sampled_from([b"", b"a word before"]),
)
def test_parts_come_out_as_they_went_in_however_the_pieces_fall(
    tmp_path_factory, parts, most_at_once, preamble
):
    parts = [part.replace(b"\r\n--edge", b"") for part in parts]
    folder = tmp_path_factory.mktemp("parts")
    assert read(preamble + message(*parts), folder, most_at_once=most_at_once) == parts


@pytest.mark.parametrize("most_at_once", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    "content", [b"\r\n--edg", b"\r\n--edges\r\n", b"\r\n--", b"--edge\r\n", b"\r\n\r\n\r"]
)
def test_what_only_looks_like_an_edge_is_content(tmp_path, content, most_at_once):
    assert read(message(content, b"next"), tmp_path, most_at_once=most_at_once) == [content, b"next"]


@pytest.mark.parametrize(
    "content_type",
    [
        HEADER.format("edge"),
        "multipart/related; type=application/dicom; boundary=edge",
        "Multipart/Related; boundary=edge; TYPE=Application/DICOM; start=x",
        "multipart/related; boundary=edge",
    ],
)
def test_a_boundary_may_be_quoted_or_not(tmp_path, content_type):
    body = b"--edge  \r\n\r\none\r\n--edge\r\ncontent-type: Application/DICOM; transfer-syntax=*\r\n\r\ntwo"
    body += b"\r\n--edge--"
    assert read(body + b"and words after", tmp_path, content_type=content_type) == [b"one", b"two"]


def test_a_boundary_as_long_as_orthancs_is_taken(tmp_path):
    edge = "-".join(2 * ["f6dba50b-578a-4456-89c6-ef2987db10b3"])
    sent = message(b"one", b"two", boundary=edge.encode())
    assert read(sent, tmp_path, content_type=HEADER.format(edge)) == [b"one", b"two"]


def test_one_film_may_come_alone(tmp_path):
    assert read(b"film", tmp_path, content_type="application/dicom", declared=4) == [b"film"]
    with pytest.raises(MessageRefused, match="cut off"):
        read(b"film", tmp_path, content_type="application/dicom", declared=5)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("", MessageOfOtherKind),
        ("multipart/form-data; boundary=edge", MessageOfOtherKind),
        ("image/png", MessageOfOtherKind),
        ('multipart/related; type="application/dicom+json"; boundary=edge', MessageOfOtherKind),
        ('multipart/related; type="application/dicom"', MessageRefused),
        (HEADER.format(""), MessageRefused),
        (HEADER.format("x" * 201), MessageRefused),
        (HEADER.format("ends with space "), MessageRefused),
        (HEADER.format("a*b"), MessageRefused),
    ],
)
def test_another_kind_of_message_is_refused_by_its_header(content_type, kind):
    with pytest.raises(MessageRefused) as refusal:
        read_message(content_type)
    assert type(refusal.value) is kind


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no edge at all" * 100,
        message(b"film")[:-9],
        message(b"film")[: len(message(b"film")) // 2],
        b"--edge--",
        b"--edge\r\nno colon\r\n\r\nfilm\r\n--edge--",
        b"--edge\r\nContent-Type: application/dicom\r\n--edge--",
        b"--edge\r\nx: " + b"y" * 10_000 + b"\r\n\r\nfilm\r\n--edge--",
        b"--edge\n\nfilm\n--edge--",
        message(b"film", head=b"Content-Length: 3"),
        message(b"film", head=b"Content-Length: many"),
        message(b"film", boundary=b"other"),
    ],
)
def test_a_broken_message_is_refused_whole(tmp_path, body):
    with pytest.raises(MessageRefused) as refusal:
        read(body, tmp_path)
    assert type(refusal.value) is MessageRefused


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: image/png",
        b"Content-Type: multipart/mixed; boundary=inner",
        b"Content-Type: application/dicom\r\nContent-Transfer-Encoding: base64",
    ],
)
def test_a_part_of_another_kind_is_refused(tmp_path, head):
    with pytest.raises(MessageOfOtherKind, match="Part 1 is not said to be"):
        read(message(b"film", head=head), tmp_path)


def test_no_message_is_larger_than_the_limits(tmp_path):
    with pytest.raises(MessageTooLarge, match="more than 20 parts"):
        read(message(*[b""] * 100_000), tmp_path)
    assert len(list(tmp_path.glob("[0-9]*"))) == 20
    with pytest.raises(MessageTooLarge, match="larger than 1 MB"):
        read(message(bytes(2 * 1024**2)), tmp_path)
    with pytest.raises(MessageTooLarge, match="larger than 1 MB"):
        read(b"", tmp_path, declared=2 * 1024**2)
    large, small = read(message(bytes(200_000), b"small"), tmp_path)
    assert (len(large), small) == (LIMITS.max_part_bytes + 1, b"small")


@pytest.mark.parametrize("most_at_once", [1 << 20, 300_007])
def test_a_film_that_is_kept_and_written_while_it_comes_is_whole(tmp_path, most_at_once):
    film = os.urandom(5 * 1024**2 + 11)
    limits = MessageLimits(max_bytes=1 << 24, max_parts=2, max_part_bytes=1 << 23)
    source = io.BytesIO(message(film, film[::-1]))
    files = read_message(HEADER.format("edge")).read_files(
        lambda wanted: source.read(min(wanted, most_at_once)),
        declared_bytes=None,
        limits=limits,
        folder=tmp_path,
        is_kept=True,
    )
    assert [file.path.read_bytes() for file in files] == [film, film[::-1]]


def test_a_connection_that_breaks_is_a_message_cut_off():
    def broken(_: int) -> bytes:
        raise ConnectionResetError

    with pytest.raises(MessageRefused, match="cut off"):
        read_message(HEADER.format("edge")).read_files(
            broken, declared_bytes=None, limits=LIMITS, folder=Path(os.devnull)
        )
