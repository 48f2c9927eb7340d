"""What a judge said of two reports in one order, and the battles that judgements make."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """INVALID: the judge answered, but no verdict, however often it was asked. It is never a tie."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"
    INVALID = "invalid"


class Kind(StrEnum):
    MODEL = "model"
    EXPERT = "expert"


@dataclass(frozen=True)
class OnCriterion:
    """Which report is better in one regard, and why."""

    better: Verdict
    reason: str


@dataclass(frozen=True)
class Counts:
    """The style of a text, as the board's style control reads it."""

    tokens: int
    sentences: int
    boxes: int
    hedges: int


@dataclass(frozen=True)
class Judgement:
    """Of a language model or of an expert, the same way. `first` and `second` are models in the order in
    which the judge met their texts; `case` is what both texts are of, `study` what cases are drawn by,
    `criteria` the reasons by criterion's name, where told. Judgements of one `key` are one answer, given to
    equal texts of several cases; without a key each is an answer of its own."""

    case: str
    study: str
    first: str
    second: str
    judge: str
    kind: Kind
    verdict: Verdict
    category: str = ""
    criteria: Mapping[str, OnCriterion] = field(default_factory=dict)
    of_first: Counts | None = None
    of_second: Counts | None = None
    key: str = ""

    @property
    def pair(self) -> tuple[str, str]:
        return (self.first, self.second) if self.first < self.second else (self.second, self.first)

    @property
    def for_left(self) -> float | None:
        """1, 0 or .5 for the first of the pair by name; None of an invalid one."""
        match self.verdict:
            case Verdict.INVALID:
                return None
            case Verdict.TIE:
                return 0.5
        return float((self.verdict is Verdict.FIRST) == (self.first == self.pair[0]))


@dataclass(frozen=True)
class Battle:
    """What one judge's judgements of one pair on one case come to. `left` is the first by name; `outcome` 1,
    0 or .5 for it. `is_flipped`: the orders disagreed, so that it is a tie."""

    case: str
    study: str
    category: str
    left: str
    right: str
    judge: str
    kind: Kind
    outcome: float
    is_flipped: bool
    of_left: Counts | None
    of_right: Counts | None


@dataclass(frozen=True)
class Battles:
    """`num_invalid`: pairs left out because a judgement of them was no verdict; `num_one_order`: those that a
    language model has judged in one order only."""

    battles: tuple[Battle, ...]
    num_invalid: int
    num_one_order: int


def battles_of(judgements: Iterable[Judgement]) -> Battles:
    """One battle for each judge, case and pair: the outcome that all their judgements agree on, else a tie.

    A language model's counts once it has judged both orders; an expert, who is shown a pair in one order, is
    taken by that.

    >>> both = [
    ...     Judgement("c", "c", "x", "y", "j", Kind.MODEL, Verdict.FIRST),
    ...     Judgement("c", "c", "y", "x", "j", Kind.MODEL, Verdict.FIRST),
    ... ]
    >>> [(battle.outcome, battle.is_flipped) for battle in battles_of(both).battles]
    [(0.5, True)]
    """
    together: dict[tuple[str, ...], list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        together[judgement.judge, judgement.case, *judgement.pair].append(judgement)
    battles, num_invalid, num_one_order = [], 0, 0
    for _, of_pair in sorted(together.items(), key=lambda item: item[0]):
        if any(one.verdict is Verdict.INVALID for one in of_pair):
            num_invalid += 1
        elif of_pair[0].kind is Kind.MODEL and len({one.first for one in of_pair}) < 2:
            num_one_order += 1
        else:
            battles.append(_battle(of_pair))
    return Battles(tuple(battles), num_invalid, num_one_order)


def _battle(of_pair: Sequence[Judgement]) -> Battle:
    outcomes = {one.for_left for one in of_pair if one.for_left is not None}
    some = of_pair[0]
    left, right = some.pair
    stands = some.first == left
    return Battle(
        case=some.case,
        study=some.study,
        category=some.category,
        left=left,
        right=right,
        judge=some.judge,
        kind=some.kind,
        outcome=outcomes.pop() if len(outcomes) == 1 else 0.5,
        is_flipped=len(outcomes) > 1,
        of_left=some.of_first if stands else some.of_second,
        of_right=some.of_second if stands else some.of_first,
    )
