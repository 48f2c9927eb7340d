"""The pages and the JSON interface of evaluations."""

import json

import pytest
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import MetricRun
from deepmedix_review.evaluation.tasks import run_metrics
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Study
from tests.deepmedix_review.evaluation.measured import SECRET, Measured, few_draws, measured
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.registry import ModelVersionFactory

__all__ = ["few_draws"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few_draws")]


@pytest.fixture
def researcher(client):
    user = ResearcherFactory.create()
    client.force_login(user)
    return user


def text_of(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def asked(made: Measured, **fields) -> dict:
    return {
        "title": "Spring",
        "version": str(made.good.uid),
        "beside": str(made.bad.uid),
        "collection": str(made.collection.uid),
        "side": "",
        "against": "report",
        **fields,
    }


def done(client, made: Measured, **fields) -> MetricRun:
    client.post(reverse("metric-run-list"), asked(made, **fields))
    run = MetricRun.objects.latest("pk")
    run_metrics(run.pk)
    run.refresh_from_db()
    assert run.state == JobState.DONE, run.error
    return run


def test_an_empty_page_says_what_is_missing_and_the_way_to_it(client, researcher) -> None:
    page = text_of(client.get(reverse("metric-run-list")))
    assert "Nothing has been measured yet." in page
    if not ModelVersion.objects.exists():
        assert "There is no model yet." in page
    ModelVersionFactory.create()
    page = text_of(client.get(reverse("metric-run-list")))
    assert "There is no collection yet." in page
    assert reverse("collection-list") in page
    assert reverse("metric-run-list") in text_of(client.get(reverse("model-list")))


def test_an_evaluation_is_asked_for_watched_cancelled_and_let_go_on(client, researcher) -> None:
    made = measured(4)
    response = client.post(reverse("metric-run-list"), asked(made))
    run = MetricRun.objects.get()
    address = reverse("metric-run", args=[run.uid])
    assert response.url == address
    page = text_of(client.get(address))
    assert "waits for a worker" in page
    assert "The result is shown when everything is measured." in page
    live = reverse("metric-run-live", args=[run.uid])
    assert "HX-Refresh" not in client.get(live).headers
    client.post(reverse("metric-run-cancel", args=[run.uid]))
    assert client.get(live).headers["HX-Refresh"] == "true"
    assert "Nothing was measured, so there is no result." in text_of(client.get(address))
    client.post(reverse("metric-run-go-on", args=[run.uid]))
    run_metrics(run.pk)
    page = text_of(client.get(address))
    assert "10 of 10 parts" in page
    assert "Let it go on" not in page
    assert "Spring" in text_of(client.get(reverse("metric-run-list")))
    actions = AuditEvent.objects.filter(subject_uid=str(run.uid)).order_by("sequence")
    assert list(actions.values_list("action", flat=True)) == [
        "request_metrics",
        "cancel_metrics",
        "retry_metrics",
    ]


def test_the_result_shows_tables_plots_cases_what_is_missing_and_where_it_comes_from(
    client, researcher
) -> None:
    made = measured()
    Study.objects.filter(pk=made.films[1].series.study_id).update(state=Study.State.HELD)
    run = done(client, made)
    page = text_of(client.get(reverse("metric-run", args=[run.uid])))
    for says in (
        "Not measured: of 8 studies 1 is on hold",
        "Reports: 7 samples",
        "Labels: 14 samples",
        "Regions: 3 samples",
        f"{made.good} good less {made.bad} bad",
        "ROUGE-L by source and view",
        "own Cardiomegaly, present",
        "BERTScore: unavailable, because the package bert_score is not installed. To get it: pip install",
        "GREEN: unavailable, because",
        "Where this comes from",
        made.collection.studies_sha256,
        "What the measures don",
    ):
        assert says in page
    assert "<circle" in page
    assert "<rect" in page
    assert SECRET not in page
    for case in run.cases.all():
        assert f'{reverse("study-detail", args=[case.study.uid])}">{case.name}</a>' in page
    assert run.cases.exists()


def test_a_case_whose_study_went_has_no_link(client, researcher) -> None:
    made = measured(4)
    run = done(client, made)
    run.cases.all().delete()
    page = text_of(client.get(reverse("metric-run", args=[run.uid])))
    assert "not here any more, or not yours to see" in page


def test_one_version_alone_has_no_differences(client, researcher) -> None:
    run = done(client, measured(4), beside="")
    page = text_of(client.get(reverse("metric-run", args=[run.uid])))
    assert "p, Holm" not in page
    assert "most changed" not in page


def test_each_file_is_downloaded_by_who_may_take_data_out_and_told_of(client, researcher) -> None:
    run = done(client, measured(4))
    for name, says in (
        ("results.json", '"format": "deepmedix-evaluation/1"'),
        ("report.html", "<h1>Spring</h1>"),
        ("figures.csv", "task,measure,system"),
        ("differences.csv", "p_holm"),
        ("tables.tex", "\\begin{tabular}"),
        ("model-card.md", "## Evaluation: Spring"),
    ):
        response = client.get(reverse("metric-run-file", args=[run.uid, name]))
        assert says in response.content.decode()
        assert response["Content-Disposition"].startswith("attachment;")
        assert AuditEvent.objects.filter(action="download_metrics", details__file=name).count() == 1
    assert client.get(reverse("metric-run-file", args=[run.uid, "settings.py"])).status_code == 404
    body = client.get(reverse("metric-run-file", args=[run.uid, "results.json"])).content.decode()
    assert body == run.result


def test_a_refused_form_says_why_and_keeps_what_was_typed(client, researcher) -> None:
    made = measured(2)
    page = text_of(client.post(reverse("metric-run-list"), asked(made, beside=str(made.good.uid))))
    assert "stand beside itself" in page
    assert 'value="Spring"' in page
    assert not MetricRun.objects.exists()


def test_programs_ask_watch_cancel_and_go_on(client, researcher) -> None:
    made = measured(4)
    wanted = asked(made)
    wanted["collection_version"] = wanted.pop("collection")
    response = client.post("/api/evaluations/", wanted, content_type="application/json")
    assert response.status_code == 202, response.content
    address = f"/api/evaluations/{response.json()['uid']}/"
    assert client.get(address).json()["result"] is None
    assert client.post(f"{address}cancel/").json()["state"] == "cancelled"
    assert client.post(f"{address}go-on/").status_code == 202
    run_metrics(MetricRun.objects.get().pk)
    told = client.get(address).json()
    assert (told["state"], told["version"]) == ("done", str(made.good.uid))
    assert told["result"] == json.loads(MetricRun.objects.get().result)
    assert [one["uid"] for one in client.get("/api/evaluations/").json()["results"]] == [told["uid"]]
    refused = client.post(f"{address}cancel/")
    assert (refused.status_code, "done already" in str(refused.json())) == (409, True)
    wanted["beside"] = wanted["version"]
    refused = client.post("/api/evaluations/", wanted, content_type="application/json")
    assert (refused.status_code, "stand beside itself" in str(refused.json())) == (409, True)
    del wanted["beside"]
    assert client.post("/api/evaluations/", wanted, content_type="application/json").json()["beside"] is None


@pytest.mark.parametrize("factory", [ExpertFactory, AdminFactory])
def test_who_may_not_view_models_sees_none_of_it(client, researcher, factory) -> None:
    run = done(client, measured(2))
    client.force_login(factory.create())
    for name, *more in (
        ("metric-run", run.uid),
        ("metric-run-live", run.uid),
        ("metric-run-file", run.uid, "results.json"),
    ):
        assert client.get(reverse(name, args=more)).status_code == 403
    assert client.get(reverse("metric-run-list")).status_code == 403
    assert client.post(reverse("metric-run-cancel", args=[run.uid])).status_code == 403
    assert client.get(f"/api/evaluations/{run.uid}/").status_code == 403
    assert client.post("/api/evaluations/").status_code == 403


def test_the_list_asks_no_more_for_more_evaluations(
    client, researcher, django_assert_max_num_queries
) -> None:
    made = measured(2)
    for _ in range(3):
        client.post(reverse("metric-run-list"), asked(made))
    with django_assert_max_num_queries(12):
        client.get(reverse("metric-run-list"))
