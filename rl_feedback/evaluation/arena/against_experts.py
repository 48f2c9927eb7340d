"""Does a judge say what experts say: the figure that stands before every board of language models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rl_feedback.agreement import (
    ChanceCorrected,
    Clustered,
    CohenKappa,
    clustered_share,
    cohen_kappa,
    gwet_ac1,
)
from rl_feedback.evaluation.arena.judgements import Battle, Kind

_OUTCOMES = (0.0, 0.5, 1.0)
FEWEST_BATTLES = 30


@dataclass(frozen=True, kw_only=True)
class AgainstExperts:
    """One judge's battles beside what most experts said of the same pairs on the same cases. `observed` is
    the plain share of like outcomes. `between_experts` is AC1 of experts among each other, on the pairs that
    several voted on: no judge can be asked for much more."""

    judge: str
    num_battles: int
    num_experts: int
    kappa: CohenKappa | None
    ac1: ChanceCorrected | None
    observed: Clustered
    between_experts: ChanceCorrected | None
    says: str


def against_experts(battles: Sequence[Battle]) -> tuple[AgainstExperts, ...]:
    """One for each language model that judged, by name. Each pair counts with the first by name on the left:
    a judge that knows which model is better, and not which report, has no credit for it where two models
    meet. Of experts the mean of their votes decides: below a half, above it, or a tie."""
    votes: dict[tuple[str, str, str], list[Battle]] = defaultdict(list)
    for battle in battles:
        if battle.kind is Kind.EXPERT:
            votes[battle.case, battle.left, battle.right].append(battle)
    judges = sorted({battle.judge for battle in battles if battle.kind is Kind.MODEL})
    among = _between_experts(votes)
    return tuple(
        _of_judge(
            judge,
            [
                (battle, votes[battle.case, battle.left, battle.right])
                for battle in battles
                if battle.judge == judge and (battle.case, battle.left, battle.right) in votes
            ],
            among,
        )
        for judge in judges
    )


def _of_judge(
    judge: str, common: Sequence[tuple[Battle, list[Battle]]], among: ChanceCorrected | None
) -> AgainstExperts:
    experts = {vote.judge for _, votes in common for vote in votes}
    said = [_OUTCOMES.index(battle.outcome) for battle, _ in common]
    right = [_majority(votes) for _, votes in common]
    studies = {study: n for n, study in enumerate(dict.fromkeys(battle.study for battle, _ in common))}
    kappa = ac1 = None
    if common:
        table = np.zeros((3, 3))
        np.add.at(table, (said, right), 1)
        kappa = cohen_kappa(table)
        ac1 = gwet_ac1([said, right], categories=[0, 1, 2])
    observed = clustered_share(
        [float(one == other) for one, other in zip(said, right, strict=True)],
        [studies[battle.study] for battle, _ in common],
    )
    return AgainstExperts(
        judge=judge,
        num_battles=len(common),
        num_experts=len(experts),
        kappa=kappa,
        ac1=ac1,
        observed=observed,
        between_experts=among,
        says=_says(len(common), kappa, is_one_sided=len(set(right)) == 1),
    )


def _says(num_battles: int, kappa: CohenKappa | None, *, is_one_sided: bool) -> str:
    if not num_battles:
        return (
            "No expert voted on a pair that this judge judged, so nobody knows whether its board means "
            "anything. Let readers vote on some of these pairs in a reader study."
        )
    if is_one_sided:
        return (
            f"Experts say the same of all {num_battles} pairs that both judged, so kappa is 0 whatever the "
            "judge says: it can't be told whether it agrees with them on single reports. See AC1 and the "
            "share of like verdicts, and let readers vote on pairs of other models."
        )
    is_by_chance = kappa is not None and kappa.interval is not None and kappa.interval[0] <= 0
    if is_by_chance and num_battles < FEWEST_BATTLES:
        return (
            f"Only {num_battles} pairs were judged by both: too few to tell whether it agrees with experts "
            "more than chance would. Let readers vote on more of them."
        )
    if is_by_chance:
        return (
            "It agrees with experts no more than chance would: its board tells nothing of what they prefer."
        )
    if num_battles < FEWEST_BATTLES:
        return f"Only {num_battles} pairs were judged by both: more votes of experts would tell more."
    return ""


def _majority(votes: Sequence[Battle]) -> int:
    mean = sum(vote.outcome for vote in votes) / len(votes)
    return 1 if abs(mean - 0.5) < 1e-9 else 2 * int(mean > 0.5)


def _between_experts(votes: dict[tuple[str, str, str], list[Battle]]) -> ChanceCorrected | None:
    several = [of_pair for of_pair in votes.values() if len(of_pair) > 1]
    if not several:
        return None
    readers = {
        name: place for place, name in enumerate(sorted({vote.judge for pair in several for vote in pair}))
    }
    table = np.full((len(readers), len(several)), np.nan)
    for item, of_pair in enumerate(several):
        for vote in of_pair:
            table[readers[vote.judge], item] = _OUTCOMES.index(vote.outcome)
    return gwet_ac1(table, categories=[0, 1, 2])
