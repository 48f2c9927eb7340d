"""What a candidate's page says of the gate's decision, and what it lets a researcher do."""

import re
from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.models import JobState
from deepmedix_review.common.templatetags.spans import span
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.evaluation.services import ensure_gate_benchmarks
from deepmedix_review.feedback.changed_cases import NUM_SHOWN
from deepmedix_review.feedback.charts import gate_plots
from deepmedix_review.feedback.gating.measuring import request_gate
from deepmedix_review.feedback.models import GateDecision, TrainingRun
from deepmedix_review.feedback.services import pass_or_hold
from deepmedix_review.registry.models import ModelVersion
from rl_feedback.gate import POLICIES, BenchmarkScores, Policy, Suite, decide
from rl_feedback.phantom_figures import both_case_scores
from tests.deepmedix_review.feedback.road import SIGNATURE, Road, client_of
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.kinds import drawn, read
from tests.factories.registry import ModelVersionFactory, ServingModelFactory

pytestmark = pytest.mark.django_db


def say_nothing(text: str) -> str:
    return "<think> Both lungs are clear </think> The answer is: \\boxed{no acute finding}"


def say_in_other_words(text: str) -> str:
    """The same with a blank more, which no figure is worse or better for."""
    return text.replace("</think>", " </think>")


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


def test_a_change_that_rounds_to_nothing_is_not_said_to_be_a_loss(road: Road) -> None:
    decision = judged(road, POLICIES[-1])
    nearly = {"parent": -0.0001, "candidate": -0.0001, "difference": -0.0001, "low": -0.0002}
    decision.comparisons = [row | nearly for row in decision.comparisons]
    # The log is only added to: as if it had been decided so.
    GateDecision.objects.bulk_update([decision], ["comparisons"])
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    assert "+0.000" in page
    assert "-0.000" not in page


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
    assert "10 findings, 30 needed" in page


def test_the_page_says_what_each_figure_is_and_gives_each_its_margin_in_numbers(road: Road) -> None:
    decision = judged(road, POLICIES[-1])
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    meant = page.split('<details class="panel" id="figures-meant">')[1].split("</details>")[0]
    named = re.findall("<dt>([^<]+)</dt><dd>([^<]+)</dd>", meant)
    assert [label for label, _ in named] == [row["label"] for row in decision.comparisons]
    assert dict(named)["Negation flips"].startswith("Kinds of findings a film that the text says outright")
    decided = page.split("What decided")[1].split("</table>")[0]
    assert '<th scope="col" class="number">Margin</th>' in decided
    assert '<td class="number mono">0.15</td>' in decided


def test_of_figures_as_bad_as_each_other_the_table_begins_with_the_one_that_the_sentence_names_first(
    road: Road,
) -> None:
    decision = judged(road, POLICIES[-1])
    first, second = (row for row in decision.comparisons if row["figure"] in ("exact_answer", "omitted"))
    as_bad = {"counts_against": True, "verdict": "held", "margin": 0.03}
    first |= as_bad | {"difference": -0.9, "low": -1.0, "high": -0.8}
    second |= as_bad | {"difference": 0.9, "low": 0.8, "high": 1.0}
    shown, *_ = gate_plots(decision)
    assert [row.label for row in shown.rows[:2]] == [
        "Exact answers, the second site",
        "Omitted findings, the second site",
    ]


@pytest.mark.parametrize("besides", ["hallucinated", "constant_box"])
def test_what_shows_that_the_film_was_not_looked_at_leads_the_table_whatever_fell_further(
    road: Road, besides: str
) -> None:
    decision = judged(road, POLICIES[-1])
    for row in decision.comparisons:
        row |= {"counts_against": row["figure"] in ("exact_answer", besides), "verdict": "held"}
    worse = next(row for row in decision.comparisons if row["figure"] == "exact_answer")
    worse |= {"difference": -0.9}
    blind = next(row for row in decision.comparisons if row["figure"] == "heart_iou")
    blind |= {"counts_against": True, "figure": "image_dependence", "label": "Fit", "difference": -0.5}
    first = dict.fromkeys((0.1, 0.3), "")
    for share in first:
        blind |= {"candidate": share, "margin": 0.1}
        first[share] = gate_plots(decision)[0].rows[0].label
    assert first == {0.1: "Fit, the second site", 0.3: "Exact answers, the second site"}


def test_one_that_names_nothing_fits_its_film_less_too_and_that_does_not_lead(road: Road) -> None:
    decision = judged(road, POLICIES[-1])
    for row in decision.comparisons:
        row |= {"counts_against": row["figure"] == "omitted", "verdict": "held", "difference": 0.9}
    less = next(row for row in decision.comparisons if row["figure"] == "heart_iou")
    less |= {"counts_against": True, "figure": "image_dependence", "label": "Fit", "difference": -0.5}
    less |= {"candidate": 0.0, "margin": 0.1}
    assert gate_plots(decision)[0].rows[0].label == "Omitted findings, the second site"


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


