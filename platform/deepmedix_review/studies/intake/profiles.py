"""How much of a film's header is taken away: named profiles, each by the codes of DICOM PS3.15.

All drop what `intake.tags` does not name: private attributes, free text, times, people, places, overlays.
Under one key all give a patient and a UID the same names, so that the films of a patient are found together,
whatever profiles they came by.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.intake import tags


class Dates(StrEnum):
    """What the file tells of when a film was made."""

    SHIFTED = "shifted"
    REMOVED = "removed"


class Ages(StrEnum):
    """What is left of a patient's age; of one older than 89 years never more than 90."""

    AS_THEY_ARE = "as they are"
    DECADES = "decades"


@dataclass(frozen=True)
class Option:
    """An option of PS3.15 annex E, as PS3.16 CID 7050 codes it."""

    code: str
    meaning: str
    section: str


BASIC = Option("113100", "Basic Application Confidentiality Profile", "E.2")
MODIFIED_DATES = Option("113107", "Retain Longitudinal Temporal Information Modified Dates Option", "E.3.6")
PATIENT_CHARACTERISTICS = Option("113108", "Retain Patient Characteristics Option", "E.3.7")
DEVICE_IDENTITY = Option("113109", "Retain Device Identity Option", "E.3.8")
# Of no profile: of each film on which a person had text overwritten.
CLEAN_PIXEL_DATA = Option("113101", "Clean Pixel Data Option", "E.3.1")


@dataclass(frozen=True)
class Profile:
    """`about`: for whoever chooses. `method`: what each file says of it (De-identification Method, LO).
    `device`: attributes of the machine that are kept beside those of `tags.KEPT`."""

    name: str
    about: str
    method: str
    options: tuple[Option, ...]
    dates: Dates
    ages: Ages
    device: tuple[str, ...] = ()


RESEARCH = Profile(
    name="research",
    about="the strictest: no date in any file, ages by decade, nothing of the machine",
    method="Allow-list, keyed names, no dates, ages by decade",
    options=(BASIC, PATIENT_CHARACTERISTICS),
    dates=Dates.REMOVED,
    ages=Ages.DECADES,
)
KEEP_DATES_SHIFTED = Profile(
    name="keep-dates-shifted",
    about="dates moved by an amount of the patient's own, so days between films stay true; ages up to 90",
    method="Allow-list of attributes, keyed names, dates shifted",
    options=(BASIC, MODIFIED_DATES, PATIENT_CHARACTERISTICS),
    dates=Dates.SHIFTED,
    ages=Ages.AS_THEY_ARE,
)
KEEP_DEVICE = Profile(
    name="keep-device",
    about="as keep-dates-shifted, and the machine stays: maker, model, station and serial numbers, which can "
    "tell which hospital it is",
    method="Allow-list, keyed names, dates shifted, device kept",
    options=(BASIC, MODIFIED_DATES, PATIENT_CHARACTERISTICS, DEVICE_IDENTITY),
    dates=Dates.SHIFTED,
    ages=Ages.AS_THEY_ARE,
    device=tags.DEVICE,
)
PROFILES = {profile.name: profile for profile in (RESEARCH, KEEP_DATES_SHIFTED, KEEP_DEVICE)}
PROFILE_HELP = "of de-identification; without it the one of the setting DEIDENTIFICATION_PROFILE"


def said_profiles(names: Collection[str]) -> list[Profile]:
    """Those that films came in by, the strictest first."""
    return [profile for name, profile in PROFILES.items() if name in names]


def profile_named(name: str) -> Profile:
    """Raises RefusedByRule."""
    if name not in PROFILES:
        raise RefusedByRule(
            f"There is no profile of de-identification named {name!r}. Name one of these: "
            f"{', '.join(PROFILES)}."
        )
    return PROFILES[name]
