"""One model serves at any time, and a version's files stay what they were."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings
from safetensors.numpy import load_file, save_file

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import folder_settings, lineage, serving_model
from deepmedix_review.registry.services import (
    promote,
    register_candidate,
    register_model,
    register_shipped_model,
    retire,
    roll_back,
)
from inference.presets import PRESETS

SERVING = ModelVersion.State.SERVING


def write_files(folder: Path, content: str) -> Path:
    """Files like a model's; registering reads names, bytes, and the headers of the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({content: np.zeros(1)}, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    (folder / "card.json").write_text('{"n": 500}')
    return folder


@pytest.fixture
def shipped(tmp_path: Path, settings: Settings) -> Path:
    settings.MODEL_FOLDER = tmp_path / "models"
    settings.MODEL_FOLDER.mkdir()
    settings.SHIPPED_MODEL = write_files(tmp_path / "shipped", "one")
    return tmp_path / "shipped"


def child_of(parent: ModelVersion, tmp_path: Path, content: str) -> ModelVersion:
    return register_candidate(
        parent=parent, folder=write_files(tmp_path / content, content), name=content, card={}
    )


@pytest.mark.django_db
def test_the_shipped_model_is_registered_once_and_serves(shipped: Path) -> None:
    with pytest.raises(RefusedByRule, match="register_shipped_model"):
        serving_model()
    first = register_shipped_model()
    (shipped / "card.json").write_text('{"n": 501}')
    call_command("register_shipped_model")
    assert ModelVersion.objects.count() == 1
    assert serving_model() == first
    assert (first.number, first.image_preparation, first.card["n"]) == (1, "square", 500)
    assert AuditEvent.objects.filter(subject_uid=str(first.uid)).count() == 2


@pytest.mark.django_db
def test_a_newer_shipped_model_replaces_a_shipped_one_but_not_a_trained_one(
    shipped: Path, tmp_path: Path
) -> None:
    first = register_shipped_model()
    write_files(shipped, "two")
    second = register_shipped_model()
    assert serving_model() == second
    assert list(load_file(folder_settings(first).folder / "model.safetensors")) == ["one"]
    trained = child_of(second, tmp_path, "trained")
    promote(trained, actor=None)
    write_files(shipped, "three")
    assert register_shipped_model().state == ModelVersion.State.CANDIDATE
    assert serving_model() == trained
    assert lineage(trained) == [trained, second]
    for version, parent in ((second, trained), (second, second)):
        with pytest.raises(IntegrityError, match="a_parent_was_registered_before"), transaction.atomic():
            ModelVersion.objects.filter(pk=version.pk).update(parent=parent)


@pytest.mark.django_db
def test_promoting_retires_what_served_and_rolling_back_returns_to_it(shipped: Path, tmp_path: Path) -> None:
    first = register_shipped_model()
    with pytest.raises(RefusedByRule, match="No other version"):
        roll_back(actor=None)
    second = child_of(first, tmp_path, "second")
    assert (second.number, second.parent, second.max_pixels) == (2, first, first.max_pixels)
    promote(second, actor=None)
    with pytest.raises(RefusedByRule, match="serves already"):
        promote(second, actor=None)
    with pytest.raises(RefusedByRule, match="roll back"):
        retire(second, actor=None)
    first.refresh_from_db()
    assert first.state == ModelVersion.State.RETIRED
    assert roll_back(actor=None) == first
    assert serving_model() == first


@pytest.mark.django_db
def test_a_version_whose_files_changed_is_not_promoted(shipped: Path, tmp_path: Path) -> None:
    candidate = child_of(register_shipped_model(), tmp_path, "second")
    write_files(tmp_path / "second", "another")
    with pytest.raises(RefusedByRule, match="were changed"):
        promote(candidate, actor=None)
    shutil.rmtree(tmp_path / "second")
    with pytest.raises(RefusedByRule, match="no model"):
        promote(candidate, actor=None)


@pytest.mark.django_db
def test_a_retired_candidate_is_retired_once(shipped: Path, tmp_path: Path) -> None:
    candidate = child_of(register_shipped_model(), tmp_path, "second")
    retire(candidate, actor=None)
    with pytest.raises(RefusedByRule, match="retired already"):
        retire(candidate, actor=None)


@pytest.mark.django_db
def test_a_folder_without_a_model_is_refused(shipped: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RefusedByRule, match="no model"):
        register_model(folder=tmp_path / "empty", preset=PRESETS["deepmedix-r1"], card={}, actor=None)


@pytest.mark.django_db(transaction=True)
def test_when_many_promote_and_register_at_once_one_serves_and_numbers_are_unique(
    shipped: Path, tmp_path: Path
) -> None:
    base = register_shipped_model()
    candidates = [child_of(base, tmp_path, f"candidate {n}") for n in range(4)]
    seen: list[int] = []
    start = threading.Barrier(len(candidates))

    def race(candidate: ModelVersion, n: int) -> None:
        try:
            start.wait()
            for turn in range(3):
                try:
                    promote(candidate, actor=None)
                except RefusedByRule:
                    pass
                child_of(base, tmp_path, f"late {n} {turn}")
                seen.append(ModelVersion.objects.filter(state=SERVING).count())
        finally:
            connection.close()

    threads = [threading.Thread(target=race, args=(c, n)) for n, c in enumerate(candidates)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 12
    assert sorted(ModelVersion.objects.values_list("number", flat=True)) == list(range(1, 18))
