"""Films over DICOMweb leave for who may see them alone, and not without a record."""

import pytest
from django.db.models import Q

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies import selectors
from deepmedix_review.studies.models import Instance, Study
from tests.deepmedix_review.studies.dicomweb.the_service import SIZE, ask, at, body, token_of
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.studies import store_phantom

pytestmark = pytest.mark.django_db
ADDRESSES = ["", "/metadata", "/frames/1", "/rendered", "/thumbnail", "/bulkdata/7FE00010"]


@pytest.mark.parametrize("rest", ADDRESSES)
def test_who_may_fetch_a_film(
    film: Instance, admin: User, monkeypatch: pytest.MonkeyPatch, rest: str
) -> None:
    reader, stranger = ExpertFactory.create(), ExpertFactory.create()
    monkeypatch.setattr(selectors, "READER_ACCESS", [lambda user: Q(pk__isnull=user != reader)])
    for user, status in (
        (admin, 200),
        (ResearcherFactory.create(), 200),
        (reader, 200),
        (stranger, 404),
        (None, 401),
    ):
        assert ask(user, at(film, rest)).status_code == status
    words = {"Authorization": f"Bearer {token_of(admin, Capability.IMPORT_STUDIES)}"}
    assert ask(None, at(film, rest), **words).status_code == 404
    for state in (Study.State.HELD, Study.State.UNSEEN, Study.State.REJECTED):
        Study.objects.update(state=state)
        for user in (admin, reader):
            assert ask(user, at(film, rest)).status_code == 404


@pytest.mark.parametrize("rest", ["", "/metadata", "/thumbnail"])
def test_who_may_fetch_a_whole_study(film: Instance, monkeypatch: pytest.MonkeyPatch, rest: str) -> None:
    monkeypatch.setattr(selectors, "READER_ACCESS", [lambda user: Q(pk__isnull=False)])
    study, series = film.study.study_instance_uid, film.series.series_instance_uid
    for address in (f"studies/{study}{rest}", f"studies/{study}/series/{series}{rest}"):
        assert ask(ResearcherFactory.create(), address).status_code == 200
        assert ask(ExpertFactory.create(), address).status_code == 403
        assert ask(None, address).status_code == 401


@pytest.mark.parametrize(
    ("rest", "action"),
    [("", "view_film"), ("/metadata", "view_study"), ("/frames/1", "view_film"), ("/rendered", "view_film")],
)
def test_what_is_fetched_is_on_the_record(film: Instance, admin: User, rest: str, action: str) -> None:
    body(ask(admin, at(film, rest)))
    event = AuditEvent.objects.latest("sequence")
    subject = film.study if action == "view_study" else film
    assert (event.action, event.actor, event.subject_uid) == (action, admin, str(subject.uid))


def test_a_film_is_where_its_own_study_and_series_are(film: Instance, admin: User) -> None:
    other = store_phantom(seed=2, size=SIZE)
    mixed = at(film).replace(film.study.study_instance_uid, other.study.study_instance_uid)
    assert ask(admin, mixed).status_code == 404
    assert (
        ask(
            admin, f"studies/{film.study.study_instance_uid}/series/{other.series.series_instance_uid}"
        ).status_code
        == 404
    )
    assert ask(admin, "studies/1.2.3").status_code == 404


def test_no_log_holds_the_uid_of_a_hospital(admin: User, caplog: pytest.LogCaptureFixture) -> None:
    for address in ("studies/1.2.840.4711", "studies/1.2.840.4711/metadata", "studies/1.2.840.4711x/series"):
        assert ask(admin, address).status_code in (400, 404)
    for unknown in ("studies/1.2.840.4711/", "studies/1.2.840.4711/else", "patients/4711", "studies//4711"):
        refused = ask(admin, unknown)
        assert refused.status_code == 404
        assert "has no such address" in refused.json()["detail"]
    assert "4711" not in caplog.text
