"""Reads a report sentence by sentence: which findings it names, whether they are there, and on which side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rl_feedback.labels.cues import (
    BACKWARD,
    FORWARD,
    MAX_REACH,
    Cue,
    FoundCue,
    find_cues,
    reaches_back,
    reaches_forward,
)
from rl_feedback.labels.findings import (
    CHEXPERT_14,
    KINDS_OF,
    NO_FINDING,
    SUPPORT_DEVICES,
    WITHOUT_SIDES,
    State,
)
from rl_feedback.labels.phrases import PHRASES
from rl_feedback.labels.sentences import sentences, spaced
from rl_feedback.labels.sides import sides_of
from rl_feedback.labels.statements import find_statements

# The strongest of what a report says of a finding counts, as in CheXpert's labels.
_STRENGTH = (State.PRESENT, State.UNCERTAIN, State.ABSENT)
_CHEXPERT_VALUES = {State.PRESENT: 1, State.ABSENT: 0, State.UNCERTAIN: -1}


@dataclass(frozen=True)
class Mention:
    """One place of a text that speaks of a finding: one of the fourteen, a kind of one (`KINDS_OF`), or
    another. `sides` are the patient's, empty where none is said; `start` and `end` are places in the text;
    `is_stated` is False where the finding is only implied."""

    finding: str
    state: State
    sides: frozenset[str]
    start: int
    end: int
    is_stated: bool = True

    @property
    def label(self) -> str:
        """The label that the finding counts for: "Lung Lesion" for a nodule."""
        return KINDS_OF.get(self.finding, self.finding)


@dataclass(frozen=True)
class ReportLabels:
    """Everything that a report says of findings, in the order in which it says it."""

    mentions: tuple[Mention, ...]

    def state_of(self, finding: str) -> State | None:
        """The strongest state that the report gives a finding or label, None where it does not speak of
        it."""
        said = {m.state for m in self.mentions if finding in (m.finding, m.label)}
        return next((state for state in _STRENGTH if state in said), None)

    def sides_of(self, finding: str) -> frozenset[str]:
        """The sides of a finding, of the mentions with its strongest state."""
        state = self.state_of(finding)
        found = [m.sides for m in self.mentions if finding in (m.finding, m.label) and m.state is state]
        return frozenset().union(*found)

    @property
    def is_normal(self) -> bool:
        """Whether the report says that nothing is wrong, outright or by denying one finding and affirming
        none; devices may be there. A text that speaks of no finding says nothing."""
        said = {(m.finding, m.state) for m in self.mentions if m.finding not in (NO_FINDING, SUPPORT_DEVICES)}
        outright = self.state_of(NO_FINDING)
        if outright is State.ABSENT or any(state is not State.ABSENT for _, state in said):
            return False
        return outright is State.PRESENT or bool(said)

    def as_chexpert(self) -> dict[str, int | None]:
        """The fourteen labels in CheXpert's numbers: 1 present, 0 absent, -1 uncertain, None not mentioned;
        "No Finding" is 1 or None."""
        stated = ReportLabels(tuple(mention for mention in self.mentions if mention.is_stated))
        labels: dict[str, int | None] = {}
        for finding in CHEXPERT_14:
            state = stated.state_of(finding)
            labels[finding] = None if state is None else _CHEXPERT_VALUES[state]
        labels[NO_FINDING] = 1 if self.is_normal else None
        return labels


def label_report(text: str) -> ReportLabels:
    """The findings that a text names.

    >>> report = label_report("Small left effusion. No pneumothorax. The heart is enlarged.")
    >>> [(m.finding, m.state.value, *m.sides) for m in report.mentions]
    [('Pleural Effusion', 'present', 'left'), ('Pneumothorax', 'absent'), ('Cardiomegaly', 'present')]
    """
    return ReportLabels(
        tuple(
            Mention(m.finding, m.state, m.sides, start + m.start, start + m.end, m.is_stated)
            for start, sentence in sentences(text)
            for m in _label_sentence(sentence)
        )
    )


@dataclass(frozen=True)
class _Named:
    """A place that names findings, before what is said of them is known."""

    start: int
    end: int
    findings: tuple[str, ...]
    means: State
    is_stated: bool
    is_settled: bool = False  # its own words deny or doubt it already


_PHRASE = re.compile(
    r"(?<![\w-])(?:"
    + "|".join(
        rf"(?P<phrase{place}>{'|'.join(map(spaced, phrase.patterns))})"
        for place, phrase in enumerate(PHRASES)
    )
    + r")(?!\w)"
)
_OR = re.compile(r" +(?:and/)?or +(?:[a-z-]+ +){0,2}")


@lru_cache(maxsize=8_192)
def _label_sentence(sentence: str) -> tuple[Mention, ...]:
    """The mentions of one sentence in small letters, with places in it. Reports repeat their sentences, so
    the last many thousand are remembered."""
    named = sorted([*_statements(sentence), *_phrases(sentence)], key=lambda found: (found.start, found.end))
    if not named:
        return ()
    spans = [(found.start, found.end) for found in named]
    cues = [
        cue
        for cue in find_cues(sentence)
        if not any(start <= cue.start and cue.end <= end for start, end in spans)
    ]
    states = [found.means if found.is_settled else _state(sentence, found, cues) for found in named]
    states = _doubt_alternatives(sentence, named, states)
    with_sides = [place for place, found in enumerate(named) if not WITHOUT_SIDES.issuperset(found.findings)]
    sides = dict(zip(with_sides, sides_of(sentence, [spans[place] for place in with_sides]), strict=True))
    return tuple(
        Mention(
            finding, states[place], sides.get(place, frozenset()), found.start, found.end, found.is_stated
        )
        for place, found in enumerate(named)
        for finding in found.findings
    )


def _phrases(sentence: str) -> Iterator[_Named]:
    for match in _PHRASE.finditer(sentence):
        phrase = PHRASES[int((match.lastgroup or "phrase0")[6:])]
        if phrase.findings:
            yield _Named(match.start(), match.end(), phrase.findings, phrase.means, phrase.is_stated)


def _statements(sentence: str) -> Iterator[_Named]:
    for found in find_statements(sentence):
        finding, is_stated = found.statement.finding, found.statement.is_stated
        yield _Named(found.start, found.end, (finding,), found.means, is_stated, found.is_settled)


def _state(sentence: str, found: _Named, cues: list[FoundCue]) -> State:
    """What the sentence says of a finding: a denial that reaches it outweighs a doubt."""
    rest = sentence[found.end : found.end + MAX_REACH]
    doubted = found.means is State.UNCERTAIN
    for cue in cues:
        if not found.start - MAX_REACH <= cue.end <= found.end + MAX_REACH:
            continue
        if cue.end <= found.start and cue.kind in FORWARD:
            denies = cue.kind is Cue.DENIES_AFTER
            reaches = reaches_forward(sentence[cue.end : found.start], rest, denies=denies)
        elif cue.start >= found.end and cue.kind in BACKWARD:
            denies = cue.kind is Cue.DENIES_BEFORE
            reaches = reaches_back(sentence[found.end : cue.start], is_plural=cue.is_plural)
        else:
            continue
        if reaches and denies:
            return found.means.denied
        doubted = doubted or reaches
    return State.UNCERTAIN if doubted else found.means


def _doubt_alternatives(sentence: str, named: list[_Named], states: list[State]) -> list[State]:
    """ "Atelectasis or pneumonia" affirms neither."""
    doubted = list(states)
    for place in range(1, len(named)):
        between = sentence[named[place - 1].end : named[place].start]
        if _OR.fullmatch(between) and states[place - 1] is states[place] is State.PRESENT:
            doubted[place - 1] = doubted[place] = State.UNCERTAIN
    return doubted
