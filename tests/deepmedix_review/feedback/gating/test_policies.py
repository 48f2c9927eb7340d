"""What the gate guards is a numbered policy: each can be read, a researcher makes the next, none changes."""

from dataclasses import asdict
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.feedback.gating.forms import PolicyForm
from deepmedix_review.feedback.gating.policies import (
    current_policy,
    figures_not_held,
    make_policy,
    take_over_figures,
)
from deepmedix_review.feedback.models import GatePolicy
from rl_feedback.gate import POLICIES, Suite
from rl_feedback.gate.built_in import FEWEST_OF_A_KIND
from rl_feedback.gate.policy import (
    USUAL_GAINS,
)
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def as_sent(**changes: Any) -> dict[str, Any]:
    """The form as it comes to a person, with changes; None unchecks or empties."""
    form = PolicyForm(current=current_policy())
    sent = {name: form[name].value() for name in form.fields} | {"note": "Tighter."} | changes
    given = {name: value for name, value in sent.items() if value is not None and value is not False}
    return {name: "on" if value is True else value for name, value in given.items()}


def test_the_built_in_policies_are_there_and_the_newest_counts() -> None:
    assert list(GatePolicy.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert current_policy() == POLICIES[-1]


def test_a_researcher_makes_the_next_policy_on_the_page_and_reads_each_one() -> None:
    researcher = ResearcherFactory.create()
    client = client_of(researcher)
    sent = as_sent(
        **{"margin-sealed-lesion_recall": "0.02", "limit-sealed-omitted": "0.5"},
        **{"gains": "own", "gain-sealed-lesion_recall": True},
        **{"guarded-sealed-num_boxes": None, "preference_margin": "0.1"},
    )
    answer = client.post(reverse("gate-policy-new"), sent)
    assert answer.headers["Location"] == reverse("gate-policy", args=[7])
    policy = current_policy()
    margins = {guard.figure: guard.margin for guard in policy.of(Suite.SEALED)}
    assert (policy.number, margins["lesion_recall"], policy.required_gains) == (7, 0.02, ("lesion_recall",))
    assert "num_boxes" not in margins
    assert policy.preference_margin == 0.1
    assert len(policy.guards) == len(POLICIES[-1].guards) - 1
    made = AuditEvent.objects.filter(action="make_gate_policy").latest("sequence")
    assert made.actor == researcher
    assert {guard.fewest for guard in policy.guards} == {0, FEWEST_OF_A_KIND}
    page = client.get(reverse("gate-policy", args=[7])).content.decode()
    assert page.count(f", of at least {FEWEST_OF_A_KIND} findings") == 6
    assert page.count(", of at least 30 patients") == 8
    assert page.count("never: it is shown") == 2
    assert {g.fewest_patients for g in policy.of(Suite.PATIENTS)} == {30}
    assert "at least one of Lesion recall, for sure" in page
    assert "Tighter." in page
    assert "may lie 0.1 below a half" in page
    assert "counts now" in page
    assert "counts now" not in client.get(reverse("gate-policy", args=[6])).content.decode()
    assert client.get(reverse("gate-policy-list")).content.decode().count('<th scope="row">') == 7


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"margin-sealed-lesion_recall": "abc"}, "Enter a number."),
        ({"margin-sealed-lesion_recall": "-1"}, "Lesion recall: a margin lies above 0"),
        ({"confidence": "1.5"}, "The confidence of the intervals lies between"),
        ({"note": " "}, "This field is required."),
        ({}, "Nothing differs from the policy that counts now"),
        (
            {"gains": "own", "gain-sealed-omitted": True, "guarded-sealed-omitted": None},
            "No guarded figure is called omitted",
        ),
        ({"gains": "own"}, "Tick at least one figure under"),
        ({"gain-sealed-omitted": True}, "choose the last of these, or untick them"),
        ({"margin-sealed-lesion_recall": "nan"}, "Enter a number."),
    ],
)
def test_what_no_gate_could_guard_is_said_and_nothing_is_kept(changes: dict[str, Any], said: str) -> None:
    page = client_of(ResearcherFactory.create()).post(reverse("gate-policy-new"), as_sent(**changes))
    assert page.status_code == 200
    assert said in page.content.decode()
    assert current_policy().number == 6


