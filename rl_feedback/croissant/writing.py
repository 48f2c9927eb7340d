"""Writes a data set's description as JSON-LD."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rl_feedback.counting import counted
from rl_feedback.croissant.describing import (
    DataFile,
    DataFiles,
    Described,
    Field,
    Fields,
    Kind,
    RecordSet,
    SplitOf,
)

CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
# What is described never changes: another moment or choice is another data set, with a name of its own.
VERSION = "1.0.0"
# The specification's own, in its order.
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
SPLITS = "splits"
SPLIT_KINDS = {"train": "cr:TrainingSplit", "validation": "cr:ValidationSplit", "test": "cr:TestSplit"}
# Properties of the vocabulary, in its order (croissant-rai-spec.html, “RAI properties”).
RESPONSIBLE = (
    "dataCollection",
    "dataCollectionType",
    "dataCollectionMissingData",
    "dataCollectionRawData",
    "dataCollectionTimeframe",
    "dataImputationProtocol",
    "dataManipulationProtocol",
    "dataPreprocessingProtocol",
    "dataAnnotationProtocol",
    "dataAnnotationPlatform",
    "dataAnnotationAnalysis",
    "dataReleaseMaintenancePlan",
    "personalSensitiveInformation",
    "dataSocialImpact",
    "dataBiases",
    "dataLimitations",
    "dataUseCases",
    "annotationsPerItem",
    "annotatorDemographics",
    "machineAnnotationTools",
)


def croissant_of(
    described: Described,
    *,
    files: Sequence[DataFile],
    record_sets: Sequence[RecordSet],
    file_sets: Sequence[DataFiles] = (),
) -> str:
    """JSON-LD, ended by a line break; the same description gives the same text.

    Raises ValueError for a property that the vocabulary of responsible AI does not have.
    """
    unknown = sorted(set(described.responsible) - set(RESPONSIBLE))
    if unknown:
        raise ValueError(f"The vocabulary of responsible AI has no {', '.join(unknown)}.")
    splits = next((one.split for one in record_sets if one.split), None)
    told = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": described.name,
        "description": described.about,
        "url": described.url,
        "creator": {"@type": "sc:Organization", "name": described.made_by} if described.made_by else None,
        "version": VERSION,
        "dateCreated": described.moment,
        "datePublished": described.moment,
        "license": [
            _work("What the data may be used for", described.data_use),
            *(_work("Where parts of it come from", one) for one in described.licences),
        ],
        "citeAs": _citation(described),
        "keywords": list(described.keywords),
        **{
            f"rai:{name}": described.responsible[name]
            for name in RESPONSIBLE
            if described.responsible.get(name)
        },
        "distribution": [*map(_file, files), *map(_file_set, file_sets)],
        "recordSet": [*([_splits(splits)] if splits else []), *map(_record_set, record_sets)],
    }
    present = {name: value for name, value in told.items() if value}
    return json.dumps(present, indent=2, ensure_ascii=False) + "\n"


def _work(name: str, about: str) -> dict[str, str]:
    return {"@type": "sc:CreativeWork", "name": name, "description": about}


def _citation(described: Described) -> str:
    """BibTeX. The title stands in braces, whatever it holds."""
    key = "".join(one for one in described.url if one.isalnum())
    title = "".join(f"\\{one}" if one in "\\{}%#&$_" else one for one in " ".join(described.name.split()))
    year, note = described.moment[:4], f"{described.url}, {described.moment}"
    return f"@misc{{{key}, title = {{{title}}}, year = {{{year}}}, note = {{{note}}}}}"


def _named(kind: str, key: str, about: str) -> dict[str, Any]:
    return {"@type": f"cr:{kind}", "@id": key, "name": key, "description": about}


def _file(one: DataFile) -> dict[str, Any]:
    return {
        **_named("FileObject", one.name, one.about),
        "contentUrl": one.name,
        "contentSize": f"{one.num_bytes} B",
        "encodingFormat": one.form,
        "sha256": one.sha256,
        **({"sameAs": one.same_as} if one.same_as else {}),
    }


def _file_set(one: DataFiles) -> dict[str, Any]:
    return {
        **_named("FileSet", one.key, one.about),
        "encodingFormat": one.form,
        "includes": one.pattern,
    }


def _record_set(one: RecordSet) -> dict[str, Any]:
    return {
        **_named("RecordSet", one.name, one.about),
        "field": [*([_split_field(one, one.split)] if one.split else []), *_columns(one)],
    }


def _columns(of: RecordSet) -> Iterator[dict[str, Any]]:
    for column in of.fields:
        key = f"{of.name}/{column.name}"
        source = _source(of, extract={"column": column.name})
        match column:
            case Field():
                from_file = {"transform": {"jsonPath": "bytes"}} if column.kind == Kind.IMAGE else {}
                yield {**_field(key, column), "source": {**source, **from_file}}
            case Fields():
                parts = [
                    {
                        **_field(f"{key}/{part.name}", part),
                        "source": {**source, "transform": {"jsonPath": part.name}},
                    }
                    for part in column.parts
                ]
                yield {
                    **_named("Field", key, column.about),
                    "isArray": True,
                    "arrayShape": "-1",
                    "subField": parts,
                }


def _field(key: str, one: Field) -> dict[str, Any]:
    told = {**_named("Field", key, one.about), "dataType": one.kind}
    if one.is_list:
        told |= {"isArray": True, "arrayShape": "-1"}
    if one.is_list and one.kind == Kind.IMAGE:
        # Version 1.0's word for it, by which alone mlcroissant 1.1.1 opens more pictures than one.
        told["repeated"] = True
    return told


def _split_field(of: RecordSet, split: SplitOf) -> dict[str, Any]:
    # mlcroissant applies it to what it found once more.
    pattern = f"^(?:{split.folder}/)?({'|'.join(split.splits)})(?:-|$)"
    source = _source(of, extract={"fileProperty": "fullpath"})
    return {
        **_field(f"{of.name}/split", Field("split", "the side of patients that the record is of", Kind.TEXT)),
        "source": {**source, "transform": {"regex": pattern}},
        "references": {"field": {"@id": f"{SPLITS}/name"}},
    }


def _splits(split: SplitOf) -> dict[str, Any]:
    names = {"name": Kind.TEXT.value, "url": "sc:URL"}
    return {
        **_named("RecordSet", SPLITS, "the sides of patients: each patient is on one of them"),
        "dataType": "cr:Split",
        "key": {"@id": f"{SPLITS}/name"},
        "field": [
            {"@type": "cr:Field", "@id": f"{SPLITS}/{name}", "name": f"{SPLITS}/{name}", "dataType": kind}
            for name, kind in names.items()
        ],
        "data": [{f"{SPLITS}/name": one, f"{SPLITS}/url": SPLIT_KINDS[one]} for one in split.splits],
    }


def _source(of: RecordSet, *, extract: Mapping[str, str]) -> dict[str, Any]:
    kind = "fileSet" if of.is_of_many_files else "fileObject"
    return {kind: {"@id": of.source}, "extract": dict(extract)}


def said_readers(num_items: Mapping[int, int]) -> str:
    """How many readers items have: by the number of readers, the number of items.

    >>> said_readers({2: 5, 1: 1})
    '1 item by 1 reader, 5 items by 2 readers.'
    """
    return (
        ", ".join(
            f"{counted(number, 'item')} by {counted(num_readers, 'reader')}"
            for num_readers, number in sorted(num_items.items())
        )
        + "."
    )
