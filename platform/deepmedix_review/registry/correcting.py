"""What a calibration found of a version, and the version whose box frame is the one that fits."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.registry.models import ModelJob, ModelVersion
from deepmedix_review.registry.services import ASKED_AS, lock_registry, next_number

_KEPT = (
    "source",
    "folder",
    "sha256",
    "endpoint_url",
    "served_model",
    "key_name",
    "hub_id",
    "hub_revision",
    "name",
    "licence",
    "limits",
)


@dataclass(frozen=True)
class FrameFound:
    """`fits`: frame, overlap, low and high, the best first; `frame` is empty where it can't be told, and
    `reason` says why. `is_other`: another than the version's own."""

    fits: tuple[dict[str, Any], ...]
    frame: str
    reason: str
    num_films: int
    num_with_boxes: int
    is_other: bool


def frame_found(version: ModelVersion) -> FrameFound | None:
    """By its latest calibration that was carried through."""
    done = ModelJob.objects.filter(version=version, kind=ModelJob.Kind.CALIBRATE, state=JobState.DONE)
    job = done.order_by("-pk").first()
    if job is None:
        return None
    said = job.result
    frame = said["frame"] or ""
    return FrameFound(
        tuple(said["fits"]),
        frame,
        said["reason"],
        said["num_films"],
        said["num_with_boxes"],
        is_other=bool(frame) and frame != version.box_frame,
    )


def register_corrected(version: ModelVersion, *, actor: User) -> ModelVersion:
    """The same model, read in the frame that its calibration found; what was read otherwise stays as it is.
    Raises RefusedByRule where no calibration found another frame."""
    require(actor, Capability.REGISTER_MODELS)
    found = frame_found(version)
    if found is None or not found.is_other:
        raise RefusedByRule(f"No calibration of {version} found another frame than {version.box_frame}.")
    if version.parent is not None:
        raise RefusedByRule(
            f"{version} was trained from {version.parent}, in its frame. Correct {version.parent}, and train "
            "from that."
        )
    asked = {name: getattr(version, name) for name in ASKED_AS} | {"box_frame": found.frame}
    kept = {name: getattr(version, name) for name in _KEPT}
    with transaction.atomic():
        lock_registry()
        same = {"sha256": version.sha256, "source": version.source, "parent": None}
        known = ModelVersion.objects.filter(**same, **asked).first()
        if known is not None:
            return known
        corrected = ModelVersion.objects.create(
            number=next_number(), card={"corrects": version.number}, **kept, **asked
        )
        record_event(
            actor=actor,
            action="register_model",
            subject=corrected,
            details={"number": corrected.number, "corrects": version.number, "box_frame": found.frame},
        )
    return corrected
