"""A film on which a name may be written reaches nobody before a person has looked at it."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reasoning.services import require_ready
from deepmedix_review.studies.holding import decide_held
from deepmedix_review.studies.looking.selectors import sheet, token_of
from deepmedix_review.studies.looking.services import A_NAME_IS_BURNED_IN, look_through
from deepmedix_review.studies.models import TO_LOOK_AT, Instance, Study
from deepmedix_review.studies.selectors import films_ready, visible_studies
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.studies import InstanceFactory, StudyFactory, receive, store_phantom, write_film

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


def test_an_import_leads_on_to_the_look(
    desk: Client, admin: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = write_film(tmp_path / "film.dcm", BurnedInAnnotation=None)
    call_command("import_studies", str(film), actor=admin.username)
    assert f"1 study waits to be looked at by an admin, on {LOOK}" in capsys.readouterr().out
    page = desk.get(reverse("study-import")).content.decode()
    assert "1 study waits to be looked at" in page
    assert '<span class="chip warn">to look at</span>' in page
    assert "accepted</span>" not in page
    assert '<span class="chip warn">to look at</span>' in desk.get(reverse("study-list")).content.decode()
    assert TO_LOOK_AT in page
    Study.objects.update(state=Study.State.READY)
    seen = desk.get(reverse("study-import")).content.decode()
    assert '<span class="chip good">accepted</span>' in seen
    assert TO_LOOK_AT not in seen


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
    assert "99 studies looked at, no name on them; 1 study put on hold." in answer
    assert "Every film has been looked at." in answer
    held = Study.objects.get(state=Study.State.HELD)
    assert (held, held.held_reasons) == (named.study, [A_NAME_IS_BURNED_IN])
    assert Study.objects.filter(state=Study.State.READY).count() == 99
    events = AuditEvent.objects.filter(actor=admin)
    assert events.filter(action="look_at_study").count() == 99
    assert events.get(action="hold_study").subject_uid == str(named.study.uid)


def test_what_anybody_ticked_is_let_in_by_nobody_until_it_is_unticked(desk: Client, admin: User) -> None:
    named, other = unseen_film(), unseen_film()
    tick = reverse("study-tick-name", args=[named.study.uid])
    said = desk.post(tick, {"marked": [token(named)]}, headers={"HX-Request": "true"}).content.decode()
    assert f"Kept: a name is on it, seen by {admin.pseudonym}" in said
    page = desk.get(LOOK).content.decode()
    assert page.count(" checked") == 1
    colleague = AdminFactory.create()
    with pytest.raises(RefusedByRule, match="somebody ticked that a name is written on it"):
        decide_held(named.study, accept=True, has_looked=True, actor=colleague)
    with pytest.raises(IntegrityError, match="no_study_with_a_name_ticked"), transaction.atomic():
        Study.objects.update(state=Study.State.READY)
    # The colleague's sheet was shown before the tick, so nothing on it is marked.
    looked = look_through(tokens=[token(named), token(other)], marked=(), actor=colleague)
    assert (looked.num_clear, looked.num_held) == (1, 1)
    study = Study.objects.get(state=Study.State.HELD)
    assert (study, study.looked_by, study.held_reasons) == (named.study, admin, [A_NAME_IS_BURNED_IN])
    assert AuditEvent.objects.get(action="tick_name").subject_uid == str(named.study.uid)


def test_an_unticked_film_is_let_in_and_its_page_says_who_looked_and_when(desk: Client, admin: User) -> None:
    film = unseen_film()
    tick = reverse("study-tick-name", args=[film.study.uid])
    desk.post(tick, {"marked": [token(film)]})
    page = desk.get(reverse("study-detail", args=[film.study.uid])).content.decode()
    assert "Untick: no name is on it" in page
    assert "Looked at: no name on it" not in page
    desk.post(tick)
    assert AuditEvent.objects.filter(actor=admin, action="untick_name").count() == 1
    desk.post(LOOK, {"study": [token(film)]})
    page = desk.get(reverse("study-detail", args=[film.study.uid])).content.decode()
    assert f"looked for by {admin.pseudonym}, <time" in page
    assert "a person has to look" not in page


def test_a_tick_that_comes_after_the_study_was_let_in_puts_it_on_hold(desk: Client) -> None:
    by_itself, with_its_sheet = unseen_film(), unseen_film()
    desk.post(LOOK, {"study": [token(by_itself), token(with_its_sheet)]})
    desk.post(reverse("study-tick-name", args=[by_itself.study.uid]), {"marked": [token(by_itself)]})
    desk.post(LOOK, {"study": [token(with_its_sheet)], "marked": [token(with_its_sheet)]})
    assert Study.objects.filter(state=Study.State.HELD).count() == 2


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


def test_what_came_in_before_waits_for_a_look_but_for_phantoms_and_what_a_person_decided_on() -> None:
    """Back again, nobody gets what nobody looked at."""
    migration = import_module("deepmedix_review.studies.migrations.0005_films_are_looked_at")
    came = {
        "in use": StudyFactory.create(is_phantom=False),
        "a phantom": StudyFactory.create(),
        "accepted": StudyFactory.create(is_phantom=False, held_reasons=["It shows a dog."]),
        "held": StudyFactory.create(is_phantom=False, state="held", held_reasons=["It shows a dog."]),
        "rejected": StudyFactory.create(is_phantom=False, state="rejected"),
    }

    def states() -> dict[str, str]:
        return {name: Study.objects.get(pk=study.pk).state for name, study in came.items()}

    migration.let_look(apps, None)
    others = {"a phantom": "ready", "accepted": "ready", "held": "held", "rejected": "rejected"}
    assert states() == {"in use": "unseen", **others}
    migration.let_in(apps, None)
    assert states() == {"in use": "held", **others}
    assert Study.objects.get(pk=came["in use"].pk).held_reasons == [
        "Nobody has looked whether a name is written on it."
    ]
    assert Study.objects.get(pk=came["held"].pk).held_reasons == ["It shows a dog."]
