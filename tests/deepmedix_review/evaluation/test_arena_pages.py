"""The pages, the JSON interface and the command of the Report Arena."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import ArenaRun, Judgement
from deepmedix_review.evaluation.tasks import run_arena
from tests.deepmedix_review.evaluation.test_arena import (
    carried_out,
    judge,
    signed_votes,
    versions,
)
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.arena import URL
from tests.rl_feedback.evaluation.arena.judged import verdict

__all__ = ["judge", "versions"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(client):
    user = ResearcherFactory.create()
    client.force_login(user)
    return user


def text_of(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def asked(versions, **fields) -> dict:
    return {
        "title": "Round 1",
        "versions": [version.pk for version in versions],
        "url": URL,
        "served_model": "judge",
        "num_wanted": 4,
        **fields,
    }


def test_an_empty_arena_says_what_it_is_and_where_reports_may_go(client, researcher, settings) -> None:
    page = text_of(client.get(reverse("arena-list")))
    assert "No battle has been judged yet." in page
    assert "The protocol is our own" in page
    settings.INFERENCE_ENDPOINTS = []
    assert "Reports may be sent to no model server" in text_of(client.get(reverse("arena-list")))


def test_a_run_is_asked_for_watched_cancelled_and_let_go_on_from_its_pages(
    client, researcher, versions
) -> None:
    response = client.post(reverse("arena-list"), asked(versions, most_requests=6))
    run = ArenaRun.objects.get()
    assert response.url == reverse("arena-run", args=[run.uid])
    assert run.limits == {"most_requests": 6}
    page = text_of(client.get(response.url))
    assert "The board is drawn when the judge is done." in page
    assert "HX-Refresh" not in client.get(reverse("arena-run-live", args=[run.uid])).headers
    client.post(reverse("arena-run-cancel", args=[run.uid]))
    run.refresh_from_db()
    assert run.state == JobState.CANCELLED
    assert client.get(reverse("arena-run-live", args=[run.uid])).headers["HX-Refresh"] == "true"
    assert "Nothing was judged, so there is no board." in text_of(client.get(response.url))
    client.post(reverse("arena-run-go-on", args=[run.uid]), {"num_wanted": 6})
    run_arena(run.pk)
    page = text_of(client.get(response.url))
    assert "6 of 6 battles" in page
    assert "nothing more to judge" not in page
    ArenaRun.objects.update(num_wanted=9)
    assert "There was nothing more to judge." in text_of(client.get(response.url))
    assert "Round 1" in text_of(client.get(reverse("arena-list")))


def test_a_refused_form_says_why_and_keeps_what_was_typed(client, researcher, versions) -> None:
    page = text_of(client.post(reverse("arena-list"), asked(versions, url="http://10.0.0.1/v1")))
    assert "may be sent to 10.0.0.1:80" in page
    assert 'value="Round 1"' in page
    page = text_of(client.post(reverse("arena-list"), asked(versions[:1])))
    assert "Choose from 2 to 50 versions." in page
    assert not ArenaRun.objects.exists()


def test_the_board_stands_below_whether_its_judge_may_be_believed(
    client, researcher, versions, judge
) -> None:
    run = carried_out(versions, num_wanted=100)
    page = text_of(client.get(reverse("arena-run", args=[run.uid])))
    places = [
        page.index(said)
        for said in (
            "The protocol of these battles is our own",
            "nobody knows whether its board means anything",
            "Judge against experts",
            "Kappa between orders",
            "36 battles on 12 studies",
            "how many the version on the left won",
        )
    ]
    assert places == sorted(places)
    assert page.index("good</th>", places[4]) < page.index("middling</th>", places[4])
    assert "<circle" in page
    for chosen, says in (
        ("styled", "What style alone does"),
        ("experts", "There is no battle yet."),
        ("by_category-0", "Question: "),
        ("by_judge-0", "Judge: judge"),
        ("nonsense", "Language models</h2>"),
    ):
        assert says in text_of(client.get(reverse("arena-run", args=[run.uid]), {"board": chosen}))


def test_a_judge_of_the_first_place_is_named_as_one_on_the_page(client, researcher, versions, judge) -> None:
    judge.says = lambda prompt: verdict("A")
    run = carried_out(versions, num_wanted=20)
    page = text_of(client.get(reverse("arena-run", args=[run.uid])))
    assert "in 100% of its decisions. It looks at the order, hardly at the reports." in page


def test_experts_stand_on_the_page_by_pseudonym(client, researcher, judge) -> None:
    older, newer = signed_votes(["a"] * 3)
    run = carried_out([older, newer], num_wanted=10)
    page = text_of(client.get(reverse("arena-run", args=[run.uid])))
    (reader,) = {judgement.reader for judgement in Judgement.objects.filter(kind="expert")}
    assert reader is not None
    assert f'{reader.pseudonym} <span class="chip quiet">expert' in page
    assert reader.username not in page


def test_programs_ask_watch_cancel_and_go_on(client, researcher, versions) -> None:
    wanted = asked(versions) | {"versions": [str(version.uid) for version in versions]}
    response = client.post("/api/arena/", wanted, content_type="application/json")
    assert response.status_code == 202
    address = f"/api/arena/{response.json()['uid']}/"
    assert client.post(f"{address}cancel/").json()["state"] == "cancelled"
    again = client.post(f"{address}go-on/", {"num_wanted": 5}, content_type="application/json")
    assert (again.status_code, again.json()["num_wanted"]) == (202, 5)
    run_arena(ArenaRun.objects.get().pk)
    told = client.get(address).json()
    assert (told["state"], told["num_judged"]) == ("done", 5)
    assert told["board"]["judges"]["num_battles"] == 5
    assert [one["uid"] for one in client.get("/api/arena/").json()["results"]] == [told["uid"]]
    refused = client.post(f"{address}cancel/")
    assert (refused.status_code, "done already" in str(refused.json())) == (409, True)


@pytest.mark.parametrize("factory", [ExpertFactory, AdminFactory])
def test_who_may_not_see_models_sees_no_arena(client, factory, versions) -> None:
    run = carried_out(versions, num_wanted=2)
    client.force_login(factory.create())
    for address in (reverse("arena-list"), reverse("arena-run", args=[run.uid]), "/api/arena/"):
        assert client.get(address).status_code == 403
    assert client.post(reverse("arena-run-cancel", args=[run.uid])).status_code == 403


def test_the_command_asks_for_a_run_and_says_what_it_can_not(versions) -> None:
    actor = ResearcherFactory.create()
    options = {"title": "By hand", "endpoint": URL, "judge": "judge", "actor": actor.username, "battles": 3}
    out, numbers = io.StringIO(), [version.number for version in versions]
    call_command("run_arena", *numbers, stdout=out, most_requests=9, **options)
    run = ArenaRun.objects.get()
    assert str(run.uid) in out.getvalue()
    assert (run.num_wanted, run.limits) == (3, {"most_requests": 9})
    with pytest.raises(CommandError, match="There is no version 9999"):
        call_command("run_arena", versions[0].number, 9999, **options)