def test_a_candidate_that_stopped_naming_lesions_is_held_and_the_page_says_why(road: Road) -> None:
    road.measure(road.parent)
    road.measure(road.candidate, say=say_nothing)
    decision = pass_or_hold(road.candidate)
    assert decision.outcome == GateDecision.Outcome.HELD
    page = client_of(road.researcher).get(road.url("model-detail")).content.decode()
    assert "It stopped naming lesions." in page
    assert page.index("What decided") < page.index("sealed phantoms of the first site")
    assert re.search(r'href="#changed">See where \d+ lesions were lost</a>', page)
    assert page.count("<image href=") == 2 * page.count('class="changed-case"') == 2 * NUM_SHOWN
    assert decision.changed is not None
    num_kept = len(decision.changed["places"])
    assert num_kept > NUM_SHOWN
    more = re.search(r'id="more-changed" href="\?changed=(\d+)#changed"', page)
    assert more is not None
    assert int(more[1]) == min(num_kept, 2 * NUM_SHOWN)
    every = client_of(road.researcher).get(f"{road.url('model-detail')}?changed=60").content.decode()
    assert every.count('class="changed-case"') == num_kept
    assert "more-changed" not in every
    assert 'class="truth"' in page
    assert "No shadow study" in page
    assert f'href="{reverse("gate-policy", args=[6])}"' in page
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
    client = client_of(road.researcher)
    answer = client.post(road.url("api-model-promote"), SIGNATURE)
    assert "No version serves" in answer.json()["detail"]
    other = ServingModelFactory.create()
    answer = client.post(road.url("api-model-promote"), SIGNATURE)
    assert f"does not serve any more. Measure it by the gate beside {other}" in answer.json()["detail"]
    asked = client.post(road.url("api-model-measure"))
    assert asked.status_code == 202
    assert asked.json()["gate"]["beside"] == str(road.parent.uid)


def test_a_held_out_film_is_drawn_for_its_own_benchmark_alone(road: Road) -> None:
    client, benchmark = client_of(road.researcher), ensure_gate_benchmarks()[0]
    picture = client.get(reverse("held-out-film", args=[benchmark.uid, benchmark.first_seed]))
    assert picture.content.startswith(b"\x89PNG")
    assert client.get(reverse("held-out-film", args=[benchmark.uid, 5])).status_code == 404
    assert client_of(ExpertFactory.create()).get(picture.request["PATH_INFO"]).status_code == 403


def test_a_measurement_is_cancelled_and_goes_on_from_the_candidates_page_which_says_by_whom(
    road: Road,
) -> None:
    request_gate(road.candidate, actor=None)
    client, page = client_of(road.researcher), road.url("model-detail")
    measurement = Evaluation.objects.filter(model_version=road.parent).earliest("pk")
    where = [road.candidate.uid, measurement.uid]
    cancel, retry = (reverse(f"measurement-{name}", args=where) for name in ("cancel", "retry"))
    assert f'action="{cancel}"' in client.get(page).content.decode()
    assert client_of(ExpertFactory.create()).post(cancel).status_code == 403
    Evaluation.objects.filter(pk=measurement.pk).update(state=JobState.RUNNING)
    assert client.post(cancel)["Location"] == page
    shown = client.get(page).content.decode()
    assert f"cancelled by {road.researcher.pseudonym}; it ends after the films in hand" in shown
    assert f'id="cancel-{measurement.uid}"' in shown
    other = ResearcherFactory.create()
    assert "is ending already" in client_of(other).post(cancel, follow=True).content.decode()
    measurement.refresh_from_db()
    assert measurement.cancelled_by == road.researcher
    Evaluation.objects.filter(pk=measurement.pk).update(state=JobState.CANCELLED, finished_at=timezone.now())
    shown = client.get(page).content.decode()
    assert f"by {road.researcher.pseudonym} <time" in shown
    assert "The gate decides once every measurement is done." in shown
    assert "hx-get" in shown.split('id="gate-live"')[1].split(">")[0]
    assert "is cancelled already" in client.post(cancel, follow=True).content.decode()
    assert client.post(retry)["Location"] == page
    again = Evaluation.objects.get(pk=measurement.pk)
    assert (again.state, again.cancelled_by) == (JobState.QUEUED, None)
    assert "ended early" not in client.get(page).content.decode()
    of_another = Evaluation.objects.create(
        benchmark=measurement.benchmark, model_version=ModelVersionFactory.create(number=1200)
    )
    elsewhere = reverse("measurement-cancel", args=[road.candidate.uid, of_another.uid])
    assert client.post(elsewhere).status_code == 404


