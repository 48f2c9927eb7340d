"""What a data set is, for programs: Croissant 1.1 with the vocabulary of responsible AI, version 1.0.

Specifications: docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html and croissant-rai-spec.html. The
writer is our own, of plain JSON: mlcroissant would bring a graph library, an RDF library and pandas' types
into every installation to write one file, so it is in the tests, which validate and read what is made here.
"""

from rl_feedback.croissant.describing import (
    CROISSANT,
    CSV,
    JSON,
    JSON_LINES,
    MARKDOWN,
    PARQUET,
    PNG,
    TAR,
    TEXT,
    DataFile,
    DataFiles,
    Described,
    Field,
    Fields,
    Kind,
    RecordSet,
    SplitOf,
)
from rl_feedback.croissant.writing import croissant_of, said_readers

__all__ = [
    "CROISSANT",
    "CSV",
    "JSON",
    "JSON_LINES",
    "MARKDOWN",
    "PARQUET",
    "PNG",
    "TAR",
    "TEXT",
    "DataFile",
    "DataFiles",
    "Described",
    "Field",
    "Fields",
    "Kind",
    "RecordSet",
    "SplitOf",
    "croissant_of",
    "said_readers",
]
