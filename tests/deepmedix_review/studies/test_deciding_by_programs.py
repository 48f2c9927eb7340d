"""A program lists held studies, decides on a hundred at once, and takes a decision back."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.studies.intake.odd import OddKind
from deepmedix_review.studies.models import HeldDecision, Instance, Study
from tests.deepmedix_review.studies.dicomweb.the_service import token_of
from tests.factories.accounts import AdminFactory
from tests.factories.studies import InstanceFactory

pytestmark = pytest.mark.django_db
HELD_STUDIES = "/api/held-studies/"
READY, HELD, REJECTED = Study.State.READY, Study.State.HELD, Study.State.REJECTED


def held_film(kind: OddKind = OddKind.VIEW, **attributes: Any) -> Instance:
    return InstanceFactory.create(
        series__study__state=HELD,
        series__study__held_for=kind,
        series__study__held_reasons=["Its view is SWIMMERS, not PA, AP or lateral."],
        **attributes,
    )


def program_of(user: User, *capabilities: Capability) -> APIClient:
    program = APIClient()
    wanted = capabilities or (Capability.VIEW_ALL_STUDIES, Capability.DECIDE_HELD_STUDIES)
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {token_of(user, *wanted)}")
    return program


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


@pytest.fixture
def program(admin: User) -> APIClient:
    return program_of(admin)


def decide(program: APIClient, tokens: list[str], decision: str = "accept", **said: Any) -> Any:
    return program.post(HELD_STUDIES, {"decision": decision, "tokens": tokens, **said}, format="json")


def states(*films: Instance) -> list[str]:
    return [Study.objects.get(series__instances=film).state for film in films]


def test_a_hundred_are_listed_accepted_and_taken_back(program: APIClient, admin: User) -> None:
    films = [held_film() for _ in range(101)]
    listed = program.get(HELD_STUDIES).json()
    assert len(listed["results"]) == 100
    assert listed["kinds"] == [{"kind": "view", "name": "View", "num_held": "101"}]
    [left] = program.get(HELD_STUDIES, {"before": listed["next_before"]}).json()["results"]
    first = listed["results"][0]
    assert first["study"]["uid"] == str(films[-1].study.uid)
    assert first["study"]["held_reasons"] == ["Its view is SWIMMERS, not PA, AP or lateral."]
    assert first["study"]["films"][0]["picture_url"] == reverse("film-picture", args=[films[-1].uid])
    assert (first["kind"], first["objection"], first["near"]) == ("view", "", [])
    answer = decide(program, [one["token"] for one in listed["results"]], looked=True)
    assert answer.status_code == 200
    decision = HeldDecision.objects.get()
    assert answer.json() == {
        "decision": str(decision.uid),
        "num_done": 100,
        "objections": [],
        "num_left": 0,
    }
    assert states(films[0], films[1], films[-1]) == [HELD, READY, READY]
    assert left["study"]["uid"] == str(films[0].study.uid)
    recorded = AuditEvent.objects.filter(action="accept_study", actor=admin)
    assert recorded.count() == 100
    assert all("by_token" in event.details for event in recorded)
    back = f"{HELD_STUDIES}decisions/{decision.uid}/take-back/"
    assert program.post(back).json() == {"num_back": 100, "num_left": 0}
    assert set(states(*films)) == {HELD}
    again = program.post(back)
    assert (again.status_code, "taken back already" in again.json()["detail"]) == (409, True)


def test_what_the_sheet_refuses_a_program_is_refused(program: APIClient) -> None:
    plain, named, frames = held_film(), held_film(), held_film(num_frames=3)
    tokens = {one["study"]["uid"]: one["token"] for one in program.get(HELD_STUDIES).json()["results"]}
    without_a_word = decide(program, list(tokens.values()))
    assert (without_a_word.status_code, "Nothing was accepted" in without_a_word.json()["detail"]) == (
        409,
        True,
    )
    InstanceFactory.create(series=named.series)
    answer = decide(program, [*tokens.values(), "no token"], looked=True).json()
    assert (answer["num_done"], answer["num_left"]) == (1, 1)
    [objection] = answer["objections"]
    assert "3 pictures" in objection
    assert states(plain, frames) == [READY, HELD]
    assert named.study.state == HELD
    nothing = decide(program, [tokens[str(plain.study.uid)]], "reject").json()
    assert nothing == {"decision": None, "num_done": 0, "objections": [], "num_left": 1}
    rejected = decide(program, [tokens[str(frames.study.uid)]], "reject").json()
    assert (rejected["num_done"], states(frames)) == (1, [REJECTED])


def test_one_kind_is_listed_with_what_is_nearly_the_same(program: APIClient) -> None:
    near, _ = InstanceFactory.create(), held_film()
    film = held_film(OddKind.NEAR, near_to=near)
    [one] = program.get(HELD_STUDIES, {"kind": "near"}).json()["results"]
    assert (one["study"]["uid"], one["near"]) == (str(film.study.uid), [str(near.study.uid)])


def test_of_a_kind_that_none_is_of_none_is_listed(program: APIClient) -> None:
    held_film(OddKind.VIEW)
    assert program.get(HELD_STUDIES, {"kind": "polarity"}).json()["results"] == []


@pytest.mark.parametrize(
    ("address", "name"), [(HELD_STUDIES, "kind"), ("/api/studies/", "state")], ids=["held", "all"]
)
def test_a_word_that_is_no_filter_is_refused_rather_than_taken_for_everything(
    program: APIClient, address: str, name: str
) -> None:
    held_film(OddKind.NEAR)
    refused = program.get(address, {name: "nearly"})
    assert refused.status_code == 400
    assert refused.json()[name][0].startswith("There is no 'nearly' here: it can be ")
    assert program.get(address, {name: ""}).json()["results"] != []


def test_a_list_of_thirty_asks_the_database_no_more_than_one(program: APIClient) -> None:
    counts = []
    for number in (1, 30):
        for _ in range(number):
            held_film(near_to=InstanceFactory.create())
        with CaptureQueriesContext(connection) as captured:
            assert program.get(HELD_STUDIES).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"decision": "accept", "tokens": []}, 400),
        ({"decision": "accept", "tokens": ["x"] * 101}, 400),
        ({"decision": "perhaps", "tokens": ["x"]}, 400),
        ({"decision": "reject", "tokens": "x"}, 400),
        ({"decision": "reject", "tokens": ["x"]}, 200),
    ],
)
def test_what_is_asked_wrongly_is_refused(program: APIClient, said: dict[str, Any], status: int) -> None:
    film = held_film()
    assert program.post(HELD_STUDIES, said, format="json").status_code == status
    assert states(film) == [HELD]


def test_a_decision_is_taken_back_by_who_made_it_and_tokens_do_what_they_were_made_for(
    program: APIClient, admin: User
) -> None:
    film = held_film()
    [one] = program.get(HELD_STUDIES).json()["results"]
    only_views = program_of(admin, Capability.VIEW_ALL_STUDIES)
    assert (only_views.get(HELD_STUDIES).status_code, decide(only_views, [one["token"]]).status_code) == (
        403,
        403,
    )
    decision = decide(program, [one["token"]], "reject").json()["decision"]
    stranger = program_of(AdminFactory.create())
    for client, uid in ((stranger, decision), (program, uuid4())):
        assert client.post(f"{HELD_STUDIES}decisions/{uid}/take-back/").status_code == 404
    assert states(film) == [REJECTED]
