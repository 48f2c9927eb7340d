"""The attributes that a film may keep: an allow-list, so that whatever is not named here is dropped.

Display and the models need the first group. The second group is read to make keyed names and shifted dates,
the third to recognise an odd film; neither is ever stored as it came. The fourth, of the machine, is kept
where the profile says so.
"""

import math
import re
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.filewriter import correct_ambiguous_vr
from pydicom.sequence import Sequence

KEPT = (
    "SOPClassUID",
    "ImageType",
    "Modality",
    "PresentationIntentType",
    "PatientSex",
    "PatientAge",
    "BodyPartExamined",
    "ViewPosition",
    "PatientOrientation",
    "Laterality",
    "ImageLaterality",
    "ImagerPixelSpacing",
    "PixelSpacing",
    "NominalScannedPixelSpacing",
    "PixelAspectRatio",
    "EstimatedRadiographicMagnificationFactor",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "WindowCenter",
    "WindowWidth",
    "WindowCenterWidthExplanation",
    "VOILUTFunction",
    "PresentationLUTShape",
    "PixelIntensityRelationship",
    "PixelIntensityRelationshipSign",
    "BurnedInAnnotation",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
KEPT_SEQUENCES = {
    "ModalityLUTSequence": ("LUTDescriptor", "ModalityLUTType", "LUTData"),
    "VOILUTSequence": ("LUTDescriptor", "LUTExplanation", "LUTData"),
}
DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
IDENTIFYING = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "PatientBirthDate",
    *DATES,
)
JUDGED = (
    "ConversionType",
    "PatientPosition",
    "PatientSpeciesDescription",
    "PatientBreedDescription",
    "InstitutionName",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "AcquisitionDeviceProcessingDescription",
)
# What the images of PS3.3 A.2, A.8 and A.26 say of the machine. PS3.15 table E.1-1 lists the first group,
# with K under Retain Device Identity; the second it does not list at all.
DEVICE_LISTED = (
    "StationName",
    "DeviceSerialNumber",
    "DeviceUID",
    "ManufacturerDeviceClassUID",
    "GeneratorID",
    "CassetteID",
    "PlateID",
    "DetectorID",
)
DEVICE_UNLISTED = (
    "Manufacturer",
    "ManufacturerModelName",
    "SoftwareVersions",
    "DetectorType",
    "DetectorManufacturerName",
    "DetectorManufacturerModelName",
)
DEVICE = (*DEVICE_UNLISTED, *DEVICE_LISTED)
READ = (*KEPT, *KEPT_SEQUENCES, *IDENTIFYING, *JUDGED, *DEVICE)

