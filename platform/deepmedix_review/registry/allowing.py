"""An admin allows a version to run the code that its folder brings, and takes that back."""

from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.registry.models import CodeAllowance, ModelVersion
from deepmedix_review.registry.own_code import brings_code, code_of, folder_sha256_or_none, standing_allowance


def words_to_type(version: ModelVersion) -> str:
    return f"run the code of {version}"


def allow_code(version: ModelVersion, *, confirmed: str, read_sha256: str, actor: User) -> CodeAllowance:
    """`read_sha256` is of the code as it was shown (`own_code.VersionCode`), `confirmed` what was typed."""
    require(actor, Capability.ALLOW_MODEL_CODE)
    if not brings_code(version):
        raise RefusedByRule(f"{version} brings no code that would run, so there is nothing to allow.")
    if confirmed.strip() != words_to_type(version):
        raise RefusedByRule(f"Type “{words_to_type(version)}” to allow it, so that nothing else is allowed.")
    now = code_of(version)
    if read_sha256 != now.sha256:
        raise RefusedByRule(f"The code of {version} is not what was shown any more. Read it again.")
    # 16 GB of weights take half a minute, as before a promotion.
    if folder_sha256_or_none(version) != version.sha256:
        raise RefusedByRule(
            f"The files of {version} are not those that were registered. Restore them, or register the "
            "folder as a new version, and read that."
        )
    with transaction.atomic():
        ModelVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
        if standing_allowance(version) is not None:
            raise RefusedByRule(f"The code of {version} is allowed already.")
        allowance = CodeAllowance.objects.create(
            version=version, sha256=version.sha256, code_sha256=now.sha256, allowed_by=actor
        )
        record_event(
            actor=actor,
            action="allow_model_code",
            subject=version,
            details={
                "number": version.number,
                "sha256": version.sha256,
                "files": {file.name: file.sha256 for file in now.files},
            },
        )
    return allowance


def revoke_code(version: ModelVersion, *, actor: User) -> None:
    """It isn't loaded any more from now on; what is being answered at this moment is answered to its end."""
    require(actor, Capability.ALLOW_MODEL_CODE)
    with transaction.atomic():
        ModelVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
        standing = standing_allowance(version)
        if standing is None:
            raise RefusedByRule(f"The code of {version} is not allowed, so there is nothing to take back.")
        standing.revoked_by, standing.revoked_at = actor, timezone.now()
        standing.save(update_fields=["revoked_by", "revoked_at"])
        record_event(
            actor=actor,
            action="revoke_model_code",
            subject=version,
            details={"number": version.number, "sha256": standing.sha256},
        )
