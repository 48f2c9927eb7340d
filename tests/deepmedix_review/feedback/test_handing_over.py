"""A data set leaves for a cluster as a bundle, and what comes back is a candidate before the same gate."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import load_dataset
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from safetensors.torch import load_file, save_file

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES, JobState, LeasedJob
from deepmedix_review.erasure.in_use import hindrances
from deepmedix_review.evaluation.models import Evaluation
from deepmedix_review.feedback.handing_over import leaving
from deepmedix_review.feedback.handing_over.leaving import cancel_bundle, export_bundle
from deepmedix_review.feedback.handing_over.returning import import_returned
from deepmedix_review.feedback.handing_over.tasks import take_model_back, write_bundle_archive
from deepmedix_review.feedback.models import HandOver, ModelReturn, TrainingRun
from deepmedix_review.feedback.sealed_patients import sealed_names
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import SourceDataset, Split, Study
from rl_feedback.bundle import write_bundle
from rl_feedback.bundle.checking import check_bundle
from rl_feedback.bundle.writing import BundleFigures
from rl_feedback.counting import counted
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.learning import a_reading_to_learn_from, serving_model_with_weights
from tests.workers import Workers, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_connection(settings: Settings) -> None:
    """The thread that renews a lease sees nothing of a test's transaction: it shall not come to it."""
    settings.LEASE_SECONDS = 3600


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
    assert f"from a bundle of {counted(left.num_train, 'case')}" in page
    page = client.get(reverse("dataset-detail", args=[dataset.uid])).content.decode()
    assert left.sha256[:12] in page
    assert reverse("model-detail", args=[candidate.uid]) in page.partition("Hand it over to a cluster")[2]
    with pytest.raises(CommandError, match=f"came back already: {candidate}"):
        run("import_returned", str(returned), "--actor", "rita")