# Beyond its first two values an image type is the maker's own text.
_MAX_VALUES = {"ImageType": 2}
_MAX_LUT_BYTES = 2 * 65536
# What makers call their windows and tables. A name of other words may be a person's, and is replaced.
# fmt: off
_LOOK_WORDS = frozenset((
    "AUTO", "BEST", "BONE", "BRIGHT", "CHEST", "CONTRAST", "DARK", "DEFAULT", "EXACT", "FULL", "GUESS",
    "HARD", "HARDER", "HIGH", "LAT", "LATERAL", "LATITUDE", "LINEAR", "LOW", "LUNG", "LUNGS", "LUT",
    "MEDIASTINUM", "MEDIUM", "NARROW", "NORMAL", "ORIGINAL", "PA", "AP", "RANGE", "SIGMOID", "SOFT",
    "SOFTER", "STANDARD", "TABLE", "TISSUE", "VOI", "WIDE", "WINDOW",
))
# fmt: on
_LOOK_WORD = re.compile(r"([A-Z]*)[0-9]{0,2}")
_MAX_LOOK_NAME = 40
# A code string, into which anybody may have typed a name, is kept where every word of it is one of these:
# defined terms of PS3.3 and PS3.16 annex L, and what makers write beside them.
# fmt: off
_CODES: dict[str, frozenset[str]] = {
    "ImageType": frozenset(("ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY")),
    "Modality": frozenset((
        "AR", "BI", "BMD", "CR", "CT", "DG", "DOC", "DX", "ECG", "EPS", "ES", "FID", "GM", "HC", "HD", "IO",
        "IVUS", "KER", "KO", "LEN", "LS", "M3D", "MG", "MR", "NM", "OAM", "OCT", "OP", "OPT", "OPV", "OT",
        "PR", "PT", "PX", "RESP", "RF", "RG", "RTDOSE", "RTIMAGE", "RTPLAN", "RTSTRUCT", "SC", "SEG", "SM",
        "SR", "TG", "US", "VA", "XA", "XC",
    )),
    "PresentationIntentType": frozenset(("FOR", "PRESENTATION", "PROCESSING")),
    "PatientSex": frozenset(("M", "F", "O")),
    "BodyPartExamined": frozenset((
        "ABDOMEN", "ABDOMENPELVIS", "ACJOINT", "AND", "ANKLE", "AORTA", "ARM", "ATLANTOAXIAL", "BACK",
        "BLADDER", "BODY", "BRAIN", "BREAST", "BRONCHUS", "C", "CALCANEUS", "CALF", "CERVICAL", "CHEST",
        "CHESTABDOMEN", "CHESTABDPELVIS", "CLAVICLE", "COCCYX", "COLON", "CSPINE", "CTSPINE", "CXR",
        "DIAPHRAGM", "ELBOW", "EXTREMITY", "EYE", "FACE", "FACIAL", "FEMUR", "FINGER", "FOOT", "FOREARM",
        "HAND", "HEAD", "HEADNECK", "HEART", "HIP", "HUMERUS", "JAW", "JOINT", "KIDNEY", "KNEE", "L",
        "LARYNX", "LEFT", "LEG", "LIVER", "LOWER", "LSPINE", "LSSPINE", "LUMBAR", "LUNG", "LUNGS", "MANDIBLE",
        "MAXILLA", "MEDIASTINUM", "NECK", "NECKCHEST", "NECKCHESTABDOMEN", "NECKCHESTABDPELV", "NOSE",
        "ORBIT", "PANCREAS", "PART", "PATELLA", "PEDIATRIC", "PELVIS", "PORT", "PORTABLE", "RADIUS", "RIB",
        "RIBCAGE", "RIBS", "RIGHT", "SACRUM", "SCAPULA", "SHOULDER", "SIJOINT", "SINUS", "SKULL", "SPINE",
        "SPLEEN", "SSPINE", "STERNUM", "STOMACH", "T", "THIGH", "THORACIC", "THORAX", "THUMB", "TIBIA",
        "TIBIAFIBULA", "TLSPINE", "TMJOINT", "TOE", "TRACHEA", "TSPINE", "ULNA", "UPPER", "WHOLE",
        "WHOLEBODY", "WRIST",
    )),
    "ViewPosition": frozenset((
        "AP", "AXIAL", "CC", "DECUBITUS", "ERECT", "FRONTAL", "LAO", "LAT", "LATERAL", "LEFT", "LL", "LLD",
        "LLO", "LM", "LORDOTIC", "LPO", "ML", "MLO", "OBL", "OBLIQUE", "PA", "PORTABLE", "PRONE", "RAO",
        "RIGHT", "RL", "RLD", "RLO", "RPO", "SUPINE", "XCCL",
    )),
    "Laterality": frozenset("RLUB"),
    "ImageLaterality": frozenset("RLUB"),
    "VOILUTFunction": frozenset(("LINEAR", "LINEAR_EXACT", "SIGMOID")),
    "PresentationLUTShape": frozenset(("IDENTITY", "INVERSE", "LIN", "OD")),
    "PixelIntensityRelationship": frozenset(("LIN", "LOG", "DISP")),
    "BurnedInAnnotation": frozenset(("YES", "NO")),
    "LossyImageCompression": frozenset(("00", "01")),
    "LossyImageCompressionMethod": frozenset((
        "ISO_10918_1", "ISO_14495_1", "ISO_15444_1", "ISO_15444_15", "ISO_18181_1", "ISO_13818_2",
        "ISO_14496_10", "ISO_23008_2",
    )),
}
# fmt: on
# PS3.3 C.7.6.1.1.1: to which sides the rows and the columns lead.
_ORIENTATION = re.compile(r"[LRAPHF]{1,3}")
_RESCALE_TYPES = {"US", "OD", "HU", "UNSPECIFIED", "Z_EFF"}
_CODE = re.compile(r"[A-Z0-9_ ]{1,16}")
_AGE = re.compile(r"(\d{1,3})([DWMY]?)")
# By type, each as long as PS3.5 table 6.2-1 lets it be.
_OF_DEVICE = {
    "UI": re.compile(r"[0-9.]{1,64}"),
    "CS": re.compile(r"[A-Z0-9_ ]{1,16}"),
    "SH": re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/+:()#&-]{0,15}"),
    "LO": re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/+:()#&-]{0,63}"),
}
# Shorter words of a name occur in those of machines by chance.
_SHORTEST_WORD = 3


