"""An admin, or a program, searches a PACS, chooses, and sees what became of each study."""

import logging
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.studies.models import FilmToPull, PacsPull, Study, StudyToPull
from deepmedix_review.studies.pulling import pulls
from deepmedix_review.studies.pulling.client import StudyQuery
from deepmedix_review.studies.tasks import run_pacs_pull, start_pull
from tests.deepmedix_review.studies.dicomweb.the_service import token_of
from tests.deepmedix_review.studies.pulling.a_pacs import DATE, PATIENT, Pacs, name_source
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.studies import failed_pull

pytestmark = pytest.mark.django_db
SEARCH = {"source": "main", "patient_id": PATIENT}
RAW = ("1.2.3", "1.2.4", DATE)


@pytest.fixture
def admin(client: Client) -> User:
    admin = AdminFactory.create()
    client.force_login(admin)
    return admin


def page_of(client: Client, address: str, *args: Any) -> str:
    answer = client.get(reverse(address, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_a_pacs_the_page_says_how_one_is_named(
    admin: User, client: Client, settings: Settings
) -> None:
    settings.PACS_SOURCES = ""
    assert reverse("pacs-search") in page_of(client, "study-import")
    page = page_of(client, "pacs-search")
    assert "No PACS is named here yet" in page
    assert "PACS_SOURCES" in page
    assert "<form" not in page.split("<main")[1]
    assert client.get(reverse("api-pacs-source-list")).json() == []


def test_a_file_that_can_not_be_used_is_told(admin: User, client: Client, pacs: Pacs, settings: Any) -> None:
    Path(settings.PACS_SOURCES).chmod(0o644)
    assert "chmod 600" in page_of(client, "pacs-search")
    answer = client.get(reverse("api-pacs-source-list"))
    assert (answer.status_code, "chmod 600" in answer.json()["detail"]) == (409, True)


def test_one_that_can_not_be_reached_says_so_and_keeps_what_was_asked(
    admin: User, client: Client, tmp_path: Path, settings: Settings
) -> None:
    name_source(tmp_path, settings, 'url = "http://127.0.0.1:1/dicom-web"')
    answer = client.post(reverse("pacs-search"), SEARCH)
    page = answer.content.decode()
    assert "The PACS can&#x27;t be reached" in page
    assert PATIENT in page
    assert "no-store" in answer["Cache-Control"]
    refused = client.post(reverse("api-pacs-pull-list"), SEARCH, content_type="application/json")
    assert (refused.status_code, "can't be reached" in refused.json()["detail"]) == (409, True)
    assert not PacsPull.objects.exists()


def test_what_is_found_is_ticked_and_comes_in(admin: User, client: Client, pacs: Pacs) -> None:
    page = client.post(reverse("pacs-search"), SEARCH).content.decode()
    assert "2 studies found in main" in page
    assert "17 Apr 2026" in page
    assert not any(raw in page for raw in RAW)
    pull = PacsPull.objects.get()
    assert "2 studies found" in page_of(client, "pacs-pull", pull.uid)
    start = reverse("pacs-pull-start", args=[pull.uid])
    untouched = client.post(start, {}, follow=True).content.decode()
    assert "Tick at least one" in untouched
    assert "2 studies found" in untouched
    page = client.post(start, {"study": ["2", "77", "x"]}, follow=True).content.decode()
    assert "0 of 1 study done" in page
    assert "every 1s" in page
    assert "Cancel" in page
    run_pacs_pull(pull.pk)
    page = page_of(client, "pacs-pull", pull.uid)
    assert "1 of 1 study done" in page
    assert "1 accepted" in page
    assert Study.objects.get().label in page
    assert "every 1s" not in page
    assert "17 Apr 2026" not in page
    assert not any(raw in page for raw in RAW)
    assert (
        "<h1>"
        not in client.get(
            reverse("pacs-pull", args=[pull.uid]), headers={"HX-Request": "true"}
        ).content.decode()
    )
    again = client.post(reverse("pacs-search"), {"source": "main"}).content.decode()
    assert "1 film" in again
    assert str(Study.objects.get().uid) in again
    assert 'value="1" aria-label="Study 1" data-new' in again
    assert 'value="2" aria-label="Study 2" autocomplete' in again


def test_the_way_on_behind_what_is_shown(
    admin: User, client: Client, pacs: Pacs, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = client.post(reverse("pacs-search"), {"source": "main"}).content.decode()
    assert "Search on behind these" not in page
    monkeypatch.setattr("deepmedix_review.studies.pulling.pulls.MOST_STUDIES", 2)
    page = client.post(reverse("pacs-search"), {"source": "main"}).content.decode()
    assert 'name="offset" value="2">Search on behind these' in page
    page = client.post(reverse("pacs-search"), {"source": "main", "offset": "1"}).content.decode()
    assert "1 study found in main, behind the first 1" in page
    assert 'value="2" aria-label="Study 2"' in page
    page = client.post(reverse("pacs-search"), {"source": "main", "offset": "2"}).content.decode()
    assert "No more than 2 studies are found" in page


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"source": "elsewhere"}, "Select a valid choice"),
        ({"source": "main", "patient_id": "MRN*"}, "without *, ? and backslash"),
        ({"source": "main", "since": "2026-02-01", "until": "2026-01-01"}, "last day lies before"),
        ({"source": "main", "modality": "CT"}, "Select a valid choice"),
    ],
)
def test_what_can_not_be_asked_is_told(
    admin: User, client: Client, pacs: Pacs, asked: dict[str, str], sentence: str
) -> None:
    assert sentence in client.post(reverse("pacs-search"), asked).content.decode()
    refused = client.post(reverse("api-pacs-pull-list"), asked, content_type="application/json")
    assert refused.status_code in (400, 409)
    assert pacs.searched == []


