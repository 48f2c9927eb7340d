"""The battles of a run as its board counts them: who won by the judge, by experts, and where they differ."""

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.evaluation.models import ArenaRun, Battle, Judgement
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.selectors import visible_studies

JUDGE, EXPERTS = "judge", "experts"
TIE = "tie"
INVALID, FLIPPED, DISAGREE = "invalid", "flipped", "disagree"
# What one may ask to see alone, beside who won.
ONLY = {
    INVALID: "without a verdict",
    FLIPPED: "flipped with the order",
    DISAGREE: "judge and experts disagree",
}

# Of each battle of some versions: the judge's newest verdict in either order, where the run had planned it,
# and what experts said, each by what all of the votes agree on that they gave, else as a tie.
_STANDINGS = """
    SELECT battle.id, of_left.model_version_id AS left_version, of_right.model_version_id AS right_version,
        CASE WHEN planned.key IS NOT NULL THEN left_first.verdict END AS left_first,
        CASE WHEN planned.key IS NOT NULL THEN right_first.verdict END AS right_first,
        planned.key IS NOT NULL AS is_planned, experts.for_left AS experts_for_left
    FROM evaluation_battle AS battle
    JOIN reasoning_completion AS of_left ON of_left.id = battle.left_id
    JOIN reasoning_completion AS of_right ON of_right.id = battle.right_id
    LEFT JOIN (
        SELECT key FROM evaluation_arenarun, jsonb_array_elements(plan) AS of_round,
            jsonb_array_elements_text(of_round) AS key
        WHERE evaluation_arenarun.id = %s
    ) AS planned ON planned.key = battle.left_id || '-' || battle.right_id
    LEFT JOIN (
        SELECT DISTINCT ON (battle_id) battle_id, verdict FROM evaluation_judgement
        WHERE run_id = ANY(%s::bigint[]) AND is_left_first ORDER BY battle_id, id DESC
    ) AS left_first ON left_first.battle_id = battle.id
    LEFT JOIN (
        SELECT DISTINCT ON (battle_id) battle_id, verdict FROM evaluation_judgement
        WHERE run_id = ANY(%s::bigint[]) AND NOT is_left_first ORDER BY battle_id, id DESC
    ) AS right_first ON right_first.battle_id = battle.id
    LEFT JOIN (
        SELECT battle_id, avg(for_left) AS for_left FROM (
            SELECT battle_id,
                CASE WHEN min(for_left) = max(for_left) THEN min(for_left) ELSE 0.5 END AS for_left
            FROM (
                SELECT battle_id, reader_id,
                    CASE WHEN verdict = 'tie' THEN 0.5
                         WHEN (verdict = 'first') = is_left_first THEN 1.0 ELSE 0.0 END AS for_left
                FROM evaluation_judgement WHERE kind = 'expert'
            ) AS votes GROUP BY battle_id, reader_id
        ) AS readers GROUP BY battle_id
    ) AS experts ON experts.battle_id = battle.id
    WHERE of_left.model_version_id = ANY(%s::bigint[]) AND of_right.model_version_id = ANY(%s::bigint[])"""
_OUTCOMES = f"""
    SELECT *, left_first = 'invalid' OR right_first = 'invalid' AS is_invalid,
        CASE
            WHEN left_first = 'invalid' OR right_first = 'invalid' THEN NULL
            WHEN left_first = 'first' AND right_first = 'second' THEN 1.0
            WHEN left_first = 'second' AND right_first = 'first' THEN 0.0
            WHEN left_first IS NOT NULL AND right_first IS NOT NULL THEN 0.5
        END AS for_left
    FROM ({_STANDINGS}) AS standings WHERE is_planned OR experts_for_left IS NOT NULL"""
_IS_ONLY = {
    INVALID: "is_invalid",
    FLIPPED: "for_left = 0.5 AND NOT (left_first = 'tie' AND right_first = 'tie')",
    DISAGREE: "sign(for_left - 0.5) <> sign(experts_for_left - 0.5)",
}


