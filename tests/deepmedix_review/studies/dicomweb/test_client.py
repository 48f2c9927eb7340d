"""dicomweb-client, a program that is not ours, finds and fetches films with its defaults, over a real
connection."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from dicomweb_client import DICOMwebClient
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian, HTJ2KLossless
from pytest_django.live_server_helper import LiveServer
from requests import HTTPError, Session

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies.models import Instance, Study
from deepmedix_review.studies.selectors import film_path
from inference.images import render_reference
from tests.deepmedix_review.studies.dicomweb.the_service import token_of
from tests.factories.accounts import AdminFactory, ResearcherFactory
from tests.factories.studies import store_phantom

pytestmark = pytest.mark.django_db(transaction=True)
SIZE = 64


@pytest.fixture
def films() -> list[Instance]:
    """Of one study of two films in two series, and of another one."""
    of_one = {"StudyInstanceUID": "1.2.3", "PatientID": "7", "IssuerOfPatientID": None}
    first = store_phantom(seed=1, size=SIZE, SeriesInstanceUID="1.2.3.1", **of_one)
    second = store_phantom(seed=2, size=SIZE, SeriesInstanceUID="1.2.3.2", **of_one)
    other = store_phantom(seed=3, size=SIZE)
    assert first.study == second.study != other.study
    return [first, second, other]


@pytest.fixture
def session() -> Iterator[Session]:
    """Closed at the end: the server waits for the next request of a connection that stays open."""
    with Session() as session:
        yield session


@pytest.fixture
def client(live_server: LiveServer, session: Session) -> DICOMwebClient:
    return client_of(ResearcherFactory.create(), live_server, session)


def client_of(user: User, live_server: LiveServer, session: Session) -> DICOMwebClient:
    token = {"Authorization": f"Bearer {token_of(user)}"}
    return DICOMwebClient(f"{live_server.url}/dicom-web", session, headers=token, chunk_size=1000)


def place(film: Instance) -> tuple[str, str, str]:
    return film.study.study_instance_uid, film.series.series_instance_uid, film.sop_instance_uid


def stored(film: Instance) -> Dataset:
    return dcmread(film_path(film))


def assert_same_film(fetched: Dataset, film: Instance) -> None:
    assert fetched.SOPInstanceUID == film.sop_instance_uid
    assert np.array_equal(fetched.pixel_array, stored(film).pixel_array)


def test_searches_with_filters_pages_and_fields(client: DICOMwebClient, films: list[Instance]) -> None:
    study = films[0].study.study_instance_uid
    assert len(client.search_for_studies()) == 2
    assert len(client.search_for_studies(limit=1)) == 1
    assert len(client.search_for_studies(limit=1, get_remaining=True)) == 2
    assert client.search_for_studies(offset=2) == []
    (found,) = client.search_for_studies(search_filters={"StudyInstanceUID": study}, fuzzymatching=True)
    assert Dataset.from_json(found).NumberOfStudyRelatedInstances == 2
    (found,) = client.search_for_studies(
        search_filters={"PatientID": films[2].study.patient_pseudonym[:8] + "*"}
    )
    assert Dataset.from_json(found).StudyInstanceUID == films[2].study.study_instance_uid
    assert len(client.search_for_series(study)) == 2
    assert len(client.search_for_series(search_filters={"Modality": films[0].series.modality})) == 3
    assert len(client.search_for_instances()) == 3
    assert len(client.search_for_instances(study, limit=1, offset=1)) == 1
    (found,) = client.search_for_instances(*place(films[1])[:2], fields=["PatientSex", "00180015"])
    assert Dataset.from_json(found).SOPInstanceUID == films[1].sop_instance_uid
    assert {"PatientSex", "BodyPartExamined"} <= {element.keyword for element in Dataset.from_json(found)}


def test_fetches_a_study_a_series_and_an_instance(client: DICOMwebClient, films: list[Instance]) -> None:
    study, series, instance = place(films[0])
    for fetched in (client.retrieve_study(study), list(client.iter_study(study))):
        assert len(fetched) == 2
        for dataset, film in zip(fetched, films, strict=False):
            assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
            assert_same_film(dataset, film)
    for fetched in (client.retrieve_series(study, series), list(client.iter_series(study, series))):
        assert len(fetched) == 1
        assert_same_film(fetched[0], films[0])
    assert_same_film(client.retrieve_instance(study, series, instance), films[0])
    as_stored = client.retrieve_instance(study, series, instance, media_types=(("application/dicom", "*"),))
    assert as_stored == stored(films[0])
    assert as_stored.file_meta.TransferSyntaxUID == HTJ2KLossless


def test_a_film_without_compression_says_the_same_as_the_stored_one(
    client: DICOMwebClient, films: list[Instance]
) -> None:
    plain, compressed = client.retrieve_instance(*place(films[0])), stored(films[0])
    del plain.PixelData, compressed.PixelData
    assert plain == compressed


def test_fetches_metadata_and_the_bulk_data_that_it_names(
    client: DICOMwebClient, films: list[Instance]
) -> None:
    study, series, instance = place(films[0])
    assert len(client.retrieve_study_metadata(study)) == 2
    (told,) = client.retrieve_series_metadata(study, series)
    assert told == client.retrieve_instance_metadata(study, series, instance)
    address = told["7FE00010"]["BulkDataURI"]
    header = Dataset.from_json(told, lambda tag, vr, uri: None)
    expected = stored(films[0])
    for element in expected:
        if element.keyword != "PixelData":
            assert header[element.tag] == element
    assert list(header.AvailableTransferSyntaxUID) == [HTJ2KLossless, ExplicitVRLittleEndian]
    whole = expected.pixel_array.tobytes()
    for fetch in (client.retrieve_bulkdata, client.iter_bulkdata):
        assert list(fetch(address)) == [whole]
        assert list(fetch(address, byte_range=(10, 29))) == [whole[10:30]]
        assert list(fetch(address, media_types=("application/octet-stream",))) == [whole]


def test_fetches_frames(client: DICOMwebClient, films: list[Instance]) -> None:
    pixels = stored(films[1]).pixel_array.tobytes()
    for fetch in (client.retrieve_instance_frames, client.iter_instance_frames):
        assert list(fetch(*place(films[1]), frame_numbers=[1])) == [pixels]
        assert list(fetch(*place(films[1]), frame_numbers=[1, 1])) == [pixels, pixels]
        asked = ("application/octet-stream", "1.2.840.10008.1.2.1")
        assert list(fetch(*place(films[1]), frame_numbers=[1], media_types=(asked,))) == [pixels]
    with pytest.raises(HTTPError, match="404"):
        client.retrieve_instance_frames(*place(films[1]), frame_numbers=[2])


def test_fetches_the_picture_that_the_reading_room_shows(
    client: DICOMwebClient, films: list[Instance]
) -> None:
    expected = render_reference(film_path(films[0]))
    drawn = client.retrieve_instance_rendered(*place(films[0]), media_types=("image/png",))
    assert np.array_equal(np.asarray(Image.open(BytesIO(drawn))), expected)
    for fetched in (
        client.retrieve_instance_rendered(*place(films[0])),
        client.retrieve_instance_frames_rendered(*place(films[0]), frame_numbers=[1]),
    ):
        picture = Image.open(BytesIO(fetched))
        assert picture.format == "JPEG"
        assert np.abs(np.asarray(picture).astype(int) - expected).mean() < 3
    small = client.retrieve_instance_rendered(
        *place(films[0]), media_types=("image/png",), params={"viewport": "32,16"}
    )
    assert Image.open(BytesIO(small)).size == (16, 16)


def test_what_was_fetched_is_on_the_record_film_by_film(
    client: DICOMwebClient, films: list[Instance]
) -> None:
    client.retrieve_study(films[0].study.study_instance_uid)
    events = AuditEvent.objects.filter(action="view_film").order_by("sequence")
    assert [event.subject_uid for event in events] == [str(films[0].uid), str(films[1].uid)]
    assert all("by_token" in event.details for event in events)


@pytest.mark.parametrize("state", [Study.State.HELD, Study.State.UNSEEN, Study.State.REJECTED])
def test_what_is_out_of_use_leaves_for_nobody(
    live_server: LiveServer, session: Session, films: list[Instance], state: str
) -> None:
    Study.objects.update(state=state)
    client = client_of(AdminFactory.create(), live_server, session)
    study, series, instance = place(films[0])
    assert client.search_for_studies() == []
    asked: list[Callable[[], object]] = [
        lambda: client.retrieve_study(study),
        lambda: client.retrieve_series(study, series),
        lambda: client.retrieve_instance(study, series, instance),
        lambda: client.retrieve_study_metadata(study),
        lambda: client.retrieve_instance_metadata(study, series, instance),
        lambda: client.retrieve_instance_frames(study, series, instance, [1]),
        lambda: client.retrieve_instance_rendered(study, series, instance),
        lambda: client.retrieve_bulkdata(
            f"{live_server.url}/dicom-web/studies/{study}/series/{series}/instances/{instance}/bulkdata/7FE00010"
        ),
    ]
    for ask in asked:
        with pytest.raises(HTTPError, match="404"):
            ask()


def test_a_folder_without_the_film_is_said(client: DICOMwebClient, films: list[Instance]) -> None:
    Path(film_path(films[0])).unlink()
    with pytest.raises(HTTPError, match="410"):
        client.retrieve_study(films[0].study.study_instance_uid)
