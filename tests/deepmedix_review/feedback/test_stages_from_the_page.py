"""The stages of DeepMedix-R1, each started by the form of a data set's page and learned by a real worker."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.models import JobState
from deepmedix_review.feedback.models import GateDecision, PreferenceDataset, TrainingRun
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Vote
from deepmedix_review.studies.models import Split
from tests.deepmedix_review.feedback.road import client_of
from tests.deepmedix_review.feedback.test_learning_by_workers import state_is
from tests.factories.accounts import ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from, film, serving_model_with_weights
from tests.workers import Workers, wait_until

FEW = {"num_steps": "2", "examples_per_step": "2", "replay_per_step": "1"}


@pytest.fixture
def frozen(tmp_path: Path, transactional_db: None) -> Callable[..., PreferenceDataset]:
    """Two signed readings, of a model that says little."""

    def freeze(*, moves_a_region: bool, query: str = "") -> PreferenceDataset:
        model = serving_model_with_weights(tmp_path / "model")
        ModelVersion.objects.filter(pk=model.pk).update(max_new_tokens=16)
        for number, vote in enumerate((Vote.Side.A, Vote.Side.B)):
            seed = 2_000_000 + 10 * number
            a_reading_to_learn_from(model, seed=seed, vote=vote, moves_a_region=moves_a_region)
        if query:
            Completion.objects.update(query=query)
        return freeze_dataset(title="Two readings", actor=ResearcherFactory.create())

    return freeze


def asked_for(
    dataset: PreferenceDataset, recipe: str, *, num_stages: int, sample_every: int = 0
) -> tuple[Client, TrainingRun]:
    """A run by the form, each of its stages with FEW."""
    assert dataset.created_by is not None
    client = client_of(dataset.created_by)
    chosen = {**FEW, "sample_every": str(sample_every)}
    fields = {
        f"{recipe}-{stage}-{name}": value
        for stage in range(1, num_stages + 1)
        for name, value in chosen.items()
    }
    answer = client.post(reverse("dataset-train", args=[dataset.uid]), {"recipe": recipe, **fields})
    assert answer.status_code == 302, answer.content.decode()
    return client, TrainingRun.objects.get()


def test_a_cold_start_learns_from_drawn_films_where_readers_corrected_nothing(
    celery_workers: Workers, frozen: Callable[..., PreferenceDataset]
) -> None:
    dataset = frozen(moves_a_region=False)
    held_out = film(2_000_100, side=Split.TUNE)
    client, run = asked_for(dataset, "cold-start", num_stages=1, sample_every=1)
    [event] = AuditEvent.objects.filter(action="request_training")
    assert (event.details["num_examples"], event.details["num_drawn"]) == ([0], [60])
    wait_until(state_is(run, JobState.DONE), what="the run is done")
    assert list(run.metrics.values_list("step", flat=True)) == [1, 2]
    assert run.candidate is not None
    assert run.candidate.parent == run.parent_version
    page = client.get(reverse("training-run", args=[run.uid])).content.decode()
    assert "<h3>Cold start (supervised fine-tuning)</h3>" in page
    assert '<dt>Filled up with drawn films to</dt><dd class="mono">60</dd>' in page
    taken = run.samples.order_by("step").values_list("step", "instance")
    assert list(taken) == [(0, held_out.pk), (1, held_out.pk), (2, held_out.pk)]
    titles = re.findall(r"<h4>(The parent|Step \d)", page)
    assert titles == ["The parent", "Step 1", "Step 2"]
    decided = GateDecision.objects.filter(candidate=run.candidate)
    wait_until(decided.exists, what="the gate decides")


def test_instruction_cold_start_and_rewarded_attempts_run_in_a_row(
    celery_workers: Workers, frozen: Callable[..., PreferenceDataset]
) -> None:
    dataset = frozen(moves_a_region=True, query="Is the heart enlarged?")
    client, run = asked_for(dataset, "three-stages", num_stages=3)
    wait_until(state_is(run, JobState.DONE), what="the run is done")
    told = list(run.metrics.values_list("stage", "values"))
    assert [stage for stage, _ in told] == [0, 0, 1, 1, 2, 2]
    assert all("reward" in values for stage, values in told if stage == 2)
    page = client.get(reverse("training-run", args=[run.uid])).content.decode()
    for title in (
        "Stage 1: Instruction fine-tuning (supervised fine-tuning)",
        "Stage 2: Cold start (supervised fine-tuning)",
        "Stage 3: Reinforcement learning (GRPO)",
    ):
        assert f"<h3>{title}</h3>" in page
    decided = GateDecision.objects.filter(candidate=run.candidate)
    wait_until(decided.exists, what="the gate decides")
