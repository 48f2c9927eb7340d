"""A film on which a name may be written reaches nobody before a person has looked at it."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reasoning.services import require_ready
from deepmedix_review.studies.looking.selectors import sheet, token_of
from deepmedix_review.studies.looking.services import A_NAME_IS_BURNED_IN, look_through
from deepmedix_review.studies.models import Instance, Study
from deepmedix_review.studies.selectors import films_ready, visible_studies
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.studies import InstanceFactory, receive, store_phantom, write_film

pytestmark = pytest.mark.django_db

LOOK = "/studies/look/"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


@pytest.fixture
def desk(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def unseen_film() -> Instance:
    return InstanceFactory.create(series__study__state=Study.State.UNSEEN, series__study__is_phantom=False)


def token(film: Instance) -> str:
    return token_of(film.study.uid, [film])


@pytest.mark.parametrize(
    ("attributes", "state"),
    [
        ({}, "ready"),
        ({"BurnedInAnnotation": None}, "unseen"),
        ({"BurnedInAnnotation": "YES"}, "held"),
        ({"SOPClassUID": SECONDARY_CAPTURE}, "unseen"),
        ({"ConversionType": "DF"}, "unseen"),
    ],
)
def test_only_a_header_that_denies_text_on_a_detectors_film_spares_the_look(
    tmp_path: Path, attributes: dict[str, Any], state: str
) -> None:
    item = receive(write_film(tmp_path / "film.dcm", **attributes))
    assert item.instance is not None
    assert item.instance.study.state == state
    assert ("no reader and no model gets it" in item.reason) is (state == "unseen")


def test_drawn_phantoms_and_what_a_person_answers_for_need_no_look(tmp_path: Path) -> None:
    assert store_phantom(BurnedInAnnotation=None).study.state == Study.State.READY
    film = write_film(tmp_path / "film.dcm", seed=2, BurnedInAnnotation=None)
    call_command("import_studies", str(film), "--text-free")
    assert Study.objects.get(is_phantom=False).state == Study.State.READY


def test_a_later_film_of_a_study_in_use_makes_it_wait_for_another_look(tmp_path: Path) -> None:
    together: dict[str, Any] = {"StudyInstanceUID": "1.2.3", "PatientID": "P"}
    first = receive(write_film(tmp_path / "1.dcm", seed=1, **together)).instance
    second = receive(write_film(tmp_path / "2.dcm", seed=2, BurnedInAnnotation=None, **together)).instance
    assert first is not None
    assert second is not None
    assert first.study == second.study
    assert Study.objects.get().state == Study.State.UNSEEN


def test_an_unseen_study_reaches_no_reader_no_researcher_and_no_model(admin: User) -> None:
    study = unseen_film().study
    assert not films_ready().exists()
    assert not visible_studies(ResearcherFactory.create()).exists()
    assert visible_studies(admin).get() == study
    with pytest.raises(RefusedByRule, match="was not looked at yet, so no model sees it"):
        require_ready(study)


def test_a_whole_sheet_is_let_in_at_once_but_for_those_that_show_a_name(desk: Client, admin: User) -> None:
    films = [unseen_film() for _ in range(100)]
    page = desk.get(LOOK).content.decode()
    assert "100 studies wait." in page
    assert page.count("<img") == 100
    assert f'href="{LOOK}"' in desk.get(reverse("study-list")).content.decode()
    named = films[7]
    tokens = [token(film) for film in films]
    answer = desk.post(LOOK, {"study": tokens, "marked": [token(named)]}, follow=True).content.decode()
    assert "99 studies looked at, nothing written on them; 1 study put on hold." in answer
    assert "Every film has been looked at." in answer
    held = Study.objects.get(state=Study.State.HELD)
    assert (held, held.held_reasons) == (named.study, [A_NAME_IS_BURNED_IN])
    assert Study.objects.filter(state=Study.State.READY).count() == 99
    events = AuditEvent.objects.filter(actor=admin)
    assert events.filter(action="look_at_study").count() == 99
    assert events.get(action="hold_study").subject_uid == str(named.study.uid)


def test_a_film_that_came_after_the_sheet_was_shown_is_not_let_in(desk: Client) -> None:
    film = unseen_film()
    shown = token(film)
    InstanceFactory.create(series=film.series)
    answer = desk.post(LOOK, {"study": [shown, "no token"]}, follow=True).content.decode()
    assert "1 study changed since the sheet was shown" in answer
    assert Study.objects.get().state == Study.State.UNSEEN


def test_the_page_of_an_unseen_study_asks_for_the_look(desk: Client) -> None:
    film = unseen_film()
    page = desk.get(reverse("study-detail", args=[film.study.uid])).content.decode()
    assert "Nobody has looked yet whether a name is written on the film." in page
    desk.post(LOOK, {"study": [token(film)]})
    assert Study.objects.get().state == Study.State.READY


def test_only_admins_look(admin: User) -> None:
    film = unseen_film()
    for other in (ExpertFactory.create(), ResearcherFactory.create()):
        with pytest.raises(NotYours):
            look_through(tokens=[token(film)], marked=(), actor=other)
    assert sheet(admin).studies[0].token == token(film)
