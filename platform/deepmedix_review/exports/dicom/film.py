"""The film that an object of DICOM speaks of, as its file names it, and what objects made of it share."""

import logging
import warnings
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from pydicom import Dataset

from deepmedix_review.exports.dicom.marked import Marked
from deepmedix_review.exports.own_code import code_sha256

# A pseudonym is a name of one component, and is meant.
warnings.filterwarnings("ignore", message="The string .* single component", module="highdicom")
# It tells each module of each object that it copies.
logging.getLogger("highdicom").setLevel(logging.WARNING)

MAKER = "DeepMedix Review"
PURPOSE = "For research, not for diagnosis"
UTF_8 = "ISO_IR 192"
# Of PS3.3 C.7.1.1 and C.7.2.1: there, and maybe empty.
_PATIENT_AND_STUDY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("AccessionNumber", "StudyID", "StudyDate", "StudyTime", "ReferringPhysicianName"),
)
_SEXES = ("M", "F", "O")
_SERIAL_LETTERS = 16


def film_of(header: Dataset) -> Dataset:
    """A copy of a stored film's header with all that its patient and study have in an object beside it."""
    film = Dataset()
    film.update(header)
    for keyword in _PATIENT_AND_STUDY:
        if film.get(keyword) is None:
            setattr(film, keyword, "")
    if film.PatientSex not in _SEXES:
        film.PatientSex = ""
    return film


def made_of(marked: Marked, what: str, *, series_number: int) -> dict[str, Any]:
    """What every object is named and dated by: the reading, never the clock."""
    return {
        "series_instance_uid": marked.uid(f"{what} series"),
        "series_number": series_number,
        "sop_instance_uid": marked.uid(what),
        "instance_number": 1,
        "manufacturer": MAKER,
        "manufacturer_model_name": MAKER,
        "software_versions": version("deepmedix-review"),
        "device_serial_number": code_sha256()[:_SERIAL_LETTERS],
        "series_description": f"{PURPOSE}: {marked.name}",
        "specific_character_set": UTF_8,
    }


def date_by(made: Dataset, at: datetime) -> None:
    """highdicom takes the clock for when an instance was made, and when it had a part in it."""
    at = at.astimezone(UTC)
    for equipment in made.ContributingEquipmentSequence:
        equipment.ContributionDateTime = at.strftime("%Y%m%d%H%M%S.%f")
    made.InstanceCreationDate, made.InstanceCreationTime = at.strftime("%Y%m%d"), at.strftime("%H%M%S.%f")
    made.TimezoneOffsetFromUTC = "+0000"
