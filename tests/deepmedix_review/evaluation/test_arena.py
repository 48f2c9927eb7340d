"""Battles on the platform: a SIMULATED judge on a model server, experts' votes, one table, one board."""

import json
from collections.abc import Sequence
from functools import partial

import pytest

from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.arena.battles import open_pairs, take_votes
from deepmedix_review.evaluation.arena.services import cancel_run, make_run
from deepmedix_review.evaluation.arena.wanted import WantedRun
from deepmedix_review.evaluation.models import ArenaRun, Battle, Judgement
from deepmedix_review.evaluation.tasks import request_arena_again, run_arena
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Case, Reading, Vote
from deepmedix_review.studies.models import Reference
from inference.engines import load_engine
from rl_feedback.evaluation.arena import Pace
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.arena import ORIGIN, URL, SimulatedJudge, truthful
from tests.factories.reader_studies import list_of, sign_unsaid, two_versions_running
from tests.factories.reasoning import CompletionFactory
from tests.factories.registry import ModelVersionFactory
from tests.factories.simulated_model_server import MODEL, SimulatedServer
from tests.factories.studies import InstanceFactory
from tests.rl_feedback.evaluation.arena.judged import verdict

pytestmark = pytest.mark.django_db
RIGHT = {"good": 0.9, "middling": 0.6, "bad": 0.2}


def words(prompt: str, which: str) -> int:
    return len(prompt.split(f"report_{which}>")[1].split())


@pytest.fixture(autouse=True)
def judge(monkeypatch, settings) -> SimulatedJudge:
    settings.INFERENCE_ENDPOINTS = [ORIGIN]
    # The thread that renews leases sees nothing of a test's transaction: it must not have its turn.
    settings.LEASE_SECONDS = 3600
    judge = SimulatedJudge()
    monkeypatch.setattr("deepmedix_review.evaluation.tasks.load_engine", lambda settings: judge)
    return judge


@pytest.fixture
def versions() -> list[ModelVersion]:
    """Three versions that wrote of the same twelve films; every text is another one."""
    made = [ModelVersionFactory.create(name=name) for name in RIGHT]
    for number in range(12):
        instance = InstanceFactory.create()
        Reference.objects.create(study=instance.series.study, impression="A nodule.")
        for version in made:
            answer = "A nodule." if number < 12 * RIGHT[version.name] else "Clear."
            CompletionFactory.create(
                instance=instance, model_version=version, answer=f"{answer} {version.name} {number}"
            )
    return made


def wanted(versions, **fields) -> WantedRun:
    return WantedRun(title="Round 1", versions=versions, url=URL, served_model="judge", **fields)


def carried_out(versions, **fields) -> ArenaRun:
    run = make_run(wanted(versions, **fields), actor=ResearcherFactory.create())
    run_arena(run.pk)
    run.refresh_from_db()
    return run


def rows_of(run: ArenaRun) -> list[tuple]:
    return sorted(run.judgements.values_list("battle__left", "battle__right", "is_left_first", "verdict"))


def test_a_run_finds_the_order_and_asks_about_every_battle_in_both_orders(versions, judge) -> None:
    run = carried_out(versions, num_wanted=100)
    assert (run.state, run.num_judged) == (JobState.DONE, 36)
    assert [row["model"].split()[1] for row in run.board["judges"]["rows"]] == ["good", "middling", "bad"]
    assert len(judge.prompts) == len(set(judge.prompts)) == 72
    assert Judgement.objects.filter(kind="model").count() == 72
    assert "A nodule.\n</reference_report>" in judge.prompts[0]
    assert "nobody knows whether its board means anything" in run.board["against_experts"][0]["says"]


def test_a_run_that_broke_off_and_went_on_ends_as_one_that_did_not(versions, judge, monkeypatch) -> None:
    whole = carried_out(versions, num_wanted=20)
    told, plan, board = rows_of(whole), whole.plan, whole.board
    Judgement.objects.all().delete()
    broken = SimulatedJudge(most=25)
    monkeypatch.setattr("deepmedix_review.evaluation.tasks.load_engine", lambda settings: broken)
    run = carried_out(versions, num_wanted=20)
    assert run.state == JobState.FAILED
    assert "can't be reached" in run.error
    assert run.judgements.count() == 25
    broken.most = None
    request_arena_again(run, actor=run.requested_by)
    run_arena(run.pk)
    run.refresh_from_db()
    assert run.state == JobState.DONE
    assert (rows_of(run), run.plan, run.board) == (told, plan, board)
    assert len(broken.prompts) == len(set(broken.prompts)) == 40


