"""PadChest as BIMCV gives it: PNG files, Spanish reports, labels; and boxes where PadChest-GR lies beside.

Bustos et al., PadChest, Medical Image Analysis 2020 (doi 10.1016/j.media.2020.101797).
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from deepmedix_review.studies.known_sets.padchest_gr import Grounded, grounded_in
from deepmedix_review.studies.known_sets.said import (
    BoxSaid,
    ImageSaid,
    LayoutRefused,
    Problem,
    Source,
    StudySaid,
)
from deepmedix_review.studies.known_sets.tables import Row, Shelf, columns_of, rows_of, table_called
from deepmedix_review.studies.known_sets.words import (
    MAX_KEY,
    MAX_LABELS,
    day_called,
    first_below,
    label_name,
)
from deepmedix_review.studies.models import Label, Split

SOURCE = Source(
    "PadChest",
    "For research alone, under the agreement with BIMCV; cite Bustos et al., doi 10.1016/j.media.2020.101797",
    is_credentialed=True,
)
TABLE = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
NAMES = ("ImageID", "StudyID", "PatientID")
NEEDED = (*NAMES, "ImageDir", "StudyDate_DICOM", "PatientSex_DICOM", "Projection", "Report", "Labels")
VIEW = "ViewPosition_DICOM"
# An archive unpacks to a folder of its number, or to one of PadChest-GR.
FILMS = ("{folder}", ".", "images/{folder}", "images", "Padchest_GR_files/PadChest_GR", "Padchest_GR_files")
# AP_horizontal is AP of a patient who lies; what the header was silent on is UNK.
VIEWS = {
    "L": "LATERAL",
    "AP_HORIZONTAL": "AP",
    "POSTEROANTERIOR": "PA",
    "ANTEROPOSTERIOR": "AP",
    "UNK": "",
}
_QUOTED = re.compile(r"""\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*(?:,|\Z)""")


def read_padchest(folder: Path) -> Iterator[StudySaid | Problem]:
    """Films of a StudyID are one study; boxes and sentences are joined by ImageID, splits by StudyID."""
    table = table_called(folder, TABLE)
    if table is None:
        raise LayoutRefused(f"{TABLE} or {TABLE}.gz was expected in {folder.name}. Neither is there.")
    columns = columns_of(table, needed=NEEDED)
    if next(folder.rglob("*.png"), None) is None:
        raise LayoutRefused(
            f"PNG files were expected in {folder.name}, or in the folders that ImageDir names (0, 1 and so "
            "on) in it. There are none."
        )
    return _studies(folder, table, columns, grounded_in(folder))


def labels_of(text: str) -> dict[str, Label] | None:
    """`['pleural effusion', 'normal']`, each as present; None for anything that is not such a list."""
    if not text:
        return {}
    if not (text.startswith("[") and text.endswith("]")):
        return None
    inside, place, labels = text[1:-1].strip(), 0, dict[str, Label]()
    while place < len(inside):
        found = _QUOTED.match(inside, place)
        if found is None:
            return None
        said = (found[1] or found[2] or "").strip()
        if said and not label_name(said):
            return None
        if said:
            labels[label_name(said)] = Label.PRESENT
        place = found.end()
    return labels if len(labels) <= MAX_LABELS else None


def _studies(
    folder: Path, table: Path, columns: Sequence[str], grounded: Grounded | None
) -> Iterator[StudySaid | Problem]:
    shelf = Shelf()
    if grounded is not None:
        yield from grounded.put_aside(shelf)
    for row in rows_of(table, columns=columns):
        problem = row if isinstance(row, Problem) else _put_film(row, shelf)
        if problem is not None:
            yield problem
    for key in shelf.keys("study"):
        rows = [Row(table.name, number, values) for number, values in shelf.get("study", key)]
        yield from _study(folder, rows, shelf)


def _put_film(row: Row, shelf: Shelf) -> Problem | None:
    names = [row[column] for column in NAMES]
    if not all(0 < len(name) <= MAX_KEY and name.isprintable() for name in names):
        return Problem(row.where, f"Its {', '.join(NAMES[:2])} or {NAMES[2]} is empty or too long.")
    if labels_of(row["Labels"]) is None:
        return Problem(row.where, "Its Labels are not a list of names in quotes.")
    said = {name: row[name] for name in (*NEEDED, VIEW)}
    shelf.put("study", f"{row['PatientID']}\n{row['StudyID']}", [row.number, said])
    return None


def _study(folder: Path, rows: Sequence[Row], shelf: Shelf) -> Iterator[StudySaid | Problem]:
    first = rows[0]
    images: dict[str, ImageSaid] = {}
    labels: dict[str, Label] = {}
    report = ""
    for row in rows:
        name = row["ImageID"]
        path = first_below(folder, (f"{below.format(folder=row['ImageDir'])}/{name}" for below in FILMS))
        labels.update(labels_of(row["Labels"]) or {})
        if row["Report"] not in ("", report) and report:
            yield Problem(row.where, "Its Report is not the one of an earlier row of its study, which stays.")
        report = report or row["Report"]
        if path is None:
            yield Problem(row.where, "Its picture is not there.")
        elif name in images:
            yield Problem(row.where, "An earlier row names the same picture.")
        else:
            images[name] = ImageSaid(name, path, row.where, _view(row))
    if not images:
        return
    if len(labels) > MAX_LABELS:
        yield Problem(first.where, f"Its study has more than {MAX_LABELS} labels; none was kept.")
        labels = {}
    splits = shelf.get("split", first["StudyID"])
    if len(splits) > 1:
        yield Problem(first.where, "Its study is in different splits; none was kept.")
    made_on = day_called(first["StudyDate_DICOM"])
    if first["StudyDate_DICOM"] and made_on is None:
        yield Problem(first.where, "Its StudyDate_DICOM is not written as 20141231.")
    sex = first["PatientSex_DICOM"].upper()
    yield StudySaid(
        patient=first["PatientID"],
        key=first["StudyID"],
        where=first.where,
        images=list(images.values()),
        split=Split(splits[0]) if len(splits) == 1 else None,
        findings="\n".join(sentence for name in images for sentence in shelf.get("sentence", name)),
        report=report,
        labels=labels,
        boxes=[_box(name, said) for name in images for said in shelf.get("box", name)],
        sex=sex if sex in ("M", "F") else "",
        made_on=made_on,
    )


def _box(image: str, said: Sequence[Any]) -> BoxSaid:
    """Its edges are parts of the picture, as if that were one pixel large."""
    label, x_min, y_min, x_max, y_max, where = said
    return BoxSaid(image, label, x_min, y_min, x_max, y_max, where, drawn_on=(1, 1))


def _view(row: Row) -> str:
    word = (row["Projection"] or row[VIEW]).upper()
    return VIEWS.get(word, word)
