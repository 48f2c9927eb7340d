"""A version whose weights are here judges the others, asked by texts alone in a worker's memory."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.arena.services import make_run
from deepmedix_review.evaluation.arena.wanted import WantedRun
from deepmedix_review.evaluation.models import ArenaRun, Judgement
from deepmedix_review.evaluation.tasks import reconcile_evaluations, request_arena, run_arena
from deepmedix_review.registry.models import ModelVersion
from inference.engines import folder_sha256, load_engine
from tests.deepmedix_review.evaluation.test_arena import judge, versions
from tests.factories.accounts import ResearcherFactory
from tests.factories.arena import URL
from tests.factories.families import write_set_phrase_model
from tests.factories.models import write_untrained_model
from tests.factories.registry import ModelVersionFactory
from tests.rl_feedback.evaluation.arena.judged import verdict

__all__ = ["judge", "versions"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def really_loaded(judge, monkeypatch) -> None:
    monkeypatch.setattr("deepmedix_review.evaluation.tasks.load_engine", load_engine)


def registered(folder: Path, name: str = "reader") -> ModelVersion:
    made: ModelVersion = ModelVersionFactory.create(
        name=name, folder=str(folder), sha256=folder_sha256(folder)
    )
    return made


def carried_out(versions, judge_version: ModelVersion, **fields) -> ArenaRun:
    wanted = WantedRun(title="Round 1", versions=versions, judge_version=judge_version, **fields)
    run = make_run(wanted, actor=ResearcherFactory.create())
    run_arena(run.pk)
    run.refresh_from_db()
    return run


def test_a_model_that_reads_text_judges_by_its_own_weights_and_its_page_unmasks_it(
    versions, really_loaded, tmp_path, client
) -> None:
    reader = registered(write_set_phrase_model(tmp_path, verdict("A", "It is first.")))
    run = carried_out(versions, reader, num_wanted=10)
    assert (run.state, run.error, run.num_judged) == (JobState.DONE, "", 10)
    assert run.judge == f"{reader} reader weights {reader.sha256[:12]}"
    told = run.judgements.values_list("verdict", "num_requests", "problem").distinct()
    assert list(told) == [("first", 1, "")]
    assert min(run.judgements.values_list("num_prompt_tokens", flat=True)) > 500
    assert run.judgements.count() == 20
    client.force_login(run.requested_by)
    page = " ".join(client.get(reverse("arena-run", args=[run.uid])).content.decode().split())
    assert "asked in a worker’s memory, prompt arena-1" in page
    assert reverse("model-detail", args=[reader.uid]) in page
    assert "It looks at the order, hardly at the reports." in page
    again = carried_out(versions, reader, num_wanted=10)
    assert (again.board, again.judgements.count()) == (run.board, 0)


def test_a_model_that_sees_films_is_asked_by_text_too_and_what_it_can_not_say_is_invalid(
    versions, really_loaded, tmp_path
) -> None:
    run = carried_out(versions, registered(write_untrained_model(tmp_path)), num_wanted=1)
    assert (run.state, run.error, run.board["num_invalid"]) == (JobState.DONE, "", 1)
    assert set(run.judgements.values_list("verdict", "num_requests")) == {("invalid", 3)}


def test_a_folder_that_changed_since_judges_nothing_and_the_run_says_why(
    versions, really_loaded, tmp_path
) -> None:
    reader = registered(write_set_phrase_model(tmp_path, verdict("A")))
    (tmp_path / "config.json").write_text("{}")
    run = carried_out(versions, reader, num_wanted=1)
    assert run.state == JobState.FAILED
    assert "are not those that were registered" in run.error
    assert not Judgement.objects.exists()


def test_a_worker_with_room_for_a_model_carries_it_out_at_once_and_after_a_lost_message(
    versions, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    woken: list[tuple[int, str]] = []

    def note(arguments: tuple[int], **options: str) -> None:
        woken.append((arguments[0], options["queue"]))

    monkeypatch.setattr(run_arena, "apply_async", note)
    actor = ResearcherFactory.create()
    wanted = {"title": "x", "versions": versions}
    with django_capture_on_commit_callbacks(execute=True):
        here = request_arena(WantedRun(judge_version=ModelVersionFactory.create(), **wanted), actor=actor)
        there = request_arena(WantedRun(url=URL, served_model="judge", **wanted), actor=actor)
    expected = [(here.pk, "learning"), (there.pk, "io")]
    assert woken == expected
    reconcile_evaluations()
    assert sorted(woken) == sorted(expected * 2)


def test_who_can_not_judge_is_refused_with_the_way_out(versions, judge) -> None:
    recorded = ModelVersionFactory.create(source="recorded", folder="", served_model="MAIRA-2")
    on_server = ModelVersionFactory.create(
        source="endpoint", folder="", served_model="reader", endpoint_url=URL
    )
    refused: list[tuple[ModelVersion, dict[str, Any], str]] = [
        (versions[0], {}, "can't judge itself"),
        (ModelVersionFactory.create(sha256=versions[1].sha256, temperature=0.1), {}, "it would judge itself"),
        (recorded, {}, "recorded elsewhere, so it can't be asked"),
        (on_server, {}, "give http://127.0.0.1:9/v1 as the judge's address and reader as its name"),
        (ModelVersionFactory.create(), {"revision": "2"}, "has its own name and revision"),
        (ModelVersionFactory.create(), {"url": URL}, "Name one judge"),
    ]
    for version, fields, says in refused:
        wanted = WantedRun(title="x", versions=versions, judge_version=version, **fields)
        with pytest.raises(RefusedByRule, match=says):
            make_run(wanted, actor=ResearcherFactory.create())
    assert not ArenaRun.objects.exists()


def test_it_is_chosen_on_the_page_by_a_program_and_by_the_command(client, versions, judge) -> None:
    actor, reader = ResearcherFactory.create(), ModelVersionFactory.create(name="reader")
    client.force_login(actor)
    asked = {"title": "By page", "versions": [one.pk for one in versions], "num_wanted": 4}
    assert client.post(reverse("arena-list"), {**asked, "judge_version": reader.pk}).status_code == 302
    said = {
        "title": "By program",
        "versions": [str(one.uid) for one in versions],
        "judge_version": str(reader.uid),
    }
    told = client.post("/api/arena/", said, content_type="application/json").json()
    assert (told["judged_by"], told["judge"]) == ("version", f"{reader} reader weights {reader.sha256[:12]}")
    numbers, options = [one.number for one in versions], {"title": "By hand", "actor": actor.username}
    call_command("run_arena", *numbers, judge_version=reader.number, stdout=io.StringIO(), **options)
    assert list(ArenaRun.objects.values_list("judge_version", flat=True)) == [reader.pk] * 3
    with pytest.raises(CommandError, match="There is no version 9999"):
        call_command("run_arena", *numbers, judge_version=9999, **options)
