"""What the reading page shows of a first read: how it is answered, what was said, and thought after."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from deepmedix_review.reviews.first_reads import CHEXPERT_FINDINGS
from deepmedix_review.reviews.models import DrawnRegion, FirstRead, Reading

Moment = Literal["first", "after_reveal"]


@dataclass(frozen=True)
class DrawnRegionView:
    """A region of the reader's own, film pixels, and the one thing that it belongs to."""

    uid: uuid.UUID
    step: uuid.UUID | None
    missed_finding: uuid.UUID | None
    first_read: Moment | None
    x_min: float
    y_min: float
    x_max: float
    y_max: float


@dataclass(frozen=True)
class FirstReadView:
    choice: str
    findings: tuple[str, ...]
    impression: str
    confidence: int | None
    locked_at: datetime | None
    regions: tuple[DrawnRegionView, ...]


@dataclass(frozen=True)
class FirstReadForm:
    """`form` is how it is answered: by one of `choices`, or by findings and an impression."""

    form: Literal["choice", "findings"]
    choices: tuple[str, ...]
    findings_offered: tuple[str, ...]
    first: FirstReadView | None
    after_reveal: FirstReadView | None


def drawn_regions(readings: Iterable[Reading]) -> Mapping[int, tuple[DrawnRegionView, ...]]:
    """By reading, in the order in which they were drawn."""
    regions: dict[int, list[DrawnRegionView]] = defaultdict(list)
    rows = DrawnRegion.objects.filter(reading__in=readings).order_by("pk")
    for reading, is_after_reveal, uid, step, finding, *edges in rows.values_list(
        *("reading_id", "first_read__is_after_reveal", "uid", "step__uid", "missed_finding__uid"),
        *("x_min", "y_min", "x_max", "y_max"),
    ):
        moment: Moment | None = None
        if is_after_reveal is not None:
            moment = "after_reveal" if is_after_reveal else "first"
        x_min, y_min, x_max, y_max = edges
        regions[reading].append(DrawnRegionView(uid, step, finding, moment, x_min, y_min, x_max, y_max))
    return {reading: tuple(drawn) for reading, drawn in regions.items()}


def first_reads(
    drawn: Mapping[Reading, Iterable[DrawnRegionView]],
) -> Mapping[int, Mapping[Moment, FirstReadView]]:
    """By reading, each of which comes with all the regions that its reader drew; one query."""
    said: dict[int, dict[Moment, FirstReadView]] = {reading.pk: {} for reading in drawn}
    regions = {reading.pk: tuple(theirs) for reading, theirs in drawn.items()}
    for row in FirstRead.objects.filter(reading__in=said):
        moment: Moment = "after_reveal" if row.is_after_reveal else "first"
        said[row.reading_id][moment] = FirstReadView(
            choice=row.choice,
            findings=tuple(row.findings),
            impression=row.impression,
            confidence=row.confidence,
            locked_at=row.locked_at,
            regions=tuple(region for region in regions[row.reading_id] if region.first_read == moment),
        )
    return said


def first_read_form(reading: Reading, drawn: Iterable[DrawnRegionView]) -> FirstReadForm | None:
    """None where the case asks for no first read."""
    if not reading.asks_first_read:
        return None
    choices = tuple(reading.assignment.case.reader_study.first_read_choices)
    said = first_reads({reading: drawn})[reading.pk]
    return FirstReadForm(
        form="choice" if choices else "findings",
        choices=choices,
        findings_offered=() if choices else CHEXPERT_FINDINGS,
        first=said.get("first"),
        after_reveal=said.get("after_reveal"),
    )
