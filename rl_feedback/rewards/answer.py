"""How right an answer is: lists by items, short answers by equality, reports by findings and wording."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from rl_feedback.labels import NO_FINDING, SUPPORT_DEVICES, ReportLabels, State, label_report
from rl_feedback.rewards.lexical import longest_f1, overlap_f1, stems

_WORD = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+")
_ARTICLES = {"a", "an", "the"}
MAX_SHORT_WORDS = 3
# Half a credit where one of the two is uncertain; three quarters where only one of them names the side.
DOUBT_CREDIT = 0.5
SIDE_UNSAID_CREDIT = 0.75


@dataclass(frozen=True)
class AnswerScore:
    """`value` lies in [0, 1]; `kind` is "equal", "list", "short", "report" or "none". Of a report, `labels`
    is the F1 of its findings (None where the truth names none), `wording` that of its words in order, and
    `contradicted` the share of the truth's findings whose opposite it says."""

    value: float
    kind: str
    labels: float | None = None
    wording: float | None = None
    contradicted: float = 0.0


@dataclass(frozen=True)
class _Said:
    """What one text says of one finding, all its sentences together."""

    state: State
    sides: frozenset[str]


def score_answer(answer: str | None, truth: str, *, label_share: float, absent_weight: float) -> AnswerScore:
    """An answer against the true one.

    >>> score_answer("Yes.", "yes", label_share=0.6, absent_weight=0.5).value
    1.0
    >>> score_answer("right effusion", "left effusion", label_share=0.6, absent_weight=0.5).value
    0.0
    """
    given, wanted = _plain(answer or ""), _plain(truth)
    if not given:
        return AnswerScore(0.0, "none")
    if given == wanted:
        return AnswerScore(1.0, "equal")
    if "|" in truth:
        return AnswerScore(_list_f1(answer or "", truth), "list")
    said, true = _said(label_report(answer or "")), _said(label_report(truth))
    if not true and len(wanted.split()) <= MAX_SHORT_WORDS:
        return AnswerScore(0.0, "short")
    wording = _wording(answer or "", truth)
    if not true:
        return AnswerScore(wording, "report", wording=wording)
    labels, contradicted = _compare(said, true, absent_weight=absent_weight)
    value = label_share * labels + (1 - label_share) * wording * (1 - contradicted)
    return AnswerScore(value, "report", labels=labels, wording=wording, contradicted=contradicted)


def _plain(text: str) -> str:
    """The words of a text without case, punctuation and articles."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return " ".join(word for word in words if word not in _ARTICLES)


def _list_f1(answer: str, truth: str) -> float:
    """F1 of the items, in any order and of any number. Commas part the answer's items too, where none is
    part of a true item."""
    separator = r"\|" if "," in truth else r"[|,;]"
    wanted = {_plain(item) for item in truth.split("|")} - {""}
    given = {_plain(item) for item in re.split(separator, answer)} - {""}
    return 2 * len(wanted & given) / (len(wanted) + len(given)) if wanted and given else 0.0


def _wording(answer: str, truth: str) -> float:
    """Mean of the F1 of word pairs and of the longest common series: both see the order of words."""
    given, wanted = stems(answer), stems(truth)
    series = longest_f1(given, wanted)
    if min(len(given), len(wanted)) < 2:
        return series
    return (series + overlap_f1(given, wanted, order=2)) / 2


def _said(labels: ReportLabels) -> dict[str, _Said]:
    """Per finding its state and sides. What is stated outweighs what is implied; a text that affirms and
    denies the same thing is as good as uncertain. "No Finding" is in it only where said outright."""
    said: dict[str, _Said] = {}
    for finding in dict.fromkeys(mention.finding for mention in labels.mentions):
        mentions = [mention for mention in labels.mentions if mention.finding == finding]
        mentions = [mention for mention in mentions if mention.is_stated] or mentions
        sides = {
            state: frozenset().union(*(m.sides for m in mentions if m.state is state))
            for state in dict.fromkeys(mention.state for mention in mentions)
        }
        state = next(state for state in (State.PRESENT, State.UNCERTAIN, State.ABSENT) if state in sides)
        if state is State.PRESENT and State.ABSENT in sides and _meet(sides[state], sides[State.ABSENT]):
            state = State.UNCERTAIN
            sides[state] = sides[State.PRESENT]
        said[finding] = _Said(state, sides[state])
    if NO_FINDING in said:
        state = State.PRESENT if labels.is_normal else State.ABSENT
        said[NO_FINDING] = _Said(state, frozenset())
    return said


def _compare(said: dict[str, _Said], true: dict[str, _Said], *, absent_weight: float) -> tuple[float, float]:
    """F1 of the findings, and the share of the true ones that are contradicted. A denied finding of which
    the truth does not speak neither earns nor costs: nobody can check it."""
    if NO_FINDING in said or NO_FINDING in true:
        said, true = _with_whole(said), _with_whole(true)
    hits = given = wanted = contradicted = 0.0
    for finding in (*true, *(finding for finding in said if finding not in true)):
        mine, theirs = said.get(finding), true.get(finding)
        weight = max(
            absent_weight if one.state is State.ABSENT else 1.0 for one in (mine, theirs) if one is not None
        )
        if theirs is None:
            given += weight if mine is not None and mine.state is not State.ABSENT else 0.0
            continue
        wanted += weight
        if mine is not None:
            given += weight
            hits += weight * _credit(mine, theirs)
            contradicted += weight * _contradicts(mine, theirs)
    if NO_FINDING in said and NO_FINDING in true and _contradicts(said[NO_FINDING], true[NO_FINDING]):
        contradicted = wanted
    return (2 * hits / (given + wanted) if hits else 0.0), (contradicted / wanted if wanted else 0.0)


def _with_whole(said: dict[str, _Said]) -> dict[str, _Said]:
    """With whether anything is wrong at all, concluded from the findings where it is not said outright."""
    states = {one.state for finding, one in said.items() if finding != SUPPORT_DEVICES}
    if NO_FINDING in said or not states:
        return said
    whole = State.PRESENT if states == {State.ABSENT} else State.ABSENT
    return {**said, NO_FINDING: _Said(whole, frozenset())}


def _credit(mine: _Said, theirs: _Said) -> float:
    states = {mine.state, theirs.state}
    if states == {State.PRESENT, State.ABSENT}:
        return 0.0
    if mine.sides and theirs.sides:
        same_side = len(mine.sides & theirs.sides) / len(mine.sides | theirs.sides)
    else:
        same_side = 1.0 if mine.sides == theirs.sides or states == {State.ABSENT} else SIDE_UNSAID_CREDIT
    return same_side * (1.0 if len(states) == 1 else DOUBT_CREDIT)


def _contradicts(mine: _Said, theirs: _Said) -> bool:
    """Whether both can't be true: there and not there, or there on the other side alone."""
    if {mine.state, theirs.state} == {State.PRESENT, State.ABSENT}:
        return _meet(mine.sides, theirs.sides)
    return mine.state is theirs.state is State.PRESENT and not _meet(mine.sides, theirs.sides)


def _meet(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether two sayings may be of the same side; one that names none may be of either."""
    return not a or not b or bool(a & b)
