"""Opens the batch that files come in by: one drop, folder, archive, pull or association."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.intake.profiles import profile_named
from deepmedix_review.studies.models import ImportBatch
from deepmedix_review.studies.storage import clear_leftovers

# A slow line sends a thousand films in this time.
LONGEST_DROP = timedelta(hours=24)


def start_import(*, actor: User | None, source: ImportBatch.Source, profile: str = "") -> ImportBatch:
    """Open a batch for one upload or one folder; `actor` is None where the platform itself imports.

    `profile`: of de-identification; the site's own where none is named. Raises RefusedByRule for an unknown
    one.
    """
    if actor is not None:
        require(actor, Capability.IMPORT_STUDIES)
    chosen = profile_named(profile or settings.DEIDENTIFICATION_PROFILE)
    clear_leftovers()
    return ImportBatch.objects.create(requested_by=actor, source=source, profile=chosen.name)


def continue_import(uid: uuid.UUID, *, actor: User, profile: str = "") -> ImportBatch:
    """The batch of one drop whose files come one by one. Raises RefusedByRule for another's or an old one,
    and where it began with another profile."""
    require(actor, Capability.IMPORT_STUDIES)
    since = timezone.now() - LONGEST_DROP
    mine = ImportBatch.objects.filter(requested_by=actor, source=ImportBatch.Source.UPLOAD)
    batch = mine.filter(uid=uid, created_at__gte=since).first()
    if batch is None:
        raise RefusedByRule("That import is not yours, or it is over. Send the file as a new one.")
    if profile and profile != batch.profile:
        raise RefusedByRule(
            f"That import began with the profile {batch.profile}. Send the file as a new one, for {profile}."
        )
    return batch
