"""PadChest-GR: the findings of some reports of PadChest, one sentence each, and where each is on the film.

de Castro et al., PadChest-GR, NEJM AI 2025 (arXiv 2411.05085).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepmedix_review.studies.known_sets.said import LayoutRefused, Problem
from deepmedix_review.studies.known_sets.tables import Row, Shelf, columns_of, rows_of, table_called
from deepmedix_review.studies.known_sets.words import MAX_KEY, split_called

REPORTS = "grounded_reports_*.json"
SPLITS = "master_table.csv"
OF_SPLIT = ("StudyID", "split")
# That of 4,555 studies has about 10 MB.
MAX_JSON_BYTES = 128 * 1024**2
# What a finding says, and what stands for it where it is silent.
_PARTS: tuple[tuple[str, Any], ...] = (("sentence_en", ""), ("labels", []), ("boxes", []))


@dataclass(frozen=True)
class Grounded:
    """The file as it was read; `splits` is None where its table of splits is not there."""

    name: str
    entries: Sequence[Any]
    splits: Path | None
    split_columns: Sequence[str]

    def put_aside(self, shelf: Shelf) -> Iterator[Problem]:
        """Sentences and boxes by picture, splits by study."""
        for number, entry in enumerate(self.entries, start=1):
            yield from _put_entry(entry, f"{self.name}, entry {number}", shelf)
        for row in rows_of(self.splits, columns=self.split_columns) if self.splits else ():
            problem = row if isinstance(row, Problem) else _put_split(row, shelf)
            if problem is not None:
                yield problem


def grounded_in(folder: Path) -> Grounded | None:
    """None where PadChest-GR does not lie in the folder. Raises LayoutRefused where it is something else."""
    found = sorted(folder.glob(REPORTS))
    if not found:
        return None
    # The day is in the name.
    entries = _entries(found[-1])
    splits = table_called(folder, SPLITS)
    return Grounded(
        found[-1].name, entries, splits, columns_of(splits, needed=OF_SPLIT) if splits is not None else ()
    )


def _entries(path: Path) -> Sequence[Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_JSON_BYTES + 1)
        if len(content) > MAX_JSON_BYTES:
            raise LayoutRefused(f"{path.name} has more than {MAX_JSON_BYTES // 1024**2} MB.")
        entries = json.loads(content)
    # What is no JSON, or no text, is a ValueError.
    except (OSError, ValueError, RecursionError) as error:
        raise LayoutRefused(f"{path.name} can't be read as JSON.") from error
    if not isinstance(entries, list):
        raise LayoutRefused(f"{path.name} was expected to be a list of reports. It is something else.")
    return entries


def _put_entry(entry: Any, where: str, shelf: Shelf) -> Iterator[Problem]:
    image = entry.get("ImageID") if isinstance(entry, dict) else None
    findings = entry.get("findings") if isinstance(entry, dict) else None
    if not isinstance(image, str) or not _is_name(image) or not isinstance(findings, list):
        yield Problem(where, "It has no ImageID, or no list of findings.")
        return
    if shelf.get("grounded", image):
        yield Problem(where, "An earlier entry is of the same picture.")
        return
    shelf.put("grounded", image, True)
    for number, finding in enumerate(findings, start=1):
        problem = _put_finding(image, finding, f"{where}, finding {number}", shelf)
        if problem is not None:
            yield problem


def _put_finding(image: str, finding: Any, where: str, shelf: Shelf) -> Problem | None:
    """Sentences of what is not there mostly have neither labels nor boxes."""
    if not isinstance(finding, dict):
        return Problem(where, "It is no finding with a sentence.")
    sentence, labels, boxes = (finding.get(name) or empty for name, empty in _PARTS)
    if not (isinstance(sentence, str) and isinstance(labels, list) and isinstance(boxes, list)):
        return Problem(where, "Its sentence_en is no text, or its labels or boxes are no list.")
    if not all(isinstance(label, str) for label in labels) or not all(map(_is_box, boxes)):
        return Problem(where, "Its labels are not names, or a box is not four numbers from 0 to 1.")
    if sentence.strip():
        shelf.put("sentence", image, sentence.strip())
    for box in boxes:
        for label in labels or [""]:
            shelf.put("box", image, [label, *map(float, box), where])
    return None


def _is_name(image: str) -> bool:
    return 0 < len(image) <= MAX_KEY and image.isprintable()


def _is_box(box: Any) -> bool:
    """Edges as parts of the picture's width and height: x, y, x, y."""
    is_four = isinstance(box, list) and len(box) == 4
    return is_four and all(type(edge) in (int, float) and 0 <= edge <= 1 for edge in box)


def _put_split(row: Row, shelf: Shelf) -> Problem | None:
    """A study has a row for each of its labels."""
    split = split_called(row["split"])
    if split is None or not row["StudyID"]:
        return Problem(row.where, "It names no study, or its split is none of train, validation and test.")
    if split.value not in shelf.get("split", row["StudyID"]):
        shelf.put("split", row["StudyID"], split.value)
    return None
