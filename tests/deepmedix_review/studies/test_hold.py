"""An admin takes a study that is in use out of it again, and brings it back."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.batches import start_import
from deepmedix_review.studies.holding import LONGEST_REASON, decide_held, hold_study
from deepmedix_review.studies.models import ImportBatch, Study
from deepmedix_review.studies.selectors import films_ready
from deepmedix_review.studies.services import receive_instance
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory, UserFactory
from tests.factories.studies import InstanceFactory, StudyFactory, write_film

pytestmark = pytest.mark.django_db

REASON = "A name is burned into the film."


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


@pytest.fixture
def desk(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def test_a_study_in_use_is_held_for_a_reason_and_decided_on_like_any_other(admin: User) -> None:
    study = InstanceFactory.create().study
    held = hold_study(study, reason=f"  {REASON}\n", actor=admin)
    assert (held.state, held.held_reasons) == (Study.State.HELD, [REASON])
    assert not films_ready().exists()
    assert decide_held(study, accept=False, actor=admin).state == Study.State.REJECTED
    assert decide_held(study, accept=True, has_looked=True, actor=admin).state == Study.State.READY
    assert hold_study(study, reason=REASON, actor=admin).held_reasons == [REASON]
    events = AuditEvent.objects.filter(subject_uid=str(study.uid)).order_by("sequence")
    actions = ["hold_study", "reject_study", "accept_study", "hold_study"]
    assert list(events.values_list("action", flat=True)) == actions
    assert not events.exclude(details={}).exists()


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        (Study.State.READY, " \n", "Write one, without names"),
        (Study.State.READY, "x" * (LONGEST_REASON + 1), f"at most {LONGEST_REASON}"),
        (Study.State.HELD, REASON, "is held already"),
        (Study.State.REJECTED, REASON, "is rejected already"),
    ],
)
def test_without_a_reason_or_out_of_use_already_it_stays_as_it_is(
    admin: User, state: str, reason: str, told: str
) -> None:
    study = StudyFactory.create(state=state)
    with pytest.raises(RefusedByRule, match=told):
        hold_study(study, reason=reason, actor=admin)
    study.refresh_from_db()
    assert (study.state, study.held_reasons) == (state, [])


@pytest.mark.parametrize(
    ("factory", "page", "api"),
    [(AdminFactory, 302, 200), (ResearcherFactory, 403, 403), (ExpertFactory, 403, 403), (None, 302, 401)],
)
def test_admins_alone_put_a_study_on_hold(factory: type[UserFactory] | None, page: int, api: int) -> None:
    client = Client()
    if factory is not None:
        client.force_login(factory.create())
    for name, status in (("study-hold", page), ("api-study-hold", api)):
        study = StudyFactory.create()
        answer = client.post(reverse(name, args=[study.uid]), {"reason": REASON})
        study.refresh_from_db()
        assert (answer.status_code, study.state == Study.State.HELD) == (status, factory is AdminFactory)


def test_the_page_of_a_study_asks_for_the_reason_and_then_for_the_decision(desk: Client) -> None:
    study = InstanceFactory.create(series__study__is_phantom=False).study
    page, hold = reverse("study-detail", args=[study.uid]), reverse("study-hold", args=[study.uid])
    before = desk.get(page).content.decode()
    assert f'action="{hold}"' in before
    assert "Write no name in it" in before
    assert "Text burned into the picture is for a person to find." in before
    assert "nobody had to look: its header denies any text" in before
    after = desk.post(hold, {"reason": REASON}, follow=True).content.decode()
    assert f"{study.label} is on hold" in after
    assert (REASON in after, f'action="{hold}"' in after) == (True, False)
    assert f'action="{reverse("study-decide", args=[study.uid])}"' in after
    assert REASON in desk.get(reverse("study-held")).content.decode()
    again = desk.post(hold, {"reason": REASON}, follow=True).content.decode()
    assert "is held already" in again


def test_a_researcher_finds_no_form_to_hold_a_study() -> None:
    client = Client()
    client.force_login(ResearcherFactory.create())
    study = InstanceFactory.create().study
    page = client.get(reverse("study-detail", args=[study.uid])).content.decode()
    assert reverse("study-hold", args=[study.uid]) not in page


def test_the_api_answers_with_the_held_study_or_says_why_not(desk: Client) -> None:
    address = reverse("api-study-hold", args=[StudyFactory.create().uid])
    assert desk.post(address, {"reason": ""}, content_type="application/json").status_code == 400
    held = desk.post(address, {"reason": REASON}, content_type="application/json")
    assert (held.status_code, held.json()["state"], held.json()["held_reasons"]) == (200, "held", [REASON])
    again = desk.post(address, {"reason": REASON}, content_type="application/json")
    assert (again.status_code, "is held already" in again.json()["detail"]) == (409, True)


def test_the_latest_files_renew_themselves_only_where_there_is_a_newer_one(
    desk: Client, admin: User, tmp_path: Path
) -> None:
    address = reverse("study-import-latest")
    page = desk.get(reverse("study-import")).content.decode()
    assert f'hx-get="{address}"' in page
    assert "is not taken away: a person has to look" in page
    batch = start_import(actor=admin, source=ImportBatch.Source.UPLOAD)
    bad = tmp_path / "notes.txt"
    bad.write_text("no film")
    receive_instance(bad, batch=batch, file_name="notes.txt", actor=admin)
    first = desk.get(address).content.decode()
    newest = f"{address}?newest={batch.items.get().uid}"
    assert ("notes.txt" in first, f'hx-get="{newest}"' in first) == (True, True)
    assert desk.get(newest).status_code == 204
    receive_instance(write_film(tmp_path / "film.dcm"), batch=batch, file_name="film.dcm", actor=admin)
    assert "film.dcm" in desk.get(newest).content.decode()
    assert desk.get(newest, {"newest": "x"}).status_code == 200
    client = Client()
    client.force_login(ResearcherFactory.create())
    assert client.get(address).status_code == 403
