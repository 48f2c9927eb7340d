"""Who may see and do what with data sets, runs and models, and what their pages show."""

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.evaluation.services import ensure_benchmarks_for
from deepmedix_review.feedback.models import GateDecision, PreferenceDataset, TrainingMetric, TrainingRun
from deepmedix_review.feedback.services import freeze_dataset, pass_or_hold
from deepmedix_review.registry.models import ModelVersion
from rl_feedback.training.recipe import Recipe
from tests.deepmedix_review.feedback.road import PAGES, RECIPE, Road, client_of
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.registry import ModelVersionFactory, ServingModelFactory

pytestmark = pytest.mark.django_db
SOMETHING = uuid.UUID(int=1)


def answers(road: Road, client: Client) -> dict[str, int]:
    """The status of every address, asked in its own way."""
    return {name: getattr(client, method)(road.url(name)).status_code for name, (method, _) in PAGES.items()}


def test_experts_admins_and_strangers_see_and_do_nothing_of_learning(road: Road) -> None:
    for user in (ExpertFactory.create(), AdminFactory.create()):
        assert set(answers(road, client_of(user)).values()) == {403}
    assert set(answers(road, Client()).values()) <= {302, 401}


def test_researchers_see_and_do_all_of_it(road: Road) -> None:
    refused = {
        name: status
        for name, status in answers(road, client_of(road.researcher)).items()
        if status in {403, 404} or status >= 500
    }
    assert not refused


def test_what_is_not_there_is_not_found(road: Road) -> None:
    client = client_of(road.researcher)
    for name, (method, thing) in PAGES.items():
        if thing:
            assert getattr(client, method)(reverse(name, args=[SOMETHING])).status_code == 404, name


def test_the_data_set_page_says_what_it_holds_and_marks_how_the_texts_of_a_pair_differ(road: Road) -> None:
    page = client_of(road.researcher).get(road.url("dataset-detail")).content.decode()
    assert road.dataset.sha256 in page
    assert "The ratings differ by less than 0.5 points." in page
    assert "P that the chosen text is the better one" in page
    assert "Answer: " in page
    assert "1 by vote" in page
    assert "1 by region" in page
    assert "<ins>" in page
    assert "<del>" in page


def test_a_data_set_is_frozen_from_the_page_and_a_refusal_is_said_there(road: Road) -> None:
    client = client_of(road.researcher)
    client.post(road.url("dataset-list"), {"title": "Round 2"})
    assert PreferenceDataset.objects.filter(title="Round 2").exists()
    page = client.post(road.url("dataset-list"), {"title": " "}, follow=True).content.decode()
    assert "Give the data set a title" in page


def test_a_run_of_one_step_has_a_point_for_a_curve(road: Road) -> None:
    TrainingMetric.objects.filter(step=2).delete()
    page = client_of(road.researcher).get(road.url("training-run")).content.decode()
    assert "<polyline" not in page
    assert page.count('stroke-linecap="round"') == 3
    assert "step 1 alone" in page


def test_a_run_that_is_being_cancelled_is_called_ending_alone(road: Road) -> None:
    TrainingRun.objects.filter(pk=road.run.pk).update(state=JobState.RUNNING, cancel_requested=True)
    page = client_of(road.researcher).get(road.url("training-run")).content.decode()
    assert '<span class="chip">ending</span>' in page
    assert ">running<" not in page


def test_the_run_page_draws_its_curves_and_renews_itself_only_while_the_run_goes_on(road: Road) -> None:
    client = client_of(road.researcher)
    TrainingRun.objects.filter(pk=road.run.pk).update(state=JobState.RUNNING)
    page = client.get(road.url("training-run")).content.decode()
    assert page.count("<polyline") == 3
    assert "0.5 · step 1 to 2" in page
    assert "<dt>Seed</dt>" in page
    assert 'hx-trigger="every 1s"' in page
    TrainingRun.objects.filter(pk=road.run.pk).update(state=JobState.CANCELLED, candidate=None)
    page = client.get(road.url("training-run")).content.decode()
    assert "hx-get" not in page.split("<main")[1]
    assert "Start again" in page
    TrainingRun.objects.filter(pk=road.run.pk).update(step=11)
    assert "Go on from the last checkpoint" in client.get(road.url("training-run")).content.decode()


def test_before_the_first_step_the_page_says_whether_a_step_scorer_learns(road: Road) -> None:
    road.run.metrics.all().delete()
    client = client_of(road.researcher)
    for stage, said in (
        ({"kind": "grpo"}, "First a step scorer learns"),
        ({"kind": "grpo", "step_scorer": "none"}, "The model is being loaded"),
    ):
        recipe = Recipe.from_json({"stages": [stage]}).as_json()
        TrainingRun.objects.filter(pk=road.run.pk).update(state=JobState.RUNNING, abouts=[], recipe=recipe)
        assert said in client.get(road.url("training-run")).content.decode()


