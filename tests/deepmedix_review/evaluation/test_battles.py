"""The battles of a run one by one: the list, a battle's page, what leaves as files, experts alone, what a
judge cost, and three bad judges that their page unmasks."""

import csv
import io
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.arena.services import make_run
from deepmedix_review.evaluation.arena.wanted import WantedRun
from deepmedix_review.evaluation.models import ArenaRun, Battle, Judgement
from deepmedix_review.evaluation.tasks import request_arena_again, run_arena
from deepmedix_review.reasoning.models import Completion, ReasoningStep, Region
from deepmedix_review.studies.models import Reference, SourceDataset, Study
from inference.engines import load_engine
from tests.deepmedix_review.evaluation.test_arena import carried_out, judge, signed_votes, versions
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.arena import truthful
from tests.factories.simulated_model_server import COIN, FIRST_PLACE, LONGER, SimulatedServer
from tests.rl_feedback.evaluation.arena.judged import verdict

__all__ = ["judge", "versions"]
pytestmark = pytest.mark.django_db
RUBBISH = "<script>alert(1)</script>" + "x" * 5000


@pytest.fixture
def researcher(client):
    user = ResearcherFactory.create()
    client.force_login(user)
    return user


def text_of(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def says(prompt: str) -> str:
    """Of film 0 rubbish, of film 1 always the first, else what is right."""
    if "good 0\n" in prompt:
        return RUBBISH
    return verdict("A") if "good 1\n" in prompt else truthful(prompt)


def of_film(number: int, *, other: str = "bad") -> Battle:
    found: Battle = Battle.objects.get(
        left__answer__endswith=f"good {number}", right__answer__endswith=f"{other} {number}"
    )
    return found


def list_page(client, run: ArenaRun, **chosen: str) -> str:
    return text_of(client.get(reverse("arena-battles", args=[run.uid]), chosen))


def battle_page(client, run: ArenaRun, battle: Battle, **chosen: str) -> str:
    return text_of(client.get(reverse("arena-battle", args=[run.uid, battle.uid]), chosen))


def test_battles_are_chosen_by_pair_outcome_and_what_is_odd_with_them(
    client, researcher, versions, judge
) -> None:
    judge.says = says
    run = carried_out(versions, num_wanted=100)
    good, _, bad = versions
    page = list_page(client, run)
    assert "36 battles, newest first" in page
    assert f"{good} and {bad}" in page
    for chosen, number in (
        ({"pair": f"{bad.number}-{good.number}"}, 12),
        ({"only": "invalid"}, 2),
        ({"only": "flipped"}, 2),
        ({"pair": f"{good.number}-{bad.number}", "won": str(good.number)}, 8),
        ({"pair": f"{good.number}-{bad.number}", "won": "tie"}, 3),
        ({"won": str(bad.number)}, 0),
        ({"by": "judge"}, 36),
        ({"by": "experts"}, 0),
        ({"only": "disagree"}, 0),
        ({"pair": "x", "won": "²", "only": "nothing"}, 36),
    ):
        page = list_page(client, run, **chosen)
        assert (f"{number} battle" in page) if number else ("No battle is like that." in page), chosen
    assert AuditEvent.objects.filter(action="view_arena_battles", subject_uid=run.uid).exists()


def test_a_run_lists_its_own_battles_though_its_judge_answered_more(client, researcher, versions) -> None:
    carried_out(versions, num_wanted=100)
    assert "5 battles, newest first" in list_page(client, carried_out(versions, num_wanted=5))


def test_what_was_asked_anew_of_another_reference_counts_by_the_newest_answer(
    client, researcher, versions, judge
) -> None:
    run = carried_out(versions[::2], num_wanted=100)
    assert "4 battles" in list_page(client, run, won="tie")
    Reference.objects.update(impression="Another nodule.")
    judge.says = lambda prompt: verdict("tie")
    request_arena_again(run, actor=researcher)
    run_arena(run.pk)
    assert run.judgements.count() == 48
    page = list_page(client, run, won="tie")
    assert "12 battles" in page
    assert page.count("<td>tie</td>") == 12
    assert "No battle is like that." in list_page(client, run, only="flipped")


def test_long_lists_go_on_and_ask_the_database_no_more(
    client, researcher, versions, monkeypatch, django_assert_max_num_queries
) -> None:
    run = carried_out(versions, num_wanted=100)
    monkeypatch.setattr("deepmedix_review.evaluation.arena.views.PAGE_SIZE", 20)
    with django_assert_max_num_queries(14):
        page = list_page(client, run)
    assert page.count('<th scope="row">') == 20
    older = page.split('href="?before=')[1].split('"')[0]
    assert list_page(client, run, before=older).count('<th scope="row">') == 16
    with django_assert_max_num_queries(22):
        battle_page(client, run, of_film(3))


def test_a_battle_shows_both_texts_on_the_film_and_what_the_judge_said_in_either_order(
    client, researcher, versions, judge
) -> None:
    judge.says = says
    run = carried_out(versions, num_wanted=100)
    good, _, bad = versions
    battle = of_film(10)
    step = ReasoningStep.objects.create(completion=battle.left, position=1, text="A node above.")
    box = {"x_min": 10, "y_min": 20, "x_max": 60, "y_max": 90, "model_box": [1, 2, 3, 4]}
    Region.objects.create(step=step, position=1, **box)
    page = battle_page(client, run, battle)
    for said in (
        reverse("study-detail", args=[battle.study.uid]),
        reverse("film-picture", args=[battle.left.instance.uid]),
        '<rect x="10.0" y="20.0" width="50.0" height="70.0">',
        f"The film with the 1 region of {good}",
        "A node above.",
        "</del> 10</pre>",
        "</ins> 10</pre>",
        f"{good} as A, {bad} as B",
        f"{bad} as A, {good} as B",
        f"<b>{good} is better</b><br>Because.",
        "Both orders agree.",
        "No expert voted on this pair.",
    ):
        assert said in page, said
    seen = AuditEvent.objects.filter(action="view_completions", subject_uid=battle.study.uid)
    assert seen.count() == 1
    assert "It flipped with the order, and counts as a tie." in battle_page(client, run, of_film(1))


def test_what_is_no_verdict_is_shown_as_text_and_cut(client, researcher, versions, judge) -> None:
    judge.says = says
    run = carried_out(versions, num_wanted=100)
    page = battle_page(client, run, of_film(0))
    assert "It has no verdict, and counts nowhere." in page
    assert "It holds no JSON object" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;xxx" in page
    assert f"{len(RUBBISH) - 4000} more characters are not shown." in page
    assert "x" * 4000 not in page


def test_the_same_word_with_another_mark_behind_it_is_not_marked(client, researcher, versions) -> None:
    run = carried_out(versions, num_wanted=100)
    battle = of_film(3)
    Completion.objects.filter(pk=battle.left_id).update(answer="Right nodule")
    Completion.objects.filter(pk=battle.right_id).update(answer="Right nodule, left effusion")
    page = battle_page(client, run, battle)
    assert "<pre>Right nodule</pre>" in page
    assert "<pre>Right nodule,<ins> left effusion</ins></pre>" in page


def test_the_next_battle_is_the_next_of_what_was_chosen(client, researcher, versions, judge) -> None:
    judge.says = says
    run = carried_out(versions, num_wanted=100)
    first, second = Battle.objects.filter(left__answer__endswith="good 1").order_by("pk")
    page = battle_page(client, run, second, only="flipped")
    assert (
        f'id="older-battle" href="{reverse("arena-battle", args=[run.uid, first.uid])}?only=flipped"' in page
    )
    assert "newer-battle" not in page
    assert "only=flipped" in page.split("Battles of Round 1")[0].rsplit("<a", 1)[1]


def test_another_judge_of_the_same_battle_is_told_apart(client, researcher, versions, judge) -> None:
    run = carried_out(versions, num_wanted=100)
    judge.says = lambda prompt: verdict("tie")
    carried_out(versions, num_wanted=100, revision="2")
    page = battle_page(client, run, of_film(3))
    assert page.index("<h2>judge</h2>") < page.index("judge 2, prompt arena-1: another judge")
    assert "board does not count it" in page


def test_experts_votes_stand_beside_the_judge_and_where_they_differ_is_found(
    client, researcher, judge
) -> None:
    older, newer = signed_votes(["a", "tie", "both_bad"])
    Completion.objects.filter(model_version=newer).update(answer="normal")
    judge.says = lambda prompt: verdict("tie")
    run = carried_out([older, newer], num_wanted=10)
    assert "3 battles" in list_page(client, run, by="experts")
    assert "2 battles" in list_page(client, run, by="experts", won="tie")
    page = list_page(client, run, only="disagree")
    assert "1 battle, newest first" in page
    assert "judge and experts disagree</span>" in page
    voted = Judgement.objects.filter(kind="expert").exclude(verdict="tie").get()
    assert voted.reader is not None
    page = battle_page(client, run, voted.battle)
    assert voted.reader.pseudonym in page
    assert voted.reader.username not in page
    neither = Judgement.objects.get(vote__side="both_bad")
    assert "both bad, a tie" in battle_page(client, run, neither.battle)


def test_who_may_not_see_a_study_sees_no_battle_of_it(client, researcher, versions) -> None:
    run = carried_out(versions, num_wanted=100)
    battle = of_film(3)
    Study.objects.filter(pk=battle.study_id).update(state=Study.State.HELD)
    assert client.get(reverse("arena-battle", args=[run.uid, battle.uid])).status_code == 404
    assert "33 battles" in list_page(client, run)
    assert str(battle.uid) not in "".join(file_of(client, run, "battles.csv"))
    client.force_login(ExpertFactory.create())
    for address in (
        reverse("arena-battles", args=[run.uid]),
        reverse("arena-battle", args=[run.uid, battle.uid]),
        reverse("arena-run-file", args=[run.uid, "board.csv"]),
    ):
        assert client.get(address).status_code == 403


def file_of(client, run: ArenaRun, name: str) -> str:
    response = client.get(reverse("arena-run-file", args=[run.uid, name]))
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_judgement_leaves_as_a_row_that_no_spreadsheet_runs(
    client, researcher, versions, judge
) -> None:
    def judged(prompt: str) -> str:
        return RUBBISH if "good 0\n" in prompt else verdict("A", "=HYPERLINK(1)")

    judge.says = judged
    run = carried_out(versions, num_wanted=100, limits={"price_of_prompt": 1.0, "price_of_answer": 2.0})
    rows = rows_of(file_of(client, run, "battles.csv"))
    assert len(rows) == 72
    invalid = [row for row in rows if row["valid"] == "false"]
    assert {(row["outcome"], row["better"], row["requests"]) for row in invalid} == {("invalid", "", "3")}
    good = f"{versions[0]} good"
    one = next(row for row in rows if row["valid"] == "true" and row["first"] == good)
    assert one["better"] == one["findings_better"] == good
    assert one["findings_reason"] == "'=HYPERLINK(1)"
    assert (one["requests"], one["prompt_tokens"], one["answer_tokens"]) == ("1", "100", "10")
    assert float(one["cost"]) == pytest.approx((100 * 1.0 + 10 * 2.0) / 1e6)
    assert {row["study_uid"] for row in rows} == set(
        Study.objects.values_list("study_instance_uid", flat=True)
    )
    board = rows_of(file_of(client, run, "board.csv"))
    told = [row for row in board if row["board"] == "Language models"]
    assert [row["version"] for row in told] == [row["model"] for row in run.board["judges"]["rows"]]
    assert [row["note"] for row in board if row["board"] == "Experts"] == ["There is no battle yet."]
    assert "\\begin{tabular}" in file_of(client, run, "board.tex")
    assert AuditEvent.objects.filter(action="download_arena", subject_uid=run.uid).count() == 3
    assert client.get(reverse("arena-run-file", args=[run.uid, "plan.csv"])).status_code == 404


def test_no_word_of_a_study_leaves_whose_licence_forbids_it(client, researcher, versions) -> None:
    run = carried_out(versions, num_wanted=100)
    source = SourceDataset.objects.create(name="Closed", layout="x", licence="x", is_credentialed=True)
    study = of_film(3).study
    Study.objects.filter(pk=study.pk).update(source=source)
    rows = rows_of(file_of(client, run, "battles.csv"))
    assert len(rows) == 66
    assert study.study_instance_uid not in {row["study_uid"] for row in rows}


def test_experts_judge_alone_where_no_judge_is_named(client, researcher, settings, judge) -> None:
    settings.INFERENCE_ENDPOINTS = []
    older, newer = signed_votes(["a", "a", "b"])
    asked: dict[str, Any] = {"title": "Experts", "versions": [older.pk, newer.pk], "num_wanted": 200}
    address = client.post(reverse("arena-list"), asked).url
    run = ArenaRun.objects.get()
    run_arena(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error, run.num_judged, judge.prompts) == (JobState.DONE, "", 3, [])
    page = text_of(client.get(address))
    assert "3 pairs that experts voted on" in page
    assert "Experts’ votes alone, without a judge" in page
    assert "<h2>Experts</h2>" in page
    assert "Judge against experts, on" not in page
    assert "experts alone" in text_of(client.get(reverse("arena-list")))
    assert "3 battles" in list_page(client, run)
    assert "No battle is like that" in list_page(client, run, won="tie")
    (reader,) = {one.reader for one in Judgement.objects.all()}
    assert reader is not None
    text = file_of(client, run, "battles.csv")
    assert {row["judge"] for row in rows_of(text)} == {"expert 1"}
    assert reader.pseudonym not in text
    client.post(reverse("arena-run-go-on", args=[run.uid]))
    run.refresh_from_db()
    assert run.state == JobState.QUEUED


def test_without_votes_and_without_a_judge_there_is_nothing_to_begin_with(versions) -> None:
    actor = ResearcherFactory.create()
    with pytest.raises(RefusedByRule, match="No reader has compared two"):
        make_run(WantedRun(title="Experts", versions=versions), actor=actor)
    for url, name in (("http://127.0.0.1:9/v1", ""), ("", "judge")):
        half = WantedRun(title="Half", versions=versions, url=url, served_model=name)
        with pytest.raises(RefusedByRule, match="address and its name there"):
            make_run(half, actor=actor)
    assert not ArenaRun.objects.exists()


def test_the_command_asks_for_experts_alone() -> None:
    older, newer = signed_votes(["a"])
    actor = ResearcherFactory.create()
    out = io.StringIO()
    call_command("run_arena", older.number, newer.number, title="E", actor=actor.username, stdout=out)
    assert not ArenaRun.objects.get().has_judge


def test_the_page_tells_what_the_judge_cost_where_a_price_is_known(client, researcher, versions) -> None:
    run = carried_out(versions, num_wanted=5)
    page = text_of(client.get(reverse("arena-run", args=[run.uid])))
    assert "10 questions" in page
    assert '<span class="mono">1,000</span> tokens read' in page
    assert "not known</b>; a run that is given prices tells it" in page
    request_arena_again(run, actor=researcher, limits={"price_of_prompt": 100.0, "price_of_answer": 1000.0})
    page = text_of(client.get(reverse("arena-run", args=[run.uid])))
    assert '<b class="mono">0.2000</b>' in page


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        (
            FIRST_PLACE,
            [
                "It takes the report in the first place in 100% of its decisions. It looks at the order",
                "Its two orders agree no more than chance would",
            ],
        ),
        (LONGER, ["It takes the longer report in 100% of its decisions."]),
        (COIN, ["Its two orders agree no more than chance would", "not told from a coin's"]),
    ],
)
def test_a_bad_judge_behind_a_server_is_unmasked_by_its_page(
    client, researcher, versions, monkeypatch, settings, name, sentences
) -> None:
    for completion in Completion.objects.all():
        Completion.objects.filter(pk=completion.pk).update(
            answer=f"{completion.answer} {'and so on ' * (completion.pk % 7)}"
        )
    monkeypatch.setattr("deepmedix_review.evaluation.tasks.load_engine", load_engine)
    server = SimulatedServer()
    try:
        settings.INFERENCE_ENDPOINTS = [server.origin]
        asked = WantedRun(title="Bad", versions=versions, url=f"{server.origin}/v1", served_model=name)
        run = make_run(asked, actor=researcher)
        run_arena(run.pk)
    finally:
        server.kill()
    run.refresh_from_db()
    assert (run.state, run.error, run.num_judged) == (JobState.DONE, "", 36)
    page = text_of(client.get(reverse("arena-run", args=[run.uid])))
    for sentence in sentences:
        assert sentence.replace("'", "&#x27;") in page, sentence
    if name == LONGER:
        assert "looks at the order" not in page
