"""Who may see and do what with data sets, runs and models, and what their pages show."""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.common.models import JobState
from deepmedix_review.common.templatetags.spans import span
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.evaluation.services import ensure_benchmarks_for, ensure_gate_benchmarks
from deepmedix_review.feedback.models import GateDecision, PreferenceDataset, TrainingMetric, TrainingRun
from deepmedix_review.feedback.services import freeze_dataset, pass_or_hold
from deepmedix_review.registry.models import ModelVersion
from rl_feedback.gate import POLICIES, BenchmarkScores, Policy, Suite, decide
from rl_feedback.phantom_figures import both_case_scores
from rl_feedback.training.config import DpoConfig
from tests.factories.accounts import PASSWORD, AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.kinds import drawn, read
from tests.factories.knowing import measure_for
from tests.factories.learning import a_reading_to_learn_from
from tests.factories.registry import ModelVersionFactory, ServingModelFactory

pytestmark = pytest.mark.django_db

SOMETHING = uuid.UUID(int=1)
PAGES = {
    "dataset-list": ("get", None),
    "dataset-detail": ("get", "dataset"),
    "dataset-train": ("post", "dataset"),
    "dataset-card": ("get", "dataset"),
    "dataset-card-json": ("get", "dataset"),
    "training-run": ("get", "run"),
    "training-run-live": ("get", "run"),
    "training-run-cancel": ("post", "run"),
    "training-run-retry": ("post", "run"),
    "model-list": ("get", None),
    "model-detail": ("get", "model"),
    "model-gate": ("get", "model"),
    "model-promote": ("post", "model"),
    "model-retire": ("post", "model"),
    "model-roll-back": ("post", None),
    "api-dataset-list": ("get", None),
    "api-dataset": ("get", "dataset"),
    "api-training-run-list": ("post", None),
    "api-training-run": ("get", "run"),
    "api-training-run-cancel": ("post", "run"),
    "api-training-run-retry": ("post", "run"),
    "api-model-list": ("get", None),
    "api-model": ("get", "model"),
    "api-model-promote": ("post", "model"),
    "api-model-retire": ("post", "model"),
}

SIGNATURE = {"password": PASSWORD, "reason": "It is better."}

RECIPE = {"stages": [{"kind": "dpo", "num_steps": 2}]}
OF_NO_OFFER = {"stages": [{"kind": "dpo", "num_steps": 2, "lora_rank": 8}]}


class Road:
    """A data set of one reading, a finished run on it, and its candidate beside the parent."""

    def __init__(self) -> None:
        self.parent = ServingModelFactory.create(
            image_preparation="square", min_pixels=12544, max_pixels=12544
        )
        self.reading = a_reading_to_learn_from(self.parent)
        self.researcher: User = ResearcherFactory.create()
        self.dataset: PreferenceDataset = freeze_dataset(title="Round 1", actor=self.researcher)
        self.candidate: ModelVersion = ModelVersionFactory.create(number=1000, parent=self.parent)
        self.run = TrainingRun.objects.create(
            dataset=self.dataset,
            parent_version=self.parent,
            candidate=self.candidate,
            recipe=RECIPE,
            state=JobState.DONE,
            step=2,
            num_steps=2,
        )
        for step, loss in ((1, 0.7), (2, 0.5)):
            values = {"loss": loss, "margin": step / 10, "accuracy": 0.5}
            TrainingMetric.objects.create(run=self.run, step=step, values=values)

    def measure(self, version: ModelVersion, *, say: Callable[[str], str] = str) -> None:
        """As if the version had answered every film with the truth, put through `say`."""
        measure_for(self.candidate, version, say=say)

    def url(self, name: str) -> str:
        thing = PAGES[name][1]
        uids = {"dataset": self.dataset.uid, "run": self.run.uid, "model": self.candidate.uid}
        return reverse(name, args=[uids[thing]] if thing else [])


@pytest.fixture
def road() -> Road:
    return Road()


def say_nothing(text: str) -> str:
    return "<think> Both lungs are clear </think> The answer is: \\boxed{no acute finding}"


def say_in_other_words(text: str) -> str:
    """The same with a blank more, which no figure is worse or better for."""
    return text.replace("</think>", " </think>")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def answers(road: Road, client: Client) -> dict[str, int]:
    """The status of every address, asked in its own way."""
    return {name: getattr(client, method)(road.url(name)).status_code for name, (method, _) in PAGES.items()}


