"""On which side a report says that a finding lies; the sides are the patient's."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rl_feedback.labels.sentences import spaced

LEFT, RIGHT = "left", "right"
BOTH = frozenset({LEFT, RIGHT})

_WORDS: dict[str, frozenset[str]] = {
    r"(?:right )?middle lobe|right|rll|rul|rml": frozenset({RIGHT}),
    r"left|lll|lul|lingula|lingular": frozenset({LEFT}),
    r"bilateral|bilaterally|both|bibasilar|bibasal|biapical": BOTH,
}
# A chamber's side is not a lung's.
_CUE = re.compile(
    r"\b(?:"
    + "|".join(f"(?P<side{place}>{spaced(words)})" for place, words in enumerate(_WORDS))
    + r")(?:[- ]sided|wards?)?\b(?! +(?:ventric|atri|heart))"
)
_SIDE_WORD = r"(?:left|right|bilateral|both)"
_PLACE_WORD = r"(?:upper|lower|middle|mid)"
# Words after which a side belongs to what was said before.
_STOP = (
    r"(?:in|on|at|within|of|to|with|from|along|near|over|overlying|involving|a|an|the|there|no|not|without|but|however"
    r"|is|are|was|were|has|have|remains?|appears?|seen|noted|also|side|lungs?|hemithorax)"
)
# "Right and left effusions", but not "in the right lower lobe and left effusion": there a place has ended.
_AND = (
    r"(?<!lobe)(?<!base)(?<!lung)(?<!side)(?<!apex)(?<!zone)[\s-]+"
    r"(?:and|or|and/or|(?:greater|more|less|larger|smaller) +than)"
    rf"(?= +(?:\w+ +){{0,2}}?(?:{_SIDE_WORD}|{_PLACE_WORD})\b)"
)
_MODIFIERS = re.compile(rf"(?:{_AND}|[\s-]+(?!(?:{_STOP}|and|or|and/or)\b)[a-z]+)*[\s-]*")
_BREAK = re.compile(r"[;:]|\b(?:but|however|although|though|whereas|while|there +(?:is|are|was|were))\b")
# Two findings that share a side: "left effusion and atelectasis", "effusion with adjacent atelectasis".
_JOIN = re.compile(
    r" +(?:and|or|and/or|(?:consistent|compatible) +with"
    r"|(?:with|and) +(?:\w+ +)?(?:adjacent|associated|overlying|underlying|compressive)) +(?:[a-z-]+ +){0,2}"
)


def sides_of(sentence: str, spans: Sequence[tuple[int, int]]) -> list[frozenset[str]]:
    """The sides that the sentence gives to each mention, whose (start, end) come in order; empty where it
    says none.

    >>> sides_of("small right effusion, nodule on the left", [(12, 20), (22, 28)])
    [frozenset({'right'}), frozenset({'left'})]
    """
    given: list[set[str]] = [set() for _ in spans]
    handed_on: list[tuple[int, int, frozenset[str]]] = []
    for cue in _CUE.finditer(sentence):
        sides = list(_WORDS.values())[int((cue.lastgroup or "side0")[4:])]
        place, step = _owner(sentence, spans, cue.start(), cue.end())
        if place is not None:
            given[place] |= sides
            handed_on.append((place, step, sides))
    own = [bool(sides) for sides in given]
    for place, step, sides in handed_on:
        here = place
        while 0 <= here + step < len(spans) and not own[here + step]:
            before, after = sorted((here, here + step))
            if not _JOIN.fullmatch(sentence, spans[before][1], spans[after][0]):
                break
            here += step
            given[here] |= sides
    return [frozenset(sides) for sides in given]


def _owner(sentence: str, spans: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int | None, int]:
    """Which mention a side word at (start, end) belongs to, and in which direction it is handed on."""
    inside = next((place for place, (left, right) in enumerate(spans) if left <= start < right), None)
    if inside is not None:
        return inside, 1
    later = next((place for place, (left, _) in enumerate(spans) if left >= end), None)
    if later is not None and _MODIFIERS.fullmatch(sentence, end, spans[later][0]):
        return later, 1
    earlier = next((place for place in reversed(range(len(spans))) if spans[place][1] <= start), None)
    if earlier is not None and not _BREAK.search(sentence, spans[earlier][1], start):
        return earlier, -1
    if later is not None and not re.search(r"[;:]|\bbut\b|\bhowever\b", sentence[end : spans[later][0]]):
        return later, 1
    return None, 0
