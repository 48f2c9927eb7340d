"""Which model versions there are, which one serves, and how each is run."""

from pathlib import Path
from uuid import UUID

from django.db.models import QuerySet

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.models import ModelVersion
from inference.engines import EngineSettings
from inference.presets import PRESETS
from inference.regions import Preparation


def serving_model() -> ModelVersion:
    """The one version that answers. Raises RefusedByRule where none serves yet."""
    version = ModelVersion.objects.filter(state=ModelVersion.State.SERVING).first()
    if version is None:
        raise RefusedByRule(
            "No model serves yet. Run `manage.py register_shipped_model`, or promote a version."
        )
    return version


def find_former_model() -> ModelVersion | None:
    """The version that served last before the one that serves, whatever it was trained from."""
    served = ModelVersion.objects.filter(state=ModelVersion.State.RETIRED, promoted_at__isnull=False)
    return served.order_by("-promoted_at").first()


def former_model() -> ModelVersion:
    """The version that a roll-back lets serve again. Raises RefusedByRule where there is none."""
    former = find_former_model()
    if former is None:
        raise RefusedByRule("No other version served before, so there is none to go back to.")
    return former


def versions() -> QuerySet[ModelVersion]:
    """Newest first, each with its parent."""
    return ModelVersion.objects.select_related("parent").order_by("-number")


def version_for(user: User, uid: UUID) -> ModelVersion:
    """Raises NotYours, or DoesNotExist."""
    require(user, Capability.VIEW_MODELS)
    return ModelVersion.objects.select_related("parent").get(uid=uid)


def model_names() -> frozenset[str]:
    """Every name that a version here has, or that a preset gives: what an output may call itself by."""
    named = set(ModelVersion.objects.order_by().values_list("name", flat=True).distinct())
    return frozenset(named | {preset.name for preset in PRESETS.values()})


def lineage(version: ModelVersion) -> list[ModelVersion]:
    """The version, its parent, and so on to the one that was registered from outside.

    It ends: the database holds that a parent was registered before its child.
    """
    line = [version]
    while line[-1].parent is not None:
        line.append(line[-1].parent)
    return line


def engine_settings(version: ModelVersion) -> EngineSettings:
    """How `inference.engines.load_engine` loads this version; which checks that its files are unchanged."""
    return EngineSettings(
        folder=Path(version.folder),
        sha256=version.sha256,
        min_pixels=version.min_pixels,
        max_pixels=version.max_pixels,
        preparation=Preparation(version.image_preparation),
    )