def test_measurements_that_wait_for_a_training_run_say_for_which(road: Road) -> None:
    request_gate(road.candidate, actor=None)
    run = TrainingRun.objects.create(
        dataset=road.run.dataset,
        parent_version=road.parent,
        recipe=road.run.recipe,
        requested_by=road.researcher,
        num_steps=2,
        state=JobState.RUNNING,
        started_at=timezone.now(),
    )
    waits = f'What is queued waits until <a href="{reverse("training-run", args=[run.uid])}">run {run.pk}</a>'
    client = client_of(road.researcher)
    assert waits in client.get(road.url("model-detail")).content.decode()
    Evaluation.objects.filter(model_version=road.candidate).update(state=JobState.RUNNING)
    assert "What is queued waits" not in client.get(road.url("model-detail")).content.decode()


def test_all_measurements_are_cancelled_in_one_press_and_go_on_in_another(road: Road) -> None:
    request_gate(road.candidate, actor=None)
    done = Evaluation.objects.filter(model_version=road.parent).earliest("pk")
    Evaluation.objects.filter(pk=done.pk).update(state=JobState.DONE)
    client, page = client_of(road.researcher), road.url("model-detail")
    cancel, retry = (
        reverse(f"measurements-{name}", args=[road.candidate.uid]) for name in ("cancel", "retry")
    )
    num_others = Evaluation.objects.count() - 1
    assert f"Cancel all {num_others}</button>" in client.get(page).content.decode()
    assert client_of(ExpertFactory.create()).post(cancel).status_code == 403
    assert client.post(cancel)["Location"] == page
    others = Evaluation.objects.exclude(pk=done.pk)
    assert {(one.state, one.cancelled_by) for one in others} == {(JobState.CANCELLED, road.researcher)}
    assert AuditEvent.objects.filter(action="cancel_evaluation").count() == num_others
    shown = client.get(page).content.decode()
    assert f"Go on with all {num_others}</button>" in shown
    assert "Cancel all" not in shown
    client.post(retry)
    assert {one.state for one in others.all()} == {JobState.QUEUED}
    done.refresh_from_db()
    assert (done.state, done.cancelled_by) == (JobState.DONE, None)


def test_cancelling_all_leaves_what_another_candidate_waits_for(road: Road) -> None:
    other = ModelVersionFactory.create(parent=road.parent)
    TrainingRun.objects.create(
        dataset=road.dataset, parent_version=road.parent, candidate=other, num_steps=1, recipe=road.run.recipe
    )
    for candidate in (road.candidate, other):
        request_gate(candidate, actor=None)
    client, page = client_of(road.researcher), road.url("model-detail")
    shown = client.get(page).content.decode()
    assert f"{other} waits for what {road.parent} answers too" in shown
    mine = Evaluation.objects.filter(model_version=road.candidate)
    twins = Evaluation.objects.filter(model_version=road.parent, benchmark__drawn_for=road.candidate)
    assert f"Cancel all {mine.count() + twins.count()}</button>" in shown
    client.post(reverse("measurements-cancel", args=[road.candidate.uid]))
    assert {one.state for one in (*mine.all(), *twins.all())} == {JobState.CANCELLED}
    left = Evaluation.objects.exclude(pk__in=[one.pk for one in (*mine, *twins)])
    assert left.filter(model_version=road.parent, benchmark__drawn_for=None).exists()
    assert {one.state for one in left} == {JobState.QUEUED}
    models = client.get(reverse("model-list")).content.decode()
    assert models.count("a measurement ended early") == 1
    assert models.count('<span class="chip quiet">measuring</span>') == 1


def test_the_page_counts_all_films_and_says_when_the_gate_decides(road: Road) -> None:
    request_gate(road.candidate, actor=None)
    measurements = Evaluation.objects.select_related("benchmark")
    num_films = sum(one.benchmark.num_phantoms for one in measurements)
    client, page = client_of(road.researcher), reverse("model-gate", args=[road.candidate.uid])
    assert f"0 of {num_films}</span> films</p>" in client.get(page).content.decode()
    first = measurements.earliest("pk")
    Evaluation.objects.filter(pk=first.pk).update(
        state=JobState.RUNNING, started_at=timezone.now() - timedelta(seconds=30), num_done=3
    )
    # Of ten seconds each, as far as is known.
    said = span(10.0 * (num_films - 3))
    assert (
        f"3 of {num_films}</span> films, about {said} left at this pace" in client.get(page).content.decode()
    )
    measurements.update(state=JobState.DONE)
    assert f"All {num_films} films are answered" in client.get(page).content.decode()
