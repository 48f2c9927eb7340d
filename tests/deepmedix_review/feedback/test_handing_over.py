"""A data set leaves for a cluster as a bundle, and what comes back is a candidate before the same gate."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from datasets import load_dataset
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from safetensors.torch import load_file, save_file

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.feedback.handing_over.leaving import export_bundle
from deepmedix_review.feedback.handing_over.returning import import_returned
from deepmedix_review.feedback.models import HandOver, TrainingRun
from deepmedix_review.feedback.sealed_patients import sealed_names
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Split, Study
from tests.factories.accounts import ExpertFactory, ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from, serving_model_with_weights

pytestmark = pytest.mark.django_db


@pytest.fixture
def parent(tmp_path: Path) -> ModelVersion:
    return serving_model_with_weights(tmp_path / "parent")


@pytest.fixture
def dataset(parent: ModelVersion):
    for number, side in enumerate((Split.TRAIN, Split.TUNE, Split.TEST)):
        a_reading_to_learn_from(parent, seed=6000 + 10 * number, side=side)
    return freeze_dataset(title="Round 1", actor=ResearcherFactory.create(username="rita"))


def run(*arguments: str) -> str:
    said = io.StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


def come_back(folder: Path, bundle: Path, parent: ModelVersion) -> Path:
    """What launch.sh leaves: the parent, learned a little, in the names that newer transformers write."""
    folder.mkdir()
    weights = load_file(Path(parent.folder) / "model.safetensors")
    newer = {
        f"model.language_model.{name.removeprefix('model.')}" if name.startswith("model.") else name: value
        + 0.01
        for name, value in weights.items()
    }
    save_file(newer, folder / "model.safetensors", metadata={"format": "pt"})
    shutil.copy(Path(parent.folder) / "config.json", folder)
    shutil.copy(bundle / "manifest.json", folder)
    (folder / "metrics.json").write_text(json.dumps({"last_global_step": 40, "best_val_reward_score": 0.61}))
    return folder


def test_a_bundle_leaves_with_its_sides_and_comes_back_as_a_candidate(
    parent: ModelVersion, dataset, tmp_path: Path, client: Client
) -> None:
    bundle = tmp_path / "bundle"
    said = run("export_bundle", str(dataset.uid), "--actor", "rita", "--out", str(bundle))
    left = HandOver.objects.get()
    assert said.startswith(left.sha256)
    sides = {
        name: list(
            load_dataset("parquet", data_files=str(bundle / f"{name}.parquet"), split="train", streaming=True)
        )
        for name in ("train", "val")
    }
    assert left.num_train == len(sides["train"])
    assert left.num_validation == len(sides["val"])
    known = json.loads(sides["train"][0]["answer"])
    assert {step["criterion"] for step in known["steps"]} >= {"plausibility"}
    everything = b"".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file())
    for study in Study.objects.all():
        assert study.patient_pseudonym.encode() not in everything
        assert study.study_instance_uid.encode() not in everything

    returned = come_back(tmp_path / "returned", bundle, parent)
    assert "is a candidate of" in run("import_returned", str(returned), "--actor", "rita")
    taught = TrainingRun.objects.get()
    candidate = taught.candidate
    assert candidate is not None
    assert (candidate.parent, taught.dataset, taught.step, taught.hand_over) == (parent, dataset, 40, left)
    # Its words are the parent's.
    parents_words = (Path(parent.folder) / "tokenizer.json").read_bytes()
    assert (Path(candidate.folder) / "tokenizer.json").read_bytes() == parents_words
    assert Evaluation.objects.filter(model_version=candidate).exists()
    assert set(AuditEvent.objects.values_list("action", flat=True)) >= {"export_bundle", "import_returned"}

    assert taught.requested_by is not None
    client.force_login(taught.requested_by)
    page = client.get(reverse("training-run", args=[taught.uid])).content.decode()
    assert f"from a bundle of {left.num_train} cases" in page
    page = client.get(reverse("dataset-detail", args=[dataset.uid])).content.decode()
    assert left.sha256[:12] in page
    assert reverse("model-detail", args=[candidate.uid]) in page.partition("Handed over to a cluster")[2]
    with pytest.raises(CommandError, match=f"came back already: {candidate}"):
        run("import_returned", str(returned), "--actor", "rita")


def change_weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors")

    return damage


def other_manifest(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "num_train": 999}))


def a_link(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder.parent / "elsewhere.safetensors")
    (folder / "model.safetensors").symlink_to(folder.parent / "elsewhere.safetensors")


BROKEN: list[tuple[Callable[[Path], object], str]] = [
    (other_manifest, "of no bundle that was exported here"),
    (lambda folder: (folder / "manifest.json").unlink(), "There is no manifest.json"),
    (lambda folder: (folder / "metrics.json").unlink(), "metrics.json is missing"),
    (lambda folder: (folder / "metrics.json").write_text("{}"), "how many steps were trained"),
    (lambda folder: (folder / "config.json").unlink(), "config.json is missing"),
    (lambda folder: (folder / "config.json").write_text('{"model_type": "llama"}'), "not of a Qwen2.5-VL"),
    (lambda folder: (folder / "model.safetensors").unlink(), "has no .safetensors file"),
    (lambda folder: (folder / "model.safetensors").write_bytes(b"\0" * 99), "is damaged. Copy it again"),
    (
        lambda folder: (folder / "model.safetensors.index.json").write_text(
            '{"weight_map": {"a": "model-2.safetensors"}}'
        ),
        "1 files of its weights are missing: model-2",
    ),
    (a_link, "is a link"),
    (change_weights(lambda weights: weights.popitem()), "of another shape than its parent"),
    (
        change_weights(lambda weights: next(iter(weights.values())).view(-1)[0:1].fill_(float("nan"))),
        "holds what is no number",
    ),
]


def test_what_is_no_sound_return_is_refused_with_a_sentence_and_leaves_nothing(
    parent: ModelVersion, dataset, tmp_path: Path, settings
) -> None:
    settings.MODEL_FOLDER = tmp_path / "models"
    researcher = ResearcherFactory.create()
    bundle = tmp_path / "bundle"
    export_bundle(dataset, out=bundle, actor=researcher)
    for number, (damage, sentence) in enumerate(BROKEN):
        returned = come_back(tmp_path / f"returned-{number}", bundle, parent)
        damage(returned)
        with pytest.raises(RefusedByRule, match=sentence):
            import_returned(returned, actor=researcher)
    assert not TrainingRun.objects.exists()
    assert not list((tmp_path / "models").rglob("*.safetensors"))


def test_only_researchers_hand_over_and_only_what_the_gate_would_take(
    parent: ModelVersion, dataset, tmp_path: Path
) -> None:
    expert = ExpertFactory.create()
    with pytest.raises(RefusedByRule, match="may not train models"):
        export_bundle(dataset, out=tmp_path / "out", actor=expert)
    with pytest.raises(RefusedByRule, match="may not train models"):
        import_returned(tmp_path, actor=expert)
    Study.objects.update(patient_pseudonym=min(sealed_names().pseudonyms))
    with pytest.raises(RefusedByRule, match="would be refused by the gate"):
        export_bundle(dataset, out=tmp_path / "out", actor=ResearcherFactory.create())
    assert not (tmp_path / "out").exists()


def test_a_data_set_without_a_tune_side_says_what_it_lacks(parent: ModelVersion, tmp_path: Path) -> None:
    a_reading_to_learn_from(parent)
    researcher = ResearcherFactory.create()
    dataset = freeze_dataset(title="Round 1", actor=researcher)
    with pytest.raises(RefusedByRule, match="1 of the train side and 0 of the tune side"):
        export_bundle(dataset, out=tmp_path / "out", actor=researcher)
    assert not HandOver.objects.exists()