def test_a_run_that_is_done_says_how_far_the_measuring_is_until_the_gate_has_decided(road: Road) -> None:
    client = client_of(road.researcher)
    first, *others = ensure_benchmarks_for(road.candidate)
    Evaluation.objects.create(
        benchmark=first, model_version=road.candidate, state=JobState.RUNNING, num_done=3
    )
    page = client.get(road.url("training-run")).content.decode()
    num_films = 2 * sum(benchmark.num_phantoms for benchmark in (first, *others))
    assert f"The candidate is being measured before the gate: 3 of {num_films} films" in page
    assert 'hx-trigger="every 1s"' in page
    Evaluation.objects.update(state=JobState.FAILED)
    page = client.get(road.url("training-run")).content.decode()
    assert "retry it on the page" in page
    assert "hx-get" not in page.split("<main")[1]
    GateDecision.objects.create(
        candidate=road.candidate,
        parent=road.parent,
        outcome="passed",
        policy={},
        comparisons=[],
        sentence="Passed. It did.",
    )
    page = client.get(road.url("training-run-live")).content.decode()
    assert "Passed. It did." in page
    assert "hx-get" not in page


def test_the_lineage_leads_down_to_each_rating_that_the_reader_gave(road: Road) -> None:
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    for label in road.dataset.labels.all():
        side = "A" if label.completion == road.reading.completion_a else "B"
        subject = f"step {label.step.position}" if label.step else "answer"
        said = f'{side}, {subject}: {label.criterion} <span class="mono">{label.value:.2f}</span>'
        assert said in page
    assert road.dataset.labels.exists()


def test_a_version_shows_the_figures_of_its_card_and_survives_a_card_that_is_odd(road: Road) -> None:
    figure = {"mean": 0.978, "low": 0.964, "high": 0.99}
    road.candidate.card = {"sites": {"first": {"n": 500, "figures": {"exact_answer": figure}}, "odd": 3}}
    road.candidate.save(update_fields=["card"])
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    assert "0.978 (0.964 to 0.99)" in page
    assert "First site, 500 films" in page


def test_the_models_offer_a_return_to_what_served_last_before_whatever_it_was_trained_from(
    road: Road,
) -> None:
    client, now = client_of(road.researcher), timezone.now()
    serving = road.parent
    assert (serving.state, serving.parent) == (ModelVersion.State.SERVING, None)
    pages = (road.url("model-list"), reverse("model-detail", args=[serving.uid]))

    def offered() -> list[list[str]]:
        return [
            re.findall(r"Return to (v\d+), which served before", client.get(page).content.decode())
            for page in pages
        ]

    ModelVersionFactory.create(state=ModelVersion.State.RETIRED)
    assert offered() == [[], []]
    earlier = ModelVersionFactory.create(
        state=ModelVersion.State.RETIRED, promoted_at=now - timedelta(days=2)
    )
    last = ModelVersionFactory.create(
        state=ModelVersion.State.RETIRED, promoted_at=now - timedelta(days=1), parent=road.candidate
    )
    assert offered() == [[str(last)], [str(last)]]
    ModelVersion.objects.filter(pk=serving.pk).update(state=ModelVersion.State.RETIRED)
    newer = ServingModelFactory.create(parent=earlier)
    pages = (road.url("model-list"), reverse("model-detail", args=[newer.uid]))
    assert offered() == [[str(last)], [str(last)]]
    assert "served before" not in client.get(road.url("model-detail")).content.decode()


@pytest.mark.parametrize(("name", "most"), [("dataset-list", 14), ("model-list", 9), ("api-model-list", 8)])
def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(
    road: Road,
    name: str,
    most: int,
    django_assert_max_num_queries,
) -> None:
    for number in range(5):
        version = ModelVersionFactory.create(number=2000 + number, parent=road.candidate)
        TrainingRun.objects.create(
            dataset=road.dataset, parent_version=road.parent, candidate=version, recipe=RECIPE, num_steps=1
        )
        freeze_dataset(title=f"Again {number}", actor=road.researcher)
    client = client_of(road.researcher)
    with django_assert_max_num_queries(most):
        assert client.get(road.url(name)).status_code == 200


def test_no_page_of_learning_names_a_reader_or_a_patient(road: Road) -> None:
    road.measure(road.parent)
    road.measure(road.candidate)
    pass_or_hold(road.candidate)
    client = client_of(road.researcher)
    reader = road.reading.assignment.reader
    for name in ("dataset-detail", "model-detail"):
        page = client.get(road.url(name)).content.decode()
        assert reader.username not in page
        assert road.reading.assignment.case.study.patient_pseudonym not in page
