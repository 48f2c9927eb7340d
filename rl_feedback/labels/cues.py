"""The words by which a report denies or doubts a finding, and where their reach ends.

After NegEx and ConText (Chapman 2001, Harkema 2009): a cue reaches over the words of its own clause. All
patterns are for one sentence in small letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from rl_feedback.labels.sentences import spaced


class Cue(StrEnum):
    """What a cue does to the findings before or after it."""

    DENIES_AFTER = "denies_after"
    DENIES_BEFORE = "denies_before"
    DOUBTS_AFTER = "doubts_after"
    DOUBTS_BEFORE = "doubts_before"
    DOUBTS_BOTH = "doubts_both"
    NOTHING = "nothing"  # looks like a denial and is none


FORWARD = frozenset({Cue.DENIES_AFTER, Cue.DOUBTS_AFTER, Cue.DOUBTS_BOTH})
BACKWARD = frozenset({Cue.DENIES_BEFORE, Cue.DOUBTS_BEFORE, Cue.DOUBTS_BOTH})
# In characters: no clause of a report is longer, and text without a full stop can't take hours.
MAX_REACH = 200


@dataclass(frozen=True)
class FoundCue:
    """A cue within its sentence. `is_plural` tells "are not seen", which covers a whole list."""

    kind: Cue
    start: int
    end: int
    is_plural: bool = False


_SEEN = (
    r"(?:seen|identified|present|visuali[sz]ed|evident|demonstrated|appreciated|detected|noted|observed"
    r"|apparent|visible|found|suspected|shown)"
)
_BE = r"(?:is|are|was|were|be|been|has been|have been|appears?|appeared|remains?)"
_ADVERB = r"(?:(?:\w+ly|again|also|otherwise|now|yet) )?"
_CANNOT = r"(?:can ?not|can't|could not|may not|not)"
# Such a cue ends its clause; "is likely atelectasis" doubts the atelectasis instead.
_ENDS = r"(?= *(?:$|[.,;:)]|(?:and|or|but|in|at|on|within|given|though|although|versus)\b))"

# The first that matches at a letter counts.
# fmt: off
_CUES: tuple[tuple[Cue, tuple[str, ...]], ...] = (
    (Cue.NOTHING, (
        r"(?:no|not|without)(?: \w+ly| any| definite| interval| significant| appreciable| substantial)*"
        r" (?:changed?|increased?|decreased?|improve(?:ment|d)|progress(?:ion|ed)?|worsen(?:ing|ed)?"
        r"|differen(?:t|ce)|prior|previous|comparison|only)\b(?: (?:of|in|from))?",
        r"(?:can ?not|not|never)(?: be)? (?:well|adequately|fully|completely|optimally)"
        r" (?:seen|visuali[sz]ed|evaluated|assessed|imaged)",
    )),
    (Cue.DOUBTS_BEFORE, (
        rf"(?:{_BE} )?(?:difficult|hard|impossible) to (?:fully )?(?:exclude|rule out)",
        rf"(?:{_BE} )?{_CANNOT}(?: be)?(?: \w+ly)? (?:excluded|ruled out)",
        rf"(?:may|might|could)(?: \w+ly)? be {_SEEN}",
        rf"{_BE} (?:\w+ly )?(?:possible|probable|likely|unlikely|suspected|questioned|questionable"
        rf"|considered|equivocal|uncertain|doubtful|suggested|in question){_ENDS}",
    )),
    (Cue.DENIES_BEFORE, (
        rf"(?:{_BE} )?(?:not|no longer) {_ADVERB}(?:be |been )?{_ADVERB}{_SEEN}",
        rf"{_BE} {_ADVERB}(?:absent|excluded|ruled out|gone|negative){_ENDS}",
        rf"(?:(?:has|have|had|{_BE}) )?{_ADVERB}"
        rf"(?:resolved|cleared|disappeared|been removed|removed){_ENDS}",
    )),
    (Cue.DOUBTS_AFTER, (
        r"(?:can ?not|can't|could not|does not|do not|not)(?: \w+ly)? (?:exclude|rule out)",
        r"(?:to|should|please|and|or|would) (?:exclude|rule out|evaluate for|assess for)", r"rule out",
        r"r/o",
        r"(?:may|might|could)(?: also| \w+ly)? (?:represent|reflect|be|indicate|suggest|include|have)",
        r"(?:may|might|could)(?: also| \w+ly)? (?:relate to|be related to|be due to)",
        r"possib(?:le|ly)", r"probabl[ey]", r"questionabl[ey]", r"likely", r"potential(?:ly)?", r"perhaps",
        r"maybe", r"suspected", r"equivocal", r"doubtful", r"presum(?:ed|ably)", r"question of", r"\?",
        r"suspicio(?:us|n) (?:for|of)", r"concern(?:ing)? (?:for|of)", r"worrisome for",
        r"suggest(?:s|ive|ing|ed)?(?: of)?", r"consider(?:ation of)?",
        r"differential(?: diagnosis| considerations?)?(?: includes?)?",
    )),
    (Cue.DOUBTS_BOTH, (r"versus", r"vs\.?")),
    (Cue.DENIES_AFTER, (
        r"(?:does|do|did) not (?:show|demonstrate|reveal|contain|have)",
        r"no longer", r"no", r"not", r"without", r"neither", r"nor", r"never", r"absence of", r"absent",
        r"(?:free|clear) of", r"(?:negative|unremarkable) for", r"lack of", r"lacks", r"denies", r"fails? to",
        r"resolution of", r"resolved", r"removal of", r"rules? out", r"ruled out", r"excludes?", r"excluding",
    )),
)
# fmt: on
_ANY_CUE = re.compile(
    r"(?<![\w-])(?:"
    + "|".join(
        rf"(?P<cue{place}>{'|'.join(map(spaced, patterns))})" for place, (_, patterns) in enumerate(_CUES)
    )
    + r")(?!\w)"
)

VERB = (
    r"(?:is|are|was|were|has|have|had|remains?|appears?|persists?|shows?|demonstrates?|seen|noted|identified"
    r"|exists?)"
)
_VERB = re.compile(rf"\b{VERB}\b")
# After these a new statement begins.
_NEW_CLAUSE = re.compile(
    r"\b(?:but|however|although|though|except|apart from|aside from|other than|besides|yet|nevertheless"
    r"|whereas|while|which|there +(?:is|are|was|were)|secondary|due to|because|since"
    r"|with(?! +or +without))\b|:"
)
_CAUSE = ("secondary", "due to")
# "No opacity is seen to suggest pneumonia": the denial goes on.
_EXPLAINS = re.compile(
    r"\b(?:to|that would|which would) +(?:suggest|indicate)\b|\b(?:suggestive|suggesting|indicative)\b"
)
# A list's item that begins so is no longer denied: "no effusion, small nodule".
_NEW_ITEM = re.compile(
    r"(?:,(?: +and)?|\band) +(?=(?:"
    r"small|tiny|trace|mild|mildly|minimal|minimally|moderate|moderately|large|severe|marked|extensive|patchy"
    r"|stable|unchanged|persistent|new|increas\w+|decreas\w+|improv\w+|worsen\w+|interval|residual|again|also"
    r"|possibl[ey]|probabl[ey]|likely|questionable|suspected|suspicious|concern\w*|may|might|could|consider"
    r"|left|right|bilateral|bibasilar|there|the|a|an|no|not|without|status"
    r"|enlarged|normal|clear|unremarkable|lungs?|heart|cardiac"
    r")\b)"
)
_SEPARATOR = re.compile(r",|\band\b")
_ALTERNATIVE = re.compile(r"\b(?:or|nor)\b")
_STARTS_WITH_VERB = re.compile(rf" *{VERB}\b")
_PLURAL = re.compile(r"\b(?:are|were|have)\b")


def find_cues(sentence: str) -> tuple[FoundCue, ...]:
    """Every cue of a sentence that denies or doubts something, in order."""
    found = []
    for match in _ANY_CUE.finditer(sentence):
        kind = _CUES[int((match.lastgroup or "cue0")[3:])][0]
        if kind is not Cue.NOTHING:
            is_plural = _PLURAL.search(match.group()) is not None
            found.append(FoundCue(kind, match.start(), match.end(), is_plural))
    return tuple(found)


def reaches_forward(gap: str, rest: str, *, denies: bool) -> bool:
    """Whether a cue still holds for a finding after `gap`; `rest` is what follows the finding."""
    new_clause = _NEW_CLAUSE.search(gap)
    if new_clause and (denies or new_clause.group() not in _CAUSE):
        return False
    if _VERB.search(gap) and not _EXPLAINS.search(gap):
        return False
    alternatives = [match.end() for match in _ALTERNATIVE.finditer(gap)]
    if alternatives:
        return _NEW_ITEM.search(gap, alternatives[-1]) is None
    if _continues_as_alternatives(rest) or not _SEPARATOR.search(gap):
        return True
    if not denies and "," in gap:
        return False
    return not (_NEW_ITEM.search(gap) or _STARTS_WITH_VERB.match(rest))


def reaches_back(gap: str, *, is_plural: bool) -> bool:
    """Whether a cue holds for a finding before it; `gap` is what lies between."""
    if _NEW_CLAUSE.search(gap) or _VERB.search(gap):
        return False
    if _ALTERNATIVE.search(gap) or (is_plural and re.search(r"\band\b", gap)):
        return True
    return not _SEPARATOR.search(gap)


def _continues_as_alternatives(rest: str) -> bool:
    """Whether "or" follows within the same list: "no A, large B, or C"."""
    alternative = _ALTERNATIVE.search(rest)
    if alternative is None:
        return False
    until = rest[: alternative.start()]
    return not (_VERB.search(until) or _NEW_CLAUSE.search(until) or ";" in until)
