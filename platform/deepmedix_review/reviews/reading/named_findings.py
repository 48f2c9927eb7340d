"""Which findings a model's sentence says outright are there, and by which of its words."""

from dataclasses import dataclass
from functools import lru_cache

from rl_feedback.labels import NO_FINDING, State, label_report


@dataclass(frozen=True)
class NamedFinding:
    """`finding` as the rules that read reports name it; `sides` are the patient's, none where none is said;
    `words` as written."""

    finding: str
    sides: tuple[str, ...]
    words: str


@lru_cache(maxsize=4_096)
def findings_named(text: str) -> tuple[NamedFinding, ...]:
    """In the order of the text; what it denies, doubts or only implies is left out.

    >>> findings_named("A left nodule, no effusion. The heart is enlarged.")[0]
    NamedFinding(finding='Nodule', sides=('left',), words='nodule')
    """
    named = (
        NamedFinding(one.finding, tuple(sorted(one.sides)), text[one.start : one.end])
        for one in label_report(text).mentions
        if one.is_stated and one.state is State.PRESENT and one.finding != NO_FINDING
    )
    return tuple(dict.fromkeys(named))
