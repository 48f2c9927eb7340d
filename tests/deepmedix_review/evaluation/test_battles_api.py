"""Single battles of the arena as JSON: chosen as on the page, with both texts and each judgement."""

import pytest

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.evaluation.models import ArenaRun, Battle
from deepmedix_review.studies.models import SourceDataset, Study
from tests.deepmedix_review.evaluation.test_arena import carried_out, judge, signed_votes, versions
from tests.deepmedix_review.evaluation.test_battles import RUBBISH, of_film, says
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.rl_feedback.evaluation.arena.judged import verdict

__all__ = ["judge", "versions"]
pytestmark = pytest.mark.django_db
PRICES = {"price_of_prompt": 1.0, "price_of_answer": 10.0}


@pytest.fixture
def researcher(client):
    user = ResearcherFactory.create()
    client.force_login(user)
    return user


def listed(client, run: ArenaRun, **chosen: object) -> dict:
    answer = client.get(f"/api/arena/{run.uid}/battles/", chosen)
    assert answer.status_code == 200
    told: dict = answer.json()
    return told


def whole(client, run: ArenaRun, battle: Battle) -> dict:
    answer = client.get(f"/api/arena/{run.uid}/battles/{battle.uid}/")
    assert answer.status_code == 200
    told: dict = answer.json()
    return told


def test_battles_are_listed_by_pages_and_chosen_as_on_the_page(
    client, researcher, versions, judge, monkeypatch, django_assert_max_num_queries
) -> None:
    judge.says = says
    run = carried_out(versions, num_wanted=100)
    good, _, bad = versions
    pair = f"{good.number}-{bad.number}"
    for chosen, number in (
        ({}, 36),
        ({"pair": pair}, 12),
        ({"only": "invalid"}, 2),
        ({"only": "flipped"}, 2),
        ({"pair": pair, "won": good.number}, 8),
        ({"pair": pair, "won": "tie"}, 3),
        ({"by": "experts"}, 0),
        ({"won": "²", "only": "nothing"}, 36),
    ):
        assert len(listed(client, run, **chosen)["results"]) == number, chosen
    monkeypatch.setattr("deepmedix_review.evaluation.arena.api_views.PAGE_SIZE", 20)
    with django_assert_max_num_queries(12):
        first = listed(client, run)
    rest = listed(client, run, before=first["next_before"])
    assert len({one["uid"] for one in (*first["results"], *rest["results"])}) == 36
    assert rest["next_before"] is None
    (flipped, _) = listed(client, run, only="flipped", before="")["results"]
    assert (flipped["by_judge"], flipped["is_flipped"], flipped["num_votes"]) == ("tie", True, 0)
    assert {flipped["left"], flipped["right"]} < {str(one.uid) for one in versions}
    assert AuditEvent.objects.filter(action="view_arena_battles", subject_uid=run.uid).exists()


def test_a_battle_tells_both_texts_and_each_judgement_with_its_reasons_and_cost(
    client, researcher, versions, judge
) -> None:
    judge.says = says
    run = carried_out(versions, num_wanted=100, limits=PRICES)
    good, _, bad = versions
    battle = of_film(10)
    told = whole(client, run, battle)
    assert told["battle"]["by_judge"] == str(good)
    assert told["left"] == {
        "version": str(good.uid),
        "name": f"{good} good",
        "is_whole_text": False,
        "text": battle.left.answer,
    }
    assert told["right"]["version"] == str(bad.uid)
    assert [(one["first"], one["better"]) for one in told["judgements"]] == [
        ("left", "left"),
        ("right", "left"),
    ]
    (one, _) = told["judgements"]
    assert one["criteria"]["severity"] == {"better": "left", "reason": "Because."}
    assert (one["kind"], one["judge"], one["prompt_version"]) == ("model", "judge", "arena-1")
    assert (one["num_requests"], one["num_prompt_tokens"], one["num_tokens"]) == (1, 100, 10)
    assert one["cost"] == pytest.approx(200 / 1e6)
    assert (one["is_verdict"], one["problem"], one["text"]) == (True, "", "")
    seen = AuditEvent.objects.filter(action="view_completions", subject_uid=battle.study.uid)
    assert seen.count() == 1


def test_what_is_no_verdict_is_told_with_its_problem_and_its_beginning(
    client, researcher, versions, judge
) -> None:
    judge.says = says
    run = carried_out(versions, num_wanted=100)
    told = whole(client, run, of_film(0))
    assert (told["battle"]["is_invalid"], told["battle"]["by_judge"]) == (True, "")
    (one, _) = told["judgements"]
    assert (one["is_verdict"], one["better"], one["criteria"], one["cost"]) == (False, "", {}, None)
    assert "no JSON object" in one["problem"]
    assert one["text"] == RUBBISH[:4000]


def test_an_expert_is_told_by_pseudonym_beside_the_judge(client, researcher, judge) -> None:
    older, newer = signed_votes(["a"])
    judge.says = lambda prompt: verdict("tie")
    run = carried_out([older, newer], num_wanted=10)
    told = whole(client, run, Battle.objects.get())
    expert = told["judgements"][-1]
    (reader,) = {one.reader for one in Battle.objects.get().judgements.filter(kind="expert")}
    assert reader is not None
    assert (expert["kind"], expert["judge"]) == ("expert", reader.pseudonym)
    assert expert["better"] == expert["first"]
    assert (expert["num_requests"], expert["cost"], expert["prompt_version"]) == (0, None, "")
    assert (told["battle"]["disagrees"], told["battle"]["num_votes"]) == (True, 1)
    assert reader.username not in str(told)
    (line,) = listed(client, run, only="disagree")["results"]
    assert line == told["battle"]


def test_what_may_not_be_seen_or_may_not_leave_is_in_no_list_and_has_no_address(
    client, researcher, versions, judge
) -> None:
    run = carried_out(versions, num_wanted=100)
    held, closed = of_film(1), of_film(2)
    Study.objects.filter(pk=held.study_id).update(state=Study.State.HELD)
    source = SourceDataset.objects.create(name="Closed", layout="x", licence="own", is_credentialed=True)
    Study.objects.filter(pk=closed.study_id).update(source=source)
    assert len(listed(client, run)["results"]) == 36 - 2 * 3
    for battle in (held, closed):
        assert client.get(f"/api/arena/{run.uid}/battles/{battle.uid}/").status_code == 404
    other = carried_out(versions[:2], num_wanted=1, revision="2")
    assert client.get(f"/api/arena/{other.uid}/battles/{of_film(5).uid}/").status_code == 404


@pytest.mark.parametrize("factory", [ExpertFactory, AdminFactory])
def test_who_sees_no_arena_sees_no_battle_of_it_either(client, factory, versions, judge) -> None:
    run = carried_out(versions, num_wanted=1)
    client.force_login(factory.create())
    battle = Battle.objects.get()
    for address in (f"/api/arena/{run.uid}/battles/", f"/api/arena/{run.uid}/battles/{battle.uid}/"):
        assert client.get(address).status_code == 403
