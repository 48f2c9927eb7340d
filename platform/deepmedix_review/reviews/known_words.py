"""What a reader's own words are understood to say of the fourteen findings."""

from collections.abc import Mapping
from dataclasses import dataclass

from rl_feedback.labels import CHEXPERT_14, NO_FINDING, ReportLabels, State, label_report
from rl_feedback.labels.sentences import sentences

STATE_IN_WORDS = {State.PRESENT: "present", State.UNCERTAIN: "possible", State.ABSENT: "absent"}


@dataclass(frozen=True)
class Understood:
    """`states` by finding, the strongest of what is said of each; `is_whole`: every sentence names one."""

    states: Mapping[str, State]
    is_whole: bool

    @property
    def in_words(self) -> str:
        """Empty where nothing is understood."""
        said = ", ".join(f"{name} {STATE_IN_WORDS[state]}" for name, state in self.states.items())
        return f"understood as: {said}" if said else ""


def understand(text: str) -> Understood:
    """A finding that is only implied counts as nothing said of it, but for a film that is called normal.

    >>> understand("A small nodule on the left. No effusion.").in_words
    'understood as: Lung Lesion present, Pleural Effusion absent'
    >>> understand("A white thing on the left."), understand("")
    (Understood(states={}, is_whole=False), Understood(states={}, is_whole=True))
    """
    report = label_report(text)
    stated = ReportLabels(tuple(mention for mention in report.mentions if mention.is_stated))
    found = {name: stated.state_of(name) for name in CHEXPERT_14 if name != NO_FINDING}
    states = {name: state for name, state in found.items() if state is not None}
    if report.is_normal and (report.state_of(NO_FINDING) is State.PRESENT or not states):
        states = {NO_FINDING: State.PRESENT, **states}
    begins = [start for start, _ in sentences(text)]
    ends = [*begins[1:], len(text)]
    is_whole = all(
        any(start <= mention.start < end for mention in report.mentions)
        for start, end in zip(begins, ends, strict=False)
    )
    return Understood(states, is_whole)
