"""GREEN on the platform: a SIMULATED judge on a model server counts, and what it wrote is kept as numbers."""

import io
import json

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.urls import reverse

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.measuring.services import cancel_run, make_run
from deepmedix_review.evaluation.models import GreenAnswer, MetricRun
from deepmedix_review.evaluation.tasks import request_metrics_again, run_metrics
from deepmedix_review.registry.models import ModelVersion
from inference.engines import load_engine
from rl_feedback.evaluation.results import Report, from_json
from tests.deepmedix_review.evaluation.measured import SECRET, Measured, few_draws, measured
from tests.factories.accounts import ResearcherFactory
from tests.factories.arena import ORIGIN, URL, SimulatedJudge
from tests.factories.registry import ModelVersionFactory
from tests.factories.simulated_model_server import MODEL, SimulatedServer

__all__ = ["few_draws"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few_draws")]
# Two texts of the good version and two of the bad one that it does not share.
NUM_QUESTIONS = 4


def counted(matched: int, **errors: int) -> str:
    return json.dumps({"matched": matched, "errors": {kind: errors.get(kind, 0) for kind in "abcdef"}})


def by_words(prompt: str) -> str:
    return counted(0, b=1) if "Normal chest." in prompt else counted(3, a=1)


@pytest.fixture(autouse=True)
def judge(monkeypatch, settings) -> SimulatedJudge:
    settings.INFERENCE_ENDPOINTS = [ORIGIN]
    judge = SimulatedJudge(by_words)
    monkeypatch.setattr("deepmedix_review.evaluation.tasks.load_engine", lambda settings: judge)
    return judge


def on_a_server(url: str = URL, served_model: str = "judge") -> ModelVersion:
    return ModelVersionFactory.create(
        name="reader", source="endpoint", endpoint_url=url, served_model=served_model, folder=""
    )


def carried_out(made: Measured, **fields) -> MetricRun:
    fields.setdefault("judge", on_a_server())
    run = make_run(made.wanted(beside=made.bad, **fields), actor=ResearcherFactory.create())
    run_metrics(run.pk)
    run.refresh_from_db()
    return run


def gone_on(run: MetricRun, **fields) -> MetricRun:
    request_metrics_again(run, actor=run.requested_by, **fields)
    run_metrics(run.pk)
    run.refresh_from_db()
    return run


def greens(run: MetricRun) -> list[tuple[float, int]]:
    report = from_json(run.result)
    found = [report.figure("report", "green", system) for system in report.systems]
    return [(one.value, one.num) for one in found if one is not None and one.value is not None]


def why_no_green(report: Report) -> str:
    (reason,) = [one.reason for one in report.absent if one.measure == "green"]
    return reason


def test_a_judge_counts_each_pair_of_texts_once_and_numbers_alone_are_kept(judge) -> None:
    made = measured()
    run = carried_out(made)
    assert (run.state, run.error) == (JobState.DONE, "")
    assert greens(run) == [(0.75, 8), (0.375, 8)]
    assert len(judge.prompts) == run.num_judged == run.num_to_judge == NUM_QUESTIONS
    assert "Reference report: Small left pleural effusion." in " ".join(judge.prompts)
    told = list(GreenAnswer.objects.values_list("counts", "num_requests", "num_prompt_tokens"))
    assert len(told) == NUM_QUESTIONS
    assert {one[1:] for one in told} == {(1, 100)}
    assert SECRET not in run.result + str(told)
    report = from_json(run.result)
    assert report.provenance["judge of GREEN"] == f"{run.judge} reader, judge, question green-1"
    assert any(one.measure == "green" for one in report.compared)
    judge.prompts.clear()
    again = carried_out(made, judge=run.judge)
    assert judge.prompts == []
    assert greens(again) == greens(run)
    carried_out(made)
    assert len(judge.prompts) == NUM_QUESTIONS


def test_rubbish_is_asked_again_and_never_counts(judge) -> None:
    judge.says = lambda prompt: "No idea." if "Normal chest." in prompt else counted(1, a=1)
    made = measured()
    run = carried_out(made)
    assert run.state == JobState.DONE
    # Counted as 0 the rubbish would make it 0.25.
    assert greens(run) == [(0.5, 8), (0.5, 8)]
    assert len(judge.prompts) == 2 + 2 * 3
    assert sorted(GreenAnswer.objects.values_list("num_requests", "num_prompt_tokens")) == [
        *[(1, 100)] * 2,
        *[(3, 300)] * 2,
    ]
    (note,) = [one for one in from_json(run.result).notes if "GREEN" in one]
    assert note.startswith(
        f"GREEN of {made.bad}: what the judge wrote of 4 of 8 reports could not be read in 3"
    )
    judge.says = by_words
    again = carried_out(made, judge=run.judge)
    assert greens(again) == [(0.5, 8), (0.25, 8)]


def test_a_limit_ends_the_run_with_all_else_measured_and_raised_it_goes_on(judge) -> None:
    run = carried_out(measured(), limits={"most_requests": 3})
    assert run.state == JobState.FAILED
    assert "could pass 3 requests" in run.error
    assert (run.num_judged, run.num_to_judge) == (3, NUM_QUESTIONS)
    report = from_json(run.result)
    assert report.figure("report", "rouge_l", report.systems[0])
    assert "could pass 3 requests" in why_no_green(report)
    assert greens(run) == []
    assert run.cases.exists()
    run = gone_on(run, limits={"most_requests": 5})
    assert (run.state, run.error, run.num_judged) == (JobState.DONE, "", NUM_QUESTIONS)
    assert len(judge.prompts) == NUM_QUESTIONS
    assert greens(run) == [(0.75, 8), (0.375, 8)]


def test_a_server_that_is_away_leaves_green_alone_unavailable(judge) -> None:
    judge.most = 2
    run = carried_out(measured())
    assert run.state == JobState.FAILED
    assert "can't be reached" in run.error
    assert "can't be reached" in why_no_green(from_json(run.result))
    assert run.green_answers.count() == 2
    judge.most = None
    assert greens(gone_on(run)) == [(0.75, 8), (0.375, 8)]
    assert len(judge.prompts) == NUM_QUESTIONS


def test_a_key_that_is_gone_leaves_green_alone_unavailable(judge, settings, tmp_path) -> None:
    settings.ENDPOINT_KEY_FOLDER = tmp_path
    judging = on_a_server()
    judging.key_name = "127.0.0.1:9/key"
    judging.save()
    run = carried_out(measured(4), judge=judging)
    assert run.state == JobState.FAILED
    assert "The key file 127.0.0.1:9/key" in run.error
    assert "The key file 127.0.0.1:9/key" in why_no_green(from_json(run.result))


def test_a_run_that_is_cancelled_while_the_judge_reads_keeps_what_is_judged(judge) -> None:
    run = make_run(measured().wanted(judge=on_a_server()), actor=ResearcherFactory.create())

    def cancelling(prompt: str) -> str:
        cancel_run(run, actor=run.requested_by)
        return by_words(prompt)

    judge.says = cancelling
    run_metrics(run.pk)
    run.refresh_from_db()
    assert (run.state, run.result, run.green_answers.count()) == (JobState.CANCELLED, "", 1)
    judge.says = by_words
    run = gone_on(run)
    assert (run.state, len(judge.prompts)) == (JobState.DONE, 2)


def test_without_a_judge_the_result_says_why_there_is_no_green(judge) -> None:
    run = carried_out(measured(4), judge=None)
    assert run.state == JobState.DONE
    assert why_no_green(from_json(run.result)) == "no judge was chosen"
    assert judge.prompts == []


def test_who_can_not_judge_is_refused_with_the_way_out(settings) -> None:
    made = measured(2)
    judging = on_a_server()
    for fields, says in (
        ({"judge": ModelVersionFactory.create()}, "runs on no model server"),
        ({"judge": judging, "limits": {"most_cost": 1.0}}, "needs the prices"),
        ({"judge": judging, "version": judging}, "can't judge itself"),
        ({"judge": on_a_server("http://127.0.0.1:10/v1")}, "INFERENCE_ENDPOINTS"),
    ):
        with pytest.raises(RefusedByRule, match=says):
            make_run(made.wanted(**fields), actor=ResearcherFactory.create())
    assert not MetricRun.objects.exists()


def test_a_judge_is_asked_over_its_server_with_texts_alone(monkeypatch, settings) -> None:
    server = SimulatedServer()
    try:
        settings.INFERENCE_ENDPOINTS = [server.origin]
        monkeypatch.setattr("deepmedix_review.evaluation.tasks.load_engine", load_engine)
        limits = {"most_cost": 1.0, "price_of_prompt": 1.0, "price_of_answer": 2.0}
        made = measured()
        run = carried_out(made, judge=on_a_server(f"{server.origin}/v1", MODEL), limits=limits)
        requests = server.log()["requests"]
    finally:
        server.kill()
    assert (run.state, run.error) == (JobState.DONE, "")
    assert len(requests) == NUM_QUESTIONS
    assert all(isinstance(request["body"]["messages"][0]["content"], str) for request in requests)
    assert greens(run) == [(0.5, 8), (0.5, 8)]
    assert set(run.green_answers.values_list("num_prompt_tokens", flat=True)) == {300}


def test_the_form_offers_servers_as_judges_and_the_page_tells_how_far_they_are(client) -> None:
    made, judging = measured(4), on_a_server()
    client.force_login(ResearcherFactory.create())
    page = client.get(reverse("metric-run-list")).content.decode()
    offered = page[page.index('<select name="judge"') :]
    offered = offered[: offered.index("</select>")]
    assert str(judging.uid) in offered
    assert str(made.good.uid) not in offered
    said = {"title": "Spring", "version": str(made.bad.uid), "collection": str(made.collection.uid)}
    said |= {"against": "report", "judge": str(judging.uid), "most_requests": "1"}
    client.post(reverse("metric-run-list"), said)
    run = MetricRun.objects.get()
    assert run.limits == {"most_requests": 1}
    run_metrics(run.pk)
    page = " ".join(client.get(reverse("metric-run", args=[run.uid])).content.decode().split())
    assert "could pass 1 requests" in page
    assert "All but GREEN is measured, and stands below." in page
    assert '<span class="mono">1 of 4</span> pairs of output and reference judged' in page
    assert "GREEN: unavailable, because the judge did not end its work" in page
    assert 'name="most_requests" value="1"' in page
    client.post(reverse("metric-run-go-on", args=[run.uid]), {"most_requests": "9"})
    run_metrics(run.pk)
    page = client.get(reverse("metric-run", args=[run.uid])).content.decode()
    assert "GREEN: unavailable" not in page
    assert '<th scope="row">GREEN</th>' in page


def test_programs_name_a_judge_and_raise_its_limits(client) -> None:
    made, judging = measured(4), on_a_server()
    client.force_login(ResearcherFactory.create())
    wanted = {
        "title": "Spring",
        "version": str(made.bad.uid),
        "collection_version": str(made.collection.uid),
        "side": "",
        "judge": str(judging.uid),
        "limits": {"most_requests": 1},
    }
    told = client.post("/api/evaluations/", wanted, content_type="application/json")
    assert told.status_code == 202, told.content
    assert told.json()["judge"] == str(judging.uid)
    run = MetricRun.objects.get()
    run_metrics(run.pk)
    address = f"/api/evaluations/{run.uid}/"
    told = client.get(address).json()
    assert (told["state"], told["num_judged"], told["num_to_judge"]) == ("failed", 1, NUM_QUESTIONS)
    body = {"limits": {"most_requests": 5}}
    assert client.post(f"{address}go-on/", body, content_type="application/json").status_code == 202
    run_metrics(run.pk)
    assert client.get(address).json()["state"] == "done"


def test_the_command_asks_a_judge_within_limits_and_knows_what_runs_asked(tmp_path, monkeypatch) -> None:
    made, actor, out = measured(), ResearcherFactory.create(), io.StringIO()
    options = {
        "model": made.good.number,
        "beside": made.bad.number,
        "collection": made.collection.collection.name,
        "side": "all",
        "actor": actor.username,
    }
    monkeypatch.setattr("deepmedix_review.evaluation.tasks.load_engine", load_engine)
    server = SimulatedServer()
    try:
        with override_settings(INFERENCE_ENDPOINTS=[server.origin]):
            judge = on_a_server(f"{server.origin}/v1", MODEL)
            call_command(
                "evaluate", **options, judge=judge.number, most_requests=3, out=tmp_path / "x", stdout=out
            )
            assert "There is no GREEN: The judge may be asked no more" in out.getvalue()
            assert not GreenAnswer.objects.exists()
            run = carried_out(made, judge=judge)
            num_asked = len(server.log()["requests"])
            call_command("evaluate", **options, judge=judge.number, out=tmp_path / "y", stdout=out)
            assert len(server.log()["requests"]) == num_asked == 3 + NUM_QUESTIONS
    finally:
        server.kill()
    report = from_json((tmp_path / "y" / "results.json").read_text("utf-8"))
    green = [report.figure("report", "green", system) for system in report.systems]
    assert [(one.value, one.num) for one in green if one] == greens(run) == [(0.5, 8), (0.5, 8)]
    assert SECRET not in (tmp_path / "y" / "report.html").read_text("utf-8")
