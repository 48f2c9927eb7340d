"""Brings films in, by whatever way they come."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings
from django.db import transaction
from pydicom import Dataset

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.studies.erased import lock_names, refuse_erased
from deepmedix_review.studies.holding import LOOK
from deepmedix_review.studies.intake import tags
from deepmedix_review.studies.intake.content import Content, FilmRefused, Refusal, recognise
from deepmedix_review.studies.intake.decoding import DecodedFilm, decode_film
from deepmedix_review.studies.intake.deidentification import keyed_uid, name_film, shifted_study_date
from deepmedix_review.studies.intake.display import write_display_film
from deepmedix_review.studies.intake.limits import Limits
from deepmedix_review.studies.intake.odd import gravest
from deepmedix_review.studies.intake.oddities import may_carry_text, view_position
from deepmedix_review.studies.intake.profiles import Dates, Profile, profile_named
from deepmedix_review.studies.models import (
    TO_LOOK_AT,
    ImportBatch,
    ImportItem,
    Instance,
    Series,
    SourceDataset,
    Study,
)
from deepmedix_review.studies.placement import Placement, place_film, said_of_masked
from deepmedix_review.studies.storage import store_film

Outcome = ImportItem.Outcome
DICOM_UNEXPECTED = "This is a DICOM file, where the data set has pictures."
NO_DICOM = "This is no DICOM file, where the data set has them."
SENT_NAMES = ("SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def receive_instance(
    path: Path,
    *,
    batch: ImportBatch,
    file_name: str,
    actor: User | None,
    is_text_free: bool = False,
    number: int | None = None,
) -> ImportItem:
    """Check, decode, de-identify and store one file. A refusal is an item with its reason, not an error.

    A batch of the demo makes phantom studies. `is_text_free`: a person answers for it that no name is written
    on the film, as in a public data set, so nobody has to look. `number`: its place in what a worker brings
    in; raises IntegrityError, and keeps nothing, where that was judged already.
    """
    with tempfile.TemporaryDirectory(dir=settings.UPLOAD_FOLDER, prefix="decoding-") as folder:
        try:
            return _keep(
                decode_film(path, limits=film_limits(), work=Path(folder)),
                batch=batch,
                file_name=file_name,
                actor=actor,
                is_text_free=is_text_free,
                number=number,
            )
        except FilmRefused as refusal:
            return refuse_file(str(refusal), batch=batch, file_name=file_name, actor=actor, number=number)


def receive_described(
    path: Path,
    *,
    described: Dataset,
    source: SourceDataset,
    batch: ImportBatch,
    file_name: str,
    actor: User | None,
    is_text_free: bool,
    is_dicom: bool = False,
) -> ImportItem:
    """As `receive_instance`, of a film of which the table of a data set says what a header would.

    `described`: attributes of `intake.tags.READ`; a study that is new has come from `source`. `is_dicom`: the
    file must be DICOM and its own header counts too; else it must be a PNG or JPEG.
    """
    with tempfile.TemporaryDirectory(dir=settings.UPLOAD_FOLDER, prefix="decoding-") as folder:
        try:
            if (recognise(path) is Content.DICOM) is not is_dicom:
                raise FilmRefused(NO_DICOM if is_dicom else DICOM_UNEXPECTED)
            # The data set names it: publishers take UIDs out, or put names of their own there.
            film = decode_film(path, limits=film_limits(), work=Path(folder), is_named=False)
            film = replace(film, tags=_joined(described, film.tags) if is_dicom else described)
            return _keep(
                film, batch=batch, file_name=file_name, actor=actor, is_text_free=is_text_free, source=source
            )
        except FilmRefused as refusal:
            return refuse_file(str(refusal), batch=batch, file_name=file_name, actor=actor)


def _joined(described: Dataset, header: Dataset) -> Dataset:
    """Who it is of and when it was made is for the data set to say; of all else the header comes first."""
    joined = Dataset()
    joined.update(described)
    own = tags.pick(header, tuple(name for name in tags.READ if name not in tags.IDENTIFYING))
    for element in own:
        if not element.is_empty:
            joined[element.tag] = element
    return joined


@dataclass(frozen=True)
class Receipt:
    """What became of one film that a program sent, and what its sender alone is told.

    `came_as`: SOP class and UIDs as they came; no row keeps them. None where the film was refused, with the
    kind of the refusal then, and where they are not known any more.
    """

    item: ImportItem
    came_as: Dataset | None
    refusal: Refusal | None = None


def receive_sent(
    path: Path,
    *,
    batch: ImportBatch,
    file_name: str,
    actor: User | None,
    of_study: str = "",
    of_object: tuple[str, str] | None = None,
    sender: Mapping[str, str] | None = None,
    number: int | None = None,
) -> Receipt:
    """As `receive_instance`, of a DICOM file that came by a protocol of DICOM.

    `of_study`: the Study Instance UID that it must have, as it came or as it is named here.
    `of_object`: the SOP class and instance that it was said to be. `sender`: what the audit record
    is told of who sent it beside the account. `number` as for `receive_instance`.
    """
    with tempfile.TemporaryDirectory(dir=settings.UPLOAD_FOLDER, prefix="decoding-") as folder:
        try:
            if recognise(path) is not Content.DICOM:
                raise FilmRefused("This is a picture, sent as DICOM. Bring it through the upload page.")
            film = decode_film(path, limits=film_limits(), work=Path(folder))
            _check_names(film, of_study=of_study, of_object=of_object)
            kept = _keep(
                film,
                batch=batch,
                file_name=file_name,
                actor=actor,
                is_text_free=False,
                sender=sender,
                number=number,
            )
        except FilmRefused as refusal:
            refused = refuse_file(
                str(refusal), batch=batch, file_name=file_name, actor=actor, sender=sender, number=number
            )
            return Receipt(refused, None, refusal.kind)
    return Receipt(kept, tags.pick(film.tags, SENT_NAMES))


@transaction.atomic
def refuse_file(
    reason: str,
    *,
    batch: ImportBatch,
    file_name: str,
    actor: User | None,
    sender: Mapping[str, str] | None = None,
    number: int | None = None,
) -> ImportItem:
    """Record that a file was not taken in, and why. `number` as for `receive_instance`."""
    return _record(
        Outcome.REFUSED,
        reason=reason,
        instance=None,
        batch=batch,
        file_name=file_name,
        actor=actor,
        sender=sender,
        number=number,
    )


def _check_names(film: DecodedFilm, *, of_study: str, of_object: tuple[str, str] | None) -> None:
    came_as = tags.text(film.tags, "StudyInstanceUID")
    if of_study and of_study not in (came_as, keyed_uid(came_as, key=settings.DEIDENTIFICATION_KEY)):
        raise FilmRefused(
            "The film is of another study than the address that it was sent to.", kind=Refusal.OF_OTHER_STUDY
        )
    inside = tuple(tags.text(film.tags, keyword) for keyword in ("SOPClassUID", "SOPInstanceUID"))
    if of_object is not None and inside != of_object:
        raise FilmRefused(
            "The film is another object than the one that was announced.", kind=Refusal.OF_OTHER_OBJECT
        )


@transaction.atomic
def _keep(
    film: DecodedFilm,
    *,
    batch: ImportBatch,
    file_name: str,
    actor: User | None,
    is_text_free: bool,
    sender: Mapping[str, str] | None = None,
    source: SourceDataset | None = None,
    number: int | None = None,
) -> ImportItem:
    """Raises FilmRefused where its study, patient or picture was erased."""
    identity = name_film(film.tags, key=settings.DEIDENTIFICATION_KEY, pixel_sha256=film.pixel_sha256)
    # Two films of one study, or one film sent twice at once, wait for each other here.
    lock_names([identity.patient_pseudonym], [identity.study_instance_uid], [film.pixel_sha256])
    refuse_erased(identity, pixel_sha256=film.pixel_sha256)
    is_phantom = batch.source == ImportBatch.Source.DEMO
    placement = place_film(film, identity, is_phantom=is_phantom)
    if placement.duplicate_of is not None:
        study = placement.duplicate_of.study
        return _record(
            Outcome.DUPLICATE,
            reason=f"The same picture is stored already as {study.label}"
            f"{said_of_masked(film, placement.duplicate_of)}{_whose_state(study)}",
            instance=placement.duplicate_of,
            batch=batch,
            file_name=file_name,
            actor=actor,
            sender=sender,
            number=number,
        )
    needs_look = not is_phantom and not is_text_free and may_carry_text(film)
    instance = _store(
        film,
        placement,
        profile=profile_named(batch.profile),
        is_phantom=is_phantom,
        needs_look=needs_look,
        source=source,
    )
    is_unseen = instance.study.state == Study.State.UNSEEN
    return _record(
        Outcome.HELD if placement.oddities else Outcome.ACCEPTED,
        reason=" ".join([*placement.reasons, *([TO_LOOK_AT] if is_unseen else [])]),
        instance=instance,
        batch=batch,
        file_name=file_name,
        actor=actor,
        sender=sender,
        number=number,
    )


def _whose_state(study: Study) -> str:
    if study.state == Study.State.HELD:
        return ", which waits for an admin's decision."
    if study.state == Study.State.UNSEEN:
        return ", which waits for a look."
    if study.state == Study.State.REJECTED:
        return ", which an admin rejected; on the page of that study it can still be accepted."
    return "."


def _store(
    film: DecodedFilm,
    placement: Placement,
    *,
    profile: Profile,
    is_phantom: bool,
    needs_look: bool,
    source: SourceDataset | None,
) -> Instance:
    identity = placement.identity
    written, made_on = tags.kept(film.tags), shifted_study_date(film.tags, identity)
    display = Dataset()

    def write(path: Path) -> None:
        display.update(write_display_film(path, film, identity, profile=profile))

    stored = store_film(write, picture=film.picture)
    arrives_as = Study.State.UNSEEN if needs_look else Study.State.READY
    study, is_new = Study.objects.get_or_create(
        study_instance_uid=identity.study_instance_uid,
        defaults={
            "patient_pseudonym": identity.patient_pseudonym,
            "study_date": made_on if profile.dates is Dates.SHIFTED else None,
            "order_date": made_on,
            "patient_sex": tags.text(written, "PatientSex"),
            "state": Study.State.HELD if placement.oddities else arrives_as,
            "held_reasons": list(placement.reasons),
            "held_for": gravest(odd.kind for odd in placement.oddities),
            "is_phantom": is_phantom,
            "source": source,
        },
    )
    if placement.oddities and not is_new:
        study.held_reasons = [
            *study.held_reasons,
            *(r for r in placement.reasons if r not in study.held_reasons),
        ]
        study.held_for = gravest([study.held_for, *(odd.kind for odd in placement.oddities)])
        study.save(update_fields=["held_reasons", "held_for"])
    if needs_look and study.state == Study.State.READY:
        study.state = Study.State.UNSEEN
        study.looked_at, study.looked_by = None, None
        study.save(update_fields=["state", *LOOK])
    series, _ = Series.objects.get_or_create(
        series_instance_uid=identity.series_instance_uid,
        defaults={"study": study, "modality": str(written.get("Modality", "OT"))},
    )
    spacing = written.get("PixelSpacing") or written.get("ImagerPixelSpacing") or (None, None)
    return Instance.objects.create(
        series=series,
        sop_instance_uid=identity.sop_instance_uid,
        sop_class_uid=str(display.SOPClassUID),
        view_position=view_position(film)[:16],
        body_part=tags.text(written, "BodyPartExamined"),
        num_frames=film.num_frames,
        rows=film.rows,
        columns=film.columns,
        bits_allocated=display.BitsAllocated,
        bits_stored=film.bits_stored,
        photometric_interpretation=film.photometric,
        row_spacing_mm=spacing[0],
        column_spacing_mm=spacing[1],
        pixel_sha256=film.pixel_sha256,
        copy_of=placement.copy_of,
        near_to=placement.near_to,
        picture_bands=list(film.picture_bands),
        profile=profile.name,
        file_path=stored.path,
        file_bytes=stored.num_bytes,
        file_sha256=stored.sha256,
    )


def _record(
    outcome: ImportItem.Outcome,
    *,
    reason: str,
    instance: Instance | None,
    batch: ImportBatch,
    file_name: str,
    actor: User | None,
    sender: Mapping[str, str] | None,
    number: int | None,
) -> ImportItem:
    item = ImportItem.objects.create(
        batch=batch,
        file_name=shown_name(file_name),
        outcome=outcome,
        reason=reason,
        instance=instance,
        number=number,
    )
    details = {"outcome": str(outcome), **(sender or {})}
    if instance is not None:
        details["study"] = str(instance.study.uid)
        if outcome != Outcome.DUPLICATE:
            details |= {"state": str(instance.study.state), "profile": instance.profile}
    record_event(actor=actor, action="receive_film", subject=item, details=details)
    return item


def shown_name(file_name: str) -> str:
    """The last part of a path, without what a screen can't show."""
    name = re.split(r"[/\\]", file_name)[-1]
    return "".join(c if c.isprintable() else "?" for c in name)[:255] or "unnamed"


def film_limits() -> Limits:
    """What one film may take while it is decoded."""
    return Limits(
        max_file_bytes=settings.MAX_FILM_BYTES,
        max_pixels=settings.MAX_FILM_PIXELS,
        memory_bytes=settings.DECODER_MEMORY_BYTES,
        seconds=settings.DECODER_SECONDS,
    )
