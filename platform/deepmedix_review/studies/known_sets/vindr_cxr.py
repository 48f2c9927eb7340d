"""VinDr-CXR as PhysioNet gives it: DICOM files, and what radiologists drew and said of each.

Nguyen et al., VinDr-CXR 1.0.0 (doi 10.13026/3akn-b287; Scientific Data 2022, doi 10.1038/s41597-022-01498-w).
Three radiologists read each film of train on their own; on each film of test five agreed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepmedix_review.studies.known_sets.said import (
    BoxSaid,
    ImageSaid,
    LayoutRefused,
    Problem,
    Source,
    StudySaid,
)
from deepmedix_review.studies.known_sets.tables import Row, Shelf, columns_of, rows_of, table_called
from deepmedix_review.studies.known_sets.words import MAX_KEY, MAX_LABELS, file_below, label_name
from deepmedix_review.studies.models import Label, Split

SOURCE = Source(
    "VinDr-CXR",
    "PhysioNet Credentialed Health Data License 1.5.0; cite Nguyen et al., doi 10.13026/3akn-b287",
    is_credentialed=True,
)
TABLES = "annotations"
FILM = "image_id"
READER = "rad_id"
EDGES = ("x_min", "y_min", "x_max", "y_max")
OF_BOX = (FILM, "class_name", *EDGES)
# Stands in the table of boxes for each reader who drew none.
NO_BOX = "No finding"
SAYS = {0.0: False, 1.0: True}
# The publishers took nearly all out of the headers; they say that each film is a radiograph of a chest, PA.
HEADER = {"Modality": "RG", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "BodyPartExamined": "CHEST"}
VIEW = "PA"


@dataclass(frozen=True)
class _Side:
    """The films of train or of test; `readers` is empty where the readers agreed on one answer."""

    split: Split
    labels: Path
    label_columns: Sequence[str]
    boxes: Path
    box_columns: Sequence[str]
    readers: Sequence[str]

    @property
    def findings(self) -> Sequence[str]:
        return [column for column in self.label_columns if column and column not in (FILM, READER)]


def read_vindr(folder: Path) -> Iterator[StudySaid | Problem]:
    """Each film is a study of a patient of its own: the set says of no two that they are of one person."""
    if not (folder / TABLES).is_dir():
        raise LayoutRefused(f"{TABLES} was expected in {folder.name}, with the tables. It is not there.")
    sides = [
        _side(folder, split, readers)
        for split, readers in ((Split.TRAIN, (READER,)), (Split.TEST, ()))
        if (folder / split.value).is_dir()
    ]
    if not sides:
        raise LayoutRefused(f"train or test was expected in {folder.name}, with films. Neither is there.")
    return _studies(folder, sides)


def _side(folder: Path, split: Split, readers: Sequence[str]) -> _Side:
    labels, boxes = _table(folder, f"image_labels_{split}.csv"), _table(folder, f"annotations_{split}.csv")
    label_columns = columns_of(labels, needed=(FILM, *readers))
    side = _Side(split, labels, label_columns, boxes, columns_of(boxes, needed=(*OF_BOX, *readers)), readers)
    if not side.findings or len(side.findings) > MAX_LABELS or not all(map(label_name, side.findings)):
        raise LayoutRefused(
            f"{labels.name} was expected to have a column for each label beside "
            f"{', '.join((FILM, *readers))}, at most {MAX_LABELS}; it has {', '.join(label_columns)[:500]}."
        )
    return side


def _table(folder: Path, name: str) -> Path:
    table = table_called(folder / TABLES, name)
    if table is None:
        raise LayoutRefused(f"{name} or {name}.gz was expected in {TABLES}. Neither is there.")
    return table


def _studies(folder: Path, sides: Sequence[_Side]) -> Iterator[StudySaid | Problem]:
    seen = Shelf()
    for side in sides:
        shelf = Shelf()
        for row in rows_of(side.boxes, columns=side.box_columns):
            problem = row if isinstance(row, Problem) else _put_box(row, shelf)
            if problem is not None:
                yield problem
        for row in rows_of(side.labels, columns=side.label_columns):
            problem = row if isinstance(row, Problem) else _put_labels(row, side, shelf)
            if problem is not None:
                yield problem
        for name in shelf.keys("film"):
            answers = shelf.get("film", name)
            where = Row(side.labels.name, answers[0]["row"], {}).where
            path = file_below(folder, f"{side.split}/{name}.dicom")
            if path is None:
                yield Problem(where, f"Its film is not in {side.split}.")
            elif seen.get("film", name):
                yield Problem(where, "The same film stands in train already.")
            else:
                seen.put("film", name, True)
                yield StudySaid(
                    patient=name,
                    key=name,
                    where=where,
                    images=[ImageSaid(name, path, where, VIEW, header=HEADER)],
                    split=side.split,
                    labels=_labels([answer["says"] for answer in answers], side.findings),
                    boxes=[BoxSaid(name, *said) for said in shelf.get("box", name)],
                )


def _put_box(row: Row, shelf: Shelf) -> Problem | None:
    edges = [row[column] for column in EDGES]
    if row["class_name"] == NO_BOX and not any(edges):
        return None
    try:
        box = [row["class_name"], *map(float, edges), row.where]
    except ValueError:
        return Problem(row.where, "Its box is not four numbers.")
    shelf.put("box", row[FILM], box)
    return None


def _put_labels(row: Row, side: _Side, shelf: Shelf) -> Problem | None:
    name, reader = row[FILM], "".join(row[column] for column in side.readers)
    if not (name.isascii() and name.isalnum()) or len(name) > MAX_KEY:
        return Problem(row.where, f"Its {FILM} is empty, too long, or more than letters and digits.")
    if side.readers and not reader:
        return Problem(row.where, f"Its {READER} is empty.")
    says = {finding: _answer(row[finding]) for finding in side.findings if row[finding]}
    if None in says.values():
        return Problem(row.where, "Its labels are not 0, 1 or empty.")
    if any(answer["reader"] == reader for answer in shelf.get("film", name)):
        who = " by the same reader" if side.readers else ""
        return Problem(row.where, f"An earlier row is of the same film{who}.")
    shelf.put("film", name, {"row": row.number, "reader": reader, "says": says})
    return None


def _labels(answers: Sequence[dict[str, bool]], findings: Sequence[str]) -> dict[str, Label]:
    """By most of those who answered; uncertain where some saw it, but not most."""
    labels = {}
    for finding in findings:
        votes = [says[finding] for says in answers if finding in says]
        if votes:
            some = Label.UNCERTAIN if any(votes) else Label.ABSENT
            labels[finding] = Label.PRESENT if 2 * sum(votes) > len(votes) else some
    return labels


def _answer(text: str) -> bool | None:
    try:
        return SAYS.get(float(text))
    except ValueError:
        return None
