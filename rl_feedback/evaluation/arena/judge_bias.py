"""What a judge goes by besides the reports: their order, their length, or nothing at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rl_feedback.agreement import Clustered, CohenKappa, clustered_share, cohen_kappa
from rl_feedback.evaluation.arena.judgements import Judgement, Kind, Verdict

_MANY = 0.9


@dataclass(frozen=True, kw_only=True)
class JudgeBias:
    """Of one judge. Its figures are of answers: one that stands for equal texts of several cases counts
    once, and `num_answers` says how many there are. `first_place`: the share of its decisions for the report
    that stood first, over pairs that it judged in both orders: .5 without a bias. `flip_rate`: the share of
    those pairs on which its two orders disagree. `between_orders`: how far they agree beyond chance: 1 for a
    judge that sees the reports alone, 0 for one that sees their order alone, and for a coin. `longer`: the
    share of decisions for the report of more words; `experts_longer` the same of the experts on the same
    pairs. `says`: what a person must know of it before the board."""

    judge: str
    kind: Kind
    num_judgements: int
    num_answers: int
    num_invalid: int
    num_ties: int
    num_pairs_in_both_orders: int
    first_place: Clustered
    flip_rate: Clustered
    between_orders: CohenKappa | None
    longer: Clustered
    experts_longer: Clustered | None
    says: tuple[str, ...]


def judge_bias(judgements: Sequence[Judgement]) -> tuple[JudgeBias, ...]:
    """One for each judge, by name. Experts see a pair in one order, dealt at random: of them the first place
    is counted over all their votes, and there is no flip rate."""
    by_judge: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        by_judge[judgement.judge].append(judgement)
    of_experts = [one for one in judgements if one.kind is Kind.EXPERT]
    return tuple(_of_judge(name, by_judge[name], of_experts) for name in sorted(by_judge))


def _of_judge(name: str, said: Sequence[Judgement], of_experts: Sequence[Judgement]) -> JudgeBias:
    kind = said[0].kind
    valid = [one for one in said if one.verdict is not Verdict.INVALID]
    all_pairs = _pairs_in_both_orders(valid)
    pairs = _once(all_pairs)
    paired = [one for pair in pairs for one in pair]
    decided = [one for one in (paired if kind is Kind.MODEL else valid) if one.verdict is not Verdict.TIE]
    first_place = _share([(one.verdict is Verdict.FIRST, one.study) for one in decided])
    flip_rate = _share([(one.for_left != other.for_left, one.study) for one, other in pairs])
    between = None
    if pairs:
        table = np.zeros((3, 3))
        for one, other in pairs:
            table[int(2 * (one.for_left or 0)), int(2 * (other.for_left or 0))] += 1
        between = cohen_kappa(table)
    pairs_here = {(one.case, one.pair) for one in valid}
    by_experts = [one for one in of_experts if (one.case, one.pair) in pairs_here]
    experts_longer = _longer(by_experts) if kind is Kind.MODEL and by_experts else None
    longer = _longer(_answers(valid))
    return JudgeBias(
        judge=name,
        kind=kind,
        num_judgements=len(said),
        num_answers=len(_answers(said)),
        num_invalid=len(said) - len(valid),
        num_ties=sum(one.verdict is Verdict.TIE for one in valid),
        num_pairs_in_both_orders=len(all_pairs),
        first_place=first_place,
        flip_rate=flip_rate,
        between_orders=between,
        longer=longer,
        experts_longer=experts_longer,
        says=(
            *_says(first_place, between, longer, _beside(kind, experts_longer)),
            *_says_invalid(len(said) - len(valid), num_said=len(said)),
        ),
    )


def _pairs_in_both_orders(valid: Sequence[Judgement]) -> list[tuple[Judgement, Judgement]]:
    """Of each pair on a case the judgement with the first by name in the first place, and the other one."""
    orders: dict[tuple[str, tuple[str, str]], dict[bool, Judgement]] = defaultdict(dict)
    for one in valid:
        orders[one.case, one.pair].setdefault(one.first == one.pair[0], one)
    return [(found[True], found[False]) for found in orders.values() if len(found) == 2]


def _answers(judgements: Sequence[Judgement]) -> list[Judgement]:
    """The first judgement of each answer."""
    found: dict[object, Judgement] = {}
    for place, one in enumerate(judgements):
        found.setdefault(one.key or place, one)
    return list(found.values())


def _once(pairs: Sequence[tuple[Judgement, Judgement]]) -> list[tuple[Judgement, Judgement]]:
    """The first of the pairs whose two answers are the same."""
    found: dict[object, tuple[Judgement, Judgement]] = {}
    for place, (one, other) in enumerate(pairs):
        found.setdefault(frozenset((one.key, other.key)) if one.key and other.key else place, (one, other))
    return list(found.values())


def _longer(judgements: Sequence[Judgement]) -> Clustered:
    chosen = []
    for one in judgements:
        if one.of_first is None or one.of_second is None or one.verdict in (Verdict.TIE, Verdict.INVALID):
            continue
        if one.of_first.tokens != one.of_second.tokens:
            is_first = one.of_first.tokens > one.of_second.tokens
            chosen.append((is_first == (one.verdict is Verdict.FIRST), one.study))
    return _share(chosen)


def _share(chosen: Sequence[tuple[bool, str]]) -> Clustered:
    places = {study: place for place, study in enumerate(dict.fromkeys(study for _, study in chosen))}
    return clustered_share([float(is_so) for is_so, _ in chosen], [places[study] for _, study in chosen])


def _says(
    first_place: Clustered,
    between: CohenKappa | None,
    longer: Clustered,
    beside: Callable[[float], str],
) -> list[str]:
    says = []
    place = _away_from_half(first_place)
    if place is not None:
        where = "first" if place > 0.5 else "second"
        share = max(place, 1 - place)
        much = "It looks at the order, hardly at the reports." if share > _MANY else "It favours a place."
        says.append(f"It takes the report in the {where} place in {share:.0%} of its decisions. {much}")
    if between is not None and between.value is not None and (between.interval or (0.0, 0.0))[0] <= 0:
        says.append(
            f"Its two orders agree no more than chance would (kappa {between.value:.2f}): its verdicts are "
            "not told from a coin's."
        )
    length = _away_from_half(longer)
    if length is not None:
        which = "longer" if length > 0.5 else "shorter"
        share = max(length, 1 - length)
        says.append(f"It takes the {which} report in {share:.0%} of its decisions.{beside(length)}")
    return says


def _says_invalid(num_invalid: int, *, num_said: int) -> list[str]:
    if not num_invalid:
        return []
    return [f"{num_invalid:,} of its {num_said:,} judgements were no verdict and count nowhere."]


def _away_from_half(share: Clustered) -> float | None:
    """The share, where its interval leaves out a half."""
    if share.value is None or share.interval is None or share.interval[0] <= 0.5 <= share.interval[1]:
        return None
    return share.value


def _beside(kind: Kind, experts: Clustered | None) -> Callable[[float], str]:
    """What stands behind the share that takes the longer report, where it is away from a half."""

    def told(length: float) -> str:
        if kind is Kind.EXPERT:
            return ""
        if experts is None or experts.value is None:
            return " Whether experts do so too is not known here: the ratings at equal style say more."
        share = experts.value if length > 0.5 else 1 - experts.value
        return f" Experts do so in {share:.0%} on the same pairs."

    return told
