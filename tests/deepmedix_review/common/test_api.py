"""A program gets JSON for whatever it asks below /api/, also where Django would answer a page."""

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.factories.accounts import AdminFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(AdminFactory.create())
    return client


@pytest.mark.parametrize("address", ["/api/", "/api/nothing/", "/api/studies/no-uid/"])
def test_an_address_that_is_none_is_refused_in_json(client: Client, address: str) -> None:
    for answer in (client.get(address), client.post(address), client.delete(address)):
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
        assert "/api/schema/" in answer.json()["detail"]
    assert Client().get(address).status_code == 401


def test_what_stands_in_an_address_that_is_none_is_not_logged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/api/studies/DOE-JANE/").status_code == 404
    assert "DOE" not in caplog.text


def test_an_address_without_its_slash_still_leads_to_the_one_that_has_it(client: Client) -> None:
    assert client.get("/api/studies")["Location"] == "/api/studies/"


def test_what_is_too_much_for_one_request_is_told_in_json(client: Client, settings: LazySettings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 64
    films = [SimpleUploadedFile(f"{number}.dcm", b"film") for number in range(3)]
    answer = client.post("/api/studies/", {"files": films})
    assert (answer.status_code, "at most 2 files" in answer.json()["detail"]) == (400, True)
    answer = client.post("/api/studies/", {"a": "1", "b": "2", "c": "3"})
    assert (answer.status_code, "at most 2 fields" in answer.json()["detail"]) == (400, True)
    body = {"study": "0" * 64}
    answer = client.post("/api/erasures/preview/", body, content_type="application/json")
    assert (answer.status_code, "at most 64 bytes" in answer.json()["detail"]) == (413, True)
