"""The policies that come with the product, the oldest first: an older one stays what it was."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from rl_feedback.gate.policy import KIND_RECALL, Direction, Guard, Policy, Suite

# Wide enough that chance seldom holds one of so many figures, narrow enough that a kind of which a third is
# lost is caught: docs/reference/gate.md has the shares.
KIND_MARGIN = 0.15
FEWEST_OF_A_KIND = 30

_FIRST_GUARDS = (
    Guard("lesion_recall", "Lesion recall", Direction.HIGHER_IS_BETTER, 0.03),
    Guard("lesion_iou", "Lesion region IoU", Direction.HIGHER_IS_BETTER, 0.03),
    Guard("heart_iou", "Heart region IoU", Direction.HIGHER_IS_BETTER, 0.02),
    Guard("finding_precision", "Finding precision", Direction.HIGHER_IS_BETTER, 0.03),
    Guard("finding_f1", "Finding F1", Direction.HIGHER_IS_BETTER, 0.03),
    Guard("exact_answer", "Exact answers", Direction.HIGHER_IS_BETTER, 0.03),
    Guard("well_formed", "Format", Direction.HIGHER_IS_BETTER, 0.01),
    Guard("hallucinated", "Hallucinated findings", Direction.LOWER_IS_BETTER, 0.03),
    Guard("num_characters", "Answer length", Direction.SHOULD_NOT_DRIFT, 0.15),
)


def _cited(figure: str, label: str) -> Guard:
    return Guard(
        figure,
        label,
        Direction.LOWER_IS_BETTER,
        0.25,
        suite=Suite.CANARIES,
        limit=0.0,
        only_for_sure=True,
    )


def _canary(figure: str, label: str) -> Guard:
    return Guard(figure, label, Direction.HIGHER_IS_BETTER, 0.1, suite=Suite.CANARIES)


def _gap(figure: str, label: str) -> Guard:
    return Guard(figure, label, Direction.LOWER_IS_BETTER, 0.05, suite=Suite.TWINS, only_for_sure=True)


def _with_kinds(guards: tuple[Guard, ...]) -> tuple[Guard, ...]:
    """Recall of each kind stands behind lesion recall."""
    kinds = tuple(
        Guard(
            figure,
            f"{kind.capitalize()} recall",
            Direction.HIGHER_IS_BETTER,
            KIND_MARGIN,
            fewest=FEWEST_OF_A_KIND,
        )
        for kind, figure in KIND_RECALL.items()
    )
    return tuple(
        chain.from_iterable(
            (guard, *kinds) if (guard.suite, guard.figure) == (Suite.SEALED, "lesion_recall") else (guard,)
            for guard in guards
        )
    )


def _with_pieces(guards: tuple[Guard, ...]) -> tuple[Guard, ...]:
    """What is cited on chests in pieces stands behind what is cited on hands."""
    pieces = _cited("shuffled_cited", "Findings cited on chests in pieces")
    return tuple(
        chain.from_iterable(
            (guard, pieces) if guard.figure == "other_part_cited" else (guard,) for guard in guards
        )
    )


# Of sealed patients that readers have read, until a figure on them may hold a candidate.
FEWEST_PATIENTS = 30


def _on_patients(
    figure: str, label: str, direction: Direction, margin: float, *, holds: bool = True
) -> Guard:
    """Only for sure: some tens of patients can't tell a small loss from chance."""
    return Guard(
        figure,
        label,
        direction,
        margin,
        suite=Suite.PATIENTS,
        only_for_sure=True,
        fewest_patients=FEWEST_PATIENTS,
        only_shown=not holds,
    )


_PATIENTS = (
    _on_patients("confirmed_said", "Confirmed findings said", Direction.HIGHER_IS_BETTER, 0.05),
    _on_patients(
        "added_said",
        "Findings said that readers had to add",
        Direction.HIGHER_IS_BETTER,
        0.05,
        holds=False,
    ),
    _on_patients("confirmed_iou", "Region IoU with readers' regions", Direction.HIGHER_IS_BETTER, 0.05),
    _on_patients("struck_said", "Struck findings said again", Direction.LOWER_IS_BETTER, 0.05),
    _on_patients("denied_said", "Findings said that readers let be denied", Direction.LOWER_IS_BETTER, 0.05),
    _on_patients("answer_fit", "Answers as readers would have them", Direction.HIGHER_IS_BETTER, 0.05),
    _on_patients(
        "unjudged", "Findings that no reader judged, a film", Direction.LOWER_IS_BETTER, 1.0, holds=False
    ),
    _on_patients("well_formed", "Format", Direction.HIGHER_IS_BETTER, 0.02),
    _on_patients("num_boxes", "Regions drawn", Direction.SHOULD_NOT_DRIFT, 0.25),
    _on_patients("num_characters", "Answer length", Direction.SHOULD_NOT_DRIFT, 0.25),
)

# The margins are those within which two equally good models differ by chance, on 200 films of each site.
_POLICIES = (
    Policy(number=1, guards=_FIRST_GUARDS),
    Policy(
        number=2,
        guards=(
            *_FIRST_GUARDS,
            Guard("omitted", "Omitted findings", Direction.LOWER_IS_BETTER, 0.03),
            Guard("negation_flips", "Negation flips", Direction.LOWER_IS_BETTER, 0.03),
            Guard("reversed", "True statements reversed", Direction.LOWER_IS_BETTER, 0.05),
            Guard("laterality_flips", "Laterality flips", Direction.LOWER_IS_BETTER, 0.02),
            Guard("num_boxes", "Regions drawn", Direction.SHOULD_NOT_DRIFT, 0.25),
            Guard("constant_box", "Regions in one place", Direction.LOWER_IS_BETTER, 0.05),
            # A model taught chests alone cites 1.2 findings on a blank film and 2.0 on a hand.
            _cited("blank_cited", "Findings cited on blank films"),
            _cited("other_part_cited", "Findings cited on hands"),
            _canary("mirrored_sides", "Sides that follow a mirrored film"),
            _canary("image_dependence", "Fit to the film shown"),
            _gap("exact_answer", "Exact answers, sealed films over twins"),
            _gap("finding_f1", "Finding F1, sealed films over twins"),
            _gap("lesion_recall", "Lesion recall, sealed films over twins"),
        ),
    ),
)
_WITH_STEPS = replace(
    _POLICIES[-1],
    number=3,
    guards=(
        *_POLICIES[-1].guards,
        Guard(
            "step_score",
            "Weakest step, as readers would rate it",
            Direction.HIGHER_IS_BETTER,
            0.03,
            suite=Suite.STEPS,
        ),
    ),
)
_WITH_KINDS = replace(_WITH_STEPS, number=4, guards=_with_kinds(_WITH_STEPS.guards))
_WITH_PIECES = replace(_WITH_KINDS, number=5, guards=_with_pieces(_WITH_KINDS.guards))
POLICIES = (
    *_POLICIES,
    _WITH_STEPS,
    _WITH_KINDS,
    _WITH_PIECES,
    replace(_WITH_PIECES, number=6, guards=(*_WITH_PIECES.guards, *_PATIENTS)),
)
POLICY = POLICIES[-1]
