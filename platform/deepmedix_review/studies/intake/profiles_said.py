"""The profiles as tables, for docs/reference/de-identification.md: what each does with which attribute."""

from collections.abc import Iterator, Sequence

from pydicom.datadict import dictionary_description, dictionary_VR, tag_for_keyword

from deepmedix_review.studies.intake import tags
from deepmedix_review.studies.intake.profiles import PROFILES, Ages, Dates, Profile

_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_NAMES = ("PatientName", "PatientID")
_AGES = {Ages.DECADES: "C, its decade", Ages.AS_THEY_ARE: "C, at most 90 years"}
_DATES = {Dates.REMOVED: "X", Dates.SHIFTED: "C, shifted"}


def said_codes() -> str:
    """Which options each profile records, as PS3.16 CID 7050 codes them."""
    options = sorted({option for profile in PROFILES.values() for option in profile.options}, key=str)
    rows = [
        [
            f"{option.code} {option.meaning} (PS3.15 {option.section})",
            *("yes" if option in profile.options else "" for profile in PROFILES.values()),
        ]
        for option in options
    ]
    return _table(("code", *PROFILES), rows)


def said_attributes() -> str:
    """Of every attribute that any of them keeps."""
    keywords = (*_UIDS, *_NAMES, *tags.DATES, *tags.KEPT, *tags.KEPT_SEQUENCES, *tags.DEVICE)
    rows = [
        [_called(keyword), *(_action(keyword, profile) for profile in PROFILES.values())]
        for keyword in keywords
    ]
    return _table(
        ("attribute", *PROFILES), [*rows, ["all others, private ones too", *("X" for _ in PROFILES)]]
    )


def _action(keyword: str, profile: Profile) -> str:
    if keyword in _UIDS:
        return "U, keyed"
    if keyword in _NAMES:
        return "D, keyed"
    if keyword in tags.DATES:
        return _DATES[profile.dates]
    if keyword == "PatientAge":
        return _AGES[profile.ages]
    if keyword in tags.DEVICE:
        return "C, no word of the patient's" if keyword in profile.device else "X"
    if keyword in tags.KEPT_SEQUENCES or dictionary_VR(keyword) in ("CS", "LO"):
        return "C, known words"
    return "K"


def _called(keyword: str) -> str:
    number = tag_for_keyword(keyword) or 0
    return f"({number >> 16:04X},{number & 0xFFFF:04X}) {dictionary_description(number)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def lines() -> Iterator[str]:
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        for row in rows:
            yield f"| {' | '.join(row)} |"

    return "\n".join(lines())
