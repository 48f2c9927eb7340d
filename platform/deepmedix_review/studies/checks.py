"""Refuses to start with a setting that names no profile of de-identification."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.intake.profiles import profile_named

NAMED = ("DEIDENTIFICATION_PROFILE", "DICOMWEB_PROFILE")


def check_profiles(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name in NAMED:
        try:
            profile_named(getattr(settings, name))
        except RefusedByRule as refusal:
            found.append(Error(f"{name}: {refusal}", id="studies.E001"))
    return found
