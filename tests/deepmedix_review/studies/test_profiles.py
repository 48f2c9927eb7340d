"""By which profile a film comes in is said at its door, and told of it afterwards."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pydicom import dcmread
from pytest_django.fixtures import Settings

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.archive_imports.receiving import begin_archive
from deepmedix_review.studies.batches import continue_import, start_import
from deepmedix_review.studies.checks import check_profiles
from deepmedix_review.studies.models import ImportBatch, Instance
from deepmedix_review.studies.pulling.sources import CannotPull, read_sources
from deepmedix_review.studies.selectors import companion_films, film_path, others_of_patient
from deepmedix_review.studies.services import receive_instance
from tests.factories.accounts import AdminFactory
from tests.factories.studies import write_film

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


@pytest.fixture
def desk(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def brought(path: Path, profile: str) -> Instance:
    batch = start_import(actor=None, source=ImportBatch.Source.COMMAND, profile=profile)
    item = receive_instance(path, batch=batch, file_name="film.dcm", actor=None, is_text_free=True)
    assert item.instance is not None, item.reason
    return item.instance


def a_visit(folder: Path, *, day: str) -> Path:
    """One film of the patient, of a study of its own."""
    uid = f"1.2.{day}"
    said: dict[str, Any] = dict.fromkeys(("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"), day)
    said |= {"PatientID": "ONE", "StudyInstanceUID": uid, "SOPInstanceUID": f"{uid}.1"}
    return write_film(folder / "film.dcm", seed=int(day), **said)


def test_films_of_one_patient_are_in_order_whatever_profiles_they_came_by(
    tmp_path: Path, admin: User
) -> None:
    first = brought(a_visit(tmp_path, day="20250110"), "keep-dates-shifted").study
    second = brought(a_visit(tmp_path, day="20250120"), "research").study
    third = brought(a_visit(tmp_path, day="20250130"), "keep-device").study
    assert first.patient_pseudonym == second.patient_pseudonym == third.patient_pseudonym
    assert (first.study_date is None, second.study_date, third.study_date is None) == (False, None, False)
    priors = [(film.uid, film.days_before) for film in companion_films(third)]
    assert [days for _, days in priors] == [None, 20]
    assert [film.days_before for film in companion_films(second)] == [None]
    assert companion_films(first) == ()
    assert [(one.study, one.when) for one in others_of_patient(admin, second)] == [
        (first, "earlier"),
        (third, "later"),
    ]


def test_research_leaves_no_date_in_the_file_nor_in_an_answer(tmp_path: Path, desk: Client) -> None:
    film = brought(a_visit(tmp_path, day="20250110"), "research")
    header = dcmread(film_path(film), stop_before_pixels=True)
    assert [element.keyword for element in header if element.VR in ("DA", "DT", "TM") and element.value] == []
    assert film.study.order_date is not None
    address = f"/dicom-web/studies?StudyInstanceUID={film.study.study_instance_uid}"
    [answer] = desk.get(address, headers={"accept": "application/dicom+json"}).json()
    assert "Value" not in answer.get("00080020", {})
    shifted = film.study.order_date.strftime("%Y%m%d")
    assert desk.get(f"/dicom-web/studies?StudyDate={shifted}").status_code == 204
    page = desk.get(reverse("study-detail", args=[film.study.uid])).content.decode()
    assert "De-identified by" in page
    assert "research</span> (DICOM PS3.15: " in page


def test_an_upload_comes_in_by_the_profile_that_it_names(tmp_path: Path, desk: Client, admin: User) -> None:
    content = write_film(tmp_path / "film.dcm").read_bytes()

    def send(**said: str) -> Any:
        return desk.post(
            reverse("api-study-list"), {"files": SimpleUploadedFile("film.dcm", content), **said}
        )

    assert send(profile="none").status_code == 400
    assert ImportBatch.objects.count() == 0
    answer = send(profile="keep-device").json()
    assert answer["profile"] == "keep-device"
    film = Instance.objects.get()
    assert film.profile == "keep-device"
    shown = desk.get(reverse("api-study-detail", args=[film.study.uid])).json()
    assert [one["profile"] for one in shown["films"]] == ["keep-device"]
    refused = send(profile="research", batch=answer["batch"])
    assert refused.status_code == 409
    assert "began with the profile keep-device" in refused.json()["detail"]
    batch = ImportBatch.objects.get()
    assert continue_import(batch.uid, actor=admin) == batch


def test_the_import_page_offers_the_sites_profile_first_and_takes_another(
    tmp_path: Path, desk: Client, settings: Settings
) -> None:
    settings.DEIDENTIFICATION_PROFILE = "research"
    page = desk.get(reverse("study-import")).content.decode()
    assert '<option value="research" selected>' in page
    content = write_film(tmp_path / "film.dcm").read_bytes()
    for said in ({"profile": "keep-device"}, {}, {"profile": "none"}):
        desk.post(reverse("study-import"), {"files": SimpleUploadedFile("film.dcm", content), **said})
    profiles = list(ImportBatch.objects.order_by("pk").values_list("profile", flat=True))
    assert profiles == ["keep-device", "research"]


def test_the_same_archive_by_another_profile_is_another_import(admin: User) -> None:
    def begun(profile: str) -> Any:
        return begin_archive(file_name="a.zip", num_bytes=10, modified_ms=1, actor=admin, profile=profile)

    first = begun("research")
    assert first.batch.profile == "research"
    assert begun("research") == first
    assert begun("") != first


def test_a_command_names_a_profile(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.dcm")
    call_command("import_studies", str(path), "--profile", "research", "--text-free")
    assert Instance.objects.get().profile == "research"


def test_a_pacs_may_have_a_profile_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "pacs.toml"
    for profile, told in (("research", "research"), ("none", None)):
        file.write_text(f'[main]\nurl = "http://127.0.0.1/dicom"\nprofile = "{profile}"\n')
        file.chmod(0o600)
        if told is None:
            with pytest.raises(CannotPull, match="main in the file of PACS_SOURCES: There is no profile"):
                read_sources(str(file))
        else:
            assert read_sources(str(file))["main"].profile == told


def test_a_setting_that_names_no_profile_stops_the_start_and_every_import(settings: Settings) -> None:
    assert check_profiles() == []
    settings.DEIDENTIFICATION_PROFILE = "strict"
    [found] = check_profiles()
    assert "Name one of these: research, keep-dates-shifted, keep-device" in found.msg
    with pytest.raises(RefusedByRule, match="named 'strict'"):
        start_import(actor=None, source=ImportBatch.Source.COMMAND)