def test_what_a_licence_forbids_stays_here_and_is_counted(
    parent: ModelVersion, dataset, tmp_path: Path, client: Client
) -> None:
    forbidden = a_reading_to_learn_from(parent, seed=6100, side=Split.TRAIN)
    source = SourceDataset.objects.create(
        name="MIMIC-CXR", layout="mimic-cxr-jpg", licence="PhysioNet credentialed", is_credentialed=True
    )
    Study.objects.filter(pk=forbidden.assignment.case.study_id).update(source=source)
    mixed = freeze_dataset(title="Round 2", actor=User.objects.get(username="rita"))
    whole, left = tmp_path / "whole", tmp_path / "left"
    said = run("export_bundle", str(dataset.uid), "--actor", "rita", "--out", str(whole))
    assert "stayed here" not in said
    said = run("export_bundle", mixed.title, "--actor", "rita", "--out", str(left))
    assert "1 film stayed here: the licence lets nothing of such films leave." in said
    hand_over = HandOver.objects.latest("pk")
    assert hand_over.num_kept_back == 1
    assert hand_over.num_train == HandOver.objects.earliest("pk").num_train
    films = [{path.read_bytes() for path in (bundle / "images").rglob("*.png")} for bundle in (whole, left)]
    assert films[0] == films[1] != set()
    manifest = json.loads((left / "manifest.json").read_text())
    assert manifest["left_out"] == {"films whose licence lets nothing of them leave": 1}
    assert AuditEvent.objects.filter(action="export_bundle").latest("sequence").details["num_kept_back"] == 1
    client.force_login(User.objects.get(username="rita"))
    assert "1 film stayed here" in client.get(reverse("hand-over-list")).content.decode()

    Study.objects.update(source=source)
    with pytest.raises(CommandError, match=r"0 of the tune side .* 3 films stayed here"):
        run("export_bundle", str(mixed.uid), "--actor", "rita", "--out", str(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_a_bundle_that_a_command_writes_hinders_erasure_and_can_be_cancelled(
    parent: ModelVersion, dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studies = list(Study.objects.values_list("pk", flat=True))
    rita = User.objects.get(username="rita")
    seen = []

    def watched(*arguments: Any, on_film: Callable[[int], None], **named: Any) -> BundleFigures:
        def tell(num_written: int) -> None:
            [writing] = HandOver.objects.exclude(state__in=FINAL_STATES)
            seen.append((writing.state, hindrances(studies)))
            if len(seen) > 1:
                cancel_bundle(writing, actor=rita)
            on_film(num_written)

        return write_bundle(*arguments, on_film=tell, **named)

    monkeypatch.setattr(leaving, "write_bundle", watched)
    monkeypatch.setattr(leaving, "FILMS_PER_BEAT", 1)
    with pytest.raises(RefusedByRule, match="cancelled; nothing was written"):
        export_bundle(dataset, out=tmp_path / "out", actor=rita)
    [(state, [sentence]), *_] = seen
    assert state == JobState.RUNNING
    assert sentence.startswith("A bundle of a data set that has it is being written.")
    assert not (tmp_path / "out").exists()
    assert HandOver.objects.get().state == JobState.CANCELLED
    assert hindrances(studies) == []

    monkeypatch.undo()
    (tmp_path / "out").mkdir()
    with pytest.raises(RefusedByRule, match="is there already"):
        export_bundle(dataset, out=tmp_path / "out", actor=rita)
    assert "is there already" in HandOver.objects.latest("pk").error


def ask_for_a_bundle(client: Client, dataset) -> HandOver:
    answer = client.post(reverse("dataset-hand-over", args=[dataset.uid]), {"reward": "grounded"})
    assert answer["Location"] == reverse("hand-over-list")
    return HandOver.objects.get()


@pytest.fixture
def researcher(client: Client) -> User:
    researcher = ResearcherFactory.create()
    client.force_login(researcher)
    return researcher


@pytest.mark.django_db(transaction=True)
def test_a_bundle_leaves_by_the_page_and_what_came_back_is_taken_by_it(
    celery_workers: Workers,
    parent: ModelVersion,
    dataset,
    tmp_path: Path,
    researcher: User,
    client: Client,
) -> None:
    left = ask_for_a_bundle(client, dataset)
    wait_until(lambda: ended(left), what="the bundle is written")
    assert left.state == JobState.DONE, left.error
    page = client.get(reverse("hand-over-list")).content.decode()
    assert left.sha256[:12] in page
    archive = reverse("hand-over-bundle", args=[left.uid])
    assert archive in page

    packed = io.BytesIO(b"".join(client.get(archive)))
    assert len(packed.getvalue()) == left.archive_bytes
    zipfile.ZipFile(packed).extractall(tmp_path)
    assert check_bundle(tmp_path / "bundle").num_train == left.num_train == left.num_written - 1
    client.post(reverse("hand-over-delete", args=[left.uid]))
    assert client.get(archive).status_code == 404

    there = Path(settings.RETURN_FOLDER)
    come_back(there / "round-1", tmp_path / "bundle", parent)
    assert "round-1" in client.get(reverse("hand-over-list")).content.decode()
    client.post(reverse("hand-over-take-back"), {"folder": "round-1"})
    taken = ModelReturn.objects.get()
    wait_until(lambda: ended(taken), what="the model is taken back")
    assert taken.candidate is not None, taken.error
    assert taken.candidate.parent == parent
    assert TrainingRun.objects.get().hand_over == left
    page = client.get(reverse("hand-over-list")).content.decode()
    assert f"came back already: {taken.candidate}" in page
    shutil.rmtree(there / "round-1")


def ended(job: LeasedJob) -> bool:
    job.refresh_from_db()
    return job.is_final


def test_what_cannot_leave_is_said_on_the_data_sets_page(
    parent: ModelVersion, dataset, researcher: User, client: Client
) -> None:
    Study.objects.update(patient_pseudonym=min(sealed_names().pseudonyms))
    answer = client.post(
        reverse("dataset-hand-over", args=[dataset.uid]), {"reward": "grounded"}, follow=True
    )
    assert "would be refused by the gate" in answer.content.decode()
    assert not HandOver.objects.exists()


def test_a_bundle_that_nobody_wants_any_more_is_not_written(
    parent: ModelVersion, dataset, researcher: User, client: Client
) -> None:
    left = ask_for_a_bundle(client, dataset)
    client.post(reverse("hand-over-cancel", args=[left.uid]))
    write_bundle_archive(left.pk)
    left.refresh_from_db()
    assert (left.state, left.sha256) == (JobState.CANCELLED, "")

    HandOver.objects.update(state=JobState.QUEUED, cancel_requested=False)
    films = list(Path(settings.FILM_FOLDER).rglob("*.dcm"))
    lost = [path.rename(path.with_suffix(".lost")) for path in films]
    write_bundle_archive(left.pk)
    left.refresh_from_db()
    assert left.state == JobState.FAILED
    assert "Ask again" in client.get(reverse("hand-over-list")).content.decode()
    assert not list((Path(settings.MODEL_FOLDER) / "bundles").glob("*"))
    for path in lost:
        path.rename(path.with_suffix(".dcm"))


def test_only_a_folder_that_lies_there_is_taken_back_and_only_by_researchers(
    tmp_path: Path, settings, researcher: User, client: Client
) -> None:
    settings.RETURN_FOLDER = tmp_path / "returned"
    (settings.RETURN_FOLDER / "here").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (settings.RETURN_FOLDER / "link").symlink_to(tmp_path / "elsewhere")
    page = client.get(reverse("hand-over-list")).content.decode()
    assert "There is no manifest.json in here" in page
    for name in ("../elsewhere", "link", "", "."):
        answer = client.post(reverse("hand-over-take-back"), {"folder": name}, follow=True)
        assert "no such folder any more" in answer.content.decode()
    assert not ModelReturn.objects.exists()

    client.post(reverse("hand-over-take-back"), {"folder": "here"})
    answer = client.post(reverse("hand-over-take-back"), {"folder": "here"}, follow=True)
    assert "is being taken back already" in answer.content.decode()
    take_model_back(ModelReturn.objects.get().pk)
    assert "no manifest.json" in ModelReturn.objects.get().error

    client.force_login(AdminFactory.create())
    assert client.post(reverse("hand-over-take-back"), {"folder": "here"}).status_code == 403
    client.force_login(ExpertFactory.create())
    assert client.get(reverse("hand-over-list")).status_code == 403


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
