"""What a practice case should have been answered, and how the reader's signed word compares with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.first_reads import CHEXPERT_FINDINGS, NO_FINDING
from deepmedix_review.reviews.known_statements import bear_out, is_within, is_within_known, there
from deepmedix_review.reviews.known_words import STATE_IN_WORDS, Understood, understand
from inference.regions import Box, overlap
from rl_feedback.labels import State
from rl_feedback.readings import MOST_IMPLAUSIBLE

# A reader's region is at the known one from this overlap (intersection over union) on.
LEAST_OVERLAP = 0.5
# In words, from this intersection over union on.
NEARNESS = ((0.75, "close"), (LEAST_OVERLAP, "near"), (0.25, "off"), (0.0, "far off"))
# Right, with a small flaw at most.
LEAST_PLAUSIBLE = 4
MOST_LETTERS = 80


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
class NamedBox:
    """A region that was drawn, redrawn, or found fitting; `name` as in "the region of step 2, redrawn".
    `before`: where the model had it, of one that was redrawn or drawn anew in the place of a wrong one."""

    name: str
    box: Box
    is_drawn: bool = False
    before: Box | None = None


@dataclass(frozen=True)
class RatedStep:
    """`name` as in "step 2"; `boxes`: where the model points with it."""

    name: str
    text: str
    plausibility: int
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class WrittenFinding:
    """What the reader says that the output should have named; `boxes`: where."""

    text: str
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class WordOfReader:
    """What a signed reading says that a known answer speaks of; None where it was not asked. `impression`:
    the first read in the reader's own words."""

    findings: tuple[str, ...] | None
    choice: str | None
    boxes: tuple[NamedBox, ...]
    steps: tuple[RatedStep, ...] = ()
    missed: tuple[WrittenFinding, ...] = ()
    impression: str = ""


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
    """Finding by finding, ticked or written in words, the choice, each known region with the reader's nearest
    one, every other region that the reader drew or moved, the ratings of steps that are known to be true or
    false, and what was written as missed; a comment is compared with nothing."""
    items: list[FeedbackItem] = []
    if known.findings is not None and said.findings is not None:
        items += _first_read(said.findings, said.impression, known.findings)
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
    nearest = [_nearest(region, said.boxes) for region in known.regions]
    items += [
        _compared(at, region, nearest[at], has_any=bool(said.boxes))
        for at, region in enumerate(known.regions)
    ]
    items += [
        _placed(named, known.regions)
        for named in said.boxes
        if known.regions and (named.is_drawn or named.before is not None) and named not in nearest
    ]
    items += [item for step in said.steps if (item := _judged(step, known)) is not None]
    items += [_looked_for(finding, known) for finding in said.missed if known.findings is not None]
    return tuple(items)


def _first_read(ticked: Sequence[str], impression: str, findings: Sequence[str]) -> list[FeedbackItem]:
    """What was ticked, and what the words are understood to say. What is not understood is not wrong."""
    words = understand(impression)
    known = findings or (NO_FINDING,)
    told = [name for name in CHEXPERT_FINDINGS if name in {*known, *ticked, *words.states}]
    items = [_of_finding(name, ticked, words, known) for name in told]
    return [_understood_as(impression, words), *items] if impression.strip() else items


def _of_finding(name: str, ticked: Sequence[str], words: Understood, known: Sequence[str]) -> FeedbackItem:
    in_words = words.states.get(name)
    if name in ticked:
        return _told(name, "present", known=name in known, agrees=name in known)
    if in_words is not None:
        is_known = bool(there(name, known))
        yours = f"{STATE_IN_WORDS[in_words]}, in your words"
        if in_words is State.UNCERTAIN:
            return _told(name, yours, known=is_known, agrees=None)
        if not is_known and is_within_known(name, known):
            return FeedbackItem(name, yours, "only something wider is known", agrees=None)
        return _told(name, yours, known=is_known, agrees=is_known == (in_words is State.PRESENT))
    near = [
        other
        for other, state in words.states.items()
        if state is not State.ABSENT and (is_within(name, other) or is_within(other, name))
    ]
    if near:
        return _told(name, f"{', '.join(near)}, in your words", known=True, agrees=None)
    if not words.is_whole:
        return _told(name, "not among what was understood", known=True, agrees=None)
    # Whoever writes that something is not there, or is there, has said what stands in its own row.
    agrees = None if name == NO_FINDING and words.states else False
    return _told(name, "not named", known=True, agrees=agrees)


