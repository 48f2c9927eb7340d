"""CheXpert as Stanford AIMI gives it: JPEG files, and 14 findings that a program read from the reports.

Irvin et al., CheXpert, AAAI 2019 (arXiv 1901.07031). Its findings are those that MIMIC-CXR-JPG took over.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deepmedix_review.studies.known_sets.mimic_cxr_jpg import FINDINGS, SAYS
from deepmedix_review.studies.known_sets.said import ImageSaid, LayoutRefused, Problem, Source, StudySaid
from deepmedix_review.studies.known_sets.tables import Row, Shelf, columns_of, rows_of, table_called
from deepmedix_review.studies.known_sets.words import first_below
from deepmedix_review.studies.models import Label, Split

SOURCE = Source(
    "CheXpert",
    "Stanford University Dataset Research Use Agreement; cite Irvin et al., AAAI 2019, arXiv 1901.07031",
    is_credentialed=True,
)
TABLES = {"train.csv": Split.TRAIN, "valid.csv": Split.TUNE}
NEEDED = ("Path", "Sex", "Frontal/Lateral", "AP/PA", *FINDINGS)
# The full and the small pictures have a folder each, which the tables name and copies leave out.
_FOLDERS = (".", "CheXpert-v1.0", "CheXpert-v1.0-small")
# Stanford packs the full ones in four archives, which unpack beside each other.
_WITH_TABLES = "CheXpert-v1.0 batch 1 (validate & csv)"
_OF_TRAIN = "CheXpert-v1.0 batch [0-9] (train [0-9])"
_PATH = re.compile(
    r"(?:CheXpert-v1\.0(?:-small)?/)?((train|valid)/(patient\d+)/(study\d+)/view\d+_[a-z]+)\.jpg", re.ASCII
)
_SEXES = {"male": "M", "female": "F"}


@dataclass(frozen=True)
class Place:
    """Where a film lies, as its table says it; `name` has no ending, as PNG files lie so too."""

    name: str
    side: str
    patient: str
    study: str


@dataclass(frozen=True)
class Film:
    """What a row says. Findings and texts are its study's, and each of its films repeats them."""

    table: str
    number: int
    place: str
    view: str
    sex: str
    split: str
    labels: dict[str, str]
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"{self.table}, row {self.number}"


def read_chexpert(folder: Path) -> Iterator[StudySaid | Problem]:
    """A studyN of a patient is one study."""
    found = {
        table: split
        for name, split in TABLES.items()
        for table in [_table_below(folder, name)]
        if table is not None
    }
    if not found:
        raise LayoutRefused(f"{' or '.join(TABLES)} was expected in {folder.name}. Neither is there.")
    columns = {table: columns_of(table, needed=NEEDED) for table in found}
    films = film_folders(folder)
    return _studies(folder, found, columns, films)


def film_folders(folder: Path, *, others: Sequence[str] = ()) -> Mapping[str, Sequence[str]]:
    """Where films of train and of valid may lie; `others` come first. LayoutRefused where there is none."""
    folders = {}
    for side in ("train", "valid"):
        below = [f"{name}/{side}" for name in (*others, *_FOLDERS, _WITH_TABLES)]
        if side == "train":
            below += sorted(path.name for path in folder.glob(_OF_TRAIN))
        folders[side] = [name for name in below if (folder / name).is_dir()]
    if not any(folders.values()):
        names = " or ".join((*others, *_FOLDERS[1:]))
        raise LayoutRefused(
            f"train or valid was expected in {folder.name}, or in {names} in it, with patient00001 and so on "
            "in it. Neither is there."
        )
    return folders


def place_of(path: str) -> Place | None:
    """
    >>> place_of("CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg").study
    'study1'
    >>> place_of("train/../patient00001/study1/view1_frontal.jpg")
    """
    found = _PATH.fullmatch(path)
    return Place(*found.groups()) if found else None


def view_of(seen: str, projection: str) -> str:
    """As films are named here. What contradicts itself stays as written, and is held for a decision.

    >>> view_of("Frontal", "AP"), view_of("Lateral", ""), view_of("Frontal", "LL")
    ('AP', 'LATERAL', 'FRONTAL LL')
    """
    seen, projection = seen.upper(), projection.upper()
    if seen == "FRONTAL" and projection in ("PA", "AP", ""):
        return projection
    return seen if seen == "LATERAL" else f"{seen} {projection}".strip()