@dataclass(frozen=True)
class Chosen:
    """What a person asked to see. `pair` holds the numbers of two versions, `by` is JUDGE, EXPERTS or empty,
    `won` the number of a version, TIE or empty, `only` a key of ONLY or empty."""

    pair: tuple[int, int] | None = None
    by: str = ""
    won: str = ""
    only: str = ""

    @classmethod
    def of(cls, told: Any) -> "Chosen":
        """Of an address; what is not understood counts as not asked."""
        one, _, other = told.get("pair", "").partition("-")
        won = told.get("won", "")
        return cls(
            pair=(int(one), int(other)) if _is_number(one) and _is_number(other) else None,
            by=told.get("by", "") if told.get("by") in (JUDGE, EXPERTS) else "",
            won=won if won == TIE or _is_number(won) else "",
            only=told.get("only", "") if told.get("only") in ONLY else "",
        )

    @property
    def said_pair(self) -> str:
        return "-".join(map(str, self.pair or ()))

    @property
    def address(self) -> str:
        """As an address says it, empty where nothing is chosen."""
        said = {
            "pair": self.said_pair,
            "by": self.by,
            "won": self.won,
            "only": self.only,
        }
        return urlencode({name: value for name, value in said.items() if value})


EVERY = Chosen()


def _is_number(told: str) -> bool:
    return told.isascii() and told.isdigit() and len(told) < 8


def judged_alike(run: ArenaRun) -> QuerySet[ArenaRun]:
    """The runs whose answers count in this one, as `rl_feedback.evaluation.arena.key_of` tells: the same
    judge was asked in the same words."""
    return ArenaRun.objects.filter(
        served_model=run.served_model,
        revision=run.revision,
        prompt_version=run.prompt_version,
        seed=run.seed,
    ).exclude(served_model="")


def battles_for(user: User, run: ArenaRun, chosen: Chosen = EVERY) -> QuerySet[Battle]:
    """Those that the run's judge was asked about or experts voted on, of studies that this user may see, and
    of these what was chosen. Who won is asked of experts where they are chosen, or the run has no judge.

    Raises NotYours.
    """
    require(user, Capability.VIEW_MODELS)
    require(user, Capability.VIEW_ALL_STUDIES)
    versions = {version.number: version.pk for version in run.versions.all()}
    alike = list(judged_alike(run).values_list("pk", flat=True))
    conditions, values = _conditions(chosen, versions, has_judge=run.has_judge)
    found = RawSQL(
        f"SELECT id FROM ({_OUTCOMES}) AS outcomes WHERE {' AND '.join(conditions)}",
        [run.pk, alike, alike, list(versions.values()), list(versions.values()), *values],
    )
    return Battle.objects.filter(pk__in=found, study__in=visible_studies(user))


def _conditions(
    chosen: Chosen, versions: Mapping[int, int], *, has_judge: bool
) -> tuple[list[str], list[int | None]]:
    """In SQL, with the values of their marks."""
    conditions, values = ["true"], []
    if chosen.pair is not None:
        one, other = (versions.get(number) for number in chosen.pair)
        conditions.append("(left_version, right_version) IN ((%s, %s), (%s, %s))")
        values += [one, other, other, one]
    if chosen.by == JUDGE:
        conditions.append("(left_first IS NOT NULL OR right_first IS NOT NULL)")
    elif chosen.by == EXPERTS:
        conditions.append("experts_for_left IS NOT NULL")
    outcome = "for_left" if has_judge and chosen.by != EXPERTS else "experts_for_left"
    if chosen.won == TIE:
        conditions.append(f"{outcome} = 0.5")
    elif chosen.won:
        conditions.append(
            f"%s = CASE WHEN {outcome} > 0.5 THEN left_version WHEN {outcome} < 0.5 THEN right_version END"
        )
        values.append(versions.get(int(chosen.won)))
    if chosen.only:
        conditions.append(f"({_IS_ONLY[chosen.only]})")
    return conditions, values


