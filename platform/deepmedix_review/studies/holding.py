"""Takes odd studies out of use, and records what an admin decides on them."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet, prefetch_related_objects
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.intake.odd import OddKind
from deepmedix_review.studies.masking.selectors import open_maskings
from deepmedix_review.studies.models import Instance, MaskedPicture, Sighting, Study

LONGEST_REASON = 300
LOOK = ("name_seen_at", "name_seen_by", "looked_at", "looked_by")


@transaction.atomic
def decide_held(study: Study, *, accept: bool, actor: User, has_looked: bool = False) -> Study:
    """An admin lets a held study in, or rejects it. A rejected study can be accepted later.

    `has_looked`: the admin says of the films that no name is written on them; nothing is accepted without.
    """
    require(actor, Capability.DECIDE_HELD_STUDIES)
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state == Study.State.READY:
        raise RefusedByRule(
            f"{study.label} is in use already; only a held or a rejected study can be decided on."
        )
    if accept:
        _check_acceptable(study)
        if not has_looked:
            raise RefusedByRule(
                f"{study.label} was not accepted. Look at it, and say with the acceptance that no name is "
                "written on it."
            )
        study.looked_at, study.looked_by = timezone.now(), actor
    study.state = Study.State.READY if accept else Study.State.REJECTED
    study.name_seen_at, study.name_seen_by = None, None
    study.save(update_fields=["state", *LOOK])
    close_sightings(study)
    record_event(actor=actor, action="accept_study" if accept else "reject_study", subject=study)
    return study


@transaction.atomic
def hold_study(study: Study, *, reason: str, actor: User, names_seen_by: User | None = None) -> Study:
    """An admin takes a study out of use until it is decided on; readers lose their cases of it meanwhile.

    The reason stays out of the audit record, which can never be mended: a person wrote it. `names_seen_by`:
    who looked at the film and saw a name on it.
    """
    require(actor, Capability.DECIDE_HELD_STUDIES)
    reason = " ".join(reason.split())
    if not reason:
        raise RefusedByRule("A study is put on hold for a reason. Write one, without names.")
    if len(reason) > LONGEST_REASON:
        raise RefusedByRule(f"The reason has {len(reason)} characters; write at most {LONGEST_REASON}.")
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state not in (Study.State.READY, Study.State.UNSEEN):
        raise RefusedByRule(f"{study.label} is {study.state} already; only a study in use is put on hold.")
    study.state = Study.State.HELD
    study.held_reasons = [*(known for known in study.held_reasons if known != reason), reason]
    study.held_for = OddKind.NAME if names_seen_by else OddKind.BY_HAND
    study.name_seen_at, study.name_seen_by = None, None
    study.looked_at, study.looked_by = timezone.now() if names_seen_by else None, names_seen_by
    study.save(update_fields=["state", "held_reasons", "held_for", *LOOK])
    record_event(actor=actor, action="hold_study", subject=study)
    return study


def hold_for_a_name(study: Study, *, reason: str, actor: User) -> None:
    """This user saw a name on a film of it: it is held for that, whatever it was. Call it under the lock on
    the study."""
    if study.state != Study.State.HELD:
        record_event(actor=actor, action="hold_study", subject=study)
    study.state = Study.State.HELD
    study.held_reasons = [*(known for known in study.held_reasons if known != reason), reason]
    study.held_for = OddKind.NAME
    study.name_seen_at, study.name_seen_by = None, None
    study.looked_at, study.looked_by = timezone.now(), actor
    study.save(update_fields=["state", "held_reasons", "held_for", *LOOK])


def close_sightings(study: Study, *, at: datetime | None = None) -> None:
    """A person has looked at what readers saw. Call it in the transaction that decides."""
    Sighting.objects.filter(film__series__study=study, looked_at=None).update(looked_at=at or timezone.now())


def twins_in_use(studies: Sequence[Study]) -> dict[int, Study]:
    """By study, the one in use, or accepted and not looked at yet, that has a picture of it, with other tags
    or as another patient's: then it can't be accepted. What it was before text on it was overwritten counts
    on both sides. Five queries, however many studies."""
    pictures = _pictures(Instance.objects.filter(series__study__in=studies))
    in_use = Instance.objects.filter(series__study__state__in=(Study.State.READY, Study.State.UNSEEN))
    used = dict(_pictures(in_use, among={picture for picture, _ in pictures}))
    prefetch_related_objects(list(used.values()), "series__instances")
    return {
        study.pk: used[picture]
        for picture, study in pictures
        if picture in used and used[picture].pk != study.pk
    }


def _pictures(films: QuerySet[Instance], *, among: Collection[str] | None = None) -> list[tuple[str, Study]]:
    """The pixels of these films, as they are and as they were, with whose study they are; the last film
    first."""
    now = films.select_related("series__study").order_by("-pk")
    before = (
        MaskedPicture.objects.filter(film__in=films).select_related("film__series__study").order_by("-pk")
    )
    if among is not None:
        now, before = now.filter(pixel_sha256__in=among), before.filter(pixel_sha256__in=among)
    return [
        *((one.pixel_sha256, one.film.study) for one in before),
        *((film.pixel_sha256, film.study) for film in now),
    ]


def _check_acceptable(study: Study) -> None:
    if study.name_seen_at is not None:
        raise RefusedByRule(
            f"{study.label} can't be accepted: somebody ticked that a name is written on it. Look at it, and "
            "untick it first if there is none."
        )
    if open_maskings([study.pk]).exists():
        raise RefusedByRule(
            f"Text on a film of {study.label} is being overwritten. Wait until that is done, then decide."
        )
    films = list(Instance.objects.filter(series__study=study).order_by("pk"))
    if objection := objection_to(study, films=films, twin=twins_in_use([study]).get(study.pk)):
        raise RefusedByRule(objection)


def objection_to(study: Study, *, films: Sequence[Instance], twin: Study | None) -> str:
    """Why its films can't be accepted, by a sentence; empty where they can. `twin`: see `twins_in_use`."""
    for film in films:
        if film.num_frames > 1:
            return (
                f"{study.label} holds a film of {film.num_frames} pictures, and one film is one picture. "
                "Export the picture that is meant and import it, then reject this study."
            )
    if twin is not None:
        return (
            f"{study.label} can't be accepted: its picture is in use as {twin.label}, with other tags or as "
            f"another patient's. Reject it, or put {twin.label} on hold first."
        )
    return ""