def pick(source: Dataset, keywords: tuple[str, ...]) -> Dataset:
    """A new data set with these attributes alone, each as it came; one that can't be read is left out."""
    picked = Dataset()
    for keyword in keywords:
        one = Dataset()
        try:
            if keyword in source:
                one[keyword] = _of_plain_type(source[keyword], source)
                one.to_json_dict()
        except (MemoryError, RecursionError):
            raise
        except Exception:
            # pydicom's parsers raise whatever they meet; a broken attribute is no attribute.
            continue
        picked.update(one)
    return picked


def _of_plain_type(element: DataElement, source: Dataset) -> DataElement:
    """Implicit VR leaves it to the pixels whether a value is US, SS or OW (PS3.5 annex A.1)."""
    around = Dataset()
    around.PixelRepresentation = source.get("PixelRepresentation", 0)
    around.BitsAllocated = source.get("BitsAllocated", 16)
    around[element.tag] = element
    return correct_ambiguous_vr(around, True)[element.tag]


def kept(source: Dataset) -> Dataset:
    """The attributes that may be stored, each with a value its type allows and no free text."""
    result = Dataset()
    for keyword in KEPT:
        values = [_clean(keyword, value) for value in _values(source, keyword)[: _MAX_VALUES.get(keyword)]]
        good = [value for value in values if value is not None]
        if good and len(good) == len(values):
            setattr(result, keyword, good[0] if len(good) == 1 else good)
    for keyword, parts in KEPT_SEQUENCES.items():
        items = [_kept_lut(item, parts) for item in _values(source, keyword) if isinstance(item, Dataset)]
        whole = [item for item in items if item is not None]
        if whole:
            setattr(result, keyword, Sequence(whole))
    _drop_what_cannot_be(result)
    return result


def kept_device(source: Dataset, keywords: tuple[str, ...]) -> Dataset:
    """What these say of the machine, where it looks like a name of one and holds no word of the patient's."""
    result, forbidden = Dataset(), _words_of_patient(source)
    for keyword in keywords:
        values = [str(value).strip() for value in _values(source, keyword)]
        shape = _OF_DEVICE[dictionary_VR(keyword)]
        good = [
            value
            for value in values
            if shape.fullmatch(value) and not any(word in _squeezed(value) for word in forbidden)
        ]
        if good and len(good) == len(values):
            setattr(result, keyword, good[0] if len(good) == 1 else good)
    return result


def _words_of_patient(source: Dataset) -> set[str]:
    """Names, number and birth date, as a machine may have been given them."""
    words: set[str] = set()
    for keyword in ("PatientName", "PatientID", "PatientBirthDate"):
        told = str(source.get(keyword) or "")
        words |= {_squeezed(word) for word in [told, *re.split(r"[\W_]+", told)]}
    return {word for word in words if len(word) >= _SHORTEST_WORD}


def _squeezed(text: str) -> str:
    """Letters and digits alone, in one case."""
    return re.sub(r"[\W_]+", "", text).casefold()


def text(source: Dataset, keyword: str) -> str:
    """One attribute, trimmed; the first of several values; empty where it is absent."""
    values = _values(source, keyword)
    return str(values[0]).strip() if values else ""


def texts(source: Dataset, keyword: str) -> list[str]:
    """All values of one attribute."""
    return [str(value) for value in _values(source, keyword)]


def word(source: Dataset, keyword: str) -> str:
    """The same in upper case, for what is a code or is searched for one."""
    return text(source, keyword).upper()


def _values(source: Dataset, keyword: str) -> list[Any]:
    value = source.get(keyword)
    if value is None or value == "":
        return []
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__") or isinstance(value, Dataset):
        return [value]
    return list(value)


