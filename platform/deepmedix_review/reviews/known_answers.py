"""What a training case should have been answered, and how the reader's signed word compares with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.first_reads import CHEXPERT_FINDINGS, NO_FINDING
from inference.regions import Box
from rl_feedback.corrections import overlap

# A reader's region is at the known one from this overlap (intersection over union) on.
LEAST_OVERLAP = 0.5


@dataclass(frozen=True)
class KnownRegion:
    """Where a finding is, in film pixels."""

    finding: str
    box: Box


@dataclass(frozen=True)
class KnownAnswer:
    """As `Case.known_answer` keeps it: `{"findings": [names], "regions": [{"finding", "box"}], "choice",
    "comment"}`, each left out where nothing is known of it. None of `findings` is: not known."""

    findings: tuple[str, ...] | None = None
    regions: tuple[KnownRegion, ...] = ()
    choice: str = ""
    comment: str = ""

    def as_json(self) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        if self.findings is not None:
            kept["findings"] = list(self.findings)
        if self.regions:
            kept["regions"] = [{"finding": one.finding, "box": list(one.box)} for one in self.regions]
        if self.choice:
            kept["choice"] = self.choice
        if self.comment:
            kept["comment"] = self.comment
        return kept


@dataclass(frozen=True)
class WordOfReader:
    """What a signed reading says that a known answer speaks of; None where the reader was not asked.

    `boxes`: the regions that the reader drew, redrew, or found fitting.
    """

    findings: tuple[str, ...] | None
    choice: str | None
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class FeedbackItem:
    """`agrees` is None where the two can't be compared; `region` is the place of a region among the known."""

    what: str
    yours: str
    known: str
    agrees: bool | None
    region: int | None = None


def read_known_answer(kept: Mapping[str, Any]) -> KnownAnswer:
    """Raises RefusedByRule for one that no reading could be compared with."""
    findings = kept.get("findings")
    if findings is not None and not (
        isinstance(findings, list) and all(name in CHEXPERT_FINDINGS for name in findings)
    ):
        raise RefusedByRule(f"The known findings are some of: {', '.join(CHEXPERT_FINDINGS)}. Choose some.")
    regions = kept.get("regions", [])
    if not isinstance(regions, list):
        raise RefusedByRule("The known regions are a list. Give each its finding and its box.")
    return KnownAnswer(
        findings=None if findings is None else tuple(findings),
        regions=tuple(_known_region(region) for region in regions),
        choice=str(kept.get("choice", "")),
        comment=str(kept.get("comment", "")),
    )


def compare(said: WordOfReader, known: KnownAnswer) -> tuple[FeedbackItem, ...]:
    """Finding by finding, the choice, and each known region with the reader's nearest one; a comment is not
    compared with anything."""
    items = []
    if known.findings is not None and said.findings is not None:
        told = tuple(name for name in CHEXPERT_FINDINGS if name in {*known.findings, *said.findings})
        items += [
            FeedbackItem(
                what=name,
                yours="present" if name in said.findings else "not named",
                known="present" if name in known.findings else "absent",
                agrees=(name in said.findings) == (name in known.findings),
            )
            for name in told
        ]
    elif known.findings is not None:
        names = ", ".join(known.findings) or NO_FINDING
        items.append(FeedbackItem("Findings", "", names, agrees=None))
    if known.choice:
        items.append(
            FeedbackItem(
                "Answer",
                said.choice or "",
                known.choice,
                agrees=None if said.choice is None else said.choice == known.choice,
            )
        )
    items += [_compared(at, region, said.boxes) for at, region in enumerate(known.regions)]
    return tuple(items)


def _compared(at: int, known: KnownRegion, boxes: Sequence[Box]) -> FeedbackItem:
    best = max((overlap(known.box, box) for box in boxes), default=None)
    yours = "no region" if best is None else f"{best:.0%} overlap"
    return FeedbackItem(
        what=f"Region of {known.finding}",
        yours=yours,
        known="drawn on the film",
        agrees=best is not None and best >= LEAST_OVERLAP,
        region=at,
    )


def _known_region(kept: Any) -> KnownRegion:
    box = kept.get("box") if isinstance(kept, dict) else None
    if not (
        isinstance(box, (list, tuple))
        and len(box) == 4
        and all(isinstance(edge, (int, float)) and not isinstance(edge, bool) for edge in box)
        and box[0] < box[2]
        and box[1] < box[3]
    ):
        raise RefusedByRule(
            "A known region has a finding and a box [x_min, y_min, x_max, y_max] of the film. Draw it again."
        )
    return KnownRegion(str(kept.get("finding", "")) or "the finding", Box(*box))
