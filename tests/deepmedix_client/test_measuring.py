"""A program asks versions about studies, measures what they wrote and lets them compete, with the package."""

import pytest
from django.utils import timezone

from deepmedix_client import DeepMedixError, Failure, JobFailed, NotAllowed, Refused, TookTooLong
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import ArenaRun, Judgement, MetricRun
from deepmedix_review.evaluation.tasks import run_arena, run_metrics
from deepmedix_review.reasoning.batches import services
from deepmedix_review.reasoning.models import InferenceBatch, InferenceJob, InferenceWorker
from deepmedix_review.reasoning.tasks import ask_batch, end_batch
from tests.deepmedix_client.conftest import ClientOf
from tests.deepmedix_review.evaluation.measured import few_draws, measured
from tests.deepmedix_review.evaluation.test_arena import judge, signed_votes, versions
from tests.factories.arena import URL
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import InstanceFactory

__all__ = ["few_draws", "judge", "versions"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_batch_is_asked_paused_resumed_tried_again_and_cancelled(client_of: ClientOf) -> None:
    serving = ServingModelFactory.create()
    for _ in range(3):
        InstanceFactory.create()
    client = client_of()
    batch = client.ask(num_samples=1)
    assert (batch.model, batch.num_samples, batch.failures) == (str(serving), 1, [])
    ask_batch(InferenceBatch.objects.get().pk)
    batch = batch.refreshed()
    assert (batch.phase, batch.state, batch.num_done, batch.num_total) == ("at work", "at work", 0, 3)
    assert batch.pause().phase == "paused"
    with pytest.raises(Refused, match="Resume it"):
        batch.pause()
    with pytest.raises(TookTooLong, match="still paused"):
        batch.wait(0.1)
    assert batch.resume().phase == "at work"
    now = timezone.now()
    InferenceJob.objects.update(state=JobState.FAILED, error="No film.", finished_at=now)
    services.end_through()
    batch = batch.wait()
    assert (batch.state, batch.num_failed, batch.failures) == ("done", 3, [Failure("No film.", 3)])
    again = batch.retry(batch.failures[0])
    assert (again.num_queued, again.failures) == (3, [])
    again.cancel()
    end_batch(InferenceBatch.objects.get().pk)
    services.end_through()
    with pytest.raises(JobFailed) as ended:
        client.inference_batch(batch.uid).wait()
    assert ended.value.state == "cancelled"
    assert [one.uid for one in client.inference_batches()] == [batch.uid]
    with pytest.raises(DeepMedixError, match="'spring' is no uid"):
        client.ask(collection="spring")


def test_workers_are_listed_with_what_each_is_at(client_of: ClientOf) -> None:
    now = timezone.now()
    InferenceWorker.objects.create(name="inference@a", seen_at=now, num_running=2, num_remembered=5)
    InferenceWorker.objects.create(name="inference@b", seen_at=now, ended_at=now)
    there, gone = client_of().inference_workers()
    assert (there.name, there.state, there.num_running, there.is_there) == ("inference@a", "at work", 2, True)
    assert there.num_remembered == 5
    assert (gone.name, gone.is_there, gone.ended_at, there.ended_at) == ("inference@b", False, now, None)


@pytest.mark.usefixtures("few_draws")
def test_an_evaluation_is_asked_for_and_read_as_a_data_frame(client_of: ClientOf) -> None:
    made = measured()
    client = client_of()
    good, bad = (
        next(one for one in client.models() if one.uid == str(version.uid))
        for version in (made.good, made.bad)
    )
    asked = client.evaluate("Spring", good, beside=bad, collection=str(made.collection.uid), side="")
    assert (asked.state, asked.version, asked.beside) == ("queued", good.uid, bad.uid)
    with pytest.raises(DeepMedixError, match="queued: it has no result yet"):
        asked.to_pandas()
    assert asked.cancel().state == "cancelled"
    assert asked.go_on().state == "queued"
    run_metrics(MetricRun.objects.get().pk)
    done = asked.wait()
    assert (done.state, done.num_done) == ("done", done.num_total)
    figures = done.to_pandas()
    assert {"task", "measure", "system", "value", "low", "high", "num"} <= set(figures.columns)
    assert len(done.differences()) > 0
    [listed] = client.evaluations()
    assert (listed.uid, listed.result) == (done.uid, None)
    assert len(listed.to_pandas()) == len(figures)
    assert client.evaluation(done.uid) == done
    viewer = client_of(scopes=[Capability.VIEW_MODELS])
    with pytest.raises(NotAllowed):
        viewer.evaluate("Spring", good, collection=str(made.collection.uid))


def test_versions_compete_and_their_board_comes_with_what_must_be_known_of_the_judge(
    client_of: ClientOf, versions, judge
) -> None:
    client = client_of()
    uids = [str(version.uid) for version in versions]
    run = client.compete("Round 1", uids, url=URL, judge="judge", num_wanted=36, limits={"most_requests": 20})
    assert run.judged_by == "server"
    assert (run.state, run.judge, run.num_done, run.num_total) == ("queued", "judge", 0, 36)
    with pytest.raises(DeepMedixError, match="queued: its board is not drawn yet"):
        run.to_pandas()
    run_arena(ArenaRun.objects.get().pk)
    with pytest.raises(JobFailed, match="could pass 20 requests"):
        run.wait()
    assert run.go_on(limits={}).state == "queued"
    run_arena(ArenaRun.objects.get().pk)
    done = run.wait()
    board = done.to_pandas()
    assert [name.split()[1] for name in board["model"]] == ["good", "middling", "bad"]
    assert (board["interval_low"] <= board["rating"]).all()
    assert any("nobody knows whether its board means anything" in said for said in done.says)
    with pytest.raises(DeepMedixError, match="There is no battle yet"):
        done.to_pandas("experts")
    with pytest.raises(DeepMedixError, match="no board 'by_judge'"):
        done.to_pandas("by_judge")
    [listed] = client.arena_runs()
    assert listed.uid == done.uid
    assert len(listed.to_pandas("styled")) == 3
    battles = list(
        done.battles(pair=f"{versions[0].number}-{versions[2].number}", won=str(versions[0].number))
    )
    assert 0 < len(battles) < len(list(done.battles())) == 36
    whole = done.battle(battles[0].uid)
    assert whole.battle == battles[0]
    assert {whole.battle.by_judge, whole.judgements[0]["better"]} == {str(versions[0]), "left"}
    assert "good" in whole.left["text"]
    assert client.arena_run(run.uid) == done
    with pytest.raises(Refused, match="done already"):
        done.cancel()


def test_experts_judge_alone_where_a_program_names_no_judge(client_of: ClientOf) -> None:
    older, newer = signed_votes(["a", "a", "b"])
    run = client_of().compete("Experts", [str(older.uid), str(newer.uid)])
    assert (run.judge, run.num_total) == ("", 0)
    run_arena(ArenaRun.objects.get().pk)
    board = run.wait().to_pandas()
    assert board["num_battles"].tolist() == [3, 3]
    assert Judgement.objects.count() == 3