def test_one_that_failed_offers_the_way_out(admin: User, client: Client, pacs: Pacs) -> None:
    pull = pulls.search_pacs("main", StudyQuery(), actor=admin)
    start_pull(pull, numbers=(1, 2), actor=admin)
    pacs.faults["1.2.3.2.9"] = "down"
    run_pacs_pull(pull.pk)
    page = page_of(client, "pacs-pull", pull.uid)
    for told in ("failed", "Try again", "Leave it", "status 503", "1 accepted", "7 days"):
        assert told in page
    pacs.answer, pacs.faults = 200, {}
    client.post(reverse("pacs-pull-retry", args=[pull.uid]))
    assert "for its turn" in page_of(client, "pacs-pull", pull.uid)
    client.post(reverse("pacs-pull-cancel", args=[pull.uid]))
    page = page_of(client, "pacs-pull", pull.uid)
    assert "cancelled" in page
    assert "is forgotten" in page
    assert "cancelled" in page_of(client, "pacs-search")
    again = client.post(reverse("pacs-pull-retry", args=[pull.uid]))
    assert (again.status_code, "Only what failed" in again.content.decode()) == (409, True)


def test_one_that_is_left_is_not_offered_again(admin: User, client: Client, pacs: Pacs) -> None:
    pull = pulls.search_pacs("main", StudyQuery(), actor=admin)
    start_pull(pull, numbers=(1, 2), actor=admin)
    pacs.answer = 500
    run_pacs_pull(pull.pk)
    left = client.post(reverse("pacs-pull-give-up", args=[pull.uid]), follow=True).content.decode()
    assert "It is not tried again." in left
    assert ">Try again<" not in left


