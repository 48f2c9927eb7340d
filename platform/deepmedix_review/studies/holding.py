"""Takes odd studies out of use, and records what an admin decides on them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.intake.odd import OddKind
from deepmedix_review.studies.models import Instance, Sighting, Study

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


def close_sightings(study: Study, *, at: datetime | None = None) -> None:
    """A person has looked at what readers saw. Call it in the transaction that decides."""
    Sighting.objects.filter(film__series__study=study, looked_at=None).update(looked_at=at or timezone.now())


def twins_in_use(studies: Sequence[Study]) -> dict[int, Study]:
    """By study, the one in use, or accepted and not looked at yet, that has a picture of it, with other tags
    or as another patient's: then it can't be accepted. Three queries, however many studies."""
    films = list(Instance.objects.filter(series__study__in=studies).select_related("series").order_by("pk"))
    same = Instance.objects.filter(
        pixel_sha256__in={film.pixel_sha256 for film in films},
        series__study__state__in=(Study.State.READY, Study.State.UNSEEN),
    ).order_by("-pk")
    used = {film.pixel_sha256: film.series.study for film in same.select_related("series__study")}
    prefetch_related_objects(list(used.values()), "series__instances")
    return {
        film.series.study_id: used[film.pixel_sha256]
        for film in reversed(films)
        if film.pixel_sha256 in used and used[film.pixel_sha256].pk != film.series.study_id
    }


def _check_acceptable(study: Study) -> None:
    if study.name_seen_at is not None:
        raise RefusedByRule(
            f"{study.label} can't be accepted: somebody ticked that a name is written on it. Look at it, and "
            "untick it first if there is none."
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
