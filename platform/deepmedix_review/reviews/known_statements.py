"""Whether the known answer of a practice case bears out a sentence: a step, or a finding that was written."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from inference.regions import Box, overlap
from rl_feedback.labels import CHEXPERT_14, NO_FINDING, Mention, State, label_report

# CheXpert's labels lie within each other (Irvin et al. 2019, figure 1): a lung lesion is a lung opacity.
_WITHIN = {
    "Enlarged Cardiomediastinum": ("Cardiomegaly",),
    "Lung Opacity": ("Lung Lesion", "Edema", "Consolidation", "Pneumonia", "Atelectasis"),
    "Consolidation": ("Pneumonia",),
}


@dataclass(frozen=True)
class BorneOut:
    """`is_true` is None where the known answer does not tell; `known` says what it tells of the findings that
    are named, and is empty where none of the fourteen is."""

    is_true: bool | None
    known: str


def bear_out(
    text: str, boxes: Sequence[Box], *, findings: Collection[str], places: Sequence[tuple[str, Box]]
) -> BorneOut:
    """`boxes`: where the sentence points; `findings`: all on the film; `places`: where they are known
    to be. A sentence that names a side is true only where it points at the place.

    >>> known = ("Lung Lesion",)
    >>> bear_out("There is a nodule.", [], findings=known, places=[])
    BorneOut(is_true=True, known='Lung Lesion present')
    >>> bear_out("The heart is enlarged.", [], findings=known, places=[])
    BorneOut(is_true=False, known='Cardiomegaly absent')
    >>> bear_out("There is a left nodule.", [], findings=known, places=[]).is_true is None
    True
    """
    claims = [
        mention
        for mention in label_report(text).mentions
        if mention.is_stated and mention.label in CHEXPERT_14 and mention.label != NO_FINDING
    ]
    told = [_is_true(claim, boxes, findings, places) for claim in claims]
    known = {
        claim.label: "present" if there(claim.label, findings) else "absent"
        for claim in claims
        if there(claim.label, findings) or not is_within_known(claim.label, findings)
    }
    is_true = False if False in told else True if told and None not in told else None
    return BorneOut(is_true, ", ".join(f"{label} {state}" for label, state in known.items()))


def _is_true(
    claim: Mention, boxes: Sequence[Box], findings: Collection[str], places: Sequence[tuple[str, Box]]
) -> bool | None:
    if claim.state not in (State.PRESENT, State.ABSENT):
        return None
    names = there(claim.label, findings)
    if not names:
        return None if is_within_known(claim.label, findings) else claim.state is State.ABSENT
    if not claim.sides:
        return claim.state is State.PRESENT
    # The known answer has no sides, but places.
    is_there = any(finding in names and overlap(place, box) > 0 for finding, place in places for box in boxes)
    return True if is_there and claim.state is State.PRESENT else None


def there(label: str, findings: Collection[str]) -> frozenset[str]:
    """The label, and those within it, that are on the film."""
    return frozenset(name for name in findings if name == label or is_within(name, label))


def is_within(label: str, wider: str) -> bool:
    within = _WITHIN.get(wider, ())
    return label in within or any(is_within(label, one) for one in within)


def is_within_known(label: str, findings: Collection[str]) -> bool:
    """Only something wider is known: whether this is what it is, nobody said."""
    return any(label in _WITHIN.get(wider, ()) for wider in findings)
