"""Registers model versions, and decides which single one serves."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import former_model
from inference.engines import EngineError, folder_sha256
from inference.engines.folders import model_files
from inference.presets import PRESETS, ServingPreset

# Any fixed number: the advisory lock under which versions are numbered and change their state.
REGISTRY_LOCK = 7_205_760


def register_shipped_model() -> ModelVersion:
    """The model that comes with the project, copied to where versions lie; known files stay one version.

    It serves at once where none serves, or where an older shipped model does.
    """
    card_path = settings.SHIPPED_MODEL / "card.json"
    card = json.loads(card_path.read_text("utf-8")) if card_path.exists() else {}
    version = register_model(
        folder=settings.SHIPPED_MODEL, preset=PRESETS["phantom"], card={**card, "shipped": True}, actor=None
    )
    serving = ModelVersion.objects.filter(state=ModelVersion.State.SERVING).first()
    if version.state == ModelVersion.State.CANDIDATE and (serving is None or serving.card.get("shipped")):
        promote(version, actor=None)
    return version


def register_model(
    *, folder: Path, preset: ServingPreset, card: dict[str, Any], actor: User | None
) -> ModelVersion:
    """A version from outside the platform, without parent; its files are copied. Known files give the version
    that there is. Raises RefusedByRule where the folder holds no model."""
    sha256 = _sha256_or_refuse(folder)
    with transaction.atomic():
        _lock_registry()
        known = ModelVersion.objects.filter(sha256=sha256, parent=None).first()
        if known is not None:
            return known
        version = ModelVersion.objects.create(
            name=preset.name,
            number=_next_number(),
            folder=str(_keep(folder, sha256=sha256)),
            sha256=sha256,
            licence=preset.licence,
            box_frame=preset.box_frame,
            prompt_template=preset.prompt_template,
            max_pixels=preset.max_pixels,
            min_pixels=preset.min_pixels,
            image_preparation=preset.preparation,
            temperature=preset.temperature,
            max_new_tokens=preset.max_new_tokens,
            card=card,
        )
        record_event(
            actor=actor, action="register_model", subject=version, details={"number": version.number}
        )
    return version


def register_candidate(
    *, parent: ModelVersion, folder: Path | str, name: str, card: dict[str, Any], actor: User | None = None
) -> ModelVersion:
    """A trained child of a version, run as its parent is. Its files stay where they are."""
    sha256 = _sha256_or_refuse(Path(folder))
    with transaction.atomic():
        _lock_registry()
        version = ModelVersion.objects.create(
            name=name,
            number=_next_number(),
            parent=parent,
            folder=str(Path(folder).resolve()),
            sha256=sha256,
            licence=parent.licence,
            box_frame=parent.box_frame,
            prompt_template=parent.prompt_template,
            max_pixels=parent.max_pixels,
            min_pixels=parent.min_pixels,
            image_preparation=parent.image_preparation,
            temperature=parent.temperature,
            max_new_tokens=parent.max_new_tokens,
            card=card,
        )
        record_event(
            actor=actor,
            action="register_candidate",
            subject=version,
            details={"number": version.number, "parent": parent.number},
        )
    return version


def promote(version: ModelVersion, *, actor: User | None) -> None:
    """This version serves from now on and the one that served is retired. Whether a candidate may is decided
    by the gate: see `feedback.services.promote_candidate`."""
    # Before the lock: 16 GB of weights take half a minute to check.
    if _sha256_or_refuse(Path(version.folder)) != version.sha256:
        raise RefusedByRule(
            f"The files of {version} were changed since it was registered. Restore them first."
        )
    with transaction.atomic():
        _lock_registry()
        version.refresh_from_db()
        if version.state == ModelVersion.State.SERVING:
            raise RefusedByRule(f"{version} serves already.")
        replaced = ModelVersion.objects.filter(state=ModelVersion.State.SERVING).first()
        if replaced is not None:
            _change_state(replaced, ModelVersion.State.RETIRED)
        version.promoted_at = timezone.now()
        _change_state(version, ModelVersion.State.SERVING)
        record_event(
            actor=actor,
            action="promote_model",
            subject=version,
            details={"number": version.number, "replaced": replaced.number if replaced else None},
        )


def retire(version: ModelVersion, *, actor: User | None) -> None:
    """A candidate that shall never serve."""
    with transaction.atomic():
        _lock_registry()
        version.refresh_from_db()
        if version.state == ModelVersion.State.SERVING:
            raise RefusedByRule(f"{version} serves. Promote another version or roll back: that retires it.")
        if version.state == ModelVersion.State.RETIRED:
            raise RefusedByRule(f"{version} is retired already.")
        _change_state(version, ModelVersion.State.RETIRED)
        record_event(actor=actor, action="retire_model", subject=version, details={"number": version.number})


def roll_back(*, actor: User | None) -> ModelVersion:
    """The version that served before serves again; returns it."""
    with transaction.atomic():
        _lock_registry()
        former = former_model()
        promote(former, actor=actor)
    return former


def _lock_registry() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [REGISTRY_LOCK])


def _next_number() -> int:
    return (ModelVersion.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def _change_state(version: ModelVersion, state: ModelVersion.State) -> None:
    version.state = state
    version.save(update_fields=["state", "promoted_at"])


def _sha256_or_refuse(folder: Path) -> str:
    try:
        return folder_sha256(folder)
    except (EngineError, OSError) as error:
        raise RefusedByRule(str(error)) from error


def _keep(folder: Path, *, sha256: str) -> Path:
    """Copy a model's files below MODEL_FOLDER, under a name made of their content: whole or not at all."""
    kept = Path(settings.MODEL_FOLDER) / sha256[:16]
    if kept.exists():
        return kept
    with tempfile.TemporaryDirectory(dir=settings.MODEL_FOLDER, prefix=".copy-") as scratch:
        whole = Path(scratch) / "model"
        whole.mkdir()
        for path in model_files(folder):
            shutil.copyfile(path, whole / path.name)
        whole.rename(kept)
    return kept
