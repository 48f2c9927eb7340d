"""What reports say of a structure instead of naming a finding: "the heart is enlarged", "clear lungs"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rl_feedback.labels.cues import VERB
from rl_feedback.labels.findings import NO_FINDING, State
from rl_feedback.labels.sentences import spaced


@dataclass(frozen=True)
class Statement:
    """A structure and what may be said of it. Without `is_stated` it only implies its finding.

    `doubtful` words leave it open; `steady` ones ("stable") do so too, where nothing else is said.
    """

    finding: str
    subject: str
    abnormal: str
    normal: str
    doubtful: str = "(?!)"
    steady: str = "(?!)"
    is_stated: bool = True
    abnormal_means: State = State.PRESENT


@dataclass(frozen=True)
class FoundStatement:
    """A statement within its sentence. `is_settled` tells a whole clause, which denies or doubts by its own
    words; "enlarged heart" can still be denied by words before it."""

    statement: Statement
    start: int
    end: int
    means: State
    is_settled: bool


_NORMAL = r"within normal limits|normal|unremarkable"
_CONTOURS = r"(?:silhouettes?|contours?|structures|width|configuration|shadow)"

STATEMENTS: tuple[Statement, ...] = (
    Statement(
        "Cardiomegaly",
        subject=r"heart|cardiac (?:silhouettes?|shadow|contours?|size)|cardiac(?= (?:and|or) mediastinal)",
        abnormal=r"enlarged|large|big|prominent|dilated|increased|globular",
        normal=_NORMAL,
        doubtful=(
            r"borderline(?: (?:enlarged|normal|large))?|(?:top|upper|high)(?: limits? of)?[- ]normal"
            r"|at the upper limits? of normal"
        ),
        steady=r"stable|unchanged",
    ),
    Statement(
        "Enlarged Cardiomediastinum",
        subject=(
            r"(?:cardio-?)?mediastinum"
            rf"|(?:cardio-?)?(?:mediastinal|pericardial)(?: (?:and|or) hilar)? {_CONTOURS}"
        ),
        abnormal=r"enlarged|widened|wide|prominent|broadened|abnormal|increased",
        normal=_NORMAL,
        doubtful=r"borderline(?: (?:enlarged|wide|widened))?",
        steady=r"stable|unchanged",
    ),
    Statement(
        "Lung Opacity",
        subject=r"lungs?(?: fields?| bases?| apices| apex)?",
        abnormal=r"hazy|opaque|opacified",
        normal=r"clear|well[- ]aerated",
        is_stated=False,
    ),
    Statement(
        "Edema",
        subject=r"(?:pulmonary )?(?:vasculature|vascularity|vascular markings|vessels)",
        abnormal=r"congested|engorged|prominent|indistinct|increased",
        normal=_NORMAL,
        is_stated=False,
    ),
    Statement(
        "Pleural Effusion",
        subject=r"costophrenic (?:angles?|sulc(?:us|i))",
        abnormal=r"blunted|obscured",
        normal=r"sharp|clear",
        is_stated=False,
        abnormal_means=State.UNCERTAIN,
    ),
    Statement(
        "Fracture",
        subject=r"ribs|bones|bony structures|osseous structures|bony thorax|skeleton",
        abnormal=r"broken",
        normal=r"intact",
        is_stated=False,
    ),
    Statement(
        NO_FINDING,
        subject=r"chest|study|examination|exam|radiograph|film|x-?ray",
        abnormal=r"normal|unremarkable|negative",
        normal=r"abnormal",
    ),
)

# Further structures that share what is said: "heart size, mediastinum and vessels are normal".
_AND_MORE = (
    rf"(?:(?: bilaterally|,| and| or|/)(?:[ ,/]+(?!(?:{VERB}|but|however|may|might)\b)[a-z-]+){{0,9}}?)?"
)
_ADVERBS = (
    r"(?: +(?P<not>not|no longer)"
    r"| +(?:again|still|also|now|overall|otherwise|very|at|the|stable|unchanged|and|but|\w+ly))*"
)
_OF_OTHERS = r"(?: +(?:cardiac|mediastinal|hilar|heart|pulmonary|left|right|and|or|in|but|the))*"


def find_statements(sentence: str) -> Iterator[FoundStatement]:
    """Every statement about a structure in a sentence in small letters."""
    if not _ANY_SUBJECT.search(sentence):
        return
    for statement, predicate, attribute in _COMPILED:
        for match in predicate.finditer(sentence):
            means = _meaning(statement, match)
            if match["not"]:
                means = means.denied
            if match["may"]:
                means = State.UNCERTAIN
            yield FoundStatement(statement, match.start(), match.end(), means, is_settled=True)
        for match in attribute.finditer(sentence):
            means = _meaning(statement, match)
            yield FoundStatement(statement, match.start(), match.end(), means, is_settled=False)


def _meaning(statement: Statement, match: re.Match[str]) -> State:
    if match["abnormal"]:
        return statement.abnormal_means
    return State.ABSENT if match["normal"] else State.UNCERTAIN


def _judgement(statement: Statement) -> str:
    names = ("doubtful", "abnormal", "normal", "steady")
    return "(?:" + "|".join(rf"(?P<{name}>{spaced(getattr(statement, name))})" for name in names) + r")\b"


def _predicate(statement: Statement) -> re.Pattern[str]:
    """ "The heart is not enlarged", "heart size normal", "heart: normal"."""
    return re.compile(
        rf"\b(?:{spaced(statement.subject)})\b(?: +size)?"
        rf"(?:{_AND_MORE} +(?:(?P<may>(?:may|might|could) +be)|{VERB}|looks?)\b)?"
        rf"(?: *:)?{_ADVERBS} +{_judgement(statement)}"
    )


def _attribute(statement: Statement) -> re.Pattern[str]:
    """ "An enlarged heart", "normal cardiac and mediastinal contours"."""
    return re.compile(
        rf"\b{_judgement(statement)}(?: +(?:size|appearance|contours?) +of(?: +the)?)?"
        rf"{_OF_OTHERS} +(?:{spaced(statement.subject)})\b(?: +size)?"
    )


_ANY_SUBJECT = re.compile(r"\b(?:" + "|".join(spaced(statement.subject) for statement in STATEMENTS) + ")")
_COMPILED = tuple((statement, _predicate(statement), _attribute(statement)) for statement in STATEMENTS)
