"""Carries a run of the arena out: plans rounds, lets the judge judge, keeps each verdict, draws the board."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from django.conf import settings
from django.db import transaction

from deepmedix_review.common import jobs
from deepmedix_review.evaluation.arena.battles import (
    OpenPair,
    keep_battles,
    num_alike,
    open_pairs,
    pair_of,
    said_by,
    take_votes,
)
from deepmedix_review.evaluation.models import ArenaRun, Battle
from deepmedix_review.evaluation.models import Judgement as Row
from deepmedix_review.registry.selectors import key_in
from deepmedix_review.studies.models import Reference
from inference.engines import EndpointSettings, Engine
from rl_feedback.evaluation.arena import (
    Comparison,
    EngineJudge,
    JudgeFailed,
    Judgement,
    JudgeSettings,
    Kept,
    Kind,
    LimitReached,
    Limits,
    Spent,
    Verdict,
    arena_of,
    battles_of,
    judge_all,
    key_of,
    next_battles,
    style_of,
)
from rl_feedback.evaluation.arena.choosing import seed_of
from rl_feedback.evaluation.arena.files import criteria_as_json, criteria_of

# Battles of a round: the choice of the next ones knows all before it.
ROUND = 16
# A board of half a tie for each model exists whatever the battles; without it one win against nobody is none.
PRIOR = 0.5


def judge_settings(run: ArenaRun) -> JudgeSettings:
    return JudgeSettings(
        judge=run.served_model, revision=run.revision, prompt_version=run.prompt_version, seed=run.seed
    )


def endpoint_settings(run: ArenaRun) -> EndpointSettings:
    """Raises RefusedByRule where the server's key is not there."""
    return EndpointSettings(
        url=run.endpoint_url,
        served_model=run.served_model,
        origins=frozenset(settings.INFERENCE_ENDPOINTS),
        allows_this_machine=False,
        key=key_in(run.key_name, of="the judge"),
        key_name=f"the key file {run.key_name}" if run.key_name else "it: it has none",
    )


def carry_out(run: ArenaRun, engine: Engine | None, *, check: Callable[[], None]) -> None:
    """To its end, with everything kept. Without an engine the board is of experts' votes. Raises LimitReached
    or JudgeFailed, whose sentence is for a person; the board is drawn of what is judged by then."""
    versions = list(run.versions.order_by("pk"))
    names = {version.pk: f"{version} {version.name}" for version in versions}
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
    number = 0
    while True:
        if number == len(run.plan):
            chosen = _choose(run, pairs, names)
            if not chosen:
                return
            run.plan = [*run.plan, [pair.key for pair in chosen]]
            keep_battles(chosen)
            jobs.heartbeat(run, is_kept=True, plan=run.plan)
        _judge(run, _battles(run.plan[number]), judge, names)
        number += 1
        jobs.heartbeat(run, is_kept=True, num_judged=sum(map(len, run.plan[:number])))


def _choose(run: ArenaRun, pairs: Sequence[OpenPair], names: dict[int, str]) -> list[OpenPair]:
    """The battles of the next round, by what all before it tell; none where the run has all it wants, or no
    more are open."""
    planned = [key for of_round in run.plan for key in of_round]
    wanted = min(ROUND, run.num_wanted - len(planned))
    places = {version: place for place, version in enumerate(sorted(names))}
    met = [pair_of(battle.left, battle.right) for battle in _battles(planned)]
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


def _judge(run: ArenaRun, battles: Sequence[Battle], judge: EngineJudge, names: dict[int, str]) -> None:
    wanted = judge_settings(run)
    comparisons = list(_comparisons(battles, names))
    by_case = {str(battle.pk): battle for battle in battles}
    known = {row.key: row for row in Row.objects.filter(key__in=[key_of(one, wanted) for one in comparisons])}

    def known_kept(key: str) -> Kept | None:
        return _kept_of(known[key]) if key in known else None

    for kept in judge_all(
        comparisons, judge, wanted, known=known_kept, limits=Limits(**run.limits), spent=_spent(run)
    ):
        _keep(run, by_case[kept.judgement.case], kept, names)