def counted(run: ArenaRun, battles: Sequence[Battle]) -> dict[int, list[Judgement]]:
    """What counts of these battles, by their keys: the judge's newest answer in either order, the older
    output first, where the run had planned the battle; then experts' votes."""
    planned = {key for of_round in run.plan for key in of_round}
    own = {battle.pk for battle in battles if f"{battle.left_id}-{battle.right_id}" in planned}
    alike = set(judged_alike(run).values_list("pk", flat=True))
    told = Judgement.objects.filter(battle__in=[battle.pk for battle in battles]).select_related("run")
    answers: dict[int, dict[bool, Judgement]] = defaultdict(dict)
    votes: dict[int, list[Judgement]] = defaultdict(list)
    for one in told.order_by("pk"):
        if one.kind == Judgement.Kind.EXPERT:
            votes[one.battle_id].append(one)
        elif one.run_id in alike and one.battle_id in own:
            answers[one.battle_id][one.is_left_first] = one
    return {
        battle.pk: [
            *(answers[battle.pk][order] for order in (True, False) if order in answers[battle.pk]),
            *votes[battle.pk],
        ]
        for battle in battles
    }


@dataclass(frozen=True)
class ListedBattle:
    """A line of the list: who won by the judge and by experts, in words."""

    battle: Battle
    by_judge: str
    by_experts: str
    num_votes: int
    is_invalid: bool
    is_flipped: bool
    disagrees: bool


def listed(battle: Battle, judgements: Sequence[Judgement]) -> ListedBattle:
    """`judgements`: what counts of it."""
    answers = [one for one in judgements if one.kind == Judgement.Kind.MODEL]
    votes = [one for one in judgements if one.kind == Judgement.Kind.EXPERT]
    is_invalid = any(one.verdict == Judgement.Verdict.INVALID for one in answers)
    sides = [_for_left(one) for one in answers]
    has_outcome = len(sides) == 2 and not is_invalid
    for_left = (sides[0] if sides[0] == sides[1] else 0.5) if has_outcome else None
    by_experts = _by_experts(votes)
    left, right = battle.left.model_version, battle.right.model_version
    is_half = bool(answers) and not is_invalid and not has_outcome
    return ListedBattle(
        battle,
        by_judge="one order only" if is_half else _words(for_left, left, right),
        by_experts=_words(by_experts, left, right),
        num_votes=len(votes),
        is_invalid=is_invalid,
        is_flipped=has_outcome and sides[0] != sides[1],
        disagrees=for_left is not None and by_experts is not None and _sign(for_left) != _sign(by_experts),
    )


def _for_left(one: Judgement) -> float:
    if one.verdict == Judgement.Verdict.TIE:
        return 0.5
    return float((one.verdict == Judgement.Verdict.FIRST) == one.is_left_first)


def _by_experts(votes: Sequence[Judgement]) -> float | None:
    """The mean over experts; of one who met the pair several times what all these votes agree on."""
    by_reader: dict[int | None, set[float]] = defaultdict(set)
    for one in votes:
        by_reader[one.reader_id].add(_for_left(one))
    sides = [next(iter(found)) if len(found) == 1 else 0.5 for found in by_reader.values()]
    return sum(sides) / len(sides) if sides else None


def _sign(outcome: float) -> int:
    return (outcome > 0.5) - (outcome < 0.5)


def _words(outcome: float | None, left: ModelVersion, right: ModelVersion) -> str:
    if outcome is None:
        return ""
    return "tie" if outcome == 0.5 else str(left if outcome > 0.5 else right)


@dataclass(frozen=True)
class Choices:
    """What may be asked to see, each as its address says it and in words."""

    pairs: tuple[tuple[str, str], ...]
    by: tuple[tuple[str, str], ...]
    won: tuple[tuple[str, str], ...]
    only: tuple[tuple[str, str], ...]


def choices_of(run: ArenaRun) -> Choices:
    versions = sorted(run.versions.all(), key=lambda version: version.number)
    pairs = itertools.combinations(versions, 2)
    return Choices(
        pairs=tuple((f"{one.number}-{other.number}", f"{one} and {other}") for one, other in pairs),
        by=((JUDGE, "the language model"), (EXPERTS, "experts")) if run.has_judge else (),
        won=(*((str(one.number), f"{one} won") for one in versions), (TIE, "a tie")),
        only=tuple(ONLY.items()) if run.has_judge else (),
    )
