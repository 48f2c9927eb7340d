"""Registers model versions, and decides which single one serves."""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import former_model, require_askable, serving_model
from inference.engines import EngineError, folder_sha256, require_weights
from inference.engines.folders import model_files
from inference.engines.own_code import own_classes
from inference.presets import PRESETS, ServingPreset
from inference.prompts import template

# Any fixed number: the advisory lock under which versions are numbered and change their state.
REGISTRY_LOCK = 7_205_760
COPIED_AT_ONCE = 16 * 1024**2
# What makes two versions of the same files two: how each is asked, and how its outputs are read.
ASKED_AS = (
    *("preset", "dialect", "box_frame", "prompt_template", "prompt_version"),
    *("max_pixels", "min_pixels", "size_multiple", "image_preparation", "temperature", "max_new_tokens"),
)


@dataclass(frozen=True)
class RegisteredFolder:
    """`is_new`: no version of the same files is asked the same way."""

    version: ModelVersion
    is_new: bool


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
    """The version of `register_folder`, whether it is new or not."""
    return register_folder(folder=folder, preset=preset, card=card, actor=actor).version


def register_folder(
    *,
    folder: Path,
    preset: ServingPreset,
    card: dict[str, Any],
    actor: User | None,
    fetched_from: Mapping[str, str] = MappingProxyType({}),
    tell: Callable[[int, int], None] = lambda done, whole: None,
) -> RegisteredFolder:
    """A version from outside the platform, without parent; its files are copied, and `tell` is told of how
    many bytes. The same files, asked in the same way, give the version that there is, which says from then
    on where they were fetched (see `WantedVersion.fetched_from`) if it did not. Raises RefusedByRule
    where the folder holds no model, or none of the preset's class."""
    _require_class(folder, preset)
    _require_weights(folder)
    sha256 = _sha256_or_refuse(folder)
    kept = _keep(folder, sha256=sha256, tell=tell)
    with transaction.atomic():
        lock_registry()
        asked = asked_as(preset)
        known = ModelVersion.objects.filter(sha256=sha256, parent=None, **asked).first()
        if known is not None:
            _say_whence(known, fetched_from, actor=actor)
            return RegisteredFolder(known, is_new=False)
        version = ModelVersion.objects.create(
            name=preset.name,
            number=next_number(),
            folder=str(kept),
            sha256=sha256,
            licence=preset.licence,
            limits=preset.limits,
            card=card,
            **fetched_from,
            **asked,
        )
        record_event(
            actor=actor,
            action="register_model",
            subject=version,
            details={"number": version.number, **_said(fetched_from)},
        )
    return RegisteredFolder(version, is_new=True)


def _say_whence(version: ModelVersion, fetched_from: Mapping[str, str], *, actor: User | None) -> None:
    if version.hub_id or not _said(fetched_from):
        return
    version.hub_id, version.hub_revision = fetched_from["hub_id"], fetched_from["hub_revision"]
    version.save(update_fields=["hub_id", "hub_revision"])
    details = {"number": version.number, **fetched_from}
    record_event(actor=actor, action="register_model", subject=version, details=details)


def _said(fetched_from: Mapping[str, str]) -> dict[str, str]:
    return {name: said for name, said in fetched_from.items() if said}


def register_recorded(
    *, sha256: str, model: str, preset: ServingPreset, num_completions: int, actor: User | None
) -> ModelVersion:
    """In the caller's transaction: a version that holds what a model said elsewhere, by the file's sha256.
    The same file, model and way of reading give the version that there is."""
    lock_registry()
    named = {"source": ModelVersion.Source.RECORDED, "sha256": sha256, "served_model": model}
    known = ModelVersion.objects.filter(**named, **asked_as(preset)).first()
    if known is not None:
        return known
    version = ModelVersion.objects.create(
        name=preset.name,
        number=next_number(),
        licence=preset.licence,
        limits=preset.limits,
        **named,
        **asked_as(preset),
    )
    record_event(
        actor=actor,
        action="register_model",
        subject=version,
        details={"number": version.number, "source": "recorded", "completions": num_completions},
    )
    return version