def sex_of(word: str) -> str:
    return _SEXES.get(word.lower(), "")


def labels_said(values: Mapping[str, Any]) -> dict[str, str] | None:
    """None where one is not 1, 0 or -1; an empty one says nothing."""
    labels = {}
    for name in FINDINGS:
        value = values.get(name)
        if value in (None, ""):
            continue
        try:
            word = SAYS.get(float(value))
        except (TypeError, ValueError, OverflowError):
            return None
        if word is None:
            return None
        labels[name] = word.value
    return labels


def studies_of(
    folder: Path, films: Mapping[str, Sequence[str]], shelf: Shelf
) -> Iterator[StudySaid | Problem]:
    """Of films put aside as `study`, by patient and study with a line's end between them."""
    for key in shelf.keys("study"):
        patient, study = key.split("\n")
        yield from _study(folder, patient, study, [Film(**said) for said in shelf.get("study", key)], films)


def put_film(film: Film, shelf: Shelf, *, patient: str, place: Place) -> None:
    shelf.put("study", f"{patient}\n{place.patient}/{place.study}", asdict(film))


def _table_below(folder: Path, name: str) -> Path | None:
    found = (table_called(folder / below, name) for below in (*_FOLDERS, _WITH_TABLES))
    return next(filter(None, found), None)


def _studies(
    folder: Path,
    tables: Mapping[Path, Split],
    columns: Mapping[Path, Sequence[str]],
    films: Mapping[str, Sequence[str]],
) -> Iterator[StudySaid | Problem]:
    shelf = Shelf()
    for table, split in tables.items():
        for row in rows_of(table, columns=columns[table]):
            problem = row if isinstance(row, Problem) else _put_row(row, split, shelf)
            if problem is not None:
                yield problem
    yield from studies_of(folder, films, shelf)


def _put_row(row: Row, split: Split, shelf: Shelf) -> Problem | None:
    place = place_of(row["Path"])
    if place is None:
        return Problem(
            row.where, "Its Path is not written as CheXpert-v1.0/train/patient00001/study1/view1_frontal.jpg."
        )
    labels = labels_said({name: row[name] for name in FINDINGS})
    film = Film(
        table=row.table,
        number=row.number,
        place=place.name,
        view=view_of(row["Frontal/Lateral"], row["AP/PA"]),
        sex=sex_of(row["Sex"]),
        split=split.value,
        labels=labels or {},
    )
    put_film(film, shelf, patient=place.patient, place=place)
    if labels is None:
        return Problem(row.where, "Its labels are not 1.0, 0.0, -1.0 or empty; none of them was kept.")
    return None


def _study(
    folder: Path, patient: str, study: str, films: Sequence[Film], folders: Mapping[str, Sequence[str]]
) -> Iterator[StudySaid | Problem]:
    images: dict[str, ImageSaid] = {}
    labels: dict[str, str] = {}
    for film in films:
        side, _, rest = film.place.partition("/")
        path = first_below(
            folder, (f"{below}/{rest}.{ending}" for below in folders[side] for ending in ("png", "jpg"))
        )
        if film.place in images:
            yield Problem(film.where, "An earlier row names the same picture.")
            continue
        if path is None:
            yield Problem(film.where, "Its picture is not there.")
        else:
            images[film.place] = ImageSaid(film.place, path, film.where, film.view)
        if any(labels.setdefault(name, word) != word for name, word in film.labels.items()):
            yield Problem(film.where, "Its labels are not those of an earlier film of its study, which stay.")
    if not images:
        return
    first = films[0]
    splits = {film.split for film in films if film.split}
    if len(splits) > 1:
        yield Problem(first.where, "The films of its study are in different splits; none was kept.")
    yield StudySaid(
        patient=patient,
        key=study,
        where=first.where,
        images=list(images.values()),
        split=Split(splits.pop()) if len(splits) == 1 else None,
        labels={name: Label(word) for name, word in labels.items()},
        sex=first.sex,
        indication=first.texts.get("indication", ""),
        findings=first.texts.get("findings", ""),
        impression=first.texts.get("impression", ""),
        report=first.texts.get("report", ""),
    )
