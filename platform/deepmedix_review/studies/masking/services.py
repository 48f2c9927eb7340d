"""Asks for text to be overwritten, and puts the film without it in the place of the one with it."""

from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.erasing import keep_whole
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.studies.erased import lock_names
from deepmedix_review.studies.holding import (
    LOOK,
    close_sightings,
    hold_for_a_name,
    objection_to,
    twins_in_use,
)
from deepmedix_review.studies.intake.decoding import DecodedFilm
from deepmedix_review.studies.intake.odd import OddKind, gravest
from deepmedix_review.studies.looking.services import A_NAME_IS_BURNED_IN
from deepmedix_review.studies.masking.boxes import Box, check_boxes, stored
from deepmedix_review.studies.masking.selectors import ENDED_WITHOUT, OPEN
from deepmedix_review.studies.models import Instance, MaskedPicture, Sighting, Study, TextMasking
from deepmedix_review.studies.storage import StoredFilm, delete_film

FILM_CAME = "Another film came to it while text was overwritten. Look at that one too, then accept the study."
NAME_SEEN = "A reader reported a name on it since text was to be overwritten. Look once more."


@transaction.atomic
def queue_masking(
    film: Instance, *, boxes: Sequence[Box], accept: bool, has_looked: bool, actor: User
) -> TextMasking:
    """Its study is held from now on. `accept`: it is let in once the boxes are overwritten; `has_looked`: the
    admin says that nothing else on any of its films tells a name, and nothing is accepted without.

    Raises RefusedByRule with a sentence; then nothing has changed.
    """
    require(actor, Capability.DECIDE_HELD_STUDIES)
    check_boxes(boxes, rows=film.rows, columns=film.columns)
    study = Study.objects.select_for_update().filter(series__instances=film.pk).first()
    if study is None:
        raise RefusedByRule("The film is not here any more: its study was erased.")
    film = Instance.objects.select_for_update().get(pk=film.pk)
    if TextMasking.objects.filter(film=film, state__in=OPEN).exists():
        raise RefusedByRule(
            "Text on this film is being overwritten already. Wait until that is done, then look at what is "
            "left."
        )
    _forget_failed(film)
    films = list(Instance.objects.filter(series__study=study).order_by("pk"))
    if accept:
        if not has_looked:
            raise RefusedByRule(
                f"Nothing was overwritten. To accept {study.label} with it, look at all of its films, and "
                "say that no other name is written on any."
            )
        if objection := objection_to(study, films=films, twin=twins_in_use([study]).get(study.pk)):
            raise RefusedByRule(f"{objection} Or overwrite the text, and decide later.")
    hold_for_a_name(study, reason=A_NAME_IS_BURNED_IN, actor=actor)
    close_sightings(study)
    masking = TextMasking.objects.create(
        film=film,
        requested_by=actor,
        boxes=stored(boxes),
        is_to_accept=accept,
        newest_film=films[-1].pk,
    )
    record_event(
        actor=actor,
        action="request_masking",
        subject=film,
        details={"boxes": len(boxes), "accept": accept, "study": str(study.uid)},
    )
    return masking


@transaction.atomic
def cancel_masking(masking: TextMasking, *, actor: User) -> None:
    """Before the film is replaced; it stays as it is, and held."""
    require(actor, Capability.DECIDE_HELD_STUDIES)
    held = TextMasking.objects.select_for_update().get(pk=masking.pk)
    if held.is_final:
        raise RefusedByRule("It is too late to cancel this: it has ended.")
    jobs.request_cancel(held)
    record_event(actor=actor, action="cancel_masking", subject=held.film)


