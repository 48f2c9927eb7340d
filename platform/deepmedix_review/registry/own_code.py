"""Which versions bring code of their own, what is in it, and whether it may run here."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, may, refusal
from deepmedix_review.common.errors import NotYours
from deepmedix_review.registry.models import CodeAllowance, ModelVersion
from inference.engines import EngineError, folder_sha256
from inference.engines.own_code import code_files
from inference.presets import PRESETS
from inference.texts import seen_text

OWN_CODE_PRESETS = frozenset(key for key, preset in PRESETS.items() if not preset.transformers_class)


@dataclass(frozen=True)
class ShownFile:
    """`text` with what can't be seen written out; `num_hidden` of such signs."""

    name: str
    num_bytes: int
    sha256: str
    text: str
    num_hidden: int


@dataclass(frozen=True)
class VersionCode:
    """As it lies in the folder now; `sha256` is of the names and contents of its code alone: weights take
    half a minute, and are looked at when it is allowed and loaded."""

    version: ModelVersion
    files: Sequence[ShownFile]
    sha256: str
    standing: CodeAllowance | None
    former: Sequence[CodeAllowance]

    @property
    def is_changed(self) -> bool:
        """Since it was allowed."""
        return self.standing is not None and self.standing.code_sha256 != self.sha256


def brings_code(version: ModelVersion) -> bool:
    """Whether loading it runs Python of its folder. In folders of other presets such files are never run."""
    return version.source == ModelVersion.Source.FOLDER and version.preset in OWN_CODE_PRESETS


def versions_with_code() -> Sequence[tuple[ModelVersion, CodeAllowance | None]]:
    """Each with its standing allowance, newest first."""
    found = list(
        ModelVersion.objects.filter(source=ModelVersion.Source.FOLDER, preset__in=OWN_CODE_PRESETS).order_by(
            "-number"
        )
    )
    allowed = CodeAllowance.objects.filter(version__in=found, revoked_at=None).select_related("allowed_by")
    standing = {one.version_id: one for one in allowed}
    return [(version, standing.get(version.pk)) for version in found]


def standing_allowance(version: ModelVersion) -> CodeAllowance | None:
    allowances = CodeAllowance.objects.filter(version=version, revoked_at=None)
    return allowances.select_related("allowed_by").first()


def code_refusal(version: ModelVersion) -> str:
    """Why its code may not run, and the way out; empty where it may or where it brings none."""
    if not brings_code(version):
        return ""
    standing = standing_allowance(version)
    if standing is not None and standing.sha256 == version.sha256:
        return ""
    return (
        f"{version} brings code of its own, which no admin has allowed to run here. Ask an admin to read "
        "it and allow it under Models' code, or serve the model elsewhere and register that server."
    )


def code_version_for(user: User, uid: UUID) -> ModelVersion:
    """Of those that bring code. Raises NotYours, or DoesNotExist."""
    if not may(user, Capability.ALLOW_MODEL_CODE) and not may(user, Capability.VIEW_MODELS):
        raise NotYours(refusal(user, Capability.VIEW_MODELS))
    return ModelVersion.objects.get(uid=uid, source=ModelVersion.Source.FOLDER, preset__in=OWN_CODE_PRESETS)


def code_of(version: ModelVersion) -> VersionCode:
    """As it lies in its folder now."""
    folder, files, total = Path(version.folder), [], hashlib.sha256()
    for file in code_files(folder):
        total.update(f"{file.name}\0{file.sha256}\n".encode())
        text, num_hidden = seen_text((folder / file.name).read_bytes().decode("utf-8", "replace"))
        files.append(ShownFile(file.name, file.num_bytes, file.sha256, text, num_hidden))
    allowances = CodeAllowance.objects.filter(version=version).select_related("allowed_by", "revoked_by")
    former = allowances.filter(revoked_at__isnull=False).order_by("-revoked_at")
    return VersionCode(version, files, total.hexdigest(), standing_allowance(version), list(former))


def folder_sha256_or_none(version: ModelVersion) -> str | None:
    """None where it can't be read."""
    try:
        return folder_sha256(Path(version.folder))
    except (EngineError, OSError):
        return None