def test_experts_admins_and_strangers_see_and_do_nothing_of_learning(road: Road) -> None:
    for user in (ExpertFactory.create(), AdminFactory.create()):
        assert set(answers(road, client_of(user)).values()) == {403}
    assert set(answers(road, Client()).values()) <= {302, 403}


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
    assert "20 steps are a trial: the candidate will hardly differ from its parent" in page
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
    assert TrainingRun.objects.count() == 1
    own = {"stages": [{"kind": "kto", "num_steps": 3}, {"kind": "dpo", "num_steps": 2}], "about": {"seed": 1}}
    client.post(road.url("dataset-train"), {"recipe": "own", "recipe_text": json.dumps(own)})
    run = TrainingRun.objects.latest("id")
    assert [(stage["kind"], stage["num_steps"]) for stage in run.recipe["stages"]] == [("kto", 3), ("dpo", 2)]


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
    assert TrainingRun.objects.count() == 1


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


def test_a_candidate_that_writes_what_its_parent_writes_has_a_verdict_of_its_own(road: Road) -> None:
    road.measure(road.parent)
    road.measure(road.candidate)
    decision = pass_or_hold(road.candidate)
    assert decision.outcome == GateDecision.Outcome.UNCHANGED
    assert decision.sentence.startswith("Nothing changed. On every held-out film it writes what ")
    assert pass_or_hold(road.candidate) == decision
    assert decision.absent["steps"].startswith("Not used: one reader alone")
    client = client_of(road.researcher)
    page = client.get(road.url("model-detail")).content.decode()
    assert "<strong>Nothing changed.</strong> On every held-out film it writes what" in page
    assert "assed" not in page.split("<main")[1].split("A figure passes")[0]
    assert '<span class="chip warn">gate: nothing changed</span>' in page
    assert f"not measured.</strong> {decision.absent['steps']}" in page
    assert "Every answer is the same, word for word." in page
    assert road.reading.assignment.case.study.label in page
    assert "nothing changed</span>" in client.get(reverse("model-list")).content.decode()
    assert f'href="{road.url("model-promote")}"' in page
    asked = client.get(road.url("model-promote")).content.decode()
    assert f"{road.candidate} will answer every request from now on" in asked
    assert f"Nothing changed: {road.candidate} writes what {road.parent} writes, word for word" in asked
    refused = client.post(road.url("model-promote"), {**SIGNATURE, "reason": " "})
    assert "Say in a sentence why it shall serve" in refused.content.decode()
    refused = client.post(road.url("model-promote"), {**SIGNATURE, "password": "guessed"})
    assert "not your account&#x27;s password" in refused.content.decode()
    assert 'value="It is better."' in refused.content.decode()
    assert ModelVersion.objects.get(pk=road.candidate.pk).state == ModelVersion.State.CANDIDATE


def test_a_candidate_that_is_better_in_nothing_passes_and_can_be_promoted_from_its_page(road: Road) -> None:
    road.measure(road.parent)
    road.measure(road.candidate, say=say_in_other_words)
    decision = pass_or_hold(road.candidate)
    assert decision.outcome == GateDecision.Outcome.PASSED
    client = client_of(road.researcher)
    page = client.get(road.url("model-detail")).content.decode()
    assert "<strong>Passed, and better in no guarded figure.</strong>" in page
    assert "Nothing that the gate guards got worse by more than its margin; " in page
    assert "word for word" not in page
    asked = client.get(road.url("model-promote")).content.decode()
    assert f"No figure is better for sure than {road.parent}'s" in asked.replace("&#x27;", "'")
    assert ModelVersion.objects.get(pk=road.parent.pk).state == ModelVersion.State.SERVING


def judged(road: Road, policy: Policy) -> GateDecision:
    """The gate's word on a candidate that gained cavities and lost nodules of 200 films."""
    parent, candidate = read(drawn("cavity", 0.8, 1)), read(drawn("nodule", 0.4, 2))
    scores = BenchmarkScores("the second site", *both_case_scores(parent, candidate))
    outcome = decide([scores], policy=replace(policy, guards=policy.of(Suite.SEALED)))
    return GateDecision.objects.create(
        candidate=road.candidate,
        parent=road.parent,
        outcome=GateDecision.Outcome.PASSED if outcome.passed else GateDecision.Outcome.HELD,
        policy=outcome.policy.as_json(),
        comparisons=[asdict(comparison) for comparison in outcome.comparisons],
        sentence=outcome.sentence,
    )