def _battles(keys: Sequence[str]) -> list[Battle]:
    """In the order of their rows; without those whose outputs were erased."""
    wanted = set(keys)
    lefts = {int(key.partition("-")[0]) for key in keys}
    rows = Battle.objects.filter(left__in=lefts).select_related("left", "right").order_by("pk")
    return [row for row in rows if f"{row.left_id}-{row.right_id}" in wanted]


def _comparisons(battles: Iterable[Battle], names: dict[int, str]) -> Iterable[Comparison]:
    battles = list(battles)
    references = {
        reference.study_id: _report(reference)
        for reference in Reference.objects.filter(study__in={battle.study_id for battle in battles})
    }
    for battle in battles:
        left, right = battle.left, battle.right
        comparison = Comparison(
            case=str(battle.pk),
            study=str(battle.study_id),
            category=left.query,
            first=names[left.model_version_id],
            second=names[right.model_version_id],
            first_text=said_by(left),
            second_text=said_by(right),
            reference=references.get(battle.study_id, ""),
        )
        yield comparison
        yield comparison.turned


def _report(reference: Reference) -> str:
    parts = (("Findings", reference.findings), ("Impression", reference.impression))
    told = "\n".join(f"{name}: {text}" for name, text in parts if text)
    return told or reference.report


def _spent(run: ArenaRun) -> Spent:
    rows = run.judgements.values_list("num_requests", "num_prompt_tokens", "num_tokens")
    return sum((Spent(*row) for row in rows), Spent())


def _keep(run: ArenaRun, battle: Battle, kept: Kept, names: dict[int, str]) -> None:
    with transaction.atomic():
        jobs.hold(run)
        Row.objects.get_or_create(
            battle=battle,
            is_left_first=kept.judgement.first == names[battle.left.model_version_id],
            key=kept.key,
            kind=Row.Kind.MODEL,
            defaults={
                "verdict": str(kept.judgement.verdict),
                "judge": run.judge,
                "run": run,
                "criteria": criteria_as_json(kept.judgement.criteria),
                "text": kept.text.replace("\0", ""),
                "problem": kept.problem,
                "num_requests": kept.spent.num_requests,
                "num_prompt_tokens": kept.spent.num_prompt_tokens,
                "num_tokens": kept.spent.num_tokens,
            },
        )


def _kept_of(row: Row) -> Kept:
    """Of what is known the verdict and its reasons; the case is that of whoever asks."""
    found = Judgement(
        "", "", "", "", row.judge, Kind.MODEL, Verdict(row.verdict), criteria=criteria_of(row.criteria)
    )
    return Kept(row.key, found, row.text, row.problem, num_tries=row.num_requests, spent=Spent())


def judgements_of(run: ArenaRun, names: dict[int, str]) -> list[Judgement]:
    """What the run's judge said of its battles, and what experts said of any between its versions."""
    planned = {key for of_round in run.plan for key in of_round}
    rows = (
        Row.objects.filter(battle__left__model_version__in=names, battle__right__model_version__in=names)
        .select_related("battle__left", "battle__right", "reader")
        .order_by("pk")
    )
    wanted = judge_settings(run)
    told = []
    comparisons: dict[tuple[int, bool], Comparison] = {}
    battles = {row.battle_id: row.battle for row in rows}
    for place, comparison in enumerate(_comparisons(battles.values(), names)):
        comparisons[int(comparison.case), place % 2 == 0] = comparison
    for row in rows:
        comparison = comparisons[row.battle_id, row.is_left_first]
        if row.kind == Row.Kind.MODEL:
            is_planned = f"{row.battle.left_id}-{row.battle.right_id}" in planned
            if not is_planned or row.key != key_of(comparison, wanted):
                continue
        told.append(_judgement(row, comparison))
    return told


def _judgement(row: Row, comparison: Comparison) -> Judgement:
    judge = row.judge if row.reader is None else row.reader.pseudonym
    return Judgement(
        case=comparison.case,
        study=comparison.study,
        first=comparison.first,
        second=comparison.second,
        judge=judge,
        kind=Kind(row.kind),
        verdict=Verdict(row.verdict),
        category=comparison.category,
        criteria=criteria_of(row.criteria),
        of_first=style_of(comparison.first_text),
        of_second=style_of(comparison.second_text),
    )