@transaction.atomic
def replace_film(masking: TextMasking, *, masked: DecodedFilm, written: StoredFilm) -> None:
    """From one moment to the next the film is the one without the text, for everybody; ends the job.

    Raises RefusedByRule where the film is another one by now, LeaseLost where the job is another worker's.
    """
    keep_whole()
    jobs.hold(masking)
    if TextMasking.objects.filter(pk=masking.pk, cancel_requested=True).exists():
        raise jobs.JobCancelled
    film = Instance.objects.select_related("series__study").get(pk=masking.film_id)
    lock_names(
        [film.study.patient_pseudonym],
        [film.study.study_instance_uid],
        [masked.came_as_sha256, masked.pixel_sha256],
    )
    study = Study.objects.select_for_update().get(pk=film.study.pk)
    film = Instance.objects.select_for_update().get(pk=film.pk)
    if film.pixel_sha256 != masked.came_as_sha256:
        raise RefusedByRule(
            "The film's file holds another picture than the one that came in, so nothing was overwritten. An "
            "operator restores it from a backup of the film folder, then ask again."
        )
    original = film.file_path
    _put(film, masked=masked, written=written)
    outcome = _accept(study, masking) if masking.is_to_accept else ""
    jobs.finish(
        masking,
        state=JobState.DONE,
        original_path=original if original != written.path else "",
        outcome=outcome,
    )
    record_event(
        actor=masking.requested_by,
        action="mask_text",
        subject=film,
        details={"boxes": masking.num_boxes, "study": str(study.uid)},
    )


def _put(film: Instance, *, masked: DecodedFilm, written: StoredFilm) -> None:
    if masked.pixel_sha256 != film.pixel_sha256:
        MaskedPicture.objects.get_or_create(film=film, pixel_sha256=film.pixel_sha256)
    first = (
        Instance.objects.filter(pixel_sha256=masked.pixel_sha256, copy_of=None).exclude(pk=film.pk).first()
    )
    film.copy_of = film.copy_of or first
    film.pixel_sha256 = masked.pixel_sha256
    film.picture_bands = list(masked.picture_bands)
    film.file_path, film.file_bytes, film.file_sha256 = written.path, written.num_bytes, written.sha256
    film.file_missed_at, film.masked_at = None, timezone.now()
    film.save()


def _accept(study: Study, masking: TextMasking) -> str:
    """Why it is not accepted after all, by a sentence that stands among its reasons; empty where it is."""
    if study.state != Study.State.HELD:
        return f"The study was {study.state} meanwhile, and stays so."
    films = list(Instance.objects.filter(series__study=study).order_by("pk"))
    others = TextMasking.objects.filter(film__in=films, state__in=OPEN).exclude(pk=masking.pk)
    if others.exists():
        return "Text on another film of the study is still being overwritten; it is decided on with that."
    objection = objection_to(study, films=films, twin=twins_in_use([study]).get(study.pk))
    kind = OddKind.SAME
    if films[-1].pk > masking.newest_film:
        objection, kind = FILM_CAME, OddKind.PART
    elif Sighting.objects.filter(film__in=films, looked_at=None).exists():
        objection, kind = NAME_SEEN, OddKind.NAME
    if objection:
        study.held_reasons = [*(known for known in study.held_reasons if known != objection), objection]
        study.held_for = gravest([study.held_for, kind])
        study.save(update_fields=["held_reasons", "held_for"])
        return objection
    study.state = Study.State.READY
    study.looked_at, study.looked_by = timezone.now(), masking.requested_by
    study.save(update_fields=["state", *LOOK])
    record_event(
        actor=masking.requested_by,
        action="accept_study",
        subject=study,
        details={"masking": str(masking.uid)},
    )
    return ""


def delete_original(masking: TextMasking) -> None:
    """The file before the text was overwritten, once nothing names it. An error of the disk leaves it to the
    next sweep."""
    path = masking.original_path
    if path and not Instance.objects.filter(file_path=path).exists():
        delete_film(path)
    TextMasking.objects.filter(pk=masking.pk).update(original_path="")
    masking.original_path = ""


@transaction.atomic
def forget_failed(masking: TextMasking) -> None:
    """What a masking left that never came to its end; not while another one of the film is under way."""
    film = Instance.objects.select_for_update().get(pk=masking.film_id)
    if not TextMasking.objects.filter(film=film, state__in=OPEN).exists():
        _forget_failed(film)


def _forget_failed(film: Instance) -> None:
    """Under the lock on the film, so that no other masking writes the same file again meanwhile."""
    left = TextMasking.objects.filter(film=film, state__in=ENDED_WITHOUT).exclude(written_path="")
    for masking in left:
        if masking.written_path != film.file_path:
            delete_film(masking.written_path)
    left.update(written_path="")


def is_folder_away() -> bool:
    """A volume that is away would take files out of reach, and back with them one day."""
    folder = Path(settings.FILM_FOLDER)
    return not (folder.is_dir() and any(folder.iterdir()))
