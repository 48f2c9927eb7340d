"""Takes a film's identity away: keyed names for UIDs and patient, dates shifted by an amount per patient.

A profile (`intake.profiles`) says what is kept beside that. What `intake.tags` does not name is gone; pixels
are not looked at. No table of names and what they became is kept: the key alone makes them again, out of the
names.
"""

import hashlib
import hmac
import uuid
from base64 import b32encode
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pydicom import Dataset
from pydicom.sequence import Sequence

from deepmedix_review.studies.intake import tags
from deepmedix_review.studies.intake.profiles import CLEAN_PIXEL_DATA, Ages, Dates, Option, Profile

_MAX_SHIFT_DAYS = 3650


@dataclass(frozen=True)
class Identity:
    """What a film is called here; the same film gets the same names under the same key, and only under it."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    patient_pseudonym: str
    shift: timedelta


def name_film(source: Dataset, *, key: str, pixel_sha256: str) -> Identity:
    """`source` holds `tags.IDENTIFYING` as they came. A picture without any is named by its pixels.

    A series is named within its study, so that one UID in two studies can't tie them together.
    """
    own = tags.text(source, "SOPInstanceUID") or f"pixels {pixel_sha256}"
    study = tags.text(source, "StudyInstanceUID") or f"study of {own}"
    patient = _patient(source) or f"patient of {study}"
    return Identity(
        study_instance_uid=keyed_uid(study, key=key),
        series_instance_uid=keyed_uid(f"{study} series {tags.text(source, 'SeriesInstanceUID')}", key=key),
        sop_instance_uid=keyed_uid(own, key=key),
        patient_pseudonym=patient_pseudonym(patient, key=key),
        shift=timedelta(days=1 + int.from_bytes(_keyed(f"dates {patient}", key=key)[:8]) % _MAX_SHIFT_DAYS),
    )


def shifted_study_date(source: Dataset, identity: Identity) -> date | None:
    """When the study was made, by the patient's own shifted calendar; None where no date can be read."""
    for keyword in tags.DATES:
        shifted = _shifted(tags.text(source, keyword), identity.shift)
        if shifted:
            return datetime.strptime(shifted, "%Y%m%d").date()
    return None


def keyed_uid(text: str, *, key: str) -> str:
    """A UID under 2.25 (PS3.5 annex B.2) that only the holder of the key can make again."""
    return f"2.25.{uuid.UUID(bytes=_keyed(f'uid {text}', key=key)[:16], version=5).int}"


def patient_pseudonym(patient: str, *, key: str) -> str:
    """What a patient is called here: the issuer of their number, "|" and the number give it."""
    return "P-" + b32encode(_keyed(f"patient {patient}", key=key)).decode("ascii")[:10]


def deidentify(source: Dataset, identity: Identity, *, profile: Profile) -> Dataset:
    """A new data set with the allowed attributes, the film's names here, and the record of what was done."""
    film = tags.kept(source)
    film.StudyInstanceUID = identity.study_instance_uid
    film.SeriesInstanceUID = identity.series_instance_uid
    film.SOPInstanceUID = identity.sop_instance_uid
    film.PatientName = identity.patient_pseudonym
    film.PatientID = identity.patient_pseudonym
    film.update(tags.kept_device(source, profile.device))
    if profile.ages is Ages.DECADES and "PatientAge" in film:
        film.PatientAge = tags.decade_of(film.PatientAge)
    for keyword in tags.DATES if profile.dates is Dates.SHIFTED else ():
        shifted = _shifted(tags.text(source, keyword), identity.shift)
        if shifted:
            setattr(film, keyword, shifted)
    film.PatientIdentityRemoved = "YES"
    # PS3.3 C.12.1.1: the dates were MODIFIED, or all of them REMOVED.
    film.LongitudinalTemporalInformationModified = "MODIFIED" if profile.dates is Dates.SHIFTED else "REMOVED"
    film.DeidentificationMethod = profile.method
    film.DeidentificationMethodCodeSequence = Sequence([_code(option) for option in profile.options])
    return film


def say_cleaned(film: Dataset) -> None:
    """A stored film says of itself that the text in its pixels is overwritten (PS3.15 E.3.1)."""
    film.BurnedInAnnotation = "NO"
    codes = list(film.get("DeidentificationMethodCodeSequence") or ())
    if all(code.CodeValue != CLEAN_PIXEL_DATA.code for code in codes):
        codes.append(_code(CLEAN_PIXEL_DATA))
    film.DeidentificationMethodCodeSequence = Sequence(codes)


def names_patient(source: Dataset) -> bool:
    """Whether the header says whose film it is."""
    return bool(_patient(source))


def _patient(source: Dataset) -> str:
    """By its number and who gave it; else by name and birth date; empty where the header names nobody."""
    number = tags.text(source, "PatientID")
    if number:
        return f"{tags.text(source, 'IssuerOfPatientID')}|{number}"
    name = tags.text(source, "PatientName")
    return f"{name}|{tags.text(source, 'PatientBirthDate')}" if name else ""


def _keyed(text: str, *, key: str) -> bytes:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()


def _shifted(text: str, shift: timedelta) -> str:
    """Earlier by the patient's shift; empty for what is no date (PS3.5, DA)."""
    try:
        return (datetime.strptime(text, "%Y%m%d") - shift).strftime("%Y%m%d")
    except (ValueError, OverflowError):
        return ""


def _code(option: Option) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = option.code, "DCM", option.meaning
    return code
