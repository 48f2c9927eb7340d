"""Writes the film that screens and models are given: de-identified, losslessly compressed, read anywhere."""

import shutil
import struct
from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, HTJ2KLossless

from deepmedix_review.studies.intake.decoding import DecodedFilm
from deepmedix_review.studies.intake.deidentification import Identity, deidentify, say_cleaned
from deepmedix_review.studies.intake.profiles import Profile

SECONDARY_CAPTURE = UID("1.2.840.10008.5.1.4.1.1.7")
COMPUTED_RADIOGRAPHY = UID("1.2.840.10008.5.1.4.1.1.1")
DIGITAL_XRAY = UID("1.2.840.10008.5.1.4.1.1.1.1")
DIGITAL_XRAY_RAW = UID("1.2.840.10008.5.1.4.1.1.1.1.1")
_WRITTEN_CLASSES = (COMPUTED_RADIOGRAPHY, DIGITAL_XRAY, DIGITAL_XRAY_RAW)
# A UID of this platform's own, under 2.25, for the file's meta header (PS3.10, 7.1).
_IMPLEMENTATION_UID = UID("2.25.227849023716519186440927345138461033562")
_ITEM, _END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_PIECE_BYTES = 1 << 20
# Type 2 attributes: they must be there, and may be empty.
_EMPTY = (
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyID",
    "SeriesNumber",
    "InstanceNumber",
    "PatientBirthDate",
    "PatientSex",
    "Manufacturer",
)
_EMPTY_CR = ("BodyPartExamined", "ViewPosition", "PatientOrientation")
_EMPTY_DX = ("PatientOrientation", "DetectorType", "PositionerType")
# Type 1 attributes of a DX image that nobody can guess: without them it is written as a secondary capture.
_NEEDED_DX = (
    "ImageType",
    "PixelIntensityRelationship",
    "PixelIntensityRelationshipSign",
    "BurnedInAnnotation",
)


def write_display_film(path: Path, film: DecodedFilm, identity: Identity, *, profile: Profile) -> Dataset:
    """The same film gives the same bytes. Returns what was written, without its pixels."""
    dataset = deidentify(film.tags, identity, profile=profile)
    _complete(dataset)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = film.photometric
    dataset.Rows, dataset.Columns = film.rows, film.columns
    dataset.BitsAllocated = 8 if film.bits_stored <= 8 and not film.is_signed else 16
    dataset.BitsStored, dataset.HighBit = film.bits_stored, film.bits_stored - 1
    dataset.PixelRepresentation = int(film.is_signed)
    if "PresentationLUTShape" in dataset or dataset.SOPClassUID in (DIGITAL_XRAY, DIGITAL_XRAY_RAW):
        dataset.PresentationLUTShape = presentation_shape(film.photometric)
    if film.num_frames > 1:
        dataset.NumberOfFrames = film.num_frames
    _retype(dataset, is_signed=film.is_signed)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = HTJ2KLossless
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.ImplementationClassUID = _IMPLEMENTATION_UID
    _write(path, dataset, film.frames)
    return dataset


def write_cleaned_film(path: Path, film: DecodedFilm, *, stored: Path) -> None:
    """The film that is `stored` with the frames of `film`, whose text is overwritten; all else stays."""
    dataset = dcmread(stored, stop_before_pixels=True)
    if (dataset.Rows, dataset.Columns) != (film.rows, film.columns):
        raise ValueError("the frames are of another size than the stored film")
    say_cleaned(dataset)
    _write(path, dataset, film.frames)


def _write(path: Path, dataset: Dataset, frames: tuple[Path, ...]) -> None:
    """A film's pixels come last of what is kept of it. pydicom would copy them several times on the way."""
    dataset.save_as(path, enforce_file_format=True)
    with path.open("ab") as file:
        _append_frames(file, frames)


def _append_frames(file: BinaryIO, frames: tuple[Path, ...]) -> None:
    """PS3.5, A.4: an item with where each frame's lies, one item a frame, and an end."""
    sizes = [frame.stat().st_size for frame in frames]
    file.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF))
    file.write(struct.pack("<HHI", *_ITEM, 4 * len(frames)))
    offset = 0
    for size in sizes:
        file.write(struct.pack("<I", offset))
        offset += 8 + size + size % 2
    for frame, size in zip(frames, sizes, strict=True):
        file.write(struct.pack("<HHI", *_ITEM, size + size % 2))
        with frame.open("rb") as pixels:
            shutil.copyfileobj(pixels, file, _PIECE_BYTES)
        file.write(bytes(size % 2))
    file.write(struct.pack("<HHI", *_END, 0))


def presentation_shape(photometric: str) -> str:
    """What the shape must be beside this polarity (PS3.3 C.8.11.3.1.2)."""
    return "INVERSE" if photometric == "MONOCHROME1" else "IDENTITY"


def _complete(dataset: Dataset) -> None:
    """What its kind of object must hold (PS3.3 annexes A.2, A.8, A.26), where the source did not say it."""
    kind = UID(dataset.get("SOPClassUID", ""))
    is_dx = kind in (DIGITAL_XRAY, DIGITAL_XRAY_RAW)
    if (is_dx and any(keyword not in dataset for keyword in _NEEDED_DX)) or kind not in _WRITTEN_CLASSES:
        dataset.SOPClassUID, is_dx = SECONDARY_CAPTURE, False
        dataset.ConversionType = "WSD"
    _fill(dataset, _EMPTY)
    dataset.Modality = dataset.get("Modality") or "OT"
    if is_dx:
        _complete_dx(dataset)
    elif dataset.SOPClassUID == COMPUTED_RADIOGRAPHY:
        _fill(dataset, _EMPTY_CR)
    else:
        _fill(dataset, ("PatientOrientation",))
    # A chest is no paired body part; one that is not named may be (PS3.3 C.7.3.1).
    if dataset.get("BodyPartExamined"):
        dataset.pop("Laterality", None)
    else:
        _fill(dataset, ("Laterality",))


def _complete_dx(dataset: Dataset) -> None:
    _fill(dataset, _EMPTY_DX)
    dataset.AcquisitionContextSequence = Sequence()
    dataset.AnatomicRegionSequence = Sequence([_thorax()] if dataset.get("BodyPartExamined") else [])
    dataset.PresentationIntentType = (
        "FOR PROCESSING" if dataset.SOPClassUID == DIGITAL_XRAY_RAW else "FOR PRESENTATION"
    )
    if "ModalityLUTSequence" not in dataset:
        dataset.RescaleIntercept = dataset.get("RescaleIntercept", 0)
        dataset.RescaleSlope = dataset.get("RescaleSlope", 1)
        dataset.RescaleType = dataset.get("RescaleType", "US")
    dataset.LossyImageCompression = dataset.get("LossyImageCompression", "00")


def _thorax() -> Dataset:
    """PS3.16, context group 4009."""
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = "51185008", "SCT", "Thorax"
    return region


def _fill(dataset: Dataset, keywords: tuple[str, ...]) -> None:
    for keyword in keywords:
        if keyword not in dataset:
            setattr(dataset, keyword, None)


def _retype(dataset: Dataset, *, is_signed: bool) -> None:
    """Pixel values in the header have the pixels' own sign (PS3.5, 6.2: US or SS)."""
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        if keyword in dataset:
            value = int(dataset[keyword].value)
            dataset[keyword].VR = "SS" if is_signed else "US"
            dataset[keyword].value = value if is_signed else value & 0xFFFF
