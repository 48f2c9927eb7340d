"""Where a new film belongs: in which study, whether it came before, and whether an admin looks first."""

import hashlib
from dataclasses import dataclass, replace

from django.conf import settings

from deepmedix_review.studies.intake import tags
from deepmedix_review.studies.intake.decoding import DecodedFilm
from deepmedix_review.studies.intake.deidentification import Identity, keyed_uid
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
    differences = {instance: _differences(film, instance) for instance in same}
    for instance, difference in differences.items():
        if not difference:
            return Placement(identity, (), duplicate_of=instance)
    copy_of = next((instance for instance in differences if instance.copy_of_id is None), None)
    if copy_of is not None:
        also = "; and it is another patient's" if is_of_another(film, identity, copy_of.study) else ""
        reasons.append(
            f"The same picture is stored as {copy_of.study.label} with other tags "
            f"({differences[copy_of]}{also}). Reject one of the two."
        )
    elif Instance.objects.filter(sop_instance_uid=identity.sop_instance_uid).exists():
        reasons.append("Another picture came in under the same SOP Instance UID.")
    study = Study.objects.select_for_update().filter(study_instance_uid=identity.study_instance_uid).first()
    if study is not None and study.state == Study.State.REJECTED:
        reasons.append(f"An admin rejected {study.label}, of which it is a part.")
    if study is not None and study.patient_pseudonym != identity.patient_pseudonym:
        reasons.append(f"Its study UID is that of {study.label}, which is of another patient.")
    if reasons and study is not None and (copy_of is not None or not _may_join(study, identity)):
        identity = _apart(identity, film)
    elif study is not None and study.state == Study.State.HELD:
        reasons = reasons or [f"{study.label}, of which it is a part, waits for an admin's decision."]
    if Instance.objects.filter(sop_instance_uid=identity.sop_instance_uid).exists():
        identity = _apart(identity, film)
    return Placement(identity, tuple(reasons), copy_of=copy_of)


def is_of_another(film: DecodedFilm, identity: Identity, study: Study) -> bool:
    """Whether the file names a patient, and the study is of somebody else."""
    return bool(tags.text(film.tags, "PatientID")) and identity.patient_pseudonym != study.patient_pseudonym


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


def _differences(film: DecodedFilm, instance: Instance) -> str:
    """What two headers of the same pixels say that can't both be true; empty where one is silent."""
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
