"""MIMIC-CXR-JPG as PhysioNet gives it, with the reports of MIMIC-CXR where they lie beside.

Johnson et al., MIMIC-CXR-JPG 2.1.0 (doi 10.13026/jsn5-t979); its tables are still called 2.0.0.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from deepmedix_review.studies.known_sets.report_sections import Sections, sections_of
from deepmedix_review.studies.known_sets.said import ImageSaid, LayoutRefused, Problem, Source, StudySaid
from deepmedix_review.studies.known_sets.tables import Row, Shelf, columns_of, rows_of, table_called
from deepmedix_review.studies.known_sets.words import (
    MAX_KEY,
    day_called,
    file_below,
    first_below,
    split_called,
)
from deepmedix_review.studies.models import Label, Split

SOURCE = Source(
    "MIMIC-CXR-JPG",
    "PhysioNet Credentialed Health Data License 1.5.0; cite Johnson et al., doi 10.13026/jsn5-t979",
    is_credentialed=True,
)
TABLE = "mimic-cxr-2.0.0-{}.csv"
FILMS = "files"
# The archive of reports unpacks to a folder of its own, or into the folder of the films.
REPORTS = ("mimic-cxr-reports/files", FILMS)
OF_FILM = ("dicom_id", "subject_id", "study_id", "ViewPosition", "StudyDate")
OF_SPLIT = ("dicom_id", "split")
FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Enlarged Cardiomediastinum",
    "Fracture",
    "Lung Lesion",
    "Lung Opacity",
    "No Finding",
    "Pleural Effusion",
    "Pleural Other",
    "Pneumonia",
    "Pneumothorax",
    "Support Devices",
)
SAYS = {1.0: Label.PRESENT, 0.0: Label.ABSENT, -1.0: Label.UNCERTAIN}
MAX_REPORT_BYTES = 256 * 1024


def read_mimic(folder: Path) -> Iterator[StudySaid | Problem]:
    """Films of a study_id are one study; tables are joined by dicom_id and study_id."""
    films = table_called(folder, TABLE.format("metadata"))
    if films is None:
        name = TABLE.format("metadata")
        raise LayoutRefused(f"{name} or {name}.gz was expected in {folder.name}. Neither is there.")
    # One labeller's words are kept, as both name the same findings.
    labels = table_called(folder, TABLE.format("chexpert")) or table_called(folder, TABLE.format("negbio"))
    splits = table_called(folder, TABLE.format("split"))
    needed: dict[Path, Sequence[str]] = {films: OF_FILM}
    if labels:
        needed[labels] = ("study_id", *FINDINGS)
    if splits:
        needed[splits] = OF_SPLIT
    columns = {table: columns_of(table, needed=names) for table, names in needed.items()}
    if not (folder / FILMS).is_dir():
        raise LayoutRefused(
            f"{FILMS} was expected in {folder.name}, with p10 and so on in it. It is not there."
        )
    return _studies(folder, columns, films=films, labels=labels, splits=splits)


def _studies(
    folder: Path,
    columns: dict[Path, list[str]],
    *,
    films: Path,
    labels: Path | None,
    splits: Path | None,
) -> Iterator[StudySaid | Problem]:
    shelf = Shelf()
    for table, put in ((labels, _put_labels), (splits, _put_split), (films, _put_film)):
        for row in rows_of(table, columns=columns[table]) if table else ():
            problem = row if isinstance(row, Problem) else put(row, shelf)
            if problem is not None:
                yield problem
    for key in shelf.keys("study"):
        subject, study = key.split("\n")
        rows = [Row(films.name, number, values) for number, values in shelf.get("study", key)]
        yield from _study(folder, subject, study, rows, shelf)


def _put_labels(row: Row, shelf: Shelf) -> Problem | None:
    says = {name: _label(row[name]) for name in FINDINGS if row[name]}
    if None in says.values():
        return Problem(row.where, "Its labels are not 1.0, 0.0, -1.0 or empty.")
    if shelf.get("labels", row["study_id"]):
        return Problem(row.where, "An earlier row is of the same study.")
    shelf.put("labels", row["study_id"], says)
    return None


def _put_split(row: Row, shelf: Shelf) -> Problem | None:
    split = split_called(row["split"])
    if split is None:
        return Problem(row.where, "Its split is none of train, validate and test.")
    shelf.put("split", row["dicom_id"], split.value)
    return None


def _put_film(row: Row, shelf: Shelf) -> Problem | None:
    numbers = (row["subject_id"], row["study_id"])
    if not all(number.isascii() and number.isdigit() and len(number) <= MAX_KEY for number in numbers):
        return Problem(row.where, "Its subject_id or study_id is no number.")
    if not row["dicom_id"] or len(row["dicom_id"]) > MAX_KEY:
        return Problem(row.where, f"Its dicom_id is empty, or has more than {MAX_KEY} characters.")
    shelf.put("study", "\n".join(numbers), [row.number, {name: row[name] for name in OF_FILM}])
    return None


def _study(
    folder: Path, subject: str, study: str, rows: Sequence[Row], shelf: Shelf
) -> Iterator[StudySaid | Problem]:
    first, below = rows[0], f"p{subject[:2]}/p{subject}"
    images: dict[str, ImageSaid] = {}
    splits: set[str] = set()
    for row in rows:
        name = row["dicom_id"]
        path = file_below(folder, f"{FILMS}/{below}/s{study}/{name}.jpg")
        if path is None:
            yield Problem(row.where, f"Its picture is not in {FILMS}.")
        elif name in images:
            yield Problem(row.where, "An earlier row names the same picture.")
        else:
            images[name] = ImageSaid(name, path, row.where, row["ViewPosition"].upper())
            splits.update(shelf.get("split", name))
    if not images:
        return
    if len(splits) > 1:
        yield Problem(first.where, "The films of its study are in different splits; none was kept.")
    made_on = day_called(first["StudyDate"])
    if first["StudyDate"] and made_on is None:
        yield Problem(first.where, "Its StudyDate is not written as 21801231.")
    report = _report(folder, f"{below}/s{study}.txt", first)
    if isinstance(report, Problem):
        yield report
        report = Sections()
    labels = shelf.get("labels", study)
    yield StudySaid(
        patient=subject,
        key=study,
        where=first.where,
        images=list(images.values()),
        split=Split(splits.pop()) if len(splits) == 1 else None,
        indication=report.indication,
        findings=report.findings,
        impression=report.impression,
        report=report.report,
        labels={name: Label(word) for name, word in labels[0].items()} if labels else {},
        made_on=made_on,
    )


def _report(folder: Path, name: str, row: Row) -> Sections | Problem:
    """Empty where none lies there: films and reports are fetched apart."""
    path = first_below(folder, (f"{reports}/{name}" for reports in REPORTS))
    if path is None:
        return Sections()
    try:
        with path.open("rb") as file:
            content = file.read(MAX_REPORT_BYTES + 1)
    except OSError:
        return Problem(row.where, "Its report can't be read.")
    if len(content) > MAX_REPORT_BYTES:
        return Problem(row.where, f"Its report has more than {MAX_REPORT_BYTES // 1024} KB and was left.")
    return sections_of(content.decode("utf-8-sig", errors="replace"))


def _label(text: str) -> Label | None:
    try:
        return SAYS.get(float(text))
    except ValueError:
        return None
