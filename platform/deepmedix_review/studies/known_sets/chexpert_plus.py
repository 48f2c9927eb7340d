"""CheXpert Plus as Stanford AIMI gives it: the films of CheXpert with their reports, as PNG files or as JPEG.

Chambon et al., CheXpert Plus, 2024 (arXiv 2405.19538). Labels are lines of JSON, one for each film; a
program read each of their files from another part of the reports.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepmedix_review.studies.known_sets.chexpert import (
    Film,
    film_folders,
    labels_said,
    place_of,
    put_film,
    sex_of,
    studies_of,
    view_of,
)
from deepmedix_review.studies.known_sets.mimic_cxr_jpg import FINDINGS
from deepmedix_review.studies.known_sets.said import LayoutRefused, Problem, Source, StudySaid
from deepmedix_review.studies.known_sets.tables import (
    Row,
    Shelf,
    columns_of,
    lines_of,
    rows_of,
    table_called,
)
from deepmedix_review.studies.known_sets.words import MAX_KEY, first_below, split_called

SOURCE = Source(
    "CheXpert Plus",
    "Stanford University Dataset Research Use Agreement; cite Chambon et al., arXiv 2405.19538",
    is_credentialed=True,
)
TABLE = "df_chexpert_plus_240401.csv"
_TEXTS = ("report", "section_clinical_history", "section_history", "section_findings", "section_impression")
NEEDED = (*("path_to_image", "frontal_lateral", "ap_pa", "deid_patient_id", *_TEXTS, "sex", "split"),)
# Which text each file of labels was read from, the conclusion first: one is kept, as all name the same
# findings, and the whole report also speaks of what was seen earlier.
LABELS = {
    "impression_fixed.json": "section_impression",
    "report_fixed.json": "report",
    "findings_fixed.json": "section_findings",
}
_LABEL_FOLDERS = ("chexbert_labels", "labels", ".")
# The archive of PNG files unpacks into a folder of its name, so that some have it twice.
_PNG_FOLDERS = ("PNG", "PNG/PNG")
_NUMBER_OF_REPORT = re.compile(r"accession\s+number\s*:?\s*\S*", re.IGNORECASE)


def read_chexpert_plus(folder: Path) -> Iterator[StudySaid | Problem]:
    """A studyN of a patient's folder is one study; labels are joined by path_to_image."""
    table = table_called(folder, TABLE)
    if table is None:
        raise LayoutRefused(f"{TABLE} or {TABLE}.gz was expected in {folder.name}. Neither is there.")
    columns = columns_of(table, needed=NEEDED)
    labels = first_below(folder, (f"{below}/{name}" for name in LABELS for below in _LABEL_FOLDERS))
    if labels is not None:
        _check_labels(labels)
    return _studies(folder, table, columns, labels, film_folders(folder, others=_PNG_FOLDERS))


def _check_labels(path: Path) -> None:
    said = _object(next(lines_of(path), ""))
    if said is None or not {"path_to_image", *FINDINGS} <= said.keys():
        found = "no such line" if said is None else f"a line with {', '.join(said)[:500] or 'nothing'}"
        raise LayoutRefused(
            f"{path.name} was expected to have a line of JSON for each film, with path_to_image, "
            f"{', '.join(FINDINGS)}. It begins with {found}."
        )


def _studies(
    folder: Path,
    table: Path,
    columns: Sequence[str],
    labels: Path | None,
    films: Mapping[str, Sequence[str]],
) -> Iterator[StudySaid | Problem]:
    shelf = Shelf()
    for number, line in enumerate(lines_of(labels) if labels else (), start=1):
        what = _put_labels(line, shelf)
        if what and labels:
            yield Problem(f"{labels.name}, line {number}", what)
    labelled = LABELS[labels.name] if labels else ""
    for row in rows_of(table, columns=columns):
        problems = [row] if isinstance(row, Problem) else _put_row(row, labelled, shelf)
        yield from problems
    yield from studies_of(folder, films, shelf)


def _put_labels(line: str, shelf: Shelf) -> str:
    """What is wrong with the line; empty where nothing is."""
    said = _object(line)
    place = place_of(str(said.get("path_to_image"))) if said else None
    if said is None or place is None:
        return "It is no line of JSON with a path_to_image."
    labels = labels_said(said)
    if labels is None:
        return "Its labels are not 1, 0, -1 or null."
    if shelf.get("labels", place.name):
        return "An earlier line is of the same film."
    shelf.put("labels", place.name, labels)
    return ""


def _put_row(row: Row, labelled: str, shelf: Shelf) -> Iterator[Problem]:
    place, patient = place_of(row["path_to_image"]), row["deid_patient_id"]
    if place is None:
        yield Problem(
            row.where, "Its path_to_image is not written as train/patient00001/study1/view1_frontal.jpg."
        )
        return
    if not patient or len(patient) > MAX_KEY or "\n" in patient:
        yield Problem(row.where, f"Its deid_patient_id is empty, or has more than {MAX_KEY} characters.")
        return
    split = split_called(row["split"])
    if split is None:
        yield Problem(row.where, "Its split is none of train and valid; none was kept.")
    # Of an empty text the labeller says No Finding, which nobody wrote.
    labels = shelf.get("labels", place.name) if labelled and row[labelled] else []
    film = Film(
        table=row.table,
        number=row.number,
        place=place.name,
        view=view_of(row["frontal_lateral"], row["ap_pa"]),
        sex=sex_of(row["sex"]),
        split=split.value if split else "",
        labels=labels[0] if labels else {},
        texts=_texts(row),
    )
    put_film(film, shelf, patient=patient, place=place)


def _texts(row: Row) -> dict[str, str]:
    """Its sections, or the whole report where it has neither findings nor impression."""
    said = {name: _NUMBER_OF_REPORT.sub("", row[name]).strip() for name in _TEXTS}
    if not said["section_findings"] and not said["section_impression"]:
        return {"report": said["report"]}
    history = (said["section_clinical_history"], said["section_history"])
    return {
        "indication": "\n".join(filter(None, history)),
        "findings": said["section_findings"],
        "impression": said["section_impression"],
    }


def _object(line: str) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
