"""What a report makes up, leaves out or turns round, against the reference's findings."""

from __future__ import annotations

from dataclasses import dataclass

from rl_feedback.evaluation.reports.rule_chexpert import findings_said
from rl_feedback.labels import NO_FINDING, State, label_report

VARIANT = "rule labels; of CheXpert's fourteen without No Finding; doubted counts as said"


@dataclass(frozen=True)
class FindingsResult:
    """Numbers of findings: said by the report, by the reference; `made_up` is said by the report alone,
    `left_out` by the reference alone. `flipped` are those of the reference, there or denied, of which the
    report says the opposite, of `num_shared` that both speak of; `swapped` are on the other side, of
    `num_sided` for which both name one."""

    num_said: int
    num_true: int
    made_up: int
    left_out: int
    num_shared: int
    flipped: int
    num_sided: int
    swapped: int


def compare_findings(text: str, reference: str) -> FindingsResult:
    """By the rule labeller.

    >>> found = compare_findings("Right effusion. Pneumothorax.", "Left effusion. No pneumothorax.")
    >>> found.made_up, found.left_out, found.flipped, found.swapped
    (1, 0, 1, 1)
    """
    said, true = findings_said(text), findings_said(reference)
    ours, theirs = label_report(text), label_report(reference)
    shared = [
        finding
        for finding in dict.fromkeys(mention.label for mention in theirs.mentions)
        if finding != NO_FINDING and ours.state_of(finding) is not None
    ]
    states = [(ours.state_of(finding), theirs.state_of(finding)) for finding in shared]
    sides = [
        (ours.sides_of(finding), theirs.sides_of(finding))
        for finding, pair in zip(shared, states, strict=True)
        if pair == (State.PRESENT, State.PRESENT)
    ]
    sided = [(a, b) for a, b in sides if a and b]
    return FindingsResult(
        num_said=len(said),
        num_true=len(true),
        made_up=len(said - true),
        left_out=len(true - said),
        num_shared=len(shared),
        flipped=sum(set(pair) == {State.PRESENT, State.ABSENT} for pair in states),
        num_sided=len(sided),
        swapped=sum(not a & b for a, b in sided),
    )
