"""What is told of a data set: its files, the records in them, and what is known of how it came to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

CROISSANT = "croissant.json"
# As mlcroissant names them; it reads no other names.
CSV, JSON_LINES, PARQUET = "text/csv", "application/jsonlines", "application/x-parquet"
JSON, TAR, TEXT, MARKDOWN = "application/json", "application/x-tar", "text/plain", "text/markdown"
PNG = "image/png"


class Kind(StrEnum):
    """What one value is."""

    TEXT = "sc:Text"
    WHOLE = "sc:Integer"
    NUMBER = "sc:Float"
    YES_NO = "sc:Boolean"
    MOMENT = "sc:DateTime"
    IMAGE = "sc:ImageObject"


@dataclass(frozen=True)
class DataFile:
    """By its path beside the description. `same_as` names a file with the same records in another form."""

    name: str
    form: str
    sha256: str
    num_bytes: int
    about: str
    same_as: str | None = None


@dataclass(frozen=True)
class DataFiles:
    """Files with one kind of records, by a pattern of their paths (`ratings/*.parquet`)."""

    key: str
    form: str
    pattern: str
    about: str


@dataclass(frozen=True)
class Field:
    """A column. Of a list, each value is of the kind; of an image, the bytes of a file with one."""

    name: str
    about: str
    kind: Kind
    is_list: bool = False


@dataclass(frozen=True)
class Fields:
    """A column with a list of objects."""

    name: str
    about: str
    parts: Sequence[Field]


@dataclass(frozen=True)
class SplitOf:
    """A column that is not there: a record's split stands in its file's path, as what follows the folder."""

    folder: str
    splits: Sequence[str]


@dataclass(frozen=True)
class RecordSet:
    """Records of a file, or of files by the key of their pattern."""

    name: str
    about: str
    source: str
    fields: Sequence[Field | Fields]
    is_of_many_files: bool = False
    split: SplitOf | None = None


@dataclass(frozen=True)
class Described:
    """`url` names the data set where it has no page: a URN. `moment` is ISO 8601, a day or a time: up to when
    what is in it was gathered. `made_by` says who, where that is known. `licences` are sentences on where its
    parts come from. `responsible` are properties of the vocabulary of responsible AI (`dataCollection`, …),
    each a text or several; what is not known is not there."""

    name: str
    about: str
    url: str
    moment: str
    data_use: str
    made_by: str = ""
    licences: Sequence[str] = ()
    keywords: Sequence[str] = ()
    responsible: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