def _told(name: str, yours: str, *, known: bool, agrees: bool | None) -> FeedbackItem:
    return FeedbackItem(name, yours, "present" if known else "absent", agrees)


def _understood_as(impression: str, words: Understood) -> FeedbackItem:
    if not words.states:
        known = "no finding of the list is recognised in them: they count neither for nor against you"
    elif not words.is_whole:
        known = "the rest is not understood, and counts neither for nor against you"
    else:
        known = "compared below"
    return FeedbackItem(
        f"Your words: {_shortened(impression)}", words.in_words or "not understood", known, agrees=None
    )


def _nearest(known: KnownRegion, boxes: Sequence[NamedBox]) -> NamedBox | None:
    """None where none of them touches it."""
    best = max(boxes, key=lambda named: overlap(known.box, named.box), default=None)
    return best if best is not None and overlap(known.box, best.box) > 0 else None


def _compared(at: int, known: KnownRegion, nearest: NamedBox | None, *, has_any: bool) -> FeedbackItem:
    share = 0.0 if nearest is None else overlap(known.box, nearest.box)
    without = "none near it" if has_any else "no region"
    return FeedbackItem(
        what=f"Region of {known.finding}",
        yours=without if nearest is None else f"{_how_near(nearest, known)}: {nearest.name}",
        known="drawn on the film",
        agrees=share >= LEAST_OVERLAP,
        region=at,
    )


def _placed(named: NamedBox, known: Sequence[KnownRegion]) -> FeedbackItem:
    """A region that is no known one's nearest. It may be of what is not known; but where the model pointed at
    something and was moved, it was meant for what is there."""
    at = max(range(len(known)), key=lambda place: overlap(known[place].box, named.box))
    share = overlap(known[at].box, named.box)
    return FeedbackItem(
        what=f"{named.name[0].upper()}{named.name[1:]}",
        yours=f"{_how_near(named, known[at])} with {known[at].finding}"
        if share > 0
        else "at no known region",
        known="drawn on the film" if share > 0 else "nothing is known there",
        agrees=True if share >= LEAST_OVERLAP else False if share > 0 and named.before else None,
        region=at if share > 0 else None,
    )


def _how_near(named: NamedBox, known: KnownRegion) -> str:
    """ "close, IoU 0.81 (the model's 0.32)"."""
    share = overlap(known.box, named.box)
    words = next(words for least, words in NEARNESS if share >= least)
    before = "" if named.before is None else f" (the model's {overlap(known.box, named.before):.2f})"
    return f"{words}, IoU {share:.2f}{before}"


def _judged(step: RatedStep, known: KnownAnswer) -> FeedbackItem | None:
    """None where the known answer does not tell whether the step is true."""
    if known.findings is None:
        return None
    told = bear_out(step.text, step.boxes, findings=known.findings, places=_places(known))
    if told.is_true is None:
        return None
    is_plausible = step.plausibility >= LEAST_PLAUSIBLE
    is_between = MOST_IMPLAUSIBLE < step.plausibility < LEAST_PLAUSIBLE
    word = "partly right" if is_between else "plausible" if is_plausible else "implausible"
    return FeedbackItem(
        what=f"{step.name[0].upper()}{step.name[1:]}: {_shortened(step.text)}",
        yours=f"{word} ({step.plausibility})",
        known=f"{'true' if told.is_true else 'false'}: {told.known}",
        agrees=None if is_between else is_plausible == told.is_true,
    )


def _looked_for(finding: WrittenFinding, known: KnownAnswer) -> FeedbackItem:
    told = bear_out(finding.text, finding.boxes, findings=known.findings or (), places=_places(known))
    return FeedbackItem(
        what=f"Missed finding: {_shortened(finding.text)}",
        yours=understand(finding.text).in_words or "not understood",
        known="not there: " + told.known
        if told.is_true is False
        else told.known or "not among what is known",
        agrees=told.is_true,
    )


def _places(known: KnownAnswer) -> list[tuple[str, Box]]:
    return [(region.finding, region.box) for region in known.regions]


def _shortened(text: str) -> str:
    return f"“{text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1].rstrip() + '…'}”"


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
