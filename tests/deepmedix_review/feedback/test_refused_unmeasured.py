"""What no figure could save is refused before it is measured, its reason on the page: test patients
among what it learned from, and files that are no sound model."""

from pathlib import Path

import pytest
import torch
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from pydicom import dcmread
from safetensors.torch import load_file, save_file

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.evaluation.services import ensure_benchmarks_for
from deepmedix_review.evaluation.tasks import request_evaluation, run_evaluation
from deepmedix_review.feedback.gating.turns import GATE_LOCK
from deepmedix_review.feedback.models import GateDecision, TrainingRun
from deepmedix_review.feedback.sealed_patients import sealed_names
from deepmedix_review.feedback.services import freeze_dataset, pass_or_hold
from deepmedix_review.feedback.tasks import reconcile_training, request_training
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.services import register_candidate
from deepmedix_review.studies.intake.deidentification import name_film
from deepmedix_review.studies.models import Study
from inference.phantom_dicom import write_phantom_dicom
from tests.factories.accounts import ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from, serving_model_with_weights
from tests.factories.models import write_untrained_model
from tests.factories.registry import ModelVersionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def parent(tmp_path: Path) -> ModelVersion:
    return serving_model_with_weights(tmp_path / "parent")


def run_on_a_sealed_patient(parent: ModelVersion, candidate: ModelVersion) -> TrainingRun:
    a_reading_to_learn_from(parent)
    dataset = freeze_dataset(title="Round 1", actor=ResearcherFactory.create())
    Study.objects.update(patient_pseudonym=min(sealed_names().pseudonyms))
    return TrainingRun.objects.create(
        dataset=dataset,
        parent_version=parent,
        candidate=candidate,
        recipe={"stages": [{"kind": "dpo", "num_steps": 2}]},
        state=JobState.DONE,
        num_steps=2,
    )


@pytest.mark.parametrize("site", ["first", "second"])
def test_a_held_out_patient_bears_a_known_name_here_however_the_film_came_in(
    tmp_path: Path, site: str
) -> None:
    write_phantom_dicom(tmp_path / "film.dcm", seed=1_005_003, site=site, size=96)
    write_phantom_dicom(tmp_path / "other.dcm", seed=5_003, site=site, size=96)
    here = [
        name_film(dcmread(tmp_path / name), key=settings.DEIDENTIFICATION_KEY, pixel_sha256="")
        for name in ("film.dcm", "other.dcm")
    ]
    names = sealed_names()
    assert [one.patient_pseudonym in names.pseudonyms for one in here] == [True, False]
    assert [one.study_instance_uid in names.study_uids for one in here] == [True, False]


def test_nothing_is_trained_on_a_held_out_patient(parent: ModelVersion) -> None:
    run = run_on_a_sealed_patient(parent, ModelVersionFactory.create(number=900, parent=parent))
    with pytest.raises(RefusedByRule, match="1 of the 1 film it learned from is of a patient"):
        request_training(dataset=run.dataset, actor=ResearcherFactory.create())


def test_a_candidate_that_learned_from_one_is_held_unmeasured_and_so_is_its_child(
    parent: ModelVersion,
) -> None:
    candidate = ModelVersionFactory.create(number=900, parent=parent)
    child = ModelVersionFactory.create(number=901, parent=candidate)
    run = run_on_a_sealed_patient(parent, candidate)
    reconcile_training()
    decision = GateDecision.objects.get(candidate=candidate)
    assert decision.outcome == GateDecision.Outcome.HELD
    assert decision.sentence.startswith("Held. It was trained on the test: 1 of the 1 film")
    assert not Evaluation.objects.filter(model_version=candidate).exists()
    assert pass_or_hold(child).sentence.startswith("Held. It descends from v900. It was trained on the test")
    assert run.requested_by is None


def test_while_one_worker_decides_another_leaves_the_gate_to_it(parent: ModelVersion) -> None:
    candidate = ModelVersionFactory.create(number=900, parent=parent)
    run_on_a_sealed_patient(parent, candidate)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [GATE_LOCK])
    reconcile_training()
    assert not GateDecision.objects.exists()
    other.close()
    reconcile_training()
    assert GateDecision.objects.get().candidate == candidate


def test_a_damaged_checkpoint_is_held_for_it_and_the_page_says_so(
    parent: ModelVersion, tmp_path: Path
) -> None:
    folder = write_untrained_model(tmp_path / "candidate", seed=2)
    weights = load_file(folder / "model.safetensors")
    name = sorted(weights)[0]
    weights[name].view(-1)[0] = torch.inf
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    candidate = register_candidate(parent=parent, folder=folder, name="damaged", card={})
    measured_by_a_worker(candidate)
    reconcile_training()
    decision = GateDecision.objects.get(candidate=candidate)
    assert decision.sentence.startswith(f"Held. Its checkpoint is damaged: {name} in model.safetensors")
    client = Client()
    client.force_login(ResearcherFactory.create())
    page = client.get(reverse("model-detail", args=[candidate.uid])).content.decode()
    assert "holds no numbers" in page
    assert "Traceback" not in page


def test_a_checkpoint_that_was_changed_since_it_was_registered_is_damaged(
    parent: ModelVersion, tmp_path: Path
) -> None:
    folder = write_untrained_model(tmp_path / "candidate", seed=2)
    candidate = register_candidate(parent=parent, folder=folder, name="changed", card={})
    (folder / "generation_config.json").write_text("{}")
    evaluation = measured_by_a_worker(candidate)
    assert evaluation.is_damaged
    assert "not those that were registered" in evaluation.error


def measured_by_a_worker(candidate: ModelVersion) -> Evaluation:
    """The task itself, in this process."""
    evaluation = request_evaluation(
        benchmark=ensure_benchmarks_for(candidate)[0], model_version=candidate, actor=None
    )
    run_evaluation(evaluation.pk)
    evaluation.refresh_from_db()
    assert evaluation.state == JobState.FAILED
    return evaluation