def test_a_second_run_of_the_same_judge_asks_nobody(versions, judge) -> None:
    first = carried_out(versions, num_wanted=20)
    judge.prompts.clear()
    second = carried_out(versions, num_wanted=20)
    assert judge.prompts == []
    assert second.board == first.board
    assert second.num_judged == 20


def test_a_limit_ends_the_run_with_a_sentence_and_what_is_judged_is_kept_and_shown(versions) -> None:
    run = carried_out(versions, num_wanted=36, limits={"most_requests": 30})
    assert run.state == JobState.FAILED
    assert "could pass 30 requests" in run.error
    assert run.judgements.count() == 30
    assert run.board["judges"]["num_battles"] == 15
    request_arena_again(run, actor=run.requested_by, limits={})
    run_arena(run.pk)
    run.refresh_from_db()
    assert (run.state, run.judgements.count()) == (JobState.DONE, 72)


def test_no_minute_of_a_run_sees_more_requests_than_allowed_over_its_rounds_and_attempts(
    versions, judge, monkeypatch
) -> None:
    now, sent = [0.0], []

    def wait(seconds: float) -> None:
        now[0] += seconds

    def says(prompt: str) -> str:
        sent.append(now[0])
        return truthful(prompt)

    timed = partial(Pace, clock=lambda: now[0], wait=wait)
    monkeypatch.setattr("deepmedix_review.evaluation.arena.running.Pace", timed)
    judge.says = says
    run = carried_out(versions, num_wanted=36, limits={"requests_per_minute": 40, "most_requests": 50})
    request_arena_again(run, actor=run.requested_by, limits={"requests_per_minute": 40})
    run_arena(run.pk)
    assert len(sent) == 72
    # What the first attempt asked is known to the second by the table, a moment less than the clock says.
    assert max(sum(0 <= at - start < 59 for at in sent) for start in sent) == 40


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        (lambda prompt: verdict("A"), "It looks at the order"),
        (
            lambda prompt: verdict("A" if words(prompt, "A") > words(prompt, "B") else "B"),
            "It takes the longer report in 100%",
        ),
        (lambda prompt: "No idea.", "of its 72 judgements were no verdict"),
    ],
)
def test_a_bad_judge_is_unmasked_by_the_boards_own_figures(versions, judge, says, sentence) -> None:
    for completion in Completion.objects.all():
        Completion.objects.filter(pk=completion.pk).update(
            answer=f"{completion.answer} {'x ' * (completion.pk % 7)}"
        )
    judge.says = says
    run = carried_out(versions, num_wanted=100)
    assert run.state == JobState.DONE
    assert any(sentence in said for said in run.board["judge_bias"][0]["says"])


def test_where_two_versions_say_the_same_nobody_is_asked_which_is_better(versions, judge) -> None:
    good, middling, _ = versions
    for number, completion in enumerate(Completion.objects.filter(model_version=middling).order_by("pk")[:5]):
        same = Completion.objects.filter(model_version=good).order_by("pk")[number]
        Completion.objects.filter(pk=completion.pk).update(answer=same.answer)
    run = carried_out([good, middling], num_wanted=100)
    assert (run.num_judged, len(judge.prompts), run.board["num_alike"]) == (7, 14, 5)
    Completion.objects.filter(model_version__in=[good, middling]).update(answer="Clear.")
    with pytest.raises(RefusedByRule, match="On no film do two"):
        make_run(wanted([good, middling]), actor=ResearcherFactory.create())


def test_versions_without_a_common_film_and_unnamed_servers_are_refused(versions, settings) -> None:
    actor = ResearcherFactory.create()
    alone = ModelVersionFactory.create()
    with pytest.raises(RefusedByRule, match="On no film do two of these versions say different"):
        make_run(wanted([alone, ModelVersionFactory.create()]), actor=actor)
    with pytest.raises(RefusedByRule, match="from 2 to 50"):
        make_run(wanted([alone]), actor=actor)
    with pytest.raises(RefusedByRule, match="needs the prices"):
        make_run(wanted(versions, limits={"most_cost": 1.0}), actor=actor)
    settings.INFERENCE_ENDPOINTS = []
    with pytest.raises(RefusedByRule, match="may be sent to"):
        make_run(wanted(versions), actor=actor)
    with pytest.raises(NotYours):
        make_run(wanted(versions), actor=ExpertFactory.create())
    assert not ArenaRun.objects.exists()


