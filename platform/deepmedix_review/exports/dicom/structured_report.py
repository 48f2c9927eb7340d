"""One reader's word on one output as a structured report of DICOM (PS3.16, TID 1500)."""

from typing import Any

import numpy as np
from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom import Dataset
from pydicom.sr.codedict import codes as standard
from pydicom.sr.coding import Code as StandardCode
from pydicom.uid import ComprehensiveSRStorage

from deepmedix_review.exports.dicom.codes import SCHEME, SCHEME_NAME, Code
from deepmedix_review.exports.dicom.film import MAKER, date_by, made_of
from deepmedix_review.exports.dicom.marked import Box, Group, Marked
from deepmedix_review.exports.pseudonyms import object_uid

WHAT = "structured report"
SERIES_NUMBER = 901
# PS3.16: context group 100 has no plain chest film.
PROCEDURE = StandardCode("399208008", "SCT", "Plain X-ray of chest")
_PROJECTIONS = ("CR", "DX")


def structured_report(marked: Marked, film: Dataset) -> Dataset:
    """A Comprehensive SR: regions are in pixels of one film, so coordinates in space would say nothing.

    `film`: see `dicom_film.film_of`. The same reading gives the same object.
    """
    report = sr.MeasurementReport(
        observation_context=_observers(marked),
        procedure_reported=PROCEDURE,
        imaging_measurements=[_measured(group, marked, film) for group in marked.groups],
        title=standard.DCM.ImagingMeasurementReport,
        referenced_images=[_described(film)],
    )
    document = sr.ComprehensiveSR(
        evidence=[film],
        content=report[0],
        is_complete=True,
        is_final=True,
        previous_versions=_previous(marked, film),
        coding_schemes=[CodingSchemeIdentificationItem(SCHEME, SCHEME_NAME, responsible_organization=MAKER)],
        **made_of(marked, WHAT, series_number=SERIES_NUMBER),
    )
    date_by(document, marked.signed_at)
    document.ContentDate = document.InstanceCreationDate
    document.ContentTime = document.InstanceCreationTime
    return document


def _observers(marked: Marked) -> sr.ObservationContext:
    """TID 1001: the reader as a person by pseudonym, the model as a device."""
    model = marked.model
    return sr.ObservationContext(
        observer_person_context=sr.ObserverContext(
            observer_type=standard.DCM.Person,
            observer_identifying_attributes=sr.PersonObserverIdentifyingAttributes(name=marked.reader),
        ),
        observer_device_context=sr.ObserverContext(
            observer_type=standard.DCM.Device,
            observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
                uid=object_uid(b"model", model.sha256),
                name=str(model),
                manufacturer_name=MAKER,
                model_name=model.name,
            ),
        ),
    )


def _measured(
    group: Group, marked: Marked, film: Dataset
) -> sr.PlanarROIMeasurementsAndQualitativeEvaluations | sr.MeasurementsAndQualitativeEvaluations:
    """TID 1410 where there is a region, else TID 1501, each with the text that it is about."""
    about: dict[str, Any] = {
        "tracking_identifier": sr.TrackingIdentifier(uid=group.uid, identifier=group.name),
        "session": marked.name,
        "finding_category": _coded(group.kind),
        "algorithm_id": _algorithm(marked) if group.is_models else None,
        "qualitative_evaluations": [
            sr.QualitativeEvaluation(name=_coded(name), value=_coded(value)) for name, value in group.said
        ],
    }
    measured: sr.PlanarROIMeasurementsAndQualitativeEvaluations | sr.MeasurementsAndQualitativeEvaluations
    if group.box is None:
        source = sr.SourceImageForMeasurementGroup(film.SOPClassUID, film.SOPInstanceUID, _frames(film))
        measured = sr.MeasurementsAndQualitativeEvaluations(**about, source_images=[source])
    else:
        measured = sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            **about, referenced_region=_region(group.box, film)
        )
    if group.text:
        # A finding would be a code (TID 1501, row 4), and viewers take it for one.
        words = sr.TextContentItem(standard.DCM.Comment, group.text, sr.RelationshipTypeValues.CONTAINS)
        measured[0].ContentSequence.append(words)
    return measured


def _region(box: Box, film: Dataset) -> sr.ImageRegion:
    """A rectangle as a closed polyline, from its upper left corner clockwise (PS3.3 C.18.6.1.2)."""
    x_min, y_min, x_max, y_max = box
    return sr.ImageRegion(
        graphic_type=sr.GraphicTypeValues.POLYLINE,
        graphic_data=np.array(
            [(x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max), (x_min, y_min)]
        ),
        source_image=sr.SourceImageForRegion(film.SOPClassUID, film.SOPInstanceUID, _frames(film)),
    )


def _frames(film: Dataset) -> list[int] | None:
    """Models are given the first frame of a film that has several."""
    return [1] if int(film.get("NumberOfFrames") or 1) > 1 else None


def _algorithm(marked: Marked) -> sr.AlgorithmIdentification:
    """TID 4019. Of a control, that its output is not as the model wrote it."""
    model, alteration = marked.model, marked.completion.alteration
    return sr.AlgorithmIdentification(
        name=model.name,
        version=str(model),
        parameters=[
            f"{model.sha256_of} sha256 {model.sha256}",
            *([f"altered: {alteration}"] if alteration else []),
        ],
    )


def _described(film: Dataset) -> Dataset:
    """For the image library (TID 1600). What TID 1603 says of a projection is said where the film says it."""
    described = Dataset()
    for keyword in ("SOPClassUID", "SOPInstanceUID", "Rows", "Columns"):
        described[keyword] = film[keyword]
    spacing, orientation = film.get("ImagerPixelSpacing"), film.get("PatientOrientation")
    described.Modality = "OT"
    if film.Modality in _PROJECTIONS and spacing and orientation and len(orientation) == 2:
        described.Modality = film.Modality
        described.ImagerPixelSpacing, described.PatientOrientation = spacing, orientation
    return described


def _previous(marked: Marked, film: Dataset) -> list[Dataset] | None:
    """Of an amendment, the report on the reading that it amends."""
    before = marked.amended
    if before is None:
        return None
    report = Dataset()
    report.StudyInstanceUID = film.StudyInstanceUID
    report.SeriesInstanceUID = before.uid(f"{WHAT} series")
    report.SOPClassUID = ComprehensiveSRStorage
    report.SOPInstanceUID = before.uid(WHAT)
    return [report]


def _coded(code: Code) -> sr.CodedConcept:
    return sr.CodedConcept(code.value, SCHEME, code.meaning)
