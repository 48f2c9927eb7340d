"""A hundred held studies are decided on as fast as one, and the last decision can be taken back."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.studies.deciding.selectors import UNDO_FOR, held_sheet, last_decision
from deepmedix_review.studies.deciding.services import decide_together, take_back
from deepmedix_review.studies.holding import decide_held, hold_study
from deepmedix_review.studies.intake.odd import OddKind
from deepmedix_review.studies.looking.selectors import sightings_of, token_of
from deepmedix_review.studies.looking.services import look_through, report_name
from deepmedix_review.studies.models import HeldDecision, Instance, Sighting, Study
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db
SHEET = "/studies/held/"
READY, HELD, REJECTED = Study.State.READY, Study.State.HELD, Study.State.REJECTED


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


@pytest.fixture
def desk(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def held_film(kind: OddKind = OddKind.VIEW, **attributes: object) -> Instance:
    return InstanceFactory.create(
        series__study__state=HELD,
        series__study__held_for=kind,
        series__study__held_reasons=["Its view is SWIMMERS, not PA, AP or lateral."],
        **attributes,
    )


def token(film: Instance) -> str:
    return token_of(film.study.uid, [film], sightings_of([film.study]).get(film.series.study_id, ()))


def states(*films: Instance) -> list[str]:
    return [Study.objects.get(series__instances=film).state for film in films]


def test_what_a_person_saw_a_name_on_is_accepted_on_its_page_alone(desk: Client, admin: User) -> None:
    named = InstanceFactory.create(series__study__state=Study.State.UNSEEN)
    view, by_header = held_film(), held_film(OddKind.NAME)
    look_through(tokens=[token(named)], marked=[token(named)], actor=admin)
    page = desk.get(SHEET).content.decode()
    assert f"A person saw a name on a film of {named.study.label}" in page
    assert page.count("data-held-barred") == 1
    sent = {"ticked": [token(film) for film in (named, view, by_header)], "decision": "accept"}
    answer = desk.post(SHEET, sent, follow=True).content.decode()
    assert "2 studies accepted" in answer
    assert f"A person saw a name on a film of {named.study.label}" in answer
    assert states(named, view, by_header) == [HELD, READY, READY]
    desk.post(SHEET, {"accept": token(named)})
    assert states(named) == [HELD]
    decide_held(named.study, accept=True, actor=admin, has_looked=True)
    assert states(named) == [READY]


def test_a_hundred_are_accepted_in_one_go_by_who_looked_at_them(desk: Client, admin: User) -> None:
    films = [held_film() for _ in range(100)]
    page = desk.get(SHEET).content.decode()
    assert page.count("data-held-card") == page.count("<img") == 100
    assert "View: 100</h2>" in page
    sent = {"ticked": [token(film) for film in films], "decision": "accept"}
    answer = desk.post(SHEET, sent, follow=True).content.decode()
    assert "100 studies accepted: looked at, no name on any film." in answer
    assert "You accepted 100 studies" in answer
    assert set(Study.objects.values_list("state", "looked_by")) == {(READY, admin.pk)}
    assert AuditEvent.objects.filter(action="accept_study", actor=admin).count() == 100


def test_neither_the_page_nor_a_decision_asks_more_for_each_study_than_it_keeps(admin: User) -> None:
    counts = []
    for number in (1, 21):
        films = [held_film() for _ in range(number)]
        tokens = [token(film) for film in films]
        with CaptureQueriesContext(connection) as captured:
            decide_together(tokens=tokens, accept=True, has_looked=True, actor=admin)
        counts.append(len([each for each in captured if (each["sql"] or "").startswith("SELECT")]))
    # The audit record alone reads for each: its lock and its last event.
    assert counts[1] - counts[0] <= 2 * 20
    # The page's own.
    counts = []
    for number in (1, 30):
        for _ in range(number):
            near = InstanceFactory.create()
            held_film(near_to=near)
        with CaptureQueriesContext(connection) as captured:
            held_sheet(admin)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_nobody_accepts_without_having_looked_and_nobody_but_an_admin_decides(admin: User) -> None:
    film = held_film()
    with pytest.raises(RefusedByRule, match="Nothing was accepted"):
        decide_together(tokens=[token(film)], accept=True, has_looked=False, actor=admin)
    for other in (ResearcherFactory.create(), ExpertFactory.create()):
        client = Client()
        client.force_login(other)
        assert client.post(SHEET, {"ticked": [token(film)], "decision": "accept"}).status_code == 403
    assert states(film) == [HELD]


def test_cards_stand_under_the_gravest_kind_and_a_kind_can_be_shown_alone(desk: Client) -> None:
    named, view = held_film(OddKind.NAME), held_film()
    page = desk.get(SHEET).content.decode()
    assert page.index("A name may be burned in: 1</h2>") < page.index("View: 1</h2>")
    alone = desk.get(SHEET, {"kind": "name"}).content.decode()
    assert (named.study.label in alone, view.study.label in alone) == (True, False)
    answer = desk.post(SHEET, {"reject": token(named), "kind": "name"}, follow=True)
    assert answer.redirect_chain == [(f"{SHEET}?kind=name", 302)]
    assert "No study of this kind waits" in desk.get(SHEET, {"kind": "name"}).content.decode()
    assert "No study of this kind waits" not in desk.get(SHEET).content.decode()
    assert states(named, view) == [REJECTED, HELD]


def test_what_can_not_be_accepted_says_why_and_stays_held_beside_the_others(desk: Client) -> None:
    used = InstanceFactory.create()
    twin = held_film(pixel_sha256=used.pixel_sha256, copy_of=used)
    frames = held_film(num_frames=3)
    plain, again = held_film(), held_film()
    Instance.objects.filter(pk=again.pk).update(pixel_sha256=plain.pixel_sha256, copy_of=plain)
    page = desk.get(SHEET).content.decode()
    assert page.count("data-held-barred>") == 2
    assert page.count("data-held-accept") == 2
    assert page.count("Can't be accepted") == 2
    assert reverse("film-picture", args=[used.uid]) in page
    tokens = [token(film) for film in (twin, frames, plain, again)]
    answer = desk.post(SHEET, {"ticked": tokens, "decision": "accept"}, follow=True).content.decode()
    assert states(twin, frames, plain, again) == [HELD, HELD, READY, HELD]
    for told in ("1 study accepted", f"in use as {used.study.label}", "3 pictures", plain.study.label):
        assert told in answer
    desk.post(SHEET, {"ticked": tokens, "decision": "reject"})
    assert states(twin, frames, plain, again) == [REJECTED, REJECTED, READY, REJECTED]


def test_what_looks_nearly_the_same_stands_beside_it(desk: Client) -> None:
    near = InstanceFactory.create()
    film = held_film(OddKind.NEAR, near_to=near)
    page = desk.get(SHEET).content.decode()
    for each in (near, film):
        assert reverse("film-picture", args=[each.uid]) in page
    assert f"The film of {near.study.label}, nearly the same" in page


def test_of_one_that_waits_for_a_look_it_says_so(desk: Client) -> None:
    near = InstanceFactory.create(series__study__state=Study.State.UNSEEN)
    held_film(OddKind.NEAR, near_to=near)
    page = desk.get(SHEET).content.decode()
    assert ("<span>to look at, <span" in page, "<span>unseen, <span" in page) == (True, False)


def test_what_changed_since_the_sheet_was_shown_is_left(desk: Client) -> None:
    grown, decided, plain = held_film(), held_film(), held_film()
    tokens = [token(film) for film in (grown, decided, plain)]
    InstanceFactory.create(series=grown.series)
    Study.objects.filter(pk=decided.study.pk).update(state=REJECTED)
    answer = desk.post(SHEET, {"ticked": [*tokens, "no token"], "decision": "accept"}, follow=True)
    assert "2 studies changed since the sheet was shown" in answer.content.decode()
    assert states(decided, plain) == [REJECTED, READY]
    assert grown.study.state == HELD
    nothing = desk.post(SHEET, {"decision": "accept"}, follow=True).content.decode()
    assert "No study was ticked." in nothing


@pytest.mark.parametrize("accept", [True, False])
def test_a_decision_is_taken_back_as_a_whole_and_recorded(admin: User, accept: bool) -> None:
    colleague = AdminFactory.create()
    films = [held_film() for _ in range(3)]
    before = films[0].study
    kept = InstanceFactory.create()
    hold = hold_study(kept.study, reason="odd", actor=colleague, names_seen_by=colleague)
    # Looked at by a colleague, and held for something else.
    Study.objects.filter(pk=kept.study.pk).update(held_for=OddKind.BY_HAND)
    tokens = [token(film) for film in (*films, kept)]
    decided = decide_together(tokens=tokens, accept=accept, has_looked=True, actor=admin)
    assert (decided.num_done, states(*films, kept)) == (4, [READY if accept else REJECTED] * 4)
    assert decided.decision is not None
    assert last_decision(admin) == decided.decision
    assert take_back(decided.decision, actor=admin).num_back == 4
    assert states(*films, kept) == [HELD] * 4
    hold.refresh_from_db()
    before.refresh_from_db()
    assert (hold.looked_by, before.looked_by, before.looked_at) == (colleague, None, None)
    assert AuditEvent.objects.filter(action="undo_decision", actor=admin).count() == 4
    assert last_decision(admin) is None
    with pytest.raises(RefusedByRule, match="taken back already"):
        take_back(decided.decision, actor=admin)


def test_what_a_reader_saw_waits_again_after_its_decision_was_taken_back(admin: User) -> None:
    film = held_film()
    report_name(film=film, reader=ExpertFactory.create(), change_id=film.uid)
    barred = decide_together(tokens=[token(film)], accept=True, has_looked=True, actor=admin)
    assert barred.decision is None
    assert barred.objections[0].startswith("A reader saw a name on a film of S-")
    decided = decide_together(tokens=[token(film)], accept=False, has_looked=False, actor=admin)
    assert not Sighting.objects.filter(looked_at=None).exists()
    assert decided.decision is not None
    take_back(decided.decision, actor=admin)
    assert Sighting.objects.filter(looked_at=None).count() == 1


def test_what_became_of_a_study_since_is_not_undone(desk: Client, admin: User) -> None:
    moved, plain = held_film(), held_film()
    tokens = [token(moved), token(plain)]
    decision = decide_together(tokens=tokens, accept=True, has_looked=True, actor=admin).decision
    assert decision is not None
    Study.objects.filter(pk=moved.study.pk).update(looked_at=timezone.now())
    with pytest.raises(NotYours):
        take_back(decision, actor=AdminFactory.create())
    undo = reverse("study-held-undo", args=[decision.uid])
    answer = desk.post(undo, follow=True).content.decode()
    assert "1 study held again." in answer
    assert "1 study changed since the decision" in answer
    assert states(moved, plain) == [READY, HELD]
    stranger = Client()
    stranger.force_login(AdminFactory.create())
    assert stranger.post(undo).status_code == 404


def test_a_decision_of_yesterday_is_offered_no_more(admin: User) -> None:
    film = held_film()
    decide_together(tokens=[token(film)], accept=False, has_looked=False, actor=admin)
    HeldDecision.objects.update(decided_at=timezone.now() - UNDO_FOR - timedelta(seconds=1))
    assert last_decision(admin) is None


def test_a_card_that_is_decided_on_by_itself_is_answered_with_the_way_back(desk: Client) -> None:
    film = held_film()
    part = {"HX-Request": "true"}
    shown = token(film)
    answer = desk.post(SHEET, {"accept": shown}, headers=part).content.decode()
    decision = HeldDecision.objects.get()
    assert "accepted." in answer
    assert reverse("study-held-undo", args=[decision.uid]) in answer
    again = desk.post(SHEET, {"accept": shown}, headers=part).content.decode()
    assert "It changed since" in again
    back = desk.post(reverse("study-held-undo", args=[decision.uid]), headers=part).content.decode()
    assert f'value="{shown}"' in back
    assert states(film) == [HELD]
    twice = desk.post(reverse("study-held-undo", args=[decision.uid]), headers=part).content.decode()
    assert "taken back already" in twice
    assert desk.post(SHEET, {"accept": "no token"}, headers=part).status_code == 404
