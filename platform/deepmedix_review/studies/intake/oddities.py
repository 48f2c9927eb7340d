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
from deepmedix_review.studies.intake.odd import Oddity, OddKind

MODALITIES = ("CR", "DX", "RG")
FRONTAL_VIEWS = ("PA", "AP")
LATERAL_VIEWS = ("LL", "RL", "LAT", "LATERAL")
_CHEST = re.compile(r"\b(CHEST|THORAX|CXR)")
_ANIMAL = re.compile(r"\b(CANINE|FELINE|EQUINE|BOVINE|DOG|CAT|HORSE|VETERINAR\w*|ANIMAL)\b")
# The longer side: less than the chest of the smallest newborn, more than two detectors in a row.
SMALLEST_MM, LARGEST_MM = 40, 900
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


def find_oddities(film: DecodedFilm, *, smallest_side: int) -> list[Oddity]:
    """Empty for a plain chest film. `smallest_side`: a film has as many pixels a side, or too few."""
    found = [] if film.content is not Content.DICOM else _odd_tags(film)
    view = view_position(film)
    if view and view not in FRONTAL_VIEWS + LATERAL_VIEWS:
        found.append(Oddity(OddKind.VIEW, f"Its view is {view}, not PA, AP or lateral."))
    if film.num_frames > 1:
        found.append(Oddity(OddKind.ENCODING, f"It holds {film.num_frames} pictures; a film is one."))
    if film.held_bits_more:
        values = "Its values are larger than its header allows, so its greys may be wrong."
        found.append(Oddity(OddKind.ENCODING, values))
    if film.is_blank:
        found.append(Oddity(OddKind.BLANK, "It is blank: one grey in its middle, or noise alone."))
    elif film.looks_inverted and view not in LATERAL_VIEWS:
        found.append(
            Oddity(
                OddKind.POLARITY,
                "Its greys look reversed: bone seems dark. Its polarity (MONOCHROME1 or 2) may be tagged "
                "wrong.",
            )
        )
    return found + _odd_size(film, smallest_side=smallest_side)


def _odd_tags(film: DecodedFilm) -> list[Oddity]:
    source, found = film.tags, []
    modality = tags.word(source, "Modality")
    if modality not in MODALITIES:
        named = f"Its modality is {modality or 'not named'}, not one of {', '.join(MODALITIES)}."
        found.append(Oddity(OddKind.BODY_PART, named))
    if tags.word(source, "SOPClassUID") == DIGITAL_XRAY_RAW:
        found.append(Oddity(OddKind.ENCODING, "It is raw data of the detector, not made for looking at."))
    elif tags.word(source, "SOPClassUID") not in (COMPUTED_RADIOGRAPHY, DIGITAL_XRAY, SECONDARY_CAPTURE):
        found.append(Oddity(OddKind.ENCODING, "It is not stored as a radiograph."))
    found += [Oddity(OddKind.BODY_PART, sentence) for sentence in _odd_body_part(film)]
    found += [Oddity(OddKind.LATERALITY, sentence) for sentence in _odd_side(film)]
    if tags.word(source, "BurnedInAnnotation") == "YES":
        burned_in = "Its header says that text is burned into the picture: look for a name."
        found.append(Oddity(OddKind.NAME, burned_in))
    shape = tags.word(source, "PresentationLUTShape")
    if shape not in ("", presentation_shape(film.photometric)):
        found.append(
            Oddity(
                OddKind.POLARITY,
                f"Its header contradicts itself on what is white ({film.photometric}, {shape}); it is shown "
                "by the first.",
            )
        )
    if "PixelAspectRatio" in tags.kept(source) and len({float(v) for v in source.PixelAspectRatio}) > 1:
        found.append(Oddity(OddKind.RESOLUTION, "Its pixels are not square."))
    return found


def _odd_side(film: DecodedFilm) -> list[str]:
    """What a header says of left and right that no upright chest film has, or that its view denies. Letters
    in the picture are not read."""
    view = view_position(film)
    is_frontal, is_lateral = view in FRONTAL_VIEWS, view in LATERAL_VIEWS
    reasons = []
    row, column = _orientation(film)
    if row[:1] == "R" and not is_lateral:
        reasons.append("It is stored mirrored: the patient's right is on the picture's right.")
    elif is_frontal and row[:1] in ("A", "P"):
        reasons.append(f"Its header contradicts itself: its view is {view}, its orientation a lateral's.")
    elif is_lateral and row[:1] in ("L", "R"):
        reasons.append(f"Its header contradicts itself: its view is {view}, its orientation a frontal's.")
    if column[:1] == "H":
        reasons.append("It is stored upside down: the head is at the bottom.")
    side = tags.word(film.tags, "ImageLaterality") or tags.word(film.tags, "Laterality")
    if side in ("L", "R") and is_frontal:
        reasons.append(f"Its header says that it shows one side alone ({side}), which no frontal chest does.")
    elif side in ("L", "R") and view in ("LL", "RL") and view[0] != side:
        reasons.append(
            f"Its header contradicts itself on the side: its view is {view}, its laterality {side}."
        )
    return reasons


def _orientation(film: DecodedFilm) -> tuple[str, str]:
    """Where the picture's right edge and its lower edge lie in the patient (PS3.3 C.7.6.1.1.1)."""
    edges = [edge.strip().upper() for edge in tags.texts(film.tags, "PatientOrientation")]
    return (edges[0] if edges else "", edges[1] if len(edges) > 1 else "")


def _odd_size(film: DecodedFilm, *, smallest_side: int) -> list[Oddity]:
    found = []
    if min(film.rows, film.columns) < smallest_side:
        small = f"It has {film.columns} x {film.rows} pixels, too few to be read: less than {smallest_side}."
        found.append(Oddity(OddKind.RESOLUTION, small))
    kept = tags.kept(film.tags)
    spacing = kept.get("PixelSpacing") or kept.get("ImagerPixelSpacing")
    if spacing is not None:
        sides = [float(mm) * pixels for mm, pixels in zip(spacing, (film.rows, film.columns), strict=True)]
        if max(sides) > LARGEST_MM or max(sides) < SMALLEST_MM:
            found.append(
                Oddity(
                    OddKind.RESOLUTION,
                    f"By its pixel spacing it is {sides[1]:.0f} x {sides[0]:.0f} mm large, which no chest "
                    "film is: lengths on it would be wrong.",
                )
            )
    return found


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