def test_a_program_does_the_same(pacs: Pacs, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="root")
    token = token_of(AdminFactory.create(), Capability.IMPORT_STUDIES)
    headers = {"Authorization": f"Bearer {token}"}
    client = Client()

    def post(name: str, sent: Any = None, *args: Any) -> Any:
        address = reverse(name, args=args)
        return client.post(address, sent or {}, content_type="application/json", headers=headers)

    assert client.get(reverse("api-pacs-source-list"), headers=headers).json() == [{"name": "main"}]
    answer = post("api-pacs-pull-list", SEARCH)
    assert answer.status_code == 201
    assert not any(raw in answer.content.decode() for raw in RAW)
    told = answer.json()
    uid = told["pull"]["uid"]
    assert (told["pull"]["state"], told["pull"]["batch"]) == ("choosing", None)
    assert [(one["number"], one["study_date"], one["study"]) for one in told["studies"]] == [
        (1, "2026-04-17", None),
        (2, "2026-04-17", None),
    ]
    assert client.get(reverse("api-pacs-pull-list"), headers=headers).json()["results"] == []
    assert post("api-pacs-pull-start", {"studies": []}, uid).status_code == 409
    assert post("api-pacs-pull-start", {"studies": [1, 2]}, uid).json()["state"] == "queued"
    pacs.faults["1.2.3.2.9"] = "missing"
    run_pacs_pull(PacsPull.objects.get().pk)
    answer = client.get(reverse("api-pacs-pull", args=[uid]), headers=headers)
    pull, (first, second) = answer.json()["pull"], answer.json()["studies"]
    assert (pull["state"], pull["num_done"], pull["num_accepted"], pull["num_failed"]) == ("failed", 3, 2, 1)
    assert (first["num_accepted"], second["num_accepted"]) == (1, 1)
    assert (first["told"][0]["place"], first["told"][0]["outcome"]) == (2, "failed")
    assert "404" in first["told"][0]["reason"]
    assert {first["study"], second["study"]} == {str(study.uid) for study in Study.objects.all()}
    assert post("api-pacs-pull-retry", None, uid).json()["state"] == "queued"
    assert post("api-pacs-pull-cancel", None, uid).json()["state"] == "cancelled"
    assert post("api-pacs-pull-retry", None, uid).status_code == 409
    assert post("api-pacs-pull-give-up", None, uid).status_code == 200
    listed = client.get(reverse("api-pacs-pull-list"), headers=headers).json()["results"]
    assert [one["uid"] for one in listed] == [uid]
    answer = client.get(reverse("api-pacs-pull", args=[uid]), headers=headers)
    assert answer.json()["studies"][0]["study_date"] is None
    for secret in (PATIENT, *RAW):
        assert secret not in caplog.text


def test_a_pull_is_its_own_persons_and_no_readers(client: Client, pacs: Pacs) -> None:
    owner = AdminFactory.create()
    pull = pulls.search_pacs("main", StudyQuery(), actor=owner)
    acts = ("start", "cancel", "retry", "give-up")
    for person, status in (
        (AdminFactory.create(), 404),
        (ExpertFactory.create(), 403),
        (ResearcherFactory.create(), 403),
    ):
        client.force_login(person)
        for name in ("pacs-pull", "api-pacs-pull"):
            assert client.get(reverse(name, args=[pull.uid])).status_code == status
        for act in acts:
            sent: dict[str, Any] = {"study": "1"}
            assert client.post(reverse(f"pacs-pull-{act}", args=[pull.uid]), sent).status_code == status
            answer = client.post(
                reverse(f"api-pacs-pull-{act}", args=[pull.uid]),
                {"studies": [1]},
                content_type="application/json",
            )
            assert answer.status_code == status
    pull.refresh_from_db()
    assert pull.state == "choosing"
    reader_of_films = token_of(owner, Capability.VIEW_ALL_STUDIES)
    answer = Client().get(
        reverse("api-pacs-pull", args=[pull.uid]), headers={"Authorization": f"Bearer {reader_of_films}"}
    )
    assert answer.status_code == 403


def test_lists_take_as_many_queries_for_many_as_for_one(
    admin: User, client: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(6):
        pull = failed_pull(admin)
    studies = StudyToPull.objects.bulk_create(
        StudyToPull(pull=pull, number=2000 + number, is_listed=True) for number in range(20)
    )
    FilmToPull.objects.bulk_create(
        FilmToPull(of=study, place=1, number=3 + place, outcome="refused", reason="odd")
        for place, study in enumerate(studies)
    )
    with django_assert_max_num_queries(5):
        client.get(reverse("pacs-pull-live"))
    with django_assert_max_num_queries(5):
        client.get(reverse("api-pacs-pull-list"))
    with django_assert_max_num_queries(8):
        client.get(reverse("pacs-pull", args=[pull.uid]))
    with django_assert_max_num_queries(7):
        client.get(reverse("api-pacs-pull", args=[pull.uid]))