def test_a_researcher_asks_for_a_usual_gain_by_one_choice_and_takes_it_back_by_another() -> None:
    client = client_of(ResearcherFactory.create())
    before = client.get(reverse("gate-policy", args=[6])).content.decode()
    assert "nothing: a candidate that loses nothing passes" in before
    assert f'href="{reverse("gate-policy-new")}#gains"' in before
    sent = as_sent(gains="usual", **{"guarded-patients-answer_fit": None})
    assert client.post(reverse("gate-policy-new"), sent).status_code == 302
    asked = current_policy()
    assert set(asked.required_gains) == set(USUAL_GAINS) - {"answer_fit"}
    page = client.get(reverse("gate-policy", args=[7])).content.decode()
    assert "at least one of Lesion recall, Lesion region IoU, Exact answers, Weakest step" in page
    assert PolicyForm(current=asked)["gains"].value() == "usual"
    client.post(reverse("gate-policy-new"), as_sent(gains="none"))
    assert current_policy().required_gains == ()


def before_sealed_patients() -> dict[str, Any]:
    """What a researcher made when policy 5 was the newest, with a margin of their own and a figure less."""
    guards = [asdict(guard) for guard in POLICIES[4].guards if guard.figure != "num_boxes"]
    next(guard for guard in guards if guard["figure"] == "lesion_recall")["margin"] = 0.01
    return {**POLICIES[4].as_json(), "guards": guards}


@pytest.fixture
def updated() -> User:
    """Who made the newest policy in an installation that knew built-in ones up to 5."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE feedback_gatepolicy DISABLE TRIGGER kept_as_it_was_made")
        cursor.execute("DELETE FROM feedback_gatepolicy WHERE number = 6")
        cursor.execute("ALTER TABLE feedback_gatepolicy ENABLE TRIGGER kept_as_it_was_made")
    researcher: User = ResearcherFactory.create()
    make_policy(content=before_sealed_patients(), note="Stricter.", actor=researcher)
    return researcher


def test_a_policy_from_before_figures_came_says_which_and_takes_them_over_in_one_press(
    updated: User,
) -> None:
    client, take_over = client_of(updated), reverse("gate-policy-take-over")
    for address in (reverse("gate-policy-list"), reverse("gate-policy", args=[6])):
        page = client.get(address).content.decode()
        assert "Figures came since the policy that counts was made" in page
        assert "Sealed patients of this site, by what their readers said: Confirmed findings said, " in page
        assert f'action="{take_over}"' in page
    assert "Figures came since" not in client.get(reverse("gate-policy", args=[5])).content.decode()
    assert client_of(AdminFactory.create()).post(take_over).status_code == 403
    assert client.post(take_over)["Location"] == reverse("gate-policy", args=[7])
    taken = current_policy()
    assert taken.of(Suite.PATIENTS) == POLICIES[5].of(Suite.PATIENTS)
    sealed = {guard.figure: guard.margin for guard in taken.of(Suite.SEALED)}
    assert sealed["lesion_recall"] == 0.01
    assert "num_boxes" not in sealed
    made = AuditEvent.objects.filter(action="make_gate_policy").latest("sequence")
    assert made.actor == updated
    assert "Takes over figures that came since: Confirmed findings said" in made.details["note"]
    assert "Figures came since" not in client.get(reverse("gate-policy-list")).content.decode()
    assert "holds every figure that there is" in client.post(take_over, follow=True).content.decode()
    assert current_policy() == taken


def test_a_figure_that_a_researcher_took_out_is_not_offered_again() -> None:
    researcher = ResearcherFactory.create()
    content = before_sealed_patients()
    make_policy(content=content, note="Without sealed patients.", actor=researcher)
    assert figures_not_held() == ()
    with pytest.raises(RefusedByRule, match="or was made without it"):
        take_over_figures(actor=researcher)


def test_no_policy_is_changed_or_taken_away() -> None:
    for change in (lambda: GatePolicy.objects.update(note="?"), GatePolicy.objects.all().delete):
        with pytest.raises(IntegrityError, match="kept as they were made"), transaction.atomic():
            change()


def test_only_a_researcher_reads_and_makes_policies() -> None:
    addresses = [reverse("gate-policy-list"), reverse("gate-policy-new"), reverse("gate-policy", args=[1])]
    for user in (AdminFactory.create(), ExpertFactory.create()):
        assert {client_of(user).get(address).status_code for address in addresses} == {403}
        with pytest.raises(NotYours):
            make_policy(content=POLICIES[0].as_json(), note="Mine.", actor=user)
    assert {client_of(ResearcherFactory.create()).get(address).status_code for address in addresses} == {200}
    assert {Client().get(address).status_code for address in addresses} == {302}
    missing = client_of(ResearcherFactory.create()).get(reverse("gate-policy", args=[77]))
    assert missing.status_code == 404


def test_a_policy_says_why_it_was_made() -> None:
    with pytest.raises(RefusedByRule, match="why the policy changes"):
        make_policy(content=POLICIES[0].as_json(), note="", actor=ResearcherFactory.create())