def test_a_waiting_run_is_cancelled_and_goes_on(versions) -> None:
    run = make_run(wanted(versions, num_wanted=4), actor=ResearcherFactory.create())
    cancel_run(run, actor=run.requested_by)
    assert run.state == JobState.CANCELLED
    run_arena(run.pk)
    assert not Judgement.objects.exists()
    request_arena_again(run, actor=run.requested_by, num_wanted=5)
    run_arena(run.pk)
    run.refresh_from_db()
    assert (run.state, run.num_judged) == (JobState.DONE, 5)


def test_votes_enter_the_same_table_once_and_leave_it_when_they_count_no_more() -> None:
    older, newer = signed_votes(["a", "b", "both_bad"])
    assert take_votes([older, newer]) == 3
    assert take_votes([older, newer]) == 3
    told = Judgement.objects.filter(kind="expert").order_by("pk")
    assert [one.verdict for one in told] == ["first", "second", "tie"]
    for one in told:
        assert one.vote is not None
        reading = one.vote.reading
        assert reading.completion_b_id is not None
        assert one.is_left_first == (reading.completion_a_id < reading.completion_b_id)
        assert one.reader == reading.assignment.reader
    pairs = open_pairs([older, newer], seed=1)
    assert {(pair.left, pair.right) for pair in pairs} == set(Battle.objects.values_list("left", "right"))
    # Of a case that teaches no vote counts.
    Case.objects.filter(assignments__readings__votes=told[0].vote_id).update(role=Case.Role.TRAINING)
    assert take_votes([older, newer]) == 2
    assert Judgement.objects.filter(kind="expert").count() == 2


def signed_votes(sides: Sequence[str]) -> tuple[ModelVersion, ModelVersion]:
    study, older, newer = two_versions_running(num_cases=len(sides))
    reader = study.invitations.get().reader
    for side, assignment in zip(sides, list_of(study, reader), strict=True):
        Vote.objects.create(reading=Reading.objects.get(assignment=assignment), side=side)
        sign_unsaid(assignment)
    return older, newer


def test_experts_and_judge_meet_on_one_board(judge) -> None:
    older, newer = signed_votes(["a"] * 4)
    run = carried_out([older, newer], num_wanted=10)
    assert run.board["experts"]["num_battles"] == 4
    beside = run.board["against_experts"][0]
    assert (beside["num_battles"], beside["num_experts"]) == (4, 1)
    assert "nobody knows" not in json.dumps(run.board)


def test_a_run_that_is_cancelled_in_the_middle_keeps_what_is_judged_and_goes_on_to_the_same_end(
    versions, judge
) -> None:
    whole = carried_out(versions, num_wanted=36)
    told, board = rows_of(whole), whole.board
    Judgement.objects.all().delete()
    judge.prompts.clear()
    run = make_run(wanted(versions, num_wanted=36), actor=ResearcherFactory.create())

    def cancelling(prompt: str) -> str:
        if len(judge.prompts) == 20:
            cancel_run(run, actor=run.requested_by)
        return truthful(prompt)

    judge.says = cancelling
    run_arena(run.pk)
    run.refresh_from_db()
    assert (run.state, run.judgements.count()) == (JobState.CANCELLED, 32)
    assert run.board["judges"]["num_battles"] == run.num_judged == 16
    judge.says = truthful
    request_arena_again(run, actor=run.requested_by)
    run_arena(run.pk)
    run.refresh_from_db()
    assert (run.state, rows_of(run), run.board) == (JobState.DONE, told, board)


def test_a_judge_is_asked_over_its_server_with_texts_alone(versions, monkeypatch, settings) -> None:
    server = SimulatedServer()
    try:
        settings.INFERENCE_ENDPOINTS = [server.origin]
        monkeypatch.setattr("deepmedix_review.evaluation.tasks.load_engine", load_engine)
        asked = WantedRun(
            title="Round 1",
            versions=versions,
            url=f"{server.origin}/v1",
            served_model=MODEL,
            num_wanted=5,
            limits={"most_cost": 1.0, "price_of_prompt": 1.0, "price_of_answer": 2.0},
        )
        run = make_run(asked, actor=ResearcherFactory.create())
        run_arena(run.pk)
        requests = server.log()["requests"]
    finally:
        server.kill()
    run.refresh_from_db()
    assert (run.state, run.error, run.num_judged) == (JobState.DONE, "", 5)
    assert len(requests) == 10
    assert all(isinstance(request["body"]["messages"][0]["content"], str) for request in requests)
    assert set(run.judgements.values_list("verdict", "num_prompt_tokens")) == {("first", 300)}
