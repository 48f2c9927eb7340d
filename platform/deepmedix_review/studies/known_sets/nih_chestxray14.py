"""NIH ChestX-ray14 as its publishers give it: PNG files, labels mined from reports, and 984 drawn boxes.

Wang et al., ChestX-ray8, CVPR 2017 (arXiv 1705.02315). Boxes are of its pictures of 1024 x 1024 pixels.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from deepmedix_review.studies.known_sets.said import (
    BoxSaid,
    ImageSaid,
    LayoutRefused,
    Problem,
    Source,
    StudySaid,
)
from deepmedix_review.studies.known_sets.tables import Row, Shelf, columns_of, lines_of, rows_of
from deepmedix_review.studies.known_sets.words import file_below, labels_listed
from deepmedix_review.studies.models import Split

SOURCE = Source(
    "NIH ChestX-ray14",
    "Free use; name the NIH Clinical Center as its source and cite Wang et al., CVPR 2017",
    is_credentialed=False,
)
# The second is the publishers' corrected table of 2020.
TABLES = ("Data_Entry_2017.csv", "Data_Entry_2017_v2020.csv")
BOXES = "BBox_List_2017.csv"
LISTS = {"train_val_list.txt": Split.TRAIN, "test_list.txt": Split.TEST}
NEEDED = ("Image Index", "Finding Labels", "Patient ID", "View Position")
# The header is written as "Bbox [x,y,w,h]", so that it falls into four.
OF_BOX = ("Image Index", "Finding Label", "Bbox [x", "y", "w", "h]")
DRAWN_ON = (1024, 1024)


def read_nih(folder: Path) -> Iterator[StudySaid | Problem]:
    """Each film is a study: the set numbers a patient's films, and never says that two belong together."""
    found = [folder / name for name in TABLES if (folder / name).is_file()]
    if not found:
        raise LayoutRefused(f"{' or '.join(TABLES)} was expected in {folder.name}. Neither is there.")
    columns = columns_of(found[0], needed=NEEDED)
    boxes = folder / BOXES
    box_columns = columns_of(boxes, needed=OF_BOX) if boxes.is_file() else ()
    # Packed as images/, as images_001/images/ or as images_001/.
    folders = [
        f"{path.relative_to(folder)}"
        for pattern in ("images", "images_[0-9]*/images", "images_[0-9]*")
        for path in sorted(folder.glob(pattern))
        if path.is_dir()
    ]
    if not folders:
        raise LayoutRefused(f"images, or images_001 and so on, was expected in {folder.name}. None is there.")
    return _studies(folder, found[0], columns, box_columns, folders)


def _studies(
    folder: Path, table: Path, columns: Sequence[str], box_columns: Sequence[str], folders: Sequence[str]
) -> Iterator[StudySaid | Problem]:
    shelf = Shelf()
    for row in rows_of(folder / BOXES, columns=box_columns) if box_columns else ():
        if isinstance(row, Problem):
            yield row
        else:
            shelf.put("box", row["Image Index"], [row.number, row.values])
    for name, split in LISTS.items():
        for image in lines_of(folder / name) if (folder / name).is_file() else ():
            shelf.put("split", image, split.value)
    for row in rows_of(table, columns=columns):
        if isinstance(row, Problem):
            yield row
        else:
            yield from _study(row, folder, folders, shelf)


def _study(row: Row, folder: Path, folders: Sequence[str], shelf: Shelf) -> Iterator[StudySaid | Problem]:
    image, patient = row["Image Index"], row["Patient ID"]
    if not image or not patient:
        yield Problem(row.where, "It names no image, or no patient.")
        return
    labels = labels_listed(row["Finding Labels"].replace(":", " "))
    if labels is None:
        yield Problem(row.where, "Its Finding Labels are not names with | between them.")
        return
    path = next(filter(None, (file_below(folder, f"{below}/{image}") for below in folders)), None)
    if path is None:
        yield Problem(row.where, f"Its picture is in none of {', '.join(folders)[:200]}.")
        return
    boxes = []
    for number, values in shelf.get("box", image):
        box = _box(Row(BOXES, number, values))
        if isinstance(box, Problem):
            yield box
        else:
            boxes.append(box)
    splits = shelf.get("split", image)
    sex = (row["Patient Gender"] or row["Patient Sex"]).upper()
    yield StudySaid(
        patient=patient,
        key=image,
        where=row.where,
        images=[ImageSaid(image, path, row.where, row["View Position"].upper())],
        split=Split(splits[0]) if len(set(splits)) == 1 else None,
        labels=labels,
        boxes=boxes,
        sex=sex if sex in ("M", "F") else "",
    )


def _box(row: Row) -> BoxSaid | Problem:
    try:
        x, y, width, height = (float(row[column]) for column in OF_BOX[2:])
    except ValueError:
        return Problem(row.where, "Its box is not four numbers.")
    return BoxSaid(
        row["Image Index"], row["Finding Label"], x, y, x + width, y + height, row.where, drawn_on=DRAWN_ON
    )
