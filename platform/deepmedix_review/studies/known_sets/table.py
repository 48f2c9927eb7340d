"""Pictures with a table of one's own: `metadata.csv`, a row per picture, and `boxes.csv` for boxes.

docs/reference/known-data-sets.md says what each column holds.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from deepmedix_review.studies.known_sets.said import BoxSaid, ImageSaid, LayoutRefused, Problem, StudySaid
from deepmedix_review.studies.known_sets.tables import Row, Shelf, columns_of, rows_of, table_called
from deepmedix_review.studies.known_sets.words import MAX_KEY, file_below, labels_listed, split_called

TABLE, BOXES = "metadata.csv", "boxes.csv"
NEEDED = ("image", "patient")
OF_STUDY = ("study_date", "sex", "split", "indication", "findings", "impression", "report", "labels")
KNOWN = (*NEEDED, "study", "view", *OF_STUDY)
OF_BOX = ("image", "label", "x_min", "y_min", "x_max", "y_max")


def read_table(folder: Path) -> Iterator[StudySaid | Problem]:
    """Rows with the same patient and study are one study; without a study each picture is one."""
    table = table_called(folder, TABLE)
    if table is None:
        raise LayoutRefused(f"{TABLE} was expected in {folder.name}, a row per picture. It is not there.")
    columns = columns_of(table, needed=NEEDED)
    unknown = [column for column in columns if column not in KNOWN]
    if unknown:
        raise LayoutRefused(
            f"{TABLE} has columns that mean nothing here: {', '.join(unknown)[:500]}. It may have "
            f"{', '.join(KNOWN)}. Rename or leave out the others."
        )
    boxes = folder / BOXES
    box_columns = columns_of(boxes, needed=OF_BOX) if boxes.is_file() else None
    return _studies(folder, table, columns, boxes if box_columns else None, box_columns or ())


def _studies(
    folder: Path, table: Path, columns: Sequence[str], boxes: Path | None, box_columns: Sequence[str]
) -> Iterator[StudySaid | Problem]:
    shelf = Shelf()
    for row in rows_of(table, columns=columns):
        problem = row if isinstance(row, Problem) else _unusable(row)
        if problem is not None:
            yield problem
        elif isinstance(row, Row):
            study = row["study"] or row["image"]
            shelf.put("study", f"{row['patient']}\n{study}", [row.number, row.values])
            shelf.put("image", row["image"], row.number)
    for row in rows_of(boxes, columns=box_columns) if boxes else ():
        if isinstance(row, Problem):
            yield row
        elif not shelf.get("image", row["image"]):
            yield Problem(row.where, f"{table.name} has no picture of this name.")
        elif (box := _box(row)) is None:
            yield Problem(row.where, "Its edges are no numbers.")
        else:
            shelf.put("box", row["image"], [box.label, box.x_min, box.y_min, box.x_max, box.y_max, box.where])
    for key in shelf.keys("study"):
        rows = [Row(table.name, number, values) for number, values in shelf.get("study", key)]
        yield from _study(folder, rows, shelf)


def _unusable(row: Row) -> Problem | None:
    for column in NEEDED:
        if not row[column]:
            return Problem(row.where, f"It says no {column}.")
    if any(len(row[column]) > MAX_KEY for column in ("image", "patient", "study")):
        return Problem(row.where, f"Its image, patient or study has more than {MAX_KEY} characters.")
    if row["split"] and split_called(row["split"]) is None:
        return Problem(row.where, "Its split is none of train, tune and test.")
    if row["study_date"] and _date(row["study_date"]) is None:
        return Problem(row.where, "Its study_date is not written as 2024-12-31.")
    if row["sex"] and row["sex"].upper() not in ("M", "F", "O"):
        return Problem(row.where, "Its sex is none of M, F and O.")
    if labels_listed(row["labels"]) is None:
        return Problem(row.where, "Its labels are not written as Edema|Effusion:absent|Nodule:uncertain.")
    return None


def _study(folder: Path, rows: Sequence[Row], shelf: Shelf) -> Iterator[StudySaid | Problem]:
    """What is said of the study may stand on any of its rows; two that differ can't both be true."""
    first = rows[0]
    said: dict[str, str] = {}
    images: dict[str, ImageSaid] = {}
    for row in rows:
        for column in OF_STUDY:
            if row[column] and said.setdefault(column, row[column]) != row[column]:
                yield Problem(
                    row.where, f"Its {column} is not that of an earlier row of the study, which counts."
                )
        path = file_below(folder, row["image"])
        if path is None:
            yield Problem(row.where, "Its picture is not in the folder.")
        elif row["image"] in images:
            yield Problem(row.where, "An earlier row names the same picture.")
        else:
            images[row["image"]] = ImageSaid(row["image"], path, row.where, row["view"].upper())
    if not images:
        return
    boxes = [BoxSaid(name, *box) for name in images for box in shelf.get("box", name)]
    yield StudySaid(
        patient=first["patient"],
        key=first["study"] or first["image"],
        where=first.where,
        images=list(images.values()),
        split=split_called(said.get("split", "")),
        indication=said.get("indication", ""),
        findings=said.get("findings", ""),
        impression=said.get("impression", ""),
        report=said.get("report", ""),
        labels=labels_listed(said.get("labels", "")) or {},
        boxes=boxes,
        sex=said.get("sex", "").upper(),
        made_on=_date(said.get("study_date", "")),
    )


def _box(row: Row) -> BoxSaid | None:
    try:
        x_min, y_min, x_max, y_max = (float(row[column]) for column in OF_BOX[2:])
    except ValueError:
        return None
    return BoxSaid(row["image"], row["label"], x_min, y_min, x_max, y_max, row.where)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