def test_a_kind_that_was_lost_decides_by_name_and_the_others_stand_below_lesion_recall(road: Road) -> None:
    decision = judged(road, POLICIES[-1])
    assert decision.outcome == GateDecision.Outcome.HELD
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    assert "Nodule recall fell by 0.400 (" in page
    rows = re.findall(
        r'<tr( class="part")?>\s*<th scope="row">([^<]+?)(?: <span[^>]*>of (\d+)</span>)?<', page
    )
    found = [(label, number, bool(part)) for part, label, number in rows]
    assert found[0] == ("Nodule recall, the second site", "40", False)
    below = found.index(("Lesion recall", "", False)) + 1
    assert found[below : below + 5] == [
        ("Effusion recall", "40", True),
        ("Pneumothorax recall", "10", True),
        ("Consolidation recall", "40", True),
        ("Cavity recall", "40", True),
        ("Cardiomegaly recall", "40", True),
    ]
    assert page.count('<span class="chip quiet">too few</span>') == 1
    assert "Decides nothing: 10 on these films, and the policy asks for 30." in page


def test_a_decision_from_before_kinds_were_told_apart_is_shown_as_it_was_made(road: Road) -> None:
    decision = judged(road, POLICIES[2])
    for row in decision.comparisons:
        del row["num_findings"]
    for guard in decision.policy["guards"]:
        del guard["fewest"]
    decision.save()
    assert decision.outcome == GateDecision.Outcome.PASSED
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    assert "Lesion recall" in page
    assert 'class="part"' not in page
    assert f'href="{reverse("gate-policy", args=[3])}"' in page
    assert Policy.from_json(decision.policy).number == 3


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


def test_a_candidate_that_stopped_naming_lesions_is_held_and_the_page_says_why(road: Road) -> None:
    road.measure(road.parent)
    road.measure(road.candidate, say=say_nothing)
    decision = pass_or_hold(road.candidate)
    assert decision.outcome == GateDecision.Outcome.HELD
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    assert "It stopped naming lesions." in page
    assert page.index("What decided") < page.index("sealed phantoms of the first site")
    assert re.search(r'href="#changed">See the \d+ lost lesions</a>', page)
    assert page.count("<image href=") == 2 * page.count('class="changed-case"') > 0
    assert 'class="truth"' in page
    assert "No shadow study" in page
    assert f'href="{reverse("gate-policy", args=[4])}"' in page
    assert "lost</span>" in page
    assert road.url("model-promote") not in page
    said = client_of(road.researcher).get(road.url("model-promote"), follow=True).content.decode()
    assert "may not serve. Held." in said
    answer = client_of(road.researcher).post(road.url("api-model-promote"), SIGNATURE)
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith(f"{road.candidate} may not serve. Held.")


def test_nothing_is_promoted_before_the_gate_has_decided(road: Road) -> None:
    answer = client_of(road.researcher).post(road.url("api-model-promote"), SIGNATURE)
    assert answer.status_code == 409
    assert "has not decided" in answer.json()["detail"]


def test_a_candidate_whose_parent_serves_no_more_is_not_promoted(road: Road) -> None:
    road.measure(road.parent)
    road.measure(road.candidate)
    pass_or_hold(road.candidate)
    ModelVersion.objects.filter(pk=road.parent.pk).update(state=ModelVersion.State.RETIRED)
    answer = client_of(road.researcher).post(road.url("api-model-promote"), SIGNATURE)
    assert "does not serve any more" in answer.json()["detail"]


def test_a_held_out_film_is_drawn_for_its_own_benchmark_alone(road: Road) -> None:
    client, benchmark = client_of(road.researcher), ensure_gate_benchmarks()[0]
    picture = client.get(reverse("held-out-film", args=[benchmark.uid, benchmark.first_seed]))
    assert picture.content.startswith(b"\x89PNG")
    assert client.get(reverse("held-out-film", args=[benchmark.uid, 5])).status_code == 404
    assert client_of(ExpertFactory.create()).get(picture.request["PATH_INFO"]).status_code == 403


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
