"""Readers' ratings of steps teach a scorer, and the gate compares the steps of both versions by it."""

from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from safetensors.torch import load_file, save_file

from deepmedix_review.feedback.models import GateDecision
from deepmedix_review.feedback.services import freeze_dataset, pass_or_hold
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Reading, StepRating
from deepmedix_review.reviews.study_services import create_reader_study
from inference.grounding import format_completion, parse_completion
from inference.phantoms import DEMO_SEEDS, draw_phantom, ideal_reasoning
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.knowing import measure_for
from tests.factories.learning import film, finished_run, said
from tests.factories.registry import ModelVersionFactory, ServingModelFactory
from tests.home import ROOT

pytestmark = pytest.mark.django_db

NUM_PATIENTS = 14


def backwards(text: str) -> str:
    """Each step's words in reverse: as long, at the same place, and worth nothing."""
    parsed = parse_completion(text)
    steps = [" ".join(step.text.split()[::-1]) for step in parsed.steps]
    return format_completion(steps, parsed.answer or "")


@pytest.fixture
def parent() -> ModelVersion:
    version: ModelVersion = ServingModelFactory.create(
        image_preparation="square",
        min_pixels=12544,
        max_pixels=12544,
        folder=str(ROOT / "inference" / "shipped_model"),
    )
    return version


@pytest.fixture
def candidate(parent: ModelVersion) -> ModelVersion:
    """Trained on what two readers gave the steps of true texts, and of the same texts backwards."""
    films = [film(DEMO_SEEDS.start + n) for n in range(NUM_PATIENTS)]
    for number, instance in enumerate(films):
        text = ideal_reasoning(draw_phantom(seed=DEMO_SEEDS.start + number).truth)
        for written in (text, backwards(text)):
            said(instance, written, model_version=parent)
    create_reader_study(
        title="Steps",
        studies=[instance.study for instance in films],
        readers=[ExpertFactory.create() for _ in range(2)],
        actor=None,
        seed=1,
    )
    ratings = []
    for reading in Reading.objects.select_related("completion_a", "completion_b"):
        for completion in (reading.completion_a, reading.completion_b):
            assert completion is not None
            is_true = " is " in completion.text.split("[")[0] and completion.text.startswith("<think> The")
            points = 5 if is_true else 1
            ratings += [
                StepRating(reading=reading, step=step, plausibility=points) for step in completion.steps.all()
            ]
    StepRating.objects.bulk_create(ratings)
    Reading.objects.update(opened_at=timezone.now(), signed_at=timezone.now())
    version: ModelVersion = ModelVersionFactory.create(number=1000, parent=parent)
    finished_run(
        freeze_dataset(title="Steps", actor=ResearcherFactory.create()),
        parent=parent,
        candidate=version,
        kind="grpo",
        num_steps=2,
    )
    return version


def test_a_candidate_whose_steps_readers_would_rate_lower_is_held_for_it(
    parent: ModelVersion, candidate: ModelVersion
) -> None:
    measure_for(candidate, parent)
    measure_for(candidate, candidate, say=backwards)
    decision = pass_or_hold(candidate)
    assert "steps" not in decision.absent
    rows: list[dict[str, Any]] = [row for row in decision.comparisons if row["figure"] == "step_score"]
    assert [row["benchmark"] for row in rows] == [
        "the first site by the step scorer",
        "the second site by the step scorer",
    ]
    assert all(row["counts_against"] and row["candidate"] < row["parent"] for row in rows)
    assert decision.outcome == GateDecision.Outcome.HELD
    client = Client()
    client.force_login(ResearcherFactory.create())
    page = client.get(reverse("model-detail", args=[candidate.uid])).content.decode()
    assert "Weakest step, as readers would rate it, the first site by the step scorer" in page
    assert "not measured" not in page


def test_one_that_was_decided_on_is_decided_on_again_beside_another_version(
    parent: ModelVersion, candidate: ModelVersion, tmp_path: Path
) -> None:
    folder = copytree(parent.folder, tmp_path / "other")
    weights = load_file(folder / "model.safetensors")
    (moved, *_) = sorted(weights)
    save_file({**weights, moved: weights[moved] * 1.001}, folder / "model.safetensors")
    other = ModelVersionFactory.create(
        image_preparation="square", min_pixels=12544, max_pixels=12544, folder=str(folder)
    )
    for version in (parent, other, candidate):
        measure_for(candidate, version)
    for beside in (parent, other):
        rows = pass_or_hold(candidate, beside=beside).comparisons
        assert sum(row["figure"] == "step_score" for row in rows) == 2
