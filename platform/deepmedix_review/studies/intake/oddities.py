"""What makes a film odd enough that an admin should look at it before anybody reads it."""

import re

from deepmedix_review.studies.intake import tags
from deepmedix_review.studies.intake.content import Content
from deepmedix_review.studies.intake.decoding import DecodedFilm
from deepmedix_review.studies.intake.display import (
    COMPUTED_RADIOGRAPHY,
    DIGITAL_XRAY,
    DIGITAL_XRAY_RAW,
    SECONDARY_CAPTURE,
    presentation_shape,
)

MODALITIES = ("CR", "DX", "RG")
FRONTAL_VIEWS = ("PA", "AP")
LATERAL_VIEWS = ("LL", "RL", "LAT", "LATERAL")
_CHEST = re.compile(r"\b(CHEST|THORAX|CXR)")
_ANIMAL = re.compile(r"\b(CANINE|FELINE|EQUINE|BOVINE|DOG|CAT|HORSE|VETERINAR\w*|ANIMAL)\b")
_HUMAN = ("", "HOMO SAPIENS", "HUMAN")


def view_position(film: DecodedFilm) -> str:
    """PA, AP or a side view, else empty. Some archives write it as the patient's position (NIH)."""
    view = tags.word(film.tags, "ViewPosition")
    position = tags.word(film.tags, "PatientPosition")
    return view or (position if position in FRONTAL_VIEWS else "")


def may_carry_text(film: DecodedFilm) -> bool:
    """Whether words may stand in the picture itself, so that a person has to look before anybody reads it.

    Only a header that denies it, of a film that a detector made, is believed (PS3.3 C.7.6.1 and C.8.6.1).
    """
    if film.content is not Content.DICOM or tags.word(film.tags, "BurnedInAnnotation") != "NO":
        return True
    is_capture = tags.word(film.tags, "SOPClassUID") == SECONDARY_CAPTURE
    return is_capture or bool(tags.word(film.tags, "ConversionType"))


def reasons_to_hold(film: DecodedFilm) -> list[str]:
    """Sentences for the admin who decides; empty for a plain chest film."""
    reasons = [] if film.content is not Content.DICOM else _odd_tags(film)
    view = view_position(film)
    if view and view not in FRONTAL_VIEWS + LATERAL_VIEWS:
        reasons.append(f"Its view is {view}, not PA, AP or lateral.")
    if film.num_frames > 1:
        reasons.append(f"It holds {film.num_frames} pictures; a film is one.")
    if film.held_bits_more:
        reasons.append("Its values are larger than its header allows, so its greys may be wrong.")
    if film.looks_inverted and view not in LATERAL_VIEWS:
        reasons.append(
            "Its greys look reversed: bone seems dark. Its polarity (MONOCHROME1 or 2) may be tagged wrong."
        )
    return reasons


def _odd_tags(film: DecodedFilm) -> list[str]:
    source, reasons = film.tags, []
    modality = tags.word(source, "Modality")
    if modality not in MODALITIES:
        reasons.append(f"Its modality is {modality or 'not named'}, not one of {', '.join(MODALITIES)}.")
    if tags.word(source, "SOPClassUID") == DIGITAL_XRAY_RAW:
        reasons.append("It is raw data of the detector, not made for looking at.")
    elif tags.word(source, "SOPClassUID") not in (COMPUTED_RADIOGRAPHY, DIGITAL_XRAY, SECONDARY_CAPTURE):
        reasons.append("It is not stored as a radiograph.")
    reasons += _odd_body_part(film)
    view = view_position(film)
    if tags.word(source, "PatientOrientation") == "R" and view not in LATERAL_VIEWS:
        reasons.append("It is stored mirrored: the patient's right is on the picture's right.")
    if tags.word(source, "BurnedInAnnotation") == "YES":
        reasons.append("Its header says that text is burned into the picture: look for a name.")
    shape = tags.word(source, "PresentationLUTShape")
    if shape not in ("", presentation_shape(film.photometric)):
        reasons.append(
            f"Its header contradicts itself on what is white ({film.photometric}, {shape}); it is shown by "
            "the first."
        )
    if "PixelAspectRatio" in tags.kept(source) and len({float(v) for v in source.PixelAspectRatio}) > 1:
        reasons.append("Its pixels are not square.")
    return reasons


def _odd_body_part(film: DecodedFilm) -> list[str]:
    source, reasons = film.tags, []
    part = tags.word(source, "BodyPartExamined")
    told = " ".join(
        tags.word(source, keyword)
        for keyword in (
            "StudyDescription",
            "SeriesDescription",
            "ProtocolName",
            "AcquisitionDeviceProcessingDescription",
            "InstitutionName",
        )
    )
    if part and not _CHEST.match(part):
        reasons.append(f"Its body part is {part}, not CHEST.")
    if not part and not _CHEST.search(told):
        reasons.append("Its header names no body part.")
    species = tags.word(source, "PatientSpeciesDescription")
    animal = _ANIMAL.search(told)
    if species not in _HUMAN or tags.word(source, "PatientBreedDescription") or animal:
        word = f" ({animal[0].lower()})" if animal else ""
        reasons.append(f"Its header speaks of an animal{word}.")
    return reasons
