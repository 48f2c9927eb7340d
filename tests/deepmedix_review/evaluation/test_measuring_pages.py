"""The pages and the JSON interface of evaluations."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.measuring import case_films
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


def test_what_needs_weights_java_parts_or_a_judge_is_unavailable_with_the_way_to_it_and_in_no_table(
    client, researcher
) -> None:
    run = done(client, measured())
    page = text_of(client.get(reverse("metric-run", args=[run.uid])))
    for label, reason, way in (
        ("BERTScore", "the package bert_score is not installed", "pip install bert-score"),
        ("F1-RadGraph", "the package radgraph is not installed", "pip install radgraph"),
        ("CheXbert F1 micro, 14", "the package f1chexbert is not installed", "pip install f1chexbert"),
        ("CheXbert F1 macro, 5", "the package f1chexbert is not installed", "pip install f1chexbert"),
        ("RaTEScore", "the package RaTEScore is not installed", "pip install RaTEScore"),
        ("METEOR 1.5", "it is a Java program, which was not asked for", "ask with --with-java"),
        ("GREEN", "no judge was chosen", "choose a version on a model server"),
        ("RadCliQ-v1", "its parts are given for 0 of", "run rajpurkarlab/CXR-Report-Metric"),
    ):
        assert f"<li>{label}: unavailable, because {reason}" in page
        assert way in page.partition(f"<li>{label}: ")[2].partition("</li>")[0]
        assert f'<th scope="row">{label}</th>' not in page
    # What needs none of these has names of its own.
    assert '<th scope="row">METEOR exact+stem</th>' in page
    assert '<th scope="row">rule CheXpert F1 micro, 14</th>' in page


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
        "Questions: 14 samples",
        "turned round, of shared findings",
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


def test_the_films_of_cases_show_regions_and_what_differs_and_are_audited(client, researcher) -> None:
    made = measured()
    run = done(client, made)
    address = reverse("metric-run-cases", args=[run.uid])
    assert f'hx-get="{address}" hx-trigger="revealed"' in text_of(
        client.get(reverse("metric-run", args=[run.uid]))
    )
    page = text_of(client.get(address))
    # The good one lost nothing, so all of them are those on which the two differ.
    shown = {case.study for case in run.cases.select_related("study")}
    assert page.count("<article") == len(shown) == 4
    assert ">most changed</span>" in page
    assert ">worst</span>" not in page
    assert "matched IoU" not in page
    for study in shown:
        assert f'{reverse("study-detail", args=[study.uid])}">{study.label}</a>' in page
    for film in made.films:
        is_shown = film.series.study in shown
        assert (reverse("film-picture", args=[film.uid]) in page) is is_shown
    assert page.count('class="said" x="10.0" y="20.0" width="100.0" height="200.0"') == 8
    assert page.count('loading="lazy"') == 8
    assert "<del>Small" in page
    assert "<ins>Normal" in page
    assert SECRET not in page
    assert 'class="truth"' not in page
    assert "shown to admins alone" in page
    told = AuditEvent.objects.filter(action="view_completions", details__evaluation=str(run.uid))
    assert set(told.values_list("subject_uid", flat=True)) == {str(study.uid) for study in shown}
    assert set(told.values_list("details__with_reference", flat=True)) == {False}
    part = text_of(client.get(address, headers={"HX-Request": "true"}))
    assert part.startswith("<section")
    assert part in page


def test_who_may_know_the_references_sees_them_on_the_film_beside_what_was_written(
    client, researcher
) -> None:
    made = measured()
    run = done(client, made, version=str(made.bad.uid), beside="")
    client.force_login(AdminFactory.create())
    page = text_of(client.get(reverse("metric-run-cases", args=[run.uid])))
    assert ">worst</span>" in page
    assert 'class="truth" x="10.0" y="20.0" width="100.0" height="200.0"><title>Source: heart</title>' in page
    assert "<del>Small" in page
    assert SECRET in page
    assert "<ins>Normal" in page
    assert "shown to admins alone" not in page
    told = AuditEvent.objects.filter(action="view_completions", details__evaluation=str(run.uid))
    assert set(told.values_list("details__with_reference", flat=True)) == {True}


def test_films_of_cases_have_an_end_and_ask_no_more_for_more(client, researcher, monkeypatch) -> None:
    run = done(client, measured(24))
    address = reverse("metric-run-cases", args=[run.uid])

    def shown(most: int) -> tuple[int, int]:
        monkeypatch.setattr(case_films, "MOST_DRAWN", most)
        with CaptureQueriesContext(connection) as asked_of:
            page = text_of(client.get(address))
        return page.count("<article"), len(asked_of)

    assert case_films.MOST_DRAWN == 12
    few, many = shown(2), shown(8)
    # Which studies are the worst is drawn by their uids, and one can be so in several ways.
    assert few[0] == 2
    assert 2 < many[0] <= 8
    assert few[1] == many[1]


def test_films_of_what_went_are_not_shown(client, researcher) -> None:
    made = measured(4)
    run = done(client, made)
    Study.objects.update(state=Study.State.HELD)
    page = text_of(client.get(reverse("metric-run-cases", args=[run.uid])))
    assert "None of these studies is here any more, or yours to see." in page
    assert not AuditEvent.objects.filter(action="view_completions").exists()
    client.force_login(ExpertFactory.create())
    assert client.get(reverse("metric-run-cases", args=[run.uid])).status_code == 403


def test_a_run_on_which_nothing_was_lost_says_so(client, researcher) -> None:
    run = done(client, measured(4), beside="")
    page = text_of(client.get(reverse("metric-run", args=[run.uid])))
    assert "Reports: no case lost anything by rule CheXpert F1 micro, 14." in page
    assert "Questions: no case lost anything by score." in page
    assert "Regions: no case lost anything by matched IoU." in page
    assert 'hx-trigger="revealed"' not in page
    assert not run.cases.exists()


def test_the_radar_and_the_published_figures_stand_on_the_page(client, researcher) -> None:
    made = measured()
    page = text_of(client.get(reverse("metric-run", args=[done(client, made).uid])))
    (drawn,) = re.findall(r"<svg[^>]*><title>Reports: measures from 0 to 1</title>.*?</svg>", page)
    assert drawn.count("fill-opacity") == 4
    assert drawn.count("stroke-dasharray") == 2
    published = page[page.index("Published figures of XrayBench, beside these") :]
    assert "DeepMedix-R1 (published)" in published
    assert f"{made.good} good (measured here)" in published
    assert "swapped for LLaVA-Rad" in published


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
