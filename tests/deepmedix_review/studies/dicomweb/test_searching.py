"""What a search over DICOMweb answers: the standard's attributes, page by page, and clear words for the
rest."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.http import urlencode
from pydicom import Dataset

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies import selectors
from deepmedix_review.studies.models import Study
from tests.deepmedix_review.studies.dicomweb.the_service import ask, token_of
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.studies import InstanceFactory, SeriesFactory, StudyFactory, store_phantom

pytestmark = pytest.mark.django_db


def datasets(answer: Any) -> list[Dataset]:
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/dicom+json"
    return [Dataset.from_json(row) for row in answer.json()]


def test_each_level_answers_what_the_standard_wants_of_it(admin: User) -> None:
    film = store_phantom(size=64, PatientSex="F")
    study, series = film.study, film.series
    address = f"http://testserver/dicom-web/studies/{study.study_instance_uid}"
    (found,) = datasets(ask(admin, "studies"))
    assert (found.StudyInstanceUID, found.PatientID) == (study.study_instance_uid, study.patient_pseudonym)
    assert (found.PatientName, found.PatientSex) == (study.patient_pseudonym, "F")
    assert (found.NumberOfStudyRelatedSeries, found.NumberOfStudyRelatedInstances) == (1, 1)
    assert found.ModalitiesInStudy == series.modality
    assert (found.RetrieveURL, found.InstanceAvailability) == (address, "ONLINE")
    for keyword in ("StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientBirthDate", "StudyID"):
        assert keyword in found
        assert not found[keyword].value
    (found,) = datasets(ask(admin, f"studies/{study.study_instance_uid}/series"))
    assert (found.SeriesInstanceUID, found.Modality) == (series.series_instance_uid, series.modality)
    assert found.NumberOfSeriesRelatedInstances == 1
    assert found.RetrieveURL == f"{address}/series/{series.series_instance_uid}"
    assert "PatientID" not in found
    within = f"studies/{study.study_instance_uid}/series/{series.series_instance_uid}/instances"
    (found,) = datasets(ask(admin, within))
    assert (found.SOPInstanceUID, found.SOPClassUID) == (film.sop_instance_uid, film.sop_class_uid)
    assert (found.Rows, found.Columns, found.BitsAllocated, found.NumberOfFrames) == (64, 64, 16, 1)
    assert found.RetrieveURL == f"http://testserver/dicom-web/{within}/{film.sop_instance_uid}"
    assert "Modality" not in found
    assert film.sop_class_uid.startswith("1.2.840.10008.")


def test_attributes_come_by_tag(admin: User) -> None:
    InstanceFactory.create()
    for address in ("studies", "series", "instances?includefield=all"):
        (row,) = ask(admin, address).json()
        assert list(row) == sorted(row)


def test_searches_across_studies_answer_what_the_levels_above_are_too(admin: User) -> None:
    film = InstanceFactory.create(series__modality="CR")
    (found,) = datasets(ask(admin, "series"))
    assert (found.PatientID, found.Modality) == (film.study.patient_pseudonym, "CR")
    (found,) = datasets(ask(admin, "instances"))
    assert (found.PatientID, found.Modality, found.Rows) == (film.study.patient_pseudonym, "CR", 640)
    assert (found.NumberOfStudyRelatedInstances, found.NumberOfSeriesRelatedInstances) == (1, 1)
    (found,) = datasets(ask(admin, f"studies/{film.study.study_instance_uid}/instances"))
    assert found.Modality == "CR"
    assert "PatientID" not in found


def test_fields_are_included_by_keyword_tag_and_all(admin: User) -> None:
    film = InstanceFactory.create(body_part="CHEST")
    within = f"studies/{film.study.study_instance_uid}/instances"
    for field in ("BodyPartExamined", "00180015", "StudyDescription,BodyPartExamined", "all"):
        (found,) = datasets(ask(admin, f"{within}?includefield={field}"))
        assert found.BodyPartExamined == "CHEST"
        assert ("PatientID" in found) is (field == "all")
    (found,) = datasets(ask(admin, f"{within}?includefield=PatientID&includefield=ViewPosition"))
    assert (found.PatientID, found.ViewPosition) == (film.study.patient_pseudonym, "PA")
    assert "BodyPartExamined" not in datasets(ask(admin, within))[0]


def test_pages_hold_every_study_once_newest_first_and_say_that_more_remain(admin: User) -> None:
    studies = [StudyFactory.create() for _ in range(7)]
    seen: list[str] = []
    while True:
        answer = ask(admin, f"studies?limit=3&offset={len(seen)}")
        page = [found.StudyInstanceUID for found in datasets(answer)]
        seen += page
        if "Warning" not in answer:
            break
        assert answer["Warning"].startswith("299 testserver ")
        assert (
            f"additional results that can be requested: ask again with offset={len(seen)}"
            in answer["Warning"]
        )
    assert seen == [study.study_instance_uid for study in reversed(studies)]


def test_nothing_found_is_204(admin: User) -> None:
    StudyFactory.create()
    for address in ("studies?PatientID=nobody", "studies?offset=1", "studies/1.2.3/series", "instances"):
        answer = ask(admin, address)
        assert (answer.status_code, answer.content) == (204, b"")


def test_fuzzy_matching_is_said_not_to_be_there(admin: User) -> None:
    StudyFactory.create()
    assert "Only literal matching" in ask(admin, "studies?fuzzymatching=true")["Warning"]
    assert "Warning" not in ask(admin, "studies?fuzzymatching=false")


def test_a_limit_beyond_what_an_answer_holds_is_said(admin: User) -> None:
    StudyFactory.create()
    assert "up to 1000 results" in ask(admin, "studies?limit=50000")["Warning"]


HOSTILE = [
    ("limit=-1", "limit is no number"),
    ("limit=1e3", "limit is no number"),
    (f"limit={'9' * 400}", "limit is no number"),
    ("limit=1&limit=2", "limit is no number"),
    ("offset=٣", "offset is no number"),
    ("PatientID=%00", "can't be shown"),
    ("PatientID=a%00b", "can't be shown"),
    ("PatientID=%ED%A0%80%0A", "can't be shown"),
    (f"PatientID={'*a' * 4000}", "longer than 64"),
    ("StudyInstanceUID=" + ",".join(f"1.2.{n}" for n in range(10_000)), "lists 10000 values"),
    ("StudyInstanceUID=1.2*", "no UID"),
    ("StudyInstanceUID=1..2", "no UID"),
    ("StudyInstanceUID=1.2,,1.3", "no UID"),
    ("StudyInstanceUID=" + "1" * 65, "longer than 64"),
    ("StudyDate=yesterday", "no date"),
    ("StudyDate=20200230", "no date"),
    ("StudyDate=-", "no date"),
    ("StudyDate=20200101-20200102-20200103", "no date"),
    ("StudyDate=00000000", "no date"),
    ("StudyTime=9999", "no time"),
    ("StudyTime=1-2-3", "no time"),
    ("InstanceNumber=1", "is of instances"),
    ("Modality=DX", "is of series"),
    ("StudyDescription=Chest", "does not know StudyDescription"),
    ("00081030=Chest", "does not know 00081030"),
    ("PatientNmae=x", "does not know one of the parameters"),
    ("DAVIDSON%00=x", "does not know one of the parameters"),
    ("=x", "does not know one of the parameters"),
    ("RequestAttributesSequence.ScheduledProcedureStepID=1", "does not know"),
    ("PatientID=a&PatientID=b", "asked for twice"),
    ("PatientID=a&" * 2000, "more parameters than"),
    ("PatientID=a&00100020=b", "asked for twice"),
    ("ModalitiesInStudy=CR,D*", "list and by a wildcard"),
    ("includefield=Nonsense", "includefield names"),
    ("includefield=%00", "includefield names"),
    ("includefield=../../etc/passwd", "includefield names"),
    ("accept=" + "a" * 5000, "Accept has more"),
]


@pytest.mark.parametrize(("query", "sentence"), HOSTILE, ids=[query[:40] for query, _ in HOSTILE])
def test_what_cant_be_asked_is_refused_in_a_sentence(admin: User, query: str, sentence: str) -> None:
    answer = ask(admin, f"studies?{query}")
    assert answer.status_code == 400, answer.content
    said = answer.json()["detail"]
    assert sentence in said
    assert said.endswith(".")
    assert "DAVIDSON" not in said


@pytest.mark.parametrize(
    "address", ["studies/a/series", "studies/1..2/instances", "studies/1.2/series/x/instances"]
)
def test_an_address_with_what_is_no_uid_is_refused(admin: User, address: str) -> None:
    answer = ask(admin, address)
    assert (answer.status_code, "no UID" in answer.json()["detail"]) == (400, True)


def test_what_may_not_be_asked_says_what_may(admin: User) -> None:
    said = ask(admin, "studies?StudyDescription=Chest").json()["detail"]
    assert "PatientID" in said
    assert "ModalitiesInStudy" in said
    assert "Rows" not in said


ACCEPTED = {
    "*/*": 200,
    "application/dicom+json": 200,
    "application/json": 200,
    "application/dicom+json, application/json": 200,
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": 200,
    "": 200,
    'multipart/related; type="application/dicom+xml"': 406,
    'multipart/related; type="application/dicom+xml", application/dicom+json;q=0.1': 200,
    "text/html": 406,
    "application/dicom+json;q=0": 406,
    ";;;,,,=": 406,
}


@pytest.mark.parametrize("accept", list(ACCEPTED))
def test_json_is_what_a_search_answers(admin: User, accept: str) -> None:
    StudyFactory.create()
    answer = ask(admin, "studies", accept=accept)
    assert answer.status_code == ACCEPTED[accept], answer.content
    if answer.status_code == 406:
        assert "can be had as application/dicom+json" in answer.json()["detail"]


def test_the_parameter_accept_stands_for_the_header(admin: User) -> None:
    StudyFactory.create()
    for accept in ("application/dicom+json", "application/dicom%2Bjson"):
        assert ask(admin, f"studies?accept={accept}", accept="text/html").status_code == 200
    assert ask(admin, "studies?accept=text/html").status_code == 406


@pytest.mark.parametrize("address", ["studies", "series", "instances", "instances?includefield=all"])
def test_a_search_asks_the_database_as_often_for_many_as_for_one(admin: User, address: str) -> None:
    counts = []
    for number in (1, 5, 20):
        for _ in range(number):
            study = StudyFactory.create()
            for _ in range(2):
                InstanceFactory.create_batch(2, series=SeriesFactory.create(study=study))
        client = Client()
        client.force_login(admin)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/dicom-web/{address}").status_code == 200
        counts.append(len(queries))
        assert not any("COUNT(*)" in str(query["sql"]) for query in queries)
    assert counts[0] == counts[1] == counts[2] <= 12


def test_only_studies_in_use_are_found_by_whom_ever(admin: User) -> None:
    for state in Study.State.values:
        InstanceFactory.create(series__study__state=state)
    for user in (admin, ResearcherFactory.create()):
        for address in ("studies", "series", "instances"):
            (found,) = datasets(ask(user, address))
            assert found.StudyInstanceUID == Study.objects.get(state="ready").study_instance_uid


def test_who_may_search(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who may see every film searches none of them."""
    InstanceFactory.create()
    monkeypatch.setattr(selectors, "READER_ACCESS", [lambda user: Q(pk__isnull=False)])
    for address in ("studies", "series", "instances"):
        assert ask(None, address).status_code == 401
        assert ask(ExpertFactory.create(), address).status_code == 403
        words = {"Authorization": f"Bearer {token_of(ResearcherFactory.create())}"}
        assert ask(None, address, **words).status_code == 200
        words = {"Authorization": f"Bearer {token_of(admin, Capability.IMPORT_STUDIES)}"}
        refused = ask(None, address, **words)
        assert (refused.status_code, "This token may not" in refused.json()["detail"]) == (403, True)
        assert ask(None, address, Authorization="Bearer dmr_mistyped").status_code == 401


def test_a_search_is_on_the_record_without_what_was_asked_for(admin: User) -> None:
    StudyFactory.create()
    asked = urlencode({"PatientName": "DAVIDSON", "StudyDate": "20200101-"})
    assert ask(admin, f"studies?{asked}").status_code == 204
    event = AuditEvent.objects.latest("sequence")
    assert (event.action, event.actor, event.subject_uid) == ("search_studies", admin, str(admin.uid))
    assert event.details == {"by": ["PatientName", "StudyDate"], "num_results": 0}


def test_a_missed_file_is_said_not_to_be_available(admin: User) -> None:
    film = InstanceFactory.create(file_missed_at="2026-01-01T00:00Z")
    InstanceFactory.create(series=film.series)
    assert datasets(ask(admin, "studies"))[0].InstanceAvailability == "UNAVAILABLE"
    assert sorted(found.InstanceAvailability for found in datasets(ask(admin, "instances"))) == [
        "ONLINE",
        "UNAVAILABLE",
    ]