def register_candidate(
    *, parent: ModelVersion, folder: Path | str, name: str, card: dict[str, Any], actor: User | None = None
) -> ModelVersion:
    """A trained child of a version, run as its parent is. Its files stay where they are."""
    sha256 = _sha256_or_refuse(Path(folder))
    with transaction.atomic():
        lock_registry()
        version = ModelVersion.objects.create(
            name=name,
            number=next_number(),
            parent=parent,
            folder=str(Path(folder).resolve()),
            sha256=sha256,
            licence=parent.licence,
            limits=parent.limits,
            card=card,
            **{name: getattr(parent, name) for name in ASKED_AS},
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
    _let_serve(version, actor=actor, action="promote_model")


def _let_serve(version: ModelVersion, *, actor: User | None, action: str) -> None:
    require_askable(version)
    # Before the lock: 16 GB of weights take half a minute to check.
    if version.source == ModelVersion.Source.FOLDER and (
        _sha256_or_refuse(Path(version.folder)) != version.sha256
    ):
        raise RefusedByRule(
            f"The files of {version} were changed since it was registered. Restore them first."
        )
    with transaction.atomic():
        lock_registry()
        version.refresh_from_db()
        if version.state == ModelVersion.State.SERVING:
            raise RefusedByRule(f"{version} serves already.")
        replaced = ModelVersion.objects.filter(state=ModelVersion.State.SERVING).first()
        if replaced is not None:
            _change_state(replaced, ModelVersion.State.RETIRED)
        version.promoted_at, version.returned_from_at = timezone.now(), None
        _change_state(version, ModelVersion.State.SERVING)
        record_event(
            actor=actor,
            action=action,
            subject=version,
            details={"number": version.number, "replaced": replaced.number if replaced else None},
        )


def retire(version: ModelVersion, *, actor: User | None) -> None:
    """A candidate that shall never serve."""
    with transaction.atomic():
        lock_registry()
        version.refresh_from_db()
        if version.state == ModelVersion.State.SERVING:
            raise RefusedByRule(f"{version} serves. Promote another version or roll back: that retires it.")
        if version.state == ModelVersion.State.RETIRED:
            raise RefusedByRule(f"{version} is retired already.")
        _change_state(version, ModelVersion.State.RETIRED)
        record_event(actor=actor, action="retire_model", subject=version, details={"number": version.number})


def roll_back(*, actor: User | None) -> ModelVersion:
    """The version that served before serves again; returns it. The one that it takes the place of serves
    again by a signature only."""
    with transaction.atomic():
        lock_registry()
        former, left = former_model(), serving_model()
        _let_serve(former, actor=actor, action="return_to_model")
        ModelVersion.objects.filter(pk=left.pk).update(returned_from_at=timezone.now())
    return former


def asked_as(preset: ServingPreset) -> dict[str, Any]:
    """The fields of ASKED_AS."""
    return {
        "preset": preset.key,
        "dialect": preset.dialect,
        "box_frame": preset.box_frame,
        "prompt_template": preset.prompt_template,
        "prompt_version": template(preset.prompt_template).version,
        "max_pixels": preset.max_pixels,
        "min_pixels": preset.min_pixels,
        "size_multiple": preset.size_multiple,
        "image_preparation": preset.preparation,
        "temperature": preset.temperature,
        "max_new_tokens": preset.max_new_tokens,
    }


def _require_class(folder: Path, preset: ServingPreset) -> None:
    if not preset.transformers_class:
        try:
            own_classes(folder)
        except EngineError as error:
            raise RefusedByRule(f"{preset.name} brings code of its own. {error}") from error
        return
    try:
        told = json.loads((folder / "config.json").read_text("utf-8"))
        classes = told.get("architectures") or []
    except (OSError, ValueError, AttributeError):
        return  # what the folder lacks is said once its files are read
    if isinstance(classes, list) and classes and preset.transformers_class not in classes:
        fitting = [key for key, other in PRESETS.items() if other.transformers_class in classes]
        way_out = (
            f"Choose one of {', '.join(fitting)}." if fitting else "Models of that class are not read here."
        )
        raise RefusedByRule(
            f"The folder holds a model of the class {', '.join(map(str, classes))[:200]}, and the preset "
            f"{preset.key} is of {preset.transformers_class}. {way_out}"
        )


def lock_registry() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [REGISTRY_LOCK])


def next_number() -> int:
    return (ModelVersion.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def _change_state(version: ModelVersion, state: ModelVersion.State) -> None:
    version.state = state
    version.save(update_fields=["state", "promoted_at", "returned_from_at"])


def _sha256_or_refuse(folder: Path) -> str:
    try:
        return folder_sha256(folder)
    except (EngineError, OSError) as error:
        raise RefusedByRule(str(error)) from error


def _require_weights(folder: Path) -> None:
    try:
        require_weights(folder)
    except (EngineError, OSError) as error:
        raise RefusedByRule(str(error)) from error


def _keep(folder: Path, *, sha256: str, tell: Callable[[int, int], None]) -> Path:
    """Copy a model's files below MODEL_FOLDER, under a name made of their content: whole or not at all."""
    kept = Path(settings.MODEL_FOLDER) / sha256[:16]
    if kept.exists():
        return kept
    files = model_files(folder)
    num_done, num_bytes = 0, sum(path.stat().st_size for path in files)
    with tempfile.TemporaryDirectory(dir=settings.MODEL_FOLDER, prefix=".copy-") as scratch:
        whole = Path(scratch) / "model"
        whole.mkdir()
        for path in files:
            with path.open("rb") as source, (whole / path.name).open("wb") as target:
                while piece := source.read(COPIED_AT_ONCE):
                    target.write(piece)
                    num_done += len(piece)
                    tell(num_done, num_bytes)
        if folder_sha256(whole) != sha256:
            raise RefusedByRule("The files were changed while they were copied. Register the folder again.")
        try:
            whole.rename(kept)
        except OSError:
            # The same files, taken in at the same time under another name or preset, were there first.
            if not kept.is_dir():
                raise
    return kept
