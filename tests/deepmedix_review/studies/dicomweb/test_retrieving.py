"""Films over DICOMweb leave in the form that is asked for, or it is said what can be had."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils.http import urlencode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pytest_django.fixtures import Settings

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies.dicomweb.film_file import read_film_file
from deepmedix_review.studies.dicomweb.unpacking import FrameUnpacker
from deepmedix_review.studies.models import Instance, Study
from deepmedix_review.studies.picture_views import record_picture_views
from deepmedix_review.studies.selectors import film_path
from inference.images import render_reference, render_values
from inference.shading import Look
from tests.deepmedix_review.studies.dicomweb.the_service import SIZE, ask, at, body, parts
from tests.factories.studies import receive, store_phantom, write_film

pytestmark = pytest.mark.django_db
PLAIN, STORED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.201"


def pixels(film: Instance) -> bytes:
    return dcmread(film_path(film)).pixel_array.tobytes()


FORMS = [
    ("", "*/*", "multipart/related", "application/dicom", PLAIN),
    ("", "multipart/related", "multipart/related", "application/dicom", PLAIN),
    ("", 'multipart/related; type="application/dicom"', "multipart/related", "application/dicom", PLAIN),
    (
        "",
        "multipart/related; type=application/dicom; transfer-syntax=*",
        "multipart/related",
        "application/dicom",
        STORED,
    ),
    ("", "application/dicom", "application/dicom", "application/dicom", PLAIN),
    ("", "application/dicom; transfer-syntax=*", "application/dicom", "application/dicom", STORED),
    ("", f"application/dicom; transfer-syntax={STORED}", "application/dicom", "application/dicom", STORED),
    ("", "application/*;q=0.5, image/png", "application/dicom", "application/dicom", PLAIN),
    ("/frames/1", "*/*", "multipart/related", "application/octet-stream", PLAIN),
    ("/frames/1", 'multipart/related; type="*/*"', "multipart/related", "application/octet-stream", PLAIN),
    ("/frames/1", 'multipart/related; type="image/*"', "multipart/related", "image/jphc", STORED),
    ("/frames/1", 'multipart/related; type="image/jphc"', "multipart/related", "image/jphc", STORED),
    ("/frames/1", "image/jphc", "image/jphc", "image/jphc", STORED),
    ("/frames/1", "application/octet-stream", "application/octet-stream", "application/octet-stream", PLAIN),
    (
        "/frames/1",
        "multipart/related; type=application/octet-stream; transfer-syntax=*",
        "multipart/related",
        "application/octet-stream",
        STORED,
    ),
    (
        "/frames/1",
        'multipart/related; type="image/jls", multipart/related; type="image/jphc";q=0.2',
        "multipart/related",
        "image/jphc",
        STORED,
    ),
    ("/frames/1", "application/octet-stream;q=0.1, image/jphc;q=0.9", "image/jphc", "image/jphc", STORED),
    (
        "/frames/1",
        'multipart/related; type="application/octet-stream";q=0, multipart/related',
        "multipart/related",
        "image/jphc",
        STORED,
    ),
    ("/bulkdata/7FE00010", "*/*", "multipart/related", "application/octet-stream", PLAIN),
    (
        "/bulkdata/7fe00010",
        "application/octet-stream",
        "application/octet-stream",
        "application/octet-stream",
        PLAIN,
    ),
]


@pytest.mark.parametrize(("rest", "accept", "outer", "inner", "syntax"), FORMS)
def test_a_film_leaves_in_the_form_that_is_asked_for(
    film: Instance, admin: User, rest: str, accept: str, outer: str, inner: str, syntax: str
) -> None:
    answer = ask(admin, at(film, rest), accept=accept)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].split(";")[0] == outer
    if outer == "multipart/related":
        assert f'type="{inner}"' in answer["Content-Type"]
        ((headers, content),) = parts(answer)
        assert f"Content-Type: {inner}; transfer-syntax={syntax}" in headers
    else:
        assert answer["Content-Type"] == f"{inner}; transfer-syntax={syntax}"
        content = body(answer)
    stored = film_path(film).read_bytes()
    if inner == "application/dicom":
        sent = dcmread(BytesIO(content))
        assert sent.file_meta.TransferSyntaxUID == syntax
        assert sent.pixel_array.tobytes() == pixels(film)
        assert (content == stored) is (syntax == STORED)
    elif syntax == PLAIN:
        assert content == pixels(film)
    else:
        assert content.startswith(b"\xff\x4f")
        assert content in stored


@pytest.mark.parametrize(
    ("rest", "accept", "told"),
    [
        ("", "image/png", 'multipart/related; type="application/dicom"'),
        ("", "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50", f"transfer-syntax={STORED}"),
        ("", 'multipart/related; type="application/dicom+xml"', "application/dicom"),
        ("/frames/1", "image/jpeg", "image/jphc"),
        ("/frames/1", "image/jphc; transfer-syntax=1.2.840.10008.1.2.1", "image/jphc"),
        ("/rendered", "application/dicom", "image/jpeg; or as image/png"),
        ("/rendered", "image/gif", "image/jpeg; or as image/png"),
        ("/metadata", 'multipart/related; type="application/dicom+xml"', "application/dicom+json"),
        ("/thumbnail", "text/html", "image/png"),
    ],
)
def test_what_cant_be_had_says_what_can(
    film: Instance, admin: User, rest: str, accept: str, told: str
) -> None:
    answer = ask(admin, at(film, rest), accept=accept)
    assert (answer.status_code, told in answer.json()["detail"]) == (406, True), answer.content


@pytest.mark.parametrize(
    ("rest", "accept"),
    [
        ("", "*/*"),
        ("", "application/dicom"),
        ("", "application/dicom; transfer-syntax=*"),
        ("/metadata", "*/*"),
        ("/frames/1", "*/*"),
        ("/frames/1,1", "*/*"),
        ("/rendered", "image/png"),
        ("/thumbnail", "image/png"),
        ("/bulkdata/7FE00010", "*/*"),
    ],
)
def test_what_the_client_has_is_not_sent_again_and_each_form_is_another(
    film: Instance, admin: User, rest: str, accept: str
) -> None:
    answer = ask(admin, at(film, rest), accept=accept)
    body(answer)
    assert answer["Cache-Control"] == "private, no-cache"
    assert {"Accept", "Authorization", "Cookie"} <= set(answer["Vary"].split(", "))
    again = ask(admin, at(film, rest), accept=accept, **{"If-None-Match": answer["ETag"]})
    assert (again.status_code, body(again), again["ETag"]) == (304, b"", answer["ETag"])
    other = ask(admin, at(film, "/frames/1"), accept="image/jphc", **{"If-None-Match": answer["ETag"]})
    assert (other.status_code, other["ETag"] != answer["ETag"]) == (200, True)


def test_the_same_answer_has_the_same_bytes(film: Instance, admin: User) -> None:
    first, second = (body(ask(admin, at(film))) for _ in range(2))
    assert first == second


def test_a_study_is_sent_film_by_film_each_on_the_record_before_it_leaves(admin: User) -> None:
    """However many films it has, one of them is in memory, and what was not sent is not on the record."""
    of_one = {"StudyInstanceUID": "1.2.3", "PatientID": "7", "IssuerOfPatientID": None}
    films = [store_phantom(seed=seed, size=SIZE, **of_one) for seed in (1, 2)]
    events = AuditEvent.objects.filter(action="view_film")
    for accept in ("*/*", "multipart/related; type=application/dicom; transfer-syntax=*"):
        before = events.count()
        answer = ask(admin, f"studies/{films[0].study.study_instance_uid}", accept=accept)
        assert events.count() == before
        sent = iter(answer.streaming_content)
        next(sent)
        assert events.count() == before + 1
        assert b"".join(sent).count(b"application/dicom; transfer-syntax=") == 1
        assert events.count() == before + 2


def test_each_frame_of_several_is_sent_alone_and_in_lists(admin: User, tmp_path: Path) -> None:
    source = dcmread(write_film(tmp_path / "film.dcm", size=SIZE))
    pictures = [source.PixelData, bytes(reversed(source.PixelData))]
    source.NumberOfFrames, source.PixelData = 2, b"".join(pictures)
    source.BitsStored, source.HighBit = 16, 15
    source.save_as(tmp_path / "two.dcm")
    film = receive(tmp_path / "two.dcm").instance
    assert film is not None
    # Such a film is held, and only an earlier version let one in.
    Study.objects.update(state=Study.State.READY)
    for frames, wanted in (("1", [0]), ("2", [1]), ("2,1", [1, 0]), ("1,2,2", [0, 1, 1])):
        found = [content for _, content in parts(ask(admin, at(film, f"/frames/{frames}")))]
        assert found == [pictures[one] for one in wanted]
    ((_, whole),) = parts(ask(admin, at(film)))
    assert dcmread(BytesIO(whole)).PixelData == b"".join(pictures)
    assert ask(admin, at(film, "/frames/1,2"), accept="application/octet-stream").status_code == 406
    first, second = (body(ask(admin, at(film, f"/frames/{n}/rendered"))) for n in (1, 2))
    assert first == body(ask(admin, at(film, "/rendered"))) != second
    assert "has 2 frames" in ask(admin, at(film, "/frames/3")).json()["detail"]


def test_nginx_sends_a_stored_film_itself(film: Instance, admin: User, settings: Settings) -> None:
    settings.FILM_SERVER = "nginx"
    for headers in ({}, {"Range": "bytes=0-1"}):
        answer = ask(admin, at(film), accept="application/dicom; transfer-syntax=*", **headers)
        assert (answer["X-Accel-Redirect"], answer.content) == (f"/films/{film.file_path}", b"")
    assert body(ask(admin, at(film), accept="application/dicom"))


def test_head_tells_of_an_answer_without_making_it(film: Instance, admin: User) -> None:
    client = Client()
    client.force_login(admin)
    for rest in ("", "/metadata", "/frames/1", "/rendered"):
        whole = client.get(f"/dicom-web/{at(film, rest)}")
        body(whole)
        answer = client.head(f"/dicom-web/{at(film, rest)}")
        assert (answer.status_code, body(answer), answer["ETag"]) == (200, b"", whole["ETag"])


@pytest.mark.parametrize(
    ("rest", "status", "sentence"),
    [
        ("/frames/0", 400, "numbers from 1 on"),
        ("/frames/one", 400, "numbers from 1 on"),
        ("/frames/1,,1", 400, "numbers from 1 on"),
        ("/frames/-1", 400, "numbers from 1 on"),
        ("/frames/٣", 400, "numbers from 1 on"),
        ("/frames/" + ",".join(["1"] * 1001), 400, "up to 1000"),
        ("/frames/2", 404, "has 1 frame; there is no frame 2"),
        ("/frames/1,99999", 404, "no frame 99999"),
        ("/frames/1,1/rendered", 400, "of one frame"),
        ("/frames/2/rendered", 404, "no frame 2"),
        ("/bulkdata/00100010", 404, "no bulk data"),
        ("/bulkdata/7FE00010/0", 404, "no bulk data"),
        ("/bulkdata/../../etc/passwd", 404, "no bulk data"),
        ("?annotation=patient", 400, "no parameter"),
        ("/rendered?annotation=patient", 400, "There are: window, viewport, quality"),
        ("/rendered?window=1", 400, "window is CENTER,WIDTH"),
        ("/rendered?window=1,2,cubic", 400, "window is CENTER,WIDTH"),
        ("/rendered?window=nan,2,linear", 400, "window is CENTER,WIDTH"),
        ("/rendered?window=1,1e99999,linear", 400, "window is CENTER,WIDTH"),
        ("/rendered?window=1,0,sigmoid", 400, "too small"),
        ("/rendered?window=1,-5,linear", 400, "too small"),
        ("/rendered?window=1,2,linear,3", 400, "window is CENTER,WIDTH"),
        ("/rendered?window=1,2&window=1,2", 400, "given twice"),
        ("/rendered?viewport=0,10", 400, "1 to 8192"),
        ("/rendered?viewport=99999,99999", 400, "1 to 8192"),
        ("/rendered?viewport=10", 400, "viewport is WIDTH,HEIGHT"),
        ("/rendered?viewport=10,10,1", 400, "viewport is WIDTH,HEIGHT"),
        ("/rendered?viewport=a,b", 400, "viewport is WIDTH,HEIGHT"),
        ("/rendered?viewport=10,10,64,0,,", 400, "begins outside"),
        ("/rendered?viewport=10,10,-1,0,,", 400, "begins outside"),
        ("/rendered?viewport=10,10,0,0,0,0", 400, "no size"),
        ("/rendered?quality=0", 400, "1 to 100"),
        ("/rendered?quality=best", 400, "1 to 100"),
        ("/thumbnail?window=1,2", 400, "There are: viewport, quality"),
    ],
)
def test_what_cant_be_fetched_is_refused_in_a_sentence(
    film: Instance, admin: User, rest: str, status: int, sentence: str
) -> None:
    answer = ask(admin, at(film, rest))
    assert (answer.status_code, sentence in answer.json()["detail"]) == (status, True), answer.content


@pytest.mark.parametrize(
    "address",
    ["studies/x", "studies/1..2/metadata", "studies/1/series/x", "studies/1/series/2/instances/%00"],
)
def test_an_address_with_what_is_no_uid_is_refused(admin: User, address: str) -> None:
    answer = ask(admin, address)
    assert (answer.status_code, "no UID" in answer.json()["detail"]) == (400, True)


def test_windows_and_viewports_are_drawn_as_asked(film: Instance, admin: User) -> None:
    dataset = dcmread(film_path(film))

    def drawn(**parameters: str) -> Any:
        answer = ask(admin, at(film, f"/rendered?{urlencode(parameters)}"), accept="image/png")
        assert answer.status_code == 200, answer.content
        return np.asarray(Image.open(BytesIO(answer.content)))

    reference = render_reference(film_path(film))
    for name, curve in (("linear", "LINEAR"), ("linear-exact", "LINEAR_EXACT"), ("sigmoid", "SIGMOID")):
        look = Look("", 1500, 700, curve)  # type: ignore[arg-type]
        wanted = render_values(dataset.pixel_array, dataset, look=look)
        assert np.array_equal(drawn(window=f"1500,700,{name}"), wanted)
    assert drawn(viewport="32,48").shape == (32, 32)
    assert drawn(viewport="128,128").shape == (128, 128)
    assert np.array_equal(drawn(viewport="10,20,5,7,10,20"), reference[7:27, 5:15])
    assert np.array_equal(drawn(viewport="64,64,0,0,-64,64"), reference[:, ::-1])
    assert np.array_equal(drawn(viewport="64,64,,,,-64"), reference[::-1])
    worse = ask(admin, at(film, "/rendered?quality=5"))
    assert len(worse.content) < len(ask(admin, at(film, "/rendered?quality=95")).content)


def test_small_pictures_of_a_film_its_series_and_its_study(film: Instance, admin: User) -> None:
    study, series = film.study.study_instance_uid, film.series.series_instance_uid
    for address in (at(film), f"studies/{study}", f"studies/{study}/series/{series}"):
        answer = ask(admin, f"{address}/thumbnail?viewport=32,32")
        assert Image.open(BytesIO(answer.content)).size == (32, 32)
    record_picture_views()


def test_tables_leave_the_metadata_and_are_fetched_by_their_address(admin: User) -> None:
    table = b"".join(value.to_bytes(2, "little") for value in range(0, 65536, 16))
    item = Dataset()
    item.add(DataElement("LUTDescriptor", "US", [4096, 0, 16]))
    item.add(DataElement("LUTData", "OW", table))
    film = store_phantom(size=SIZE, VOILUTSequence=[item])
    (row,) = json.loads(body(ask(admin, at(film, "/metadata"))))
    told = Dataset.from_json(row, lambda tag, vr, uri: uri.encode())
    address = told.VOILUTSequence[0].LUTData.decode()
    assert address.endswith("/bulkdata/00283010/0/00283006")
    answer = ask(
        admin, address.removeprefix("http://testserver/dicom-web/"), accept="application/octet-stream"
    )
    assert answer.content == table


def test_a_damaged_film_is_said_and_its_process_ended(film: Instance, admin: User) -> None:
    path = film_path(film)
    whole = path.read_bytes()
    start = whole.index(b"\xff\x4f\xff\x51")
    path.write_bytes(whole[:start] + b"\0" * (len(whole) - start))
    for rest in ("/frames/1", "/rendered"):
        answer = ask(admin, at(film, rest))
        assert (answer.status_code, "damaged" in answer.json()["detail"]) == (410, True)


def test_a_process_that_takes_too_long_is_ended(film: Instance, admin: User, settings: Settings) -> None:
    settings.DECODER_SECONDS = 0
    answer = ask(admin, at(film, "/frames/1"))
    assert (answer.status_code, "damaged" in answer.json()["detail"]) == (410, True)


def test_one_process_unpacks_all_the_films_of_an_answer(film: Instance) -> None:
    file = read_film_file(film_path(film))
    with FrameUnpacker() as unpacker:
        first = file.pixels(0, unpacker)
        process = unpacker._process
        assert file.pixels(0, unpacker) == first == pixels(film)
        assert unpacker._process is process is not None
    assert process.returncode is not None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    accept=st.text(max_size=60)
    | st.from_regex(r"\A[a-z*]{1,9}/[a-z*+]{1,9}(;(q|type|transfer-syntax)=[0-9.*\"a-z/]{0,9}){0,3}\Z")
)
def test_no_accept_breaks_a_search(admin: User, accept: str) -> None:
    assert ask(admin, f"studies?{urlencode({'accept': accept})}").status_code in (204, 406)
