"""What versions wrote of a collection, measured against references: what is measured, left out and kept."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.measuring.planning import (
    NO_REFERENCE,
    NOT_READY,
    NOT_TO_LEAVE,
    plan_of,
    told_left_out,
)
from deepmedix_review.evaluation.measuring.running import measure_collection
from deepmedix_review.evaluation.measuring.services import cancel_run, make_run
from deepmedix_review.evaluation.models import MetricRun
from deepmedix_review.evaluation.tasks import request_metrics_again, run_metrics
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Reference, ReferenceRegion, SourceDataset, Study
from rl_feedback.evaluation.evaluating import evaluate
from rl_feedback.evaluation.results import from_json, to_json
from tests.deepmedix_review.evaluation.measured import SECRET, answered, few_draws, measured
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.collections import picked
from tests.factories.studies import InstanceFactory

__all__ = ["few_draws"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few_draws")]

RUNNING = "deepmedix_review.evaluation.measuring.running"


def carried_out(wanted) -> MetricRun:
    run = make_run(wanted, actor=ResearcherFactory.create())
    run_metrics(run.pk)
    run.refresh_from_db()
    assert run.state == JobState.DONE, run.error
    return run


def test_reports_labels_and_regions_are_measured_each_by_its_own_measures() -> None:
    made = measured()
    report, *_ = measure_collection(
        made.wanted(beside=made.bad, against="findings"),
        plan_of(made.wanted(beside=made.bad, against="findings")),
    )
    good, bad = report.systems

    def value(task, measure, system, where="all"):
        figure = report.figure(task, measure, system, where)
        assert figure is not None
        return figure.value

    assert (value("report", "bleu_4", good), value("report", "rouge_l", good)) == (1.0, 1.0)
    assert value("report", "rouge_l", bad) < 0.7
    # Sensitivity of the bad one is half of each finding, and it makes up none.
    assert value("vqa", "score", good) == 1.0
    for finding in ("Cardiomegaly", "Pleural Effusion"):
        assert value("vqa", "score", bad, f"own {finding}, present") == 0.5
        assert value("vqa", "score", bad, f"own {finding}, absent") == 1.0
    assert report.sizes["grounding"] == {"own PA": 4}
    assert value("grounding", "mean_iou", good) == 1.0
    assert report.sizes["report"] == {"own AP": 4, "own PA": 4}
    assert "labels that their source doubts, 8 in all" in " ".join(report.notes)
    assert "Hernia (8)" in " ".join(report.notes)
    assert "also that of a step which finds nothing wrong there" in " ".join(report.notes)
    assert {one.measure for one in report.absent} >= {"bert_score", "green", "f1_radgraph"}


def test_each_section_and_an_undivided_report_are_compared_as_asked() -> None:
    made = measured(2)
    Reference.objects.update(findings="", impression="", report="Normal chest.")
    report, *_ = measure_collection(made.wanted(), plan_of(made.wanted()))
    assert sum(report.sizes["report"].values()) == 2
    report, *_ = measure_collection(made.wanted(against="findings"), plan_of(made.wanted(against="findings")))
    assert "report" not in report.sizes


def test_what_can_not_be_measured_is_left_out_and_counted_by_its_reason() -> None:
    made = measured(8)
    studies = [film.series.study for film in made.films]
    closed = SourceDataset.objects.create(
        name="MIMIC", layout="x", licence="by agreement", is_credentialed=True
    )
    Study.objects.filter(pk=studies[0].pk).update(source=closed)
    Study.objects.filter(pk=studies[1].pk).update(state=Study.State.HELD)
    ReferenceRegion.objects.filter(reference__study=studies[2]).delete()
    Reference.objects.filter(study=studies[2]).delete()
    Completion.objects.filter(study=studies[3], model_version=made.bad).delete()
    plan = plan_of(made.wanted(beside=made.bad))
    assert plan.left_out == {
        NOT_READY: 1,
        NOT_TO_LEAVE: 1,
        NO_REFERENCE: 1,
        f"without an output of {made.bad}": 1,
    }
    assert f"1 has no output of {made.bad}" in told_left_out(plan)
    assert {one.study for one in plan.studies} == {study.pk for study in studies[4:]}
    assert plan_of(made.wanted()).left_out.keys() == {NOT_READY, NOT_TO_LEAVE, NO_REFERENCE}
    wrong = plan_of(made.wanted(beside=made.bad, is_missing_wrong=True))
    assert len(wrong.studies) == 5
    report, *_ = measure_collection(made.wanted(beside=made.bad, is_missing_wrong=True), wrong)
    assert [(one.system, one.reason, one.num) for one in report.failed if one.task == "report"] == [
        (f"{made.bad} bad", "no prediction", 1)
    ]


def test_versions_are_measured_on_the_same_film_where_the_source_drew_first() -> None:
    made = measured(2)
    film = made.films[1]
    other = InstanceFactory.create(series=film.series)
    Completion.objects.filter(instance=film).update(instance=other)
    ReferenceRegion.objects.filter(film=film).update(film=other)
    answered(film, made.good, "Another text.")
    planned = {one.study: one.film for one in plan_of(made.wanted(beside=made.bad)).studies}
    assert planned[film.series.study_id] == other.pk


def test_only_what_was_asked_the_same_question_is_measured() -> None:
    made = measured(2)
    Completion.objects.filter(instance=made.films[0]).update(query="What else?")
    assert len(plan_of(made.wanted()).studies) == 1
    assert len(plan_of(made.wanted(query="What else?")).studies) == 1
    with pytest.raises(RefusedByRule, match="was never asked this question"):
        make_run(made.wanted(query="Nobody asked"), actor=ResearcherFactory.create())


def test_answers_to_another_question_are_no_reports_until_somebody_says_so(client, tmp_path) -> None:
    made, actor = measured(4), ResearcherFactory.create()
    client.force_login(actor)
    for film in made.films[:3]:
        Completion.objects.filter(instance=film).update(query="What else?")
    says = "this question is none that is known to ask for one"
    with pytest.raises(RefusedByRule, match=says):
        make_run(made.wanted(query="What else?"), actor=actor)
    asked = {
        "title": "Spring",
        "version": str(made.good.uid),
        "collection": str(made.collection.uid),
        "side": "",
        "against": "report",
        "query": "What else?",
    }
    assert says in client.post(reverse("metric-run-list"), asked).content.decode()
    body = {**asked, "collection_version": asked["collection"]}
    refused = client.post("/api/evaluations/", body, content_type="application/json")
    assert (refused.status_code, says in str(refused.json())) == (409, True)
    given = {"model": made.good.number, "collection": made.collection.collection.name, "side": "all"}
    given |= {"query": "What else?", "actor": actor.username}
    with pytest.raises(CommandError, match=says):
        call_command("evaluate", **given, out=tmp_path / "no")
    assert not MetricRun.objects.exists()

    assert client.post(reverse("metric-run-list"), {**asked, "is_report_question": "on"}).status_code == 302
    sent = client.post(
        "/api/evaluations/", {**body, "is_report_question": True}, content_type="application/json"
    )
    assert sent.status_code == 202
    call_command("evaluate", **given, is_report_question=True, out=tmp_path / "yes", stdout=io.StringIO())
    run = MetricRun.objects.earliest("pk")
    run_metrics(run.pk)
    run.refresh_from_db()
    for result in (run.result, (tmp_path / "yes" / "results.json").read_text("utf-8")):
        (note,) = [one for one in from_json(result).notes if "not known to ask" in one]
        assert note.startswith(f"{made.good}: 3 of 3 outputs answer a question")
    usual = carried_out(made.wanted())
    assert not [one for one in from_json(usual.result).notes if "not known to ask" in one]


def test_what_was_recorded_of_other_questions_is_measured_with_a_warning() -> None:
    made = measured(4)
    ModelVersion.objects.filter(pk=made.bad.pk).update(source="recorded", folder="", served_model="x")
    made.bad.refresh_from_db()
    for film in made.films[:3]:
        Completion.objects.filter(instance=film, model_version=made.bad).update(query="Is it left?")
    run = carried_out(made.wanted(beside=made.bad))
    (note,) = [one for one in from_json(run.result).notes if "not known to ask" in one]
    assert note.startswith(f"{made.bad}: 3 of 4 outputs answer a question")


def test_neither_texts_nor_boxes_nor_identifiers_stand_in_a_result() -> None:
    made = measured()
    run = carried_out(made.wanted(beside=made.bad))
    assert SECRET not in run.result
    assert "Normal chest" not in run.result
    for film in made.films:
        study = film.series.study
        said = (film.sop_instance_uid, film.uid, study.uid, study.study_instance_uid, study.patient_pseudonym)
        assert not [one for one in said if str(one) in run.result]
    report = from_json(run.result)
    assert all(not one.boxes and not one.has_texts for one in report.cases)
    names = {one.uid.partition(" ")[0] for one in report.cases}
    assert names == set(run.cases.values_list("name", flat=True))
    assert "studies' sha256" in report.provenance["collection"]


def test_the_same_request_gives_the_same_bytes_again() -> None:
    made = measured()
    assert (
        carried_out(made.wanted(beside=made.bad)).result == carried_out(made.wanted(beside=made.bad)).result
    )


def test_a_run_that_stopped_goes_on_with_the_same_outputs_to_the_same_end(monkeypatch) -> None:
    made = measured()
    Completion.objects.filter(instance=made.films[7], model_version=made.bad).update(query="What else?")
    whole = carried_out(made.wanted(beside=made.bad))
    run = make_run(made.wanted(beside=made.bad), actor=ResearcherFactory.create())

    def stopped(*args, on_step, **kwargs):
        def on_first(num_done, num_steps):
            on_step(num_done, num_steps)
            cancel_run(run, actor=ResearcherFactory.create())

        return evaluate(*args, on_step=on_first, **kwargs)

    monkeypatch.setattr(f"{RUNNING}.evaluate", stopped)
    run_metrics(run.pk)
    run.refresh_from_db()
    assert (run.state, run.result, run.num_done, run.num_steps) == (JobState.CANCELLED, "", 2, 10)
    monkeypatch.setattr(f"{RUNNING}.evaluate", evaluate)
    # What is written meanwhile is not taken in.
    answered(made.films[7], made.bad, "Normal chest.")
    request_metrics_again(run, actor=ResearcherFactory.create())
    run_metrics(run.pk)
    run.refresh_from_db()
    assert (run.state, run.result == whole.result) == (JobState.DONE, True)
    with pytest.raises(RefusedByRule, match="This evaluation is done"):
        request_metrics_again(run, actor=ResearcherFactory.create())
    with pytest.raises(RefusedByRule, match="done already"):
        cancel_run(run, actor=ResearcherFactory.create())


def test_what_was_erased_meanwhile_is_measured_no_more() -> None:
    made = measured(4)
    run = make_run(made.wanted(), actor=ResearcherFactory.create())
    run.plan = plan_of(made.wanted()).as_json()
    run.save()
    ReferenceRegion.objects.filter(film=made.films[1]).delete()
    Reference.objects.filter(study=made.films[1].series.study).delete()
    run_metrics(run.pk)
    run.refresh_from_db()
    assert sum(from_json(run.result).sizes["report"].values()) == 3


def test_a_worker_that_lost_its_run_writes_nothing(monkeypatch) -> None:
    made = measured(2)
    run = make_run(made.wanted(), actor=ResearcherFactory.create())

    def taken(report):
        MetricRun.objects.filter(pk=run.pk).update(attempt=7)
        return to_json(report)

    monkeypatch.setattr(f"{RUNNING}.to_json", taken)
    run_metrics(run.pk)
    run.refresh_from_db()
    assert (run.state, run.result) == (JobState.RUNNING, "")
    assert jobs.requeue_expired(MetricRun) == []


def test_every_refusal_says_the_way_out() -> None:
    made = measured(2)
    researcher = ResearcherFactory.create()
    bare = picked([InstanceFactory.create().series.study], name="Bare")
    for fields, says in (
        ({"title": " "}, "Give the evaluation a title"),
        ({"beside": made.good}, "can't stand beside itself"),
        ({"collection": bare}, "has a reference.*Studies → Import"),
    ):
        with pytest.raises(RefusedByRule, match=says):
            make_run(made.wanted(**fields), actor=researcher)
    sides = set(made.collection.members.values_list("split", flat=True))
    for side in {"train", "tune", "test"} - sides:
        with pytest.raises(RefusedByRule, match="Choose another side"):
            make_run(made.wanted(side=side), actor=researcher)
    Completion.objects.filter(model_version=made.bad).delete()
    with pytest.raises(RefusedByRule, match=r"has written of no study.*Ask it about the collection"):
        make_run(made.wanted(beside=made.bad), actor=researcher)
    with pytest.raises(NotYours):
        make_run(made.wanted(), actor=ExpertFactory.create())
    assert not MetricRun.objects.exists()


def test_a_run_with_nothing_to_measure_fails_with_a_sentence_and_can_go_on_later() -> None:
    made = measured(2)
    run = make_run(made.wanted(), actor=ResearcherFactory.create())
    Study.objects.update(state=Study.State.HELD)
    run_metrics(run.pk)
    run.refresh_from_db()
    assert run.state == JobState.FAILED
    assert f"of 2 studies 2 are {NOT_READY}" in run.error
    Study.objects.update(state=Study.State.READY)
    request_metrics_again(run, actor=ResearcherFactory.create())
    run_metrics(run.pk)
    run.refresh_from_db()
    assert run.state == JobState.DONE


def test_the_command_writes_the_folder_and_tells_what_was_left_out(tmp_path, capsys) -> None:
    made = measured(4)
    Study.objects.filter(pk=made.films[0].series.study.pk).update(state=Study.State.HELD)
    ResearcherFactory.create(username="lindqvist")
    given = {
        "model": made.good.number,
        "beside": made.bad.number,
        "collection": "picked FILMS",
        "side": "all",
        "out": tmp_path / "results",
        "actor": "lindqvist",
    }
    call_command("evaluate", **given)
    said = capsys.readouterr().out
    assert "3 of 4 studies were measured." in said
    assert f"Left out: 1 {NOT_READY}." in said
    assert {path.name for path in (tmp_path / "results").iterdir()} == {
        "results.json", "report.html", "figures.csv", "differences.csv", "tables.tex", "model-card.md",
    }  # fmt: skip
    assert json.loads((tmp_path / "results" / "results.json").read_text())["systems"] == [
        f"{made.good} good",
        f"{made.bad} bad",
    ]
    assert not [path for path in (tmp_path / "results").iterdir() if SECRET in path.read_text()]
    assert AuditEvent.objects.filter(action="measure_metrics", actor__username="lindqvist").count() == 1
    for fields, says in (
        ({}, "is not empty"),
        ({"out": tmp_path / "b", "model": 10**6}, "There is no version 1000000"),
        ({"out": tmp_path / "b", "collection": "none such"}, "There is no collection none such"),
        ({"out": tmp_path / "b", "collection_version": 9}, "has no version 9"),
    ):
        with pytest.raises(CommandError, match=says):
            call_command("evaluate", **(given | fields))
    assert not (tmp_path / "b").exists()
