"""The Indiana University chest films as Open-i gives them: PNG files, and an XML report to each study.

Demner-Fushman et al., Preparing a collection of radiology examinations for distribution and retrieval, JAMIA
2016 (doi 10.1093/jamia/ocv080). XXXX stands in its texts where a word was taken out for somebody's privacy.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import ParseError, fromstring

from deepmedix_review.studies.known_sets.said import ImageSaid, LayoutRefused, Problem, Source, StudySaid
from deepmedix_review.studies.known_sets.tables import Shelf
from deepmedix_review.studies.known_sets.words import (
    MAX_KEY,
    MAX_LABELS,
    file_below,
    first_below,
    label_name,
    plain,
)
from deepmedix_review.studies.models import Label

SOURCE = Source(
    "Indiana University chest X-rays (Open-i)",
    "CC BY-NC-ND 4.0, as its copies say; cite Demner-Fushman et al., doi 10.1093/jamia/ocv080",
    is_credentialed=False,
)
REPORTS = "ecgen-radiology"
# Films are unpacked into a folder of their own, or beside that of the reports.
FILMS = ("NLMCXR_png", ".")
SECTIONS = ("INDICATION", "FINDINGS", "IMPRESSION")
# Stands in the place of a finding where the report was not coded.
NOT_CODED = "No Indexing"
MAX_XML_BYTES = 1024**2


@dataclass(frozen=True)
class _Report:
    number: str
    images: Sequence[str]
    texts: dict[str, str]
    findings: Sequence[str]


def read_iu(folder: Path) -> Iterator[StudySaid | Problem]:
    """Each report is a study of a patient of its own: the set says of no two that they are of one person."""
    reports = folder / REPORTS
    names = sorted((path.name for path in reports.glob("*.xml")), key=lambda name: (len(name), name))
    if not names:
        raise LayoutRefused(f"{REPORTS} was expected in {folder.name}, with XML files in it. There is none.")
    if not any(next((folder / below).glob("*.png"), None) for below in FILMS):
        raise LayoutRefused(
            f"PNG files were expected in {folder.name}, or in NLMCXR_png in it. There are none."
        )
    if all(isinstance(_report(folder, name), Problem) for name in names):
        raise LayoutRefused(f"None of the files in {REPORTS} is a report of this set (XML, eCitation).")
    return _studies(folder, names)


def _studies(folder: Path, names: Sequence[str]) -> Iterator[StudySaid | Problem]:
    shelf = Shelf()
    for name in names:
        report = _report(folder, name)
        if isinstance(report, Problem):
            yield report
        elif shelf.get("report", report.number):
            yield Problem(_where(name), "An earlier report has the same number.")
        else:
            shelf.put("report", report.number, True)
            yield from _study(folder, name, report)


def _study(folder: Path, name: str, report: _Report) -> Iterator[StudySaid | Problem]:
    where = _where(name)
    images: dict[str, ImageSaid] = {}
    for number, image in enumerate(report.images, start=1):
        path = first_below(folder, (f"{below}/{image}.png" for below in FILMS))
        if path is None:
            yield Problem(where, f"Its picture {number} is not there.")
        elif image not in images:
            images[image] = ImageSaid(image, path, where)
    if not report.images:
        yield Problem(where, "It names no picture.")
    if not images:
        return
    labels: dict[str, Label] = {}
    for finding in report.findings:
        label = label_name(finding)
        if label and len(labels) < MAX_LABELS:
            labels[label] = Label.PRESENT
        else:
            yield Problem(where, "One of its findings has too long a name, or there are too many.")
    indication, findings, impression = (report.texts.get(section, "") for section in SECTIONS)
    yield StudySaid(
        patient=report.number,
        key=report.number,
        where=where,
        images=list(images.values()),
        indication=indication,
        findings=findings,
        impression=impression,
        labels=labels,
    )


def _report(folder: Path, name: str) -> _Report | Problem:
    """What it says; no file of this set declares entities, and one that does is not read."""
    path = file_below(folder, f"{REPORTS}/{name}")
    if path is None:
        return Problem(_where(name), "It can't be read.")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_XML_BYTES + 1)
        if len(content) > MAX_XML_BYTES:
            return Problem(_where(name), "It has more than 1 MB and was left.")
        root: Element = fromstring(content, forbid_dtd=True)
    # What is forbidden is a ValueError, as are encodings that nobody knows.
    except (OSError, ParseError, ValueError, LookupError):
        return Problem(_where(name), "It can't be read as XML, or it declares a document type or entities.")
    number = root.find("uId")
    key = plain(number.get("id", "")) if number is not None else ""
    if root.tag != "eCitation" or not key or len(key) > MAX_KEY:
        return Problem(_where(name), "It is no eCitation with a uId.")
    texts: dict[str, str] = {}
    for part in root.iter("AbstractText"):
        section, said = part.get("Label", "").upper(), "".join(part.itertext()).strip()
        texts[section] = "\n".join(filter(None, (texts.get(section, ""), said)))
    coded = ("".join(finding.itertext()).strip() for finding in root.iter("major"))
    return _Report(
        key,
        [image.get("id", "") for image in root.iter("parentImage")],
        texts,
        [finding for finding in coded if finding and finding != NOT_CODED],
    )


def _where(name: str) -> str:
    return f"{REPORTS}/{plain(name)[:MAX_KEY]}"
