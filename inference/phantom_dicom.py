"""Writes a drawn chest film as the DICOM object that a digital X-ray unit would send, of no real patient.

The object is a Digital X-Ray Image For Presentation (DICOM PS3.3, A.26), encoded losslessly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

from inference.phantoms import SITES, Phantom, draw_phantom

TRANSFER_SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg-lossless": JPEGLossless,
    "jpeg-ls": JPEGLSLossless,
    "jpeg-2000": JPEG2000Lossless,
    "htj2k": HTJ2KLossless,
}
# SNOMED CT's codes, PS3.16 context group 4010.
_VIEWS = {
    "PA": ("399348003", "SCT", "postero-anterior"),
    "AP": ("399067008", "SCT", "antero-posterior"),
}
BITS_STORED = (8, 10, 12, 14)
DETECTOR_MM = 400.0
IMPLEMENTATION_UID = UID("2.25.293541670211357309868571943518012743521")


@dataclass(frozen=True)
class FilmEncoding:
    """How a film is stored; `transfer_syntax` is a key of TRANSFER_SYNTAXES."""

    photometric: Literal["MONOCHROME1", "MONOCHROME2"] = "MONOCHROME2"
    bits_stored: int = 12
    transfer_syntax: str = "explicit"

    def __post_init__(self) -> None:
        if self.photometric not in ("MONOCHROME1", "MONOCHROME2"):
            raise ValueError(f"A film is MONOCHROME1 or MONOCHROME2, not {self.photometric}.")
        if self.bits_stored not in BITS_STORED:
            raise ValueError(f"A film is stored in {BITS_STORED} bits, not in {self.bits_stored}.")
        if self.transfer_syntax not in TRANSFER_SYNTAXES:
            known = ", ".join(TRANSFER_SYNTAXES)
            raise ValueError(f"There is no transfer syntax {self.transfer_syntax!r}; there are {known}.")


@dataclass(frozen=True)
class Visit:
    """When and how the patient was filmed. Films of one patient differ in their visit alone.

    `study_date`: without it the seed's own. `take`: 1, 2, … are further films of the same study.
    `is_earlier`: a study of its own from before the lesions came; give it an earlier date.
    """

    study_date: date | None = None
    take: int = 0
    is_earlier: bool = False
    view_position: Literal["PA", "AP"] = "PA"


_FIRST_VISIT = Visit()


def encoding_of(seed: int) -> FilmEncoding:
    """The encoding that this seed's film comes in, so that a folder of films holds every kind."""
    syntaxes = ("explicit", "rle", "jpeg-ls", "htj2k", "jpeg-2000", "jpeg-lossless", "implicit", "deflated")
    return FilmEncoding(
        photometric="MONOCHROME1" if seed % 3 == 2 else "MONOCHROME2",
        bits_stored=BITS_STORED[(seed // 2) % len(BITS_STORED)],
        transfer_syntax=syntaxes[seed % len(syntaxes)],
    )


def write_phantom_dicom(
    path: str | Path,
    *,
    seed: int,
    size: int = 1024,
    site: str = "first",
    encoding: FilmEncoding | None = None,
    patient_name: str | None = None,
    patient_id: str | None = None,
    visit: Visit = _FIRST_VISIT,
) -> Phantom:
    """Draw the patient `seed` at `size` x `size` pixels and write the film; returns what was drawn.

    UIDs follow from seed, site, size, encoding and visit: the same call writes the same object. Without
    `encoding` the seed decides it. All visits of a seed at one site are one patient's.
    """
    phantom = draw_phantom(
        seed=seed, width=size, height=size, site=site, take=visit.take, is_earlier=visit.is_earlier
    )
    how = encoding or encoding_of(seed)
    stored = stored_pixels(phantom, how)
    name = patient_name or f"Phantom^{site.title()} {seed}"
    number = patient_id or _patient_id(seed, site)
    dataset = _film(phantom, how, visit, name, number)
    _put_pixels(dataset, stored, how)
    dataset.save_as(path, enforce_file_format=True)
    return phantom


@dataclass(frozen=True)
class PhantomIdentity:
    """How every film of a patient names them, and the study of their first visit."""

    patient_id: str
    study_instance_uid: str


def identity_of(seed: int, site: str) -> PhantomIdentity:
    """Of the patient `seed` of `site`, without drawing anybody."""
    return PhantomIdentity(_patient_id(seed, site), str(_uid(*_case(seed, site, _FIRST_VISIT), "study")))


def _patient_id(seed: int, site: str) -> str:
    """The first site's numbers are bare; a seed of another site is another patient."""
    return f"PHANTOM-{'' if site == 'first' else f'{site.upper()}-'}{seed}"


def stored_pixels(phantom: Phantom, encoding: FilmEncoding) -> NDArray[np.unsignedinteger[Any]]:
    """The film's values as they are stored: 0 to 2^bits - 1, reversed for MONOCHROME1."""
    top = 2**encoding.bits_stored - 1
    values = np.round(phantom.pixels * top)
    if encoding.photometric == "MONOCHROME1":
        values = top - values
    depth = np.uint8 if encoding.bits_stored == 8 else np.uint16
    stored: NDArray[np.unsignedinteger[Any]] = values.astype(depth)
    return stored


def _uid(*parts: object) -> UID:
    """A UID under 2.25 (PS3.5, B.2) that follows from its parts."""
    digest = sha256("/".join(str(part) for part in parts).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:15])}")


