"""Keeps what was erased out: the same study, patient or picture is known when it comes in again."""

import hashlib
import hmac
import uuid
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import connection

from deepmedix_review.common.dates import say_day
from deepmedix_review.studies.intake.content import FilmRefused, Refusal
from deepmedix_review.studies.intake.deidentification import Identity
from deepmedix_review.studies.models import ErasedName

Kind = ErasedName.Kind
WHAT = {Kind.STUDY: "This study", Kind.PATIENT: "This patient", Kind.PICTURE: "This picture"}


def lock_names(*groups: Iterable[str]) -> None:
    """Patients, then studies, then pictures, by their names here; held to the end of the transaction.

    Whoever brings a film in and whoever erases wait for each other here, always in this order.
    """
    with connection.cursor() as cursor:
        for group in groups:
            for number in sorted({number_of(name) for name in group}):
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def refuse_erased(identity: Identity, *, pixel_sha256: str) -> None:
    """Raises FilmRefused for a film of what was erased. Call it under the locks on its names."""
    keys = {
        _key(Kind.STUDY, identity.study_instance_uid),
        _key(Kind.PATIENT, identity.patient_pseudonym),
        _key(Kind.PICTURE, pixel_sha256),
    }
    known = {one.kind: one for one in ErasedName.objects.filter(key__in=keys)}
    for kind, what in WHAT.items():
        if kind in known:
            raise FilmRefused(
                f"{what} was erased on {say_day(known[kind].erased_at.date())} and is kept out. An admin can "
                "let it in again on the page of that erasure.",
                kind=Refusal.ERASED,
            )


def keep_out(
    *, studies: Iterable[str], patients: Iterable[str], pictures: Iterable[str], by: uuid.UUID, at: datetime
) -> None:
    """From now on; what was kept out before is kept out by this erasure too."""
    named = [(Kind.STUDY, studies), (Kind.PATIENT, patients), (Kind.PICTURE, pictures)]
    ErasedName.objects.bulk_create(
        [
            ErasedName(kind=kind, key=_key(kind, name), erasure=by, erased_at=at)
            for kind, names in named
            for name in sorted(set(names))
        ],
        update_conflicts=True,
        unique_fields=["kind", "key"],
        update_fields=["erasure", "erased_at"],
    )


def let_in(erasure: uuid.UUID) -> int:
    """How many names are no longer kept out."""
    num, _ = ErasedName.objects.filter(erasure=erasure).delete()
    return num


def _key(kind: ErasedName.Kind, name: str) -> str:
    key = settings.DEIDENTIFICATION_KEY.encode()
    return hmac.new(key, f"erased {kind} {name}".encode(), hashlib.sha256).hexdigest()


def number_of(name: str) -> int:
    """Of the advisory lock on it."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
