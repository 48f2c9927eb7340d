"""Finds studies, series and instances by their attributes, for who may see them (QIDO-RS, PS3.18 section
10.6).

A search counts nothing and reads no file: the primary keys of one page by an index, then their rows, then
what their studies hold, each in one query.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.dicomweb.attributes import ATTRIBUTES, Attribute, Level
from deepmedix_review.studies.dicomweb.film_file import TRANSFER_SYNTAXES
from deepmedix_review.studies.dicomweb.matching import Anything, Matching
from deepmedix_review.studies.dicomweb.query import Search
from deepmedix_review.studies.models import Instance, Series, Study
from deepmedix_review.studies.selectors import visible_studies

# From a level's rows to those of its parents.
_WAYS = {
    Level.STUDY: {Level.STUDY: ""},
    Level.SERIES: {Level.STUDY: "study__", Level.SERIES: ""},
    Level.INSTANCE: {Level.STUDY: "series__study__", Level.SERIES: "series__", Level.INSTANCE: ""},
}
# As the JSON model wants them (PS3.18, F.2.2).
_BY_TAG = sorted(ATTRIBUTES.values(), key=lambda attribute: attribute.tag)
_OF_THE_STUDY = {"ModalitiesInStudy", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"}


@dataclass(frozen=True)
class Results:
    """In the DICOM JSON model (PS3.18 annex F). `has_more`: the search matches more than were shown."""

    rows: list[dict[str, Any]]
    has_more: bool


@dataclass
class Contents:
    """What a study holds, or a series: how many, of what kind, and how many of its films' files are
    missed."""

    modalities: set[str] = field(default_factory=set)
    num_series: int = 0
    num_instances: int = 0
    num_missed: int = 0


def served_studies(user: User) -> QuerySet[Study]:
    """Those in use among what the user may see: what is held, rejected or not looked at yet leaves for
    nobody."""
    return visible_studies(user).filter(state=Study.State.READY)


def search(user: User, asked: Search, *, address: str) -> Results:
    """The newest come first. `address`: of the service, as the client calls it, for RetrieveURL."""
    keys = _matching_keys(user, asked)
    has_more = len(keys) > asked.limit
    rows = _rows(asked.level, keys[: asked.limit])
    series_of, studies = _contents(asked, rows)
    return Results([_result(row, asked.shown, series_of, studies, address) for row in rows], has_more)


def _matching_keys(user: User, asked: Search) -> list[int]:
    """Of one page, and one more where there are more."""
    ways = _WAYS[asked.level]
    served = served_studies(user)
    found: QuerySet[Any]
    if asked.level is Level.STUDY:
        found = served
    else:
        model: type[Series] | type[Instance] = Series if asked.level is Level.SERIES else Instance
        found = model.objects.filter(**{f"{ways[Level.STUDY]}in": served})
    for attribute, matching in asked.asked:
        found = found.filter(_condition(attribute, matching, way=ways[attribute.level]))
    page = found.order_by("-pk").values_list("pk", flat=True)
    return list(page[asked.offset : asked.offset + asked.limit + 1])


def _condition(attribute: Attribute, matching: Matching, *, way: str) -> Q:
    if isinstance(matching, Anything):
        return Q()
    if attribute.keyword == "ModalitiesInStudy":
        of_study = Series.objects.filter(study=OuterRef(f"{way}pk"))
        return Q(Exists(of_study.filter(matching.condition("modality"))))
    if not attribute.column:
        return Q() if matching.matches("") else Q(pk__in=())
    return matching.condition(f"{way}{attribute.column}")


def _rows(level: Level, keys: Collection[int]) -> list[Any]:
    found: QuerySet[Any]
    match level:
        case Level.STUDY:
            found = Study.objects.all()
        case Level.SERIES:
            found = Series.objects.select_related("study")
        case Level.INSTANCE:
            found = Instance.objects.select_related("series__study")
    return list(found.filter(pk__in=keys).order_by("-pk")) if keys else []


def _contents(asked: Search, rows: Iterable[Any]) -> tuple[dict[int, Contents], dict[int, Contents]]:
    """By series and by study, as far as the results say it. One query."""
    by_series: dict[int, Contents] = {}
    by_study: dict[int, Contents] = {}
    if asked.level is Level.INSTANCE and not asked.shown & (
        _OF_THE_STUDY | {"NumberOfSeriesRelatedInstances"}
    ):
        return by_series, by_study
    studies = {_study_of(row).pk for row in rows}
    if not studies:
        return by_series, by_study
    counted = Series.objects.filter(study__in=studies).annotate(
        num_instances=Count("instances"),
        num_missed=Count("instances", filter=Q(instances__file_missed_at__isnull=False)),
    )
    found = counted.values_list("pk", "study_id", "modality", "num_instances", "num_missed")
    for series, study, modality, num_instances, num_missed in found.order_by("pk"):
        by_series[series] = Contents({modality}, 1, num_instances, num_missed)
        whole = by_study.setdefault(study, Contents())
        whole.modalities.add(modality)
        whole.num_series += 1
        whole.num_instances += num_instances
        whole.num_missed += num_missed
    return by_series, by_study


def _study_of(row: Study | Series | Instance) -> Study:
    return row if isinstance(row, Study) else row.study


def _result(
    row: Study | Series | Instance,
    shown: frozenset[str],
    series_of: dict[int, Contents],
    studies: dict[int, Contents],
    address: str,
) -> dict[str, Any]:
    study = _study_of(row)
    series = row.series if isinstance(row, Instance) else row if isinstance(row, Series) else None
    holds = studies.get(study.pk, Contents())
    values: dict[str, Any] = {
        "StudyDate": study.study_date and study.study_date.strftime("%Y%m%d"),
        "ModalitiesInStudy": sorted(holds.modalities),
        "PatientName": study.patient_pseudonym,
        "PatientID": study.patient_pseudonym,
        "PatientSex": study.patient_sex,
        "StudyInstanceUID": study.study_instance_uid,
        "NumberOfStudyRelatedSeries": holds.num_series,
        "NumberOfStudyRelatedInstances": holds.num_instances,
        "InstanceAvailability": _availability(holds.num_missed),
        "RetrieveURL": f"{address}/studies/{study.study_instance_uid}",
    }
    if series is not None:
        holds = series_of.get(series.pk, Contents())
        values |= {
            "Modality": series.modality,
            "SeriesInstanceUID": series.series_instance_uid,
            "NumberOfSeriesRelatedInstances": holds.num_instances,
            "InstanceAvailability": _availability(holds.num_missed),
            "RetrieveURL": f"{values['RetrieveURL']}/series/{series.series_instance_uid}",
        }
    if isinstance(row, Instance):
        values |= {
            "SOPClassUID": row.sop_class_uid,
            "SOPInstanceUID": row.sop_instance_uid,
            "InstanceAvailability": _availability(row.file_missed_at is not None),
            "RetrieveURL": f"{values['RetrieveURL']}/instances/{row.sop_instance_uid}",
            "Rows": row.rows,
            "Columns": row.columns,
            "BitsAllocated": row.bits_allocated,
            "BitsStored": row.bits_stored,
            "NumberOfFrames": row.num_frames,
            "AvailableTransferSyntaxUID": list(TRANSFER_SYNTAXES),
            "ViewPosition": row.view_position,
            "BodyPartExamined": row.body_part,
            "PhotometricInterpretation": row.photometric_interpretation,
        }
    return {
        attribute.tag: _told(attribute.vr, values.get(attribute.keyword))
        for attribute in _BY_TAG
        if attribute.keyword in shown
    }


def _told(vr: str, value: Any) -> dict[str, Any]:
    """In the JSON model. Where pydicom makes it, a search for 100 studies takes 80 ms in place of 15."""
    if value is None or value in ("", []):
        return {"vr": vr}
    values = value if isinstance(value, list) else [value]
    return {"vr": vr, "Value": [{"Alphabetic": one} for one in values] if vr == "PN" else values}


def _availability(num_missed: int | bool) -> str:
    """PS3.3, C.4.23.1.1."""
    return "UNAVAILABLE" if num_missed else "ONLINE"


def names_asked(asked: Search) -> list[str]:
    """Keywords of what was asked, for the record: it keeps no value, since one may be a patient's."""
    return sorted({attribute.keyword for attribute, _ in asked.asked})