def _film(
    phantom: Phantom, encoding: FilmEncoding, visit: Visit, patient_name: str, patient_id: str
) -> FileDataset:
    syntax = TRANSFER_SYNTAXES[encoding.transfer_syntax]
    case = _case(phantom.seed, phantom.site, visit)
    instance = _uid(*case, phantom.width, encoding, *([f"take {visit.take}"] if visit.take else []))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = "DEEPMEDIX"
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID = DigitalXRayImageStorageForPresentation
    ds.SOPInstanceUID = instance
    _put_patient_and_study(ds, phantom, visit, patient_name, patient_id)
    ds.SeriesInstanceUID = _uid(*case, "series", encoding)
    ds.SeriesNumber = 1
    ds.InstanceNumber = 1 + visit.take
    _put_acquisition(ds, phantom, visit)
    _put_grey_levels(ds, phantom, encoding)
    return ds


def _case(seed: int, site: str, visit: Visit) -> tuple[object, ...]:
    """What all films of one study share."""
    drawing = SITES[site].drawing
    again = [f"drawing {drawing}"] if drawing > 1 else []
    return ("phantom", site, seed, *again, *(["earlier"] if visit.is_earlier else []))


def _put_patient_and_study(
    ds: Dataset, phantom: Phantom, visit: Visit, patient_name: str, patient_id: str
) -> None:
    case = _case(phantom.seed, phantom.site, visit)
    ds.PatientName = patient_name
    ds.PatientID = patient_id
    ds.PatientBirthDate = f"{1940 + phantom.seed % 50}0101"
    ds.PatientSex = "F" if phantom.seed % 2 else "M"
    ds.StudyInstanceUID = _uid(*case, "study")
    ds.StudyID = str(phantom.seed)
    ds.AccessionNumber = f"P{phantom.seed}"
    ds.StudyDescription = "Chest radiograph, drawn"
    ds.ReferringPhysicianName = ""
    when = visit.study_date or date(2026, 1 + phantom.seed % 12, 1 + phantom.seed % 28)
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        setattr(ds, keyword, when.strftime("%Y%m%d"))
    for keyword in ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime"):
        setattr(ds, keyword, f"{8 + phantom.seed % 10:02d}{phantom.seed % 60:02d}00")


def _put_acquisition(ds: Dataset, phantom: Phantom, visit: Visit) -> None:
    """The DX series, anatomy, detector and positioning modules (PS3.3, C.8.11)."""
    ds.Modality = "DX"
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.SeriesDescription = visit.view_position
    ds.Manufacturer = "DeepMedix Review"
    ds.ManufacturerModelName = f"Phantom, {phantom.site} site"
    ds.DeviceSerialNumber = "0"
    ds.SoftwareVersions = "1"
    ds.ImageType = ["ORIGINAL", "PRIMARY", ""]
    ds.AcquisitionNumber = 1
    ds.BodyPartExamined = "CHEST"
    ds.ViewPosition = visit.view_position
    ds.PatientOrientation = ["L", "F"]
    ds.ImageLaterality = "U"
    ds.AnatomicRegionSequence = Sequence([_code("816094009", "SCT", "Chest")])
    view = _code(*_VIEWS[visit.view_position])
    view.ViewModifierCodeSequence = Sequence([])
    ds.ViewCodeSequence = Sequence([view])
    ds.AcquisitionContextSequence = Sequence([])
    ds.PatientPosition = ""
    ds.DetectorType = "DIRECT"
    ds.DetectorConfiguration = "AREA"
    ds.DetectorID = "PHANTOM"
    ds.PositionerType = "NONE"
    spacing = f"{DETECTOR_MM / phantom.width:.6g}"
    ds.ImagerPixelSpacing = [spacing, spacing]
    ds.PixelSpacing = [spacing, spacing]
    ds.FieldOfViewShape = "RECTANGLE"
    ds.KVP = "120"


def _put_grey_levels(ds: Dataset, phantom: Phantom, encoding: FilmEncoding) -> None:
    """The image pixel, DX image and VOI LUT modules: one window over the whole range."""
    top = 2**encoding.bits_stored
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = encoding.photometric
    ds.Rows, ds.Columns = phantom.height, phantom.width
    ds.BitsAllocated = 8 if encoding.bits_stored == 8 else 16
    ds.BitsStored = encoding.bits_stored
    ds.HighBit = encoding.bits_stored - 1
    ds.PixelRepresentation = 0
    ds.PixelIntensityRelationship = "LOG"
    ds.PixelIntensityRelationshipSign = 1 if encoding.photometric == "MONOCHROME1" else -1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.PresentationLUTShape = "INVERSE" if encoding.photometric == "MONOCHROME1" else "IDENTITY"
    ds.LossyImageCompression = "00"
    ds.BurnedInAnnotation = "NO"
    ds.WindowCenter, ds.WindowWidth = str(top // 2), str(top)
    ds.WindowCenterWidthExplanation = "NORMAL"


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _put_pixels(ds: FileDataset, stored: NDArray[np.unsignedinteger[Any]], encoding: FilmEncoding) -> None:
    syntax = TRANSFER_SYNTAXES[encoding.transfer_syntax]
    if not syntax.is_encapsulated:
        raw = stored.tobytes()
        ds.PixelData = raw + b"\0" * (len(raw) % 2)
        ds["PixelData"].VR = "OW" if ds.BitsAllocated == 16 else "OB"
    elif encoding.transfer_syntax in ("htj2k", "jpeg-lossless"):
        ds.PixelData = encapsulate([_encode(stored, encoding)])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
    else:
        ds.compress(syntax, stored, generate_instance_uid=False)


def _encode(stored: NDArray[np.unsignedinteger[Any]], encoding: FilmEncoding) -> bytes:
    """The two syntaxes that pydicom reads but does not write."""
    if encoding.transfer_syntax == "htj2k":
        return bytes(imagecodecs.htj2k_encode(stored))
    return bytes(imagecodecs.ljpeg_encode(stored, bitspersample=encoding.bits_stored))