def _clean(keyword: str, value: Any) -> Any:
    """None for a value that must not be kept."""
    vr = dictionary_VR(keyword)
    if keyword == "RescaleType":
        return value if value in _RESCALE_TYPES else "US"
    if keyword == "WindowCenterWidthExplanation":
        return look_name(str(value))
    if vr == "CS":
        return _clean_code(keyword, str(value).strip().upper())
    if vr == "UI":
        return str(value)
    if vr == "AS":
        return _clean_age(str(value).strip().upper())
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not math.isfinite(number):
        return None
    if vr in ("DS", "FD", "FL"):
        return float(f"{number:.10g}")
    return int(number)


def _clean_code(keyword: str, value: str) -> str | None:
    if keyword == "PatientOrientation":
        return value if _ORIENTATION.fullmatch(value) else None
    words = value.split() if keyword != "BodyPartExamined" else value.replace("_", " ").split()
    is_known = bool(words) and set(words) <= _CODES.get(keyword, frozenset())
    return value if is_known and _CODE.fullmatch(value) else None


def look_name(name: str) -> str:
    """A window's or table's name where it holds only words of display, else empty: the text is free."""
    words = re.sub(r"[\s_.-]+", " ", name[: _MAX_LOOK_NAME + 1].upper()).split()
    matches = [_LOOK_WORD.fullmatch(word) for word in words]
    is_plain = all(match and (not match[1] or match[1] in _LOOK_WORDS) for match in matches)
    return " ".join(words) if is_plain and len(name) <= _MAX_LOOK_NAME else ""


def _clean_age(value: str) -> str | None:
    """`081Y`; who is older than 89 years becomes 90 (45 CFR 164.514 (b)(2)(i)(C))."""
    match = _AGE.fullmatch(value)
    if match is None:
        return None
    number, unit = int(match[1]), match[2] or "Y"
    return f"{min(number, 90) if unit == 'Y' else number:03d}{unit}"


def decade_of(age: str) -> str:
    """`063Y` becomes `060Y`; who is younger than ten years becomes `000Y`. `age` as `kept` gives it."""
    return f"{int(age[:3]) // 10 * 10:03d}Y" if age.endswith("Y") else "000Y"


def _kept_lut(item: Dataset, parts: tuple[str, ...]) -> Dataset | None:
    descriptor, data = item.get("LUTDescriptor"), item.get("LUTData")
    if data is None or descriptor is None or len(descriptor) != 3:
        return None
    raw = data if isinstance(data, bytes) else b"".join(int(v).to_bytes(2, "little") for v in data)
    if not 0 < len(raw) <= _MAX_LUT_BYTES:
        return None
    length, first, bits = (int(value) for value in descriptor)
    # Of the three only the second is ever negative, whatever type the element has.
    length, bits = length & 0xFFFF, bits & 0xFFFF
    lut = Dataset()
    if "ModalityLUTType" in parts:
        lut.ModalityLUTType = "US"
        # Real films say 12 here; only 8 and 16 are allowed, and this one says no more than the word's size
        # (PS3.3 C.11.1.1.1).
        bits = 8 if bits == 8 else 16
    if "LUTExplanation" in parts and look_name(str(item.get("LUTExplanation") or "")):
        lut.LUTExplanation = look_name(str(item.LUTExplanation))
    lut.add(DataElement("LUTDescriptor", "US" if first >= 0 else "SS", [length, first, bits]))
    lut.add(DataElement("LUTData", "OW", raw))
    return lut


def _drop_what_cannot_be(film: Dataset) -> None:
    """A spacing of nothing, a window without width: real films hold them, and viewers divide by them."""
    for keyword in ("ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio"):
        pair = film.get(keyword)
        if pair is not None and (
            isinstance(pair, str | float) or len(pair) != 2 or min(map(float, pair)) <= 0
        ):
            del film[keyword]
    centers, widths = _values(film, "WindowCenter"), _values(film, "WindowWidth")
    if len(centers) != len(widths) or any(float(width) <= 0 for width in widths):
        for keyword in ("WindowCenter", "WindowWidth"):
            if keyword in film:
                del film[keyword]
    names = _values(film, "WindowCenterWidthExplanation")
    if names and (len(names) != len(centers) or "WindowCenter" not in film or not any(names)):
        del film["WindowCenterWidthExplanation"]
    if "RescaleSlope" in film and float(film.RescaleSlope) == 0:
        del film["RescaleSlope"], film["RescaleIntercept"]
    if len(_values(film, "ImageType")) == 1:
        del film["ImageType"]
