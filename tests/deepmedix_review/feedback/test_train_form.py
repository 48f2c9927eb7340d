"""The form that asks for a training run: its settings, its words beside fields, what it begins with."""

import json
import re
from collections.abc import Callable

import pytest
from django.urls import reverse

from deepmedix_review.common.templatetags.spans import span
from deepmedix_review.feedback.models import PreferenceDataset, TrainingMetric, TrainingRun
from deepmedix_review.registry.models import ModelVersion
from rl_feedback.training.config import DpoConfig
from tests.deepmedix_review.feedback.road import Road, client_of

pytestmark = pytest.mark.django_db
OF_NO_OFFER = {"stages": [{"kind": "dpo", "num_steps": 2, "lora_rank": 8}]}


def test_a_run_is_asked_for_from_the_page_with_the_settings_that_were_chosen(
    road: Road, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    client = client_of(road.researcher)
    page = client.post(
        road.url("dataset-train"), {"recipe": "dpo", "dpo-1-num_steps": "12", "dpo-1-learning_rate": "1e-4"}
    )
    run = TrainingRun.objects.latest("id")
    assert page.headers["Location"] == reverse("training-run", args=[run.uid])
    [stage] = run.recipe["stages"]
    assert (run.num_steps, stage["learning_rate"], stage["beta"]) == (12, 1e-4, 0.1)


def agree_little(dataset: PreferenceDataset) -> PreferenceDataset:
    """The same rows, frozen of readers of whom 12 pairs tell that they agree little."""
    votes = {**dataset.readers["votes"], "num_votes": 30, "converged": True}
    votes["readers"] = [{**reader, "accuracy": 0.7} for reader in votes["readers"]]
    rows = [
        {**row, "value": 0.2, "low": 0.0, "high": 0.4, "num_items": 12} if row["criterion"] == "vote" else row
        for row in dataset.readers["agreement"]
    ]
    other = PreferenceDataset.objects.create(
        title="Little agreement",
        as_of=dataset.as_of,
        num_readings=1,
        num_pairs=dataset.num_pairs,
        num_labels=0,
        readers={**dataset.readers, "votes": votes, "agreement": rows},
        sha256="0" * 64,
    )
    for pair in dataset.pairs.all():
        pair.pk, pair.dataset = None, other
        pair.save()
    return other


def test_the_form_says_which_loss_agreement_chooses_and_the_run_which_and_why(
    road: Road, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    client = client_of(road.researcher)
    page = client.get(road.url("dataset-detail")).content.decode()
    assert '<select name="dpo-1-loss"' in page
    assert '<select name="recommended-2-loss"' in page
    assert "corrections-1-loss" not in page
    assert "Automatic here: sigmoid, the usual: no pair of outputs has the votes of two readers" in page
    dataset = agree_little(road.dataset)
    page = client.get(reverse("dataset-detail", args=[dataset.uid])).content.decode()
    assert "Automatic here: robust: readers agree little on votes" in page
    client.post(reverse("dataset-train", args=[dataset.uid]), {"recipe": "dpo"})
    run = TrainingRun.objects.latest("id")
    [stage] = run.recipe["stages"]
    assert stage["loss"] == "robust"
    assert 0 < stage["flip_share"] < 0.4
    page = client.get(reverse("training-run", args=[run.uid])).content.decode()
    assert "is 0.20 [0.00, 0.40] on 12 pairs of outputs" in page
    assert "<dt>Why this loss</dt><dd>robust: readers agree little" in page
    config = client.get(reverse("training-run-config", args=[run.uid])).json()
    assert config["stages"][0]["loss_because"] == stage["loss_because"]


def test_a_loss_that_was_named_on_the_page_stays_and_begins_the_next_form(
    road: Road, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    client = client_of(road.researcher)
    dataset = agree_little(road.dataset)
    train = reverse("dataset-train", args=[dataset.uid])
    detail = reverse("dataset-detail", args=[dataset.uid])
    for loss in ("sigmoid", "ipo", "robust"):
        client.post(train, {"recipe": "dpo", "dpo-1-loss": loss})
        run = TrainingRun.objects.latest("id")
        [stage] = run.recipe["stages"]
        assert (stage["loss"], stage["loss_because"]) == (loss, "")
        assert (stage["flip_share"] > 0) == (loss == "robust")
        assert "It was named." in client.get(reverse("training-run", args=[run.uid])).content.decode()
        again = client.get(detail, {"again": str(run.uid)}).content.decode()
        assert f'<option value="{loss}" selected>' in again
        assert 'value="dpo" checked' in again
    client.post(train, {"recipe": "dpo"})
    run = TrainingRun.objects.latest("id")
    again = client.get(detail, {"again": str(run.uid)}).content.decode()
    assert '<option value="automatic" selected>' in again
    assert 'value="dpo" checked' in again
    wrong = client.post(train, {"recipe": "dpo", "dpo-1-loss": "hinge"}).content.decode()
    assert "Select a valid choice" in wrong
    assert TrainingRun.objects.latest("id") == run


def test_a_trial_takes_few_steps_and_its_page_says_that_they_teach_little(
    road: Road, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    client = client_of(road.researcher)
    TrainingMetric.objects.update(seconds=4.0)
    page = client.get(road.url("dataset-detail")).content.decode()
    num_steps = DpoConfig().num_steps
    assert f"Standard: {num_steps} steps, about {span(num_steps * 4.0)}; trial: 20, about 80 s" in page
    assert "How long they take is told once such a stage has run here" in page
    client.post(road.url("dataset-train"), {"recipe": "dpo", "length": "trial"})
    run = TrainingRun.objects.latest("id")
    assert run.num_steps == 20
    page = client.get(reverse("training-run", args=[run.uid])).content.decode()
    assert "20 steps are a trial: so few teach next to nothing" in page
    mixed = {"stages": [{"kind": "dpo", "num_steps": 12}, {"kind": "kto", "num_steps": 90}]}
    TrainingRun.objects.filter(pk=run.pk).update(recipe=mixed, num_steps=102)
    page = client.get(reverse("training-run", args=[run.uid])).content.decode()
    assert "A stage of 12 steps is a trial" in page
    assert "<td>DPO, then KTO</td>" in client.get(reverse("training-run-list")).content.decode()
    client.post(road.url("dataset-train"), {"recipe": "dpo", "length": "standard"})
    run = TrainingRun.objects.latest("id")
    assert run.num_steps == num_steps
    assert "a trial" not in client.get(reverse("training-run", args=[run.uid])).content.decode()


def test_a_run_again_begins_with_its_settings_in_the_form(road: Road) -> None:
    client = client_of(road.researcher)
    recipe = {"stages": [{"kind": "dpo", "num_steps": 33, "learning_rate": 2e-5}]}
    TrainingRun.objects.filter(pk=road.run.pk).update(recipe=recipe)
    page = client.get(road.url("dataset-detail"), {"again": str(road.run.uid)}).content.decode()
    assert 'value="dpo" checked' in page
    assert '<input type="text" name="dpo-1-num_steps" value="33"' in page
    assert 'name="dpo-1-learning_rate" value="2e-05"' in page
    assert "&quot;kind&quot;" not in page


def test_a_recipe_of_ones_own_is_read_as_it_is_written_and_that_of_a_run_can_be_run_again(
    road: Road, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    client = client_of(road.researcher)
    untouched = client.get(road.url("dataset-detail")).content.decode()
    form = untouched.split('id="train"')[1].split("</form>")[0]
    assert " required" not in form.split("<form")[1]
    TrainingRun.objects.filter(pk=road.run.pk).update(recipe=OF_NO_OFFER)
    again = client.get(road.url("dataset-detail"), {"again": str(road.run.uid)}).content.decode()
    assert 'value="own" checked' in again
    assert "&quot;kind&quot;: &quot;dpo&quot;" in again
    for text, said in (
        ("", "Write a recipe, or paste the config of a run."),
        ('{"stages": [', "This is no JSON"),
        ('{"stages": [{"kind": "dpo", "learning_rate": 5}]}', "Stage 1: learning_rate must be"),
    ):
        page = client.post(road.url("dataset-train"), {"recipe": "own", "recipe_text": text})
        assert said in page.content.decode()
        assert re.search(r'<textarea name="recipe_text"[^>]*autofocus', page.content.decode())
    assert TrainingRun.objects.count() == 1
    own = {"stages": [{"kind": "kto", "num_steps": 3}, {"kind": "dpo", "num_steps": 2}], "about": {"seed": 1}}
    client.post(road.url("dataset-train"), {"recipe": "own", "recipe_text": json.dumps(own)})
    run = TrainingRun.objects.latest("id")
    assert [(stage["kind"], stage["num_steps"]) for stage in run.recipe["stages"]] == [("kto", 3), ("dpo", 2)]


def test_a_recipe_says_which_texts_it_has_and_which_it_lacks(road: Road) -> None:
    page = client_of(road.researcher).get(road.url("dataset-detail")).content.decode()
    form = page.split('id="train"')[1].split("</form>")[0]
    assert re.search(r"texts? to follow \([^)]*\d (that readers|with regions)", form)
    assert "This data set holds no texts to follow that are bare answers to questions." in form
    assert "Ask the model questions of its studies, and have its answers read. Then freeze anew." in form
    assert "of the origin" not in form


def test_a_cold_start_is_filled_up_with_drawn_films_for_models_that_learned_from_them_alone(
    road: Road, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    client = client_of(road.researcher)

    def offered() -> str:
        page = client.get(road.url("dataset-detail")).content.decode()
        return page.split('value="cold-start"')[1].split('class="recipe"')[0]

    cold_start = offered()
    assert re.search(r"1 text to follow \(1 with regions that readers moved or drew\)", cold_start)
    assert "and 59 drawn films with ideal reasoning" in cold_start
    assert 'name="cold-start-1-fill_up_to" value="60"' in cold_start
    page = client.get(road.url("dataset-detail")).content.decode()
    assert "corrections-1-fill_up_to" not in page
    client.post(road.url("dataset-train"), {"recipe": "cold-start", "cold-start-1-fill_up_to": "9"})
    run = TrainingRun.objects.latest("id")
    assert run.recipe["stages"][0]["fill_up_to"] == 9
    again = client.get(road.url("dataset-detail"), {"again": str(run.uid)}).content.decode()
    assert 'value="cold-start" checked' in again
    assert 'name="cold-start-1-fill_up_to" value="9"' in again

    ModelVersion.objects.update(prompt_template="deepmedix-r1")
    cold_start = offered()
    assert "drawn films with" not in cold_start
    assert "fill_up_to" not in cold_start
    client.post(road.url("dataset-train"), {"recipe": "cold-start"})
    assert TrainingRun.objects.latest("id").recipe["stages"][0]["fill_up_to"] == 0


def test_figures_that_can_go_nowhere_are_refused_before_the_run(
    road: Road, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    client = client_of(road.researcher)
    chosen = {"recipe": "dpo", "dpo-1-report_to": "mlflow"}
    with monkeypatch.context() as patch:
        patch.setattr("rl_feedback.training.config.find_spec", lambda name: None)
        page = client.post(road.url("dataset-train"), chosen).content.decode()
    assert "pip install &#x27;deepmedix-review[mlflow]&#x27;" in page
    assert TrainingRun.objects.get() == road.run
    client.post(road.url("dataset-train"), chosen)
    assert TrainingRun.objects.latest("id").recipe["stages"][0]["report_to"] == "mlflow"


def test_every_wrong_setting_is_said_beside_its_field_and_what_was_typed_is_kept(road: Road) -> None:
    wrong = {"dpo-1-num_steps": "-5", "dpo-1-learning_rate": "abc", "dpo-1-beta": "0.2"}
    page = (
        client_of(road.researcher)
        .post(road.url("dataset-train"), {"recipe": "dpo", **wrong})
        .content.decode()
    )
    assert "It must be a whole number from 1 to 100000." in page
    assert "Enter a number." in page
    assert all(f'value="{text}"' in page for text in wrong.values())
    assert "<details open>" in page
    # The first mistake is on the screen when the page comes back.
    assert page.count("autofocus") == 1
    assert re.search(r'<input [^>]*name="dpo-1-num_steps"[^>]*autofocus', page)
    assert TrainingRun.objects.count() == 1
