"""`manage.py pull_from_pacs` searches and fetches over a connection, also from a PACS that misbehaves."""

import logging
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies.models import ImportItem, Instance, Study
from tests.deepmedix_review.studies.dicomweb.the_service import token_of
from tests.deepmedix_review.studies.pulling.a_pacs import PATIENT, TOKEN, Pacs, name_source
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.studies import store_phantom

pytestmark = pytest.mark.django_db(transaction=True)


def pull(*words: str) -> str:
    out = StringIO()
    call_command("pull_from_pacs", "main", *words, stdout=out)
    return out.getvalue()


def fails(*words: str) -> str:
    """What is printed where films failed and others did not."""
    out = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("pull_from_pacs", "main", *words, stdout=out)
    return out.getvalue()


def test_radiographs_come_in_and_are_not_fetched_again(pacs: Pacs):
    admin = AdminFactory.create()
    told = pull("--import", "--actor", admin.username)
    assert "2 studies found, 0 here" in told
    assert "3 films: 3 accepted" in told
    assert sorted(pacs.fetched) == ["1.2.3.1.9", "1.2.3.2.9", "1.2.4.4.9"]
    again = pull("--import", "--actor", admin.username)
    assert "2 studies found, 2 here" in again
    assert "3 films: 0 accepted, 0 held, 0 duplicate, 3 known" in again
    assert len(pacs.fetched) == 3
    assert (Study.objects.count(), Instance.objects.count()) == (2, 3)


def test_a_search_alone_fetches_nothing(pacs: Pacs):
    told = pull("--modality", "DX", "--since", "2026-01-01", "--limit", "1")
    assert "1 study found" in told
    assert "--offset 1" in told
    assert pacs.searched[0]["StudyDate"] == ["20260101-"]
    assert pacs.searched[0]["ModalitiesInStudy"] == ["DX"]
    assert "1 study found" in pull("--offset", "1")
    assert pacs.fetched == []


def test_whom_was_searched_for_stands_nowhere(
    pacs: Pacs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG, logger="root")
    monkeypatch.setattr("builtins.input", lambda prompt: PATIENT)
    told = pull("--patient-id", "--import")
    assert pacs.searched[0]["PatientID"] == [PATIENT]
    events = list(
        AuditEvent.objects.filter(action__in=("search_pacs", "pull_from_pacs")).order_by("sequence")
    )
    assert [event.action for event in events] == ["search_pacs", "pull_from_pacs"]
    assert events[0].details["searched_by"] == ["PatientID"]
    assert events[1].details["accepted"] == 3
    written = told + caplog.text + str(list(AuditEvent.objects.values_list("details", flat=True)))
    written += str(list(ImportItem.objects.values_list("file_name", "reason")))
    for secret in (PATIENT, TOKEN, "1.2.3"):
        assert secret not in written


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("cut", "broke off"),
        ("short", "broke off"),
        ("html", "no DICOM file"),
        ("two", "more than one film"),
        ("missing", "404"),
    ],
)
def test_a_film_that_fails_stops_no_other_and_comes_in_later(pacs: Pacs, fault: str, sentence: str):
    pacs.faults["1.2.3.1.9"] = fault
    told = fails("--import")
    assert sentence in told
    assert "2 accepted, 0 held, 0 duplicate, 0 known, 0 refused, 1 failed" in told
    pacs.faults.clear()
    assert "1 accepted, 0 held, 0 duplicate, 2 known" in pull("--import")


@pytest.mark.parametrize(
    ("status", "sentence"), [(403, "refuses the account"), (302, "not followed"), (500, "status 500")]
)
def test_a_pacs_that_answers_nobody_says_the_way_out(pacs: Pacs, status: int, sentence: str):
    pacs.answer = status
    with pytest.raises(CommandError, match=sentence):
        pull("--import")


def test_a_wrong_token_is_told(pacs: Pacs, tmp_path: Path, settings: Settings):
    name_source(tmp_path, settings, f'url = "{pacs.url}"\ntoken = "another"')
    with pytest.raises(CommandError, match="401"):
        pull()


def test_where_nothing_listens_the_way_out_is_told(tmp_path: Path, settings: Settings):
    name_source(tmp_path, settings, 'url = "http://127.0.0.1:1/dicom-web"')
    with pytest.raises(CommandError, match="can't be reached"):
        pull()


def test_a_pacs_without_pages_is_read_once(pacs: Pacs):
    pacs.pages = False
    assert "3 films: 3 accepted" in pull("--import")
    assert len(pacs.fetched) == 3


def test_who_may_not_import_searches_nothing(pacs: Pacs):
    with pytest.raises(CommandError, match="may not"):
        pull("--actor", ExpertFactory.create().username)
    assert pacs.searched == []


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ('url = "ftp://pacs"', "no plain url"),
        ('url = "https://me:secret@pacs"', "no plain url"),
        ('url = "https://pacs"\nuser = "me"', "needs a token"),
        ('url = "https://pacs"\ncolour = "red"', "not known: colour"),
        ("url = 7", "no table of texts"),
        ("url = ", "can't be read"),
    ],
)
def test_a_wrong_file_of_sources_is_told(tmp_path: Path, settings: Settings, told: str, sentence: str):
    name_source(tmp_path, settings, told)
    with pytest.raises(CommandError, match=sentence):
        pull()


def test_a_file_of_sources_that_others_can_read_is_refused(pacs: Pacs, settings: Settings):
    Path(settings.PACS_SOURCES).chmod(0o644)
    with pytest.raises(CommandError, match="chmod 600"):
        pull()
    assert pacs.searched == []


def test_no_other_pacs_is_asked(settings: Settings):
    settings.PACS_SOURCES = ""
    with pytest.raises(CommandError, match="names these: none"):
        pull()


def test_another_platform_is_a_pacs(live_server: LiveServer, tmp_path: Path, settings: Settings):
    """It is this one here, so that each picture is known once it has come."""
    store_phantom(seed=1)
    token = token_of(ResearcherFactory.create())
    name_source(tmp_path, settings, f'url = "{live_server.url}/dicom-web"\ntoken = "{token}"')
    assert "1 film: 0 accepted, 0 held, 1 duplicate" in pull("--import", "--modality", "DX")
