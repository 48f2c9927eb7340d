"""Carries a run of the arena out: plans rounds, lets the judge judge, keeps each verdict, draws the board."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from deepmedix_review.common import jobs
from deepmedix_review.evaluation.arena.battles import (
    OpenPair,
    keep_battles,
    num_alike,
    open_pairs,
    pair_of,
    take_votes,
)
from deepmedix_review.evaluation.arena.comparing import (
    battles_of_keys,
    comparisons_of,
    judge_settings,
    judgements_of,
    kept_of,
    names_of,
    row_of,
)
from deepmedix_review.evaluation.models import ArenaRun, Battle
from deepmedix_review.evaluation.models import Judgement as Row
from deepmedix_review.registry.selectors import engine_settings, key_in
from inference.engines import AnySettings, EndpointSettings, Engine
from rl_feedback.evaluation.arena import (
    EngineJudge,
    JudgeFailed,
    Kept,
    Kind,
    LimitReached,
    Limits,
    Pace,
    Spent,
    arena_of,
    battles_of,
    judge_all,
    key_of,
    next_battles,
)
from rl_feedback.evaluation.arena.choosing import seed_of

# Battles of a round: the choice of the next ones knows all before it.
ROUND = 16
# A board of half a tie for each model exists whatever the battles; without it one win against nobody is none.
PRIOR = 0.5


def judge_engine_settings(run: ArenaRun) -> AnySettings | None:
    """How the judge that is asked is loaded, or its server reached; None where nobody is asked. Raises
    RefusedByRule where the server's key is not there."""
    if not run.asks_judge:
        return None
    if run.judge_version is not None:
        return engine_settings(run.judge_version)
    return EndpointSettings(
        url=run.endpoint_url,
        served_model=run.served_model,
        origins=frozenset(settings.INFERENCE_ENDPOINTS),
        allows_this_machine=False,
        key=key_in(run.key_name, of="the judge"),
        key_name=f"the key file {run.key_name}" if run.key_name else "it: it has none",
    )


def carry_out(run: ArenaRun, engine: Engine | None, *, check: Callable[[], None]) -> None:
    """To its end, with everything kept. Without an engine the board is of what is there: experts' votes, and
    recorded judgements. Raises LimitReached or JudgeFailed, whose sentence is for a person; the board is
    drawn of what is judged by then."""
    versions, names = list(run.versions.order_by("pk")), names_of(run)
    take_votes(versions)
    if engine is None:
        draw_board(run, names)
        return
    judge = EngineJudge(engine, deadline_seconds=settings.INFERENCE_SECONDS, check=check)
    try:
        _judge_rounds(run, open_pairs(versions, seed=run.seed), judge, names)
    except (LimitReached, JudgeFailed, jobs.JobCancelled):
        draw_board(run, names)
        raise
    draw_board(run, names)


def draw_board(run: ArenaRun, names: dict[int, str]) -> None:
    """Of all that is judged by now, and of the votes that count."""
    told = judgements_of(run, names)
    of_judge = battles_of(one for one in told if one.kind is Kind.MODEL)
    num_judged = len(of_judge.battles) + of_judge.num_invalid
    if not run.has_judge:
        num_judged = len({(one.case, one.pair) for one in told})
    jobs.heartbeat(
        run,
        is_kept=True,
        board={
            **arena_of(told, prior=PRIOR, seed=run.seed).as_json(),
            "num_alike": num_alike(list(run.versions.order_by("pk"))),
        },
        num_judged=num_judged,
    )


def _judge_rounds(
    run: ArenaRun, pairs: Sequence[OpenPair], judge: EngineJudge, names: dict[int, str]
) -> None:
    number, pace = 0, _pace(run)
    while True:
        if number == len(run.plan):
            chosen = _choose(run, pairs, names)
            if not chosen:
                return
            run.plan = [*run.plan, [pair.key for pair in chosen]]
            keep_battles(chosen)
            jobs.heartbeat(run, is_kept=True, plan=run.plan)
        _judge(run, battles_of_keys(run.plan[number]), judge, names, pace)
        number += 1
        jobs.heartbeat(run, is_kept=True, num_judged=sum(map(len, run.plan[:number])))


def _choose(run: ArenaRun, pairs: Sequence[OpenPair], names: dict[int, str]) -> list[OpenPair]:
    """The battles of the next round, by what all before it tell; none where the run has all it wants, or no
    more are open."""
    planned = [key for of_round in run.plan for key in of_round]
    wanted = min(ROUND, run.num_wanted - len(planned))
    places = {version: place for place, version in enumerate(sorted(names))}
    met = [pair_of(battle.left, battle.right) for battle in battles_of_keys(planned)]
    used = {(*pair.where, pair.versions) for pair in met}
    waiting: dict[tuple[int, int], list[OpenPair]] = {}
    for pair in pairs:
        if (*pair.where, pair.versions) not in used:
            one, other = sorted(places[version] for version in pair.versions)
            waiting.setdefault((one, other), []).append(pair)
    still = np.zeros((len(places), len(places)))
    for (one, other), of_pair in waiting.items():
        still[one, other] = len(of_pair)
    won = np.zeros_like(still)
    by_name = {names[version]: place for version, place in places.items()}
    for battle in battles_of(one for one in judgements_of(run, names) if one.kind is Kind.MODEL).battles:
        left, right = by_name[battle.left], by_name[battle.right]
        won[left, right] += battle.outcome
        won[right, left] += 1 - battle.outcome
    chosen = next_battles(
        won,
        still,
        number=max(0, wanted),
        random_share=run.random_share,
        seed=seed_of(run.seed, [len(run.plan)]),
    )
    return [waiting[one.left, one.right].pop(0) for one in chosen]


def _judge(
    run: ArenaRun, battles: Sequence[Battle], judge: EngineJudge, names: dict[int, str], pace: Pace
) -> None:
    wanted = judge_settings(run)
    comparisons = list(comparisons_of(run, battles, names))
    by_case = {str(battle.pk): battle for battle in battles}
    known = {row.key: row for row in Row.objects.filter(key__in=[key_of(one, wanted) for one in comparisons])}

    def known_kept(key: str) -> Kept | None:
        return kept_of(known[key]) if key in known else None

    for kept in judge_all(
        comparisons,
        judge,
        wanted,
        known=known_kept,
        limits=Limits(**run.limits),
        spent=_spent(run),
        pace=pace,
    ):
        _keep(run, by_case[kept.judgement.case], kept, names)


def _pace(run: ArenaRun) -> Pace:
    """One for all rounds, which knows what an attempt before this one asked within the last minute."""
    now = timezone.now()
    rows = run.judgements.filter(judged_at__gt=now - timedelta(minutes=1))
    sent_before = [
        (now - judged_at).total_seconds()
        for judged_at, num_requests in rows.values_list("judged_at", "num_requests")
        for _ in range(num_requests)
    ]
    return Pace(Limits(**run.limits).requests_per_minute, sent_before)


def _spent(run: ArenaRun) -> Spent:
    rows = run.judgements.values_list("num_requests", "num_prompt_tokens", "num_tokens")
    return sum((Spent(*row) for row in rows), Spent())


def _keep(run: ArenaRun, battle: Battle, kept: Kept, names: dict[int, str]) -> None:
    with transaction.atomic():
        jobs.hold(run)
        Row.objects.bulk_create([row_of(run, battle, kept, names)], ignore_conflicts=True)
