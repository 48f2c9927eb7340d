"""Where a new film belongs: in which study, whether it came before, and whether an admin looks first."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.db.models import IntegerField, Q
from django.db.models.expressions import RawSQL

from deepmedix_review.studies.intake import tags
from deepmedix_review.studies.intake.decoding import DecodedFilm
from deepmedix_review.studies.intake.deidentification import (
    Identity,
    keyed_uid,
    names_patient,
    shifted_study_date,
)
from deepmedix_review.studies.intake.fingerprint import MOST_BITS_APART
from deepmedix_review.studies.intake.odd import Oddity, OddKind
from deepmedix_review.studies.intake.oddities import find_oddities, view_position
from deepmedix_review.studies.models import Instance, MaskedPicture, Study

# What the display file of a PNG or JPEG says, which came without tags.
UNTAGGED = "OT"


@dataclass(frozen=True)
class Placement:
    """Where a film goes, and why an admin should look at it first; no oddities: it may be read at once."""

    identity: Identity
    oddities: tuple[Oddity, ...]
    copy_of: Instance | None = None
    near_to: Instance | None = None
    duplicate_of: Instance | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(odd.sentence for odd in self.oddities)


def place_film(film: DecodedFilm, identity: Identity, *, is_phantom: bool) -> Placement:
    """Call it under locks on the study's and the picture's name, so that what it finds stays."""
    # Phantoms are drawn small.
    found = find_oddities(film, smallest_side=0 if is_phantom else settings.SMALLEST_FILM_SIDE)
    same = Instance.objects.filter(is_picture_of(film.pixel_sha256))
    same = same.select_related("series__study").order_by("pk")
    differences = {instance: _differences(film, identity, instance) for instance in same}
    for instance, difference in differences.items():
        if not difference:
            return Placement(identity, (), duplicate_of=instance)
    first = next(iter(differences), None)
    copy_of = next((instance for instance in differences if instance.copy_of_id is None), first)
    near_to = None
    if copy_of is not None:
        found.append(_said_of_copy(film, copy_of, differences[copy_of]))
    else:
        if Instance.objects.filter(sop_instance_uid=identity.sop_instance_uid).exists():
            used = "Another picture came in under the same SOP Instance UID."
            found.append(Oddity(OddKind.IDENTITY, used))
        # Phantoms are drawn alike.
        near_to = None if is_phantom else _nearest(film, identity)
        if near_to is not None:
            found.append(_said_of_near(near_to, identity))
    study = Study.objects.select_for_update().filter(study_instance_uid=identity.study_instance_uid).first()
    if study is not None and study.state == Study.State.REJECTED:
        found.append(Oddity(OddKind.PART, f"An admin rejected {study.label}, of which it is a part."))
    is_told = copy_of is not None and copy_of.study == study
    if study is not None and study.patient_pseudonym != identity.patient_pseudonym and not is_told:
        others = f"Its study UID is that of {study.label}, which is of another patient."
        found.append(Oddity(OddKind.IDENTITY, others))
    if found and study is not None and (copy_of is not None or not _may_join(study, identity)):
        identity = _apart(identity, film)
    elif study is not None and study.state == Study.State.HELD:
        waits = f"{study.label}, of which it is a part, waits for an admin's decision."
        found = found or [Oddity(OddKind.PART, waits)]
    if Instance.objects.filter(sop_instance_uid=identity.sop_instance_uid).exists():
        identity = _apart(identity, film)
    return Placement(identity, tuple(found), copy_of=copy_of, near_to=near_to)


def is_picture_of(pixel_sha256: str) -> Q:
    """Whether a film shows these pixels, or showed them before text on it was overwritten."""
    before = MaskedPicture.objects.filter(pixel_sha256=pixel_sha256)
    return Q(pixel_sha256=pixel_sha256) | Q(pk__in=before.values("film"))


def said_of_masked(film: DecodedFilm, stored: Instance) -> str:
    """In a sentence about the stored film of the same picture."""
    return "" if stored.pixel_sha256 == film.pixel_sha256 else ", where text on it was overwritten"


def _said_of_copy(film: DecodedFilm, first: Instance, differences: Sequence[str]) -> Oddity:
    differs = " and ".join(differences) + said_of_masked(film, first)
    said = f"The same picture is stored as {first.study.label} {differs}. Reject one of the two."
    return Oddity(OddKind.SAME, said)


def _nearest(film: DecodedFilm, identity: Identity) -> Instance | None:
    """The stored film that looks nearly the same, of another study: one study may hold a film processed in
    two ways. Nor of another day of the patient: films of days that follow each other are much alike."""
    if not film.picture_bands:
        return None
    bands = list(film.picture_bands)
    apart = RawSQL(
        "(SELECT sum(bit_count((mine # other)::bit(32))) FROM unnest(picture_bands, %s::integer[]) AS "
        "band(mine, other))",
        (bands,),
        output_field=IntegerField(),
    )
    near = Instance.objects.filter(picture_bands__overlap=bands).annotate(apart=apart)
    near = near.filter(apart__lte=MOST_BITS_APART)
    others = near.exclude(series__study__study_instance_uid=identity.study_instance_uid)
    made_on = shifted_study_date(film.tags, identity)
    if made_on is not None:
        others = others.exclude(
            Q(series__study__patient_pseudonym=identity.patient_pseudonym)
            & Q(series__study__study_date__isnull=False)
            & ~Q(series__study__study_date=made_on)
        )
    return others.select_related("series__study").order_by("apart", "pk").first()


def _said_of_near(near: Instance, identity: Identity) -> Oddity:
    whose = "the same" if near.study.patient_pseudonym == identity.patient_pseudonym else "another"
    return Oddity(
        OddKind.NEAR,
        f"It looks nearly the same as {near.study.label}, of {whose} patient, though its pixels differ: one "
        "film in two sizes, windows or compressions looks so. Compare them.",
    )


def _may_join(study: Study, identity: Identity) -> bool:
    """An odd film joins a study that waits itself, and leaves one that is read in peace."""
    return study.state == Study.State.HELD and study.patient_pseudonym == identity.patient_pseudonym


def _apart(identity: Identity, film: DecodedFilm) -> Identity:
    """Names of its own, for a film that must not touch the study whose name it bears."""
    own = hashlib.sha256(f"{film.pixel_sha256} {tags.kept(film.tags).to_json()}".encode()).hexdigest()

    def uid(name: str) -> str:
        return keyed_uid(f"{name} apart {own}", key=settings.DEIDENTIFICATION_KEY)

    return replace(
        identity,
        study_instance_uid=uid(identity.study_instance_uid),
        series_instance_uid=uid(identity.series_instance_uid),
        sop_instance_uid=uid(identity.sop_instance_uid),
    )


def _differences(film: DecodedFilm, identity: Identity, instance: Instance) -> list[str]:
    """What two headers of the same pixels say that can't both be true, the gravest first; empty where one
    is silent."""
    others = []
    if _is_of_another(film, identity, instance):
        there = instance.study.patient_pseudonym
        others.append(f"of another patient ({there} there, {identity.patient_pseudonym} here)")
    if tagged := _tag_differences(film, instance):
        others.append(f"with other tags ({tagged})")
    return others


def _is_of_another(film: DecodedFilm, identity: Identity, instance: Instance) -> bool:
    """Whether both files name a patient, and not the same one. A file that left here bears the name that its
    patient has here; a PNG or JPEG names nobody."""
    known_as = instance.study.patient_pseudonym
    return (
        names_patient(film.tags)
        and instance.series.modality != UNTAGGED
        and known_as not in (identity.patient_pseudonym, tags.text(film.tags, "PatientID"))
    )


def _tag_differences(film: DecodedFilm, instance: Instance) -> str:
    pairs = {
        "modality": (tags.word(film.tags, "Modality"), instance.series.modality.removeprefix(UNTAGGED)),
        "body part": (tags.word(film.tags, "BodyPartExamined"), instance.body_part),
        "view": (view_position(film), instance.view_position),
        "polarity": (film.photometric, instance.photometric_interpretation),
    }
    if not film.tags.get("Modality"):
        pairs = {"polarity": pairs["polarity"]}
    differ = [
        f"{name} {old} there, {new} here" for name, (new, old) in pairs.items() if new and old and new != old
    ]
    return "; ".join(differ)
