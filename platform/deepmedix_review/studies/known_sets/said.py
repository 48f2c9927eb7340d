"""What a data set says of one of its studies, whatever files it says it in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol

from deepmedix_review.studies.models import Label, Split


class LayoutRefused(Exception):
    """The folder is not laid out so; the message says what was expected and what was found."""


@dataclass(frozen=True)
class Problem:
    """A row or a file that was left out, and where it stands."""

    where: str
    what: str


@dataclass(frozen=True)
class Note:
    """A sentence about the whole set that is told, and is no fault of it."""

    what: str


@dataclass(frozen=True)
class ImageSaid:
    """`key` names it within the data set. `view` is as the data set writes it; empty where it is silent.

    `header`: None for a PNG or JPEG. Of a DICOM file, what the publishers say of all of theirs, by keyword;
    it fills what the film's own header leaves out, and so does `view`.
    """

    key: str
    path: Path
    where: str
    view: str = ""
    header: Mapping[str, str] | None = None


@dataclass(frozen=True)
class BoxSaid:
    """Pixels, edges. `drawn_on`: columns and rows of the picture it was drawn on; None for the stored one."""

    image: str
    label: str
    x_min: float
    y_min: float
    x_max: float
    y_max: float
    where: str
    drawn_on: tuple[int, int] | None = None


@dataclass(frozen=True)
class StudySaid:
    """`patient` and `key` name patient and study within the data set; they are stored nowhere.

    `made_on` is shifted once more by the patient's own amount before it is stored.
    """

    patient: str
    key: str
    where: str
    images: Sequence[ImageSaid]
    split: Split | None = None
    indication: str = ""
    findings: str = ""
    impression: str = ""
    report: str = ""
    labels: Mapping[str, Label] = field(default_factory=dict)
    boxes: Sequence[BoxSaid] = ()
    sex: str = ""
    made_on: date | None = None


@dataclass(frozen=True)
class Source:
    """Who publishes a data set, and under which licence."""

    name: str
    licence: str
    is_credentialed: bool


class Reader(Protocol):
    """Raises LayoutRefused when it is called; what it returns is read study by study, in flat memory."""

    def __call__(self, folder: Path, /) -> Iterator[StudySaid | Problem | Note]: ...


class ColumnReader(Protocol):
    """A Reader that is told what some columns are called, where they have not their usual names."""

    def __call__(
        self, folder: Path, /, *, columns: Mapping[str, str]
    ) -> Iterator[StudySaid | Problem | Note]: ...


@dataclass(frozen=True)
class Layout:
    """`source` is None where whoever imports has to say it, `read_by_columns` where columns have one name."""

    key: str
    about: str
    read: Reader
    source: Source | None = None
    read_by_columns: ColumnReader | None = None
