"""Where a new film belongs: in which study, whether it came before, and whether an admin looks first."""

import hashlib
from dataclasses import dataclass, replace

from django.conf import settings

from deepmedix_review.studies.intake import tags
from deepmedix_review.studies.intake.decoding import DecodedFilm
from deepmedix_review.studies.intake.deidentification import Identity, keyed_uid, names_patient
from deepmedix_review.studies.intake.oddities import reasons_to_hold, view_position
from deepmedix_review.studies.models import Instance, Study

# What the display file of a PNG or JPEG says, which came without tags.
UNTAGGED = "OT"


@dataclass(frozen=True)
class Placement:
    """Where a film goes, and why an admin should look at it first; no reasons: it may be read at once."""

    identity: Identity
    reasons: tuple[str, ...]
    copy_of: Instance | None = None
    duplicate_of: Instance | None = None


def place_film(film: DecodedFilm, identity: Identity) -> Placement:
    """Call it under locks on the study's and the picture's name, so that what it finds stays."""
    reasons = reasons_to_hold(film)
    same = (
        Instance.objects.filter(pixel_sha256=film.pixel_sha256).select_related("series__study").order_by("pk")
    )
    differences = {instance: _differences(film, identity, instance) for instance in same}
    for instance, difference in differences.items():
        if not difference:
            return Placement(identity, (), duplicate_of=instance)
    copy_of = next((instance for instance in differences if instance.copy_of_id is None), None)
    if copy_of is not None:
        differs = " and ".join(differences[copy_of])
        reasons.append(
            f"The same picture is stored as {copy_of.study.label} {differs}. Reject one of the two."
        )
    elif Instance.objects.filter(sop_instance_uid=identity.sop_instance_uid).exists():
        reasons.append("Another picture came in under the same SOP Instance UID.")
    study = Study.objects.select_for_update().filter(study_instance_uid=identity.study_instance_uid).first()
    if study is not None and study.state == Study.State.REJECTED:
        reasons.append(f"An admin rejected {study.label}, of which it is a part.")
    is_told = copy_of is not None and copy_of.study == study
    if study is not None and study.patient_pseudonym != identity.patient_pseudonym and not is_told:
        reasons.append(f"Its study UID is that of {study.label}, which is of another patient.")
    if reasons and study is not None and (copy_of is not None or not _may_join(study, identity)):
        identity = _apart(identity, film)
    elif study is not None and study.state == Study.State.HELD:
        reasons = reasons or [f"{study.label}, of which it is a part, waits for an admin's decision."]
    if Instance.objects.filter(sop_instance_uid=identity.sop_instance_uid).exists():
        identity = _apart(identity, film)
    return Placement(identity, tuple(reasons), copy_of=copy_of)


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
