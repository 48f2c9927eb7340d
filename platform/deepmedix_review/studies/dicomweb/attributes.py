"""Which attributes a search answers and matches, and of which level each is (PS3.18, tables 10.6.1-5 and
10.6.3-3 to 10.6.3-5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword


class Level(IntEnum):
    """A result of a lower level may say what its parents are, never the other way round."""

    STUDY = 1
    SERIES = 2
    INSTANCE = 3

    @property
    def plural(self) -> str:
        return {1: "studies", 2: "series", 3: "instances"}[self]


@dataclass(frozen=True)
class Attribute:
    """`column`: of its level's table, by which it is matched; empty for what no study here holds a value of.

    `is_matched`: a search may ask for a value of it. `is_standard`: it is in an answer without being asked
    for.
    """

    keyword: str
    level: Level
    column: str = ""
    is_matched: bool = False
    is_standard: bool = True

    @cached_property
    def vr(self) -> str:
        return dictionary_VR(self.keyword)

    @cached_property
    def tag(self) -> str:
        """Eight hexadecimal digits."""
        return f"{tag_for_keyword(self.keyword):08X}"


def _by_keyword(*attributes: Attribute) -> dict[str, Attribute]:
    return {attribute.keyword: attribute for attribute in attributes}


_STUDY, _SERIES, _INSTANCE = Level.STUDY, Level.SERIES, Level.INSTANCE
ATTRIBUTES = _by_keyword(
    Attribute("StudyDate", _STUDY, "study_date", is_matched=True),
    Attribute("StudyTime", _STUDY, is_matched=True),
    Attribute("AccessionNumber", _STUDY, is_matched=True),
    Attribute("InstanceAvailability", _STUDY),
    Attribute("ModalitiesInStudy", _STUDY, "modality", is_matched=True),
    Attribute("ReferringPhysicianName", _STUDY, is_matched=True),
    Attribute("RetrieveURL", _STUDY),
    Attribute("PatientName", _STUDY, "patient_pseudonym", is_matched=True),
    Attribute("PatientID", _STUDY, "patient_pseudonym", is_matched=True),
    Attribute("PatientBirthDate", _STUDY),
    Attribute("PatientSex", _STUDY, "patient_sex", is_matched=True),
    Attribute("StudyInstanceUID", _STUDY, "study_instance_uid", is_matched=True),
    Attribute("StudyID", _STUDY, is_matched=True),
    Attribute("NumberOfStudyRelatedSeries", _STUDY),
    Attribute("NumberOfStudyRelatedInstances", _STUDY),
    Attribute("Modality", _SERIES, "modality", is_matched=True),
    Attribute("SeriesInstanceUID", _SERIES, "series_instance_uid", is_matched=True),
    Attribute("SeriesNumber", _SERIES, is_matched=True),
    Attribute("NumberOfSeriesRelatedInstances", _SERIES),
    Attribute("SOPClassUID", _INSTANCE, "sop_class_uid", is_matched=True),
    Attribute("SOPInstanceUID", _INSTANCE, "sop_instance_uid", is_matched=True),
    Attribute("InstanceNumber", _INSTANCE, is_matched=True),
    Attribute("Rows", _INSTANCE),
    Attribute("Columns", _INSTANCE),
    Attribute("BitsAllocated", _INSTANCE),
    Attribute("NumberOfFrames", _INSTANCE),
    Attribute("AvailableTransferSyntaxUID", _INSTANCE),
    Attribute("ViewPosition", _INSTANCE, "view_position", is_matched=True, is_standard=False),
    Attribute("BodyPartExamined", _INSTANCE, is_standard=False),
    Attribute("BitsStored", _INSTANCE, is_standard=False),
    Attribute("PhotometricInterpretation", _INSTANCE, is_standard=False),
)


def keyword_of(name: str) -> str:
    """Of an attribute named by its keyword or by eight hexadecimal digits (PS3.18, 8.3.4.1); empty for what
    names none of the standard's."""
    if len(name) == 8 and set(name.lower()) <= set("0123456789abcdef"):
        return keyword_for_tag(int(name, 16))
    return name if name.isascii() and name.isalnum() and tag_for_keyword(name) is not None else ""


def matched_at(level: Level) -> list[str]:
    """Keywords that a search at this level may give a value of."""
    return [one.keyword for one in ATTRIBUTES.values() if one.is_matched and one.level <= level]


def standard_at(levels: Iterable[Level]) -> frozenset[str]:
    """Keywords that an answer holds without being asked."""
    wanted = set(levels)
    return frozenset(one.keyword for one in ATTRIBUTES.values() if one.is_standard and one.level in wanted)


def held_at(level: Level) -> frozenset[str]:
    """Keywords that an answer at this level can hold: `includefield=all`."""
    return frozenset(one.keyword for one in ATTRIBUTES.values() if one.level <= level)
