"""The battles of a run as its board counts them: who won by the judge, by experts, and where they differ."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Concat

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

_PLANNED = """
    SELECT key FROM evaluation_arenarun, jsonb_array_elements(plan) AS of_round,
        jsonb_array_elements_text(of_round) AS key
    WHERE evaluation_arenarun.id = %s"""
# Of an expert who met a pair several times it is what all these votes agree on, else a tie.
_EXPERTS_FOR_LEFT = """
    SELECT avg(of_reader) FROM (
        SELECT CASE WHEN min(for_left) = max(for_left) THEN min(for_left) ELSE 0.5 END AS of_reader
        FROM (
            SELECT reader_id,
                CASE WHEN verdict = 'tie' THEN 0.5
                     WHEN (verdict = 'first') = is_left_first THEN 1.0 ELSE 0.0 END AS for_left
            FROM evaluation_judgement
            WHERE battle_id = evaluation_battle.id AND kind = 'expert'
        ) AS votes GROUP BY reader_id
    ) AS readers"""


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


def battles_for(user: User, run: ArenaRun) -> QuerySet[Battle]:
    """Those that the run's judge was asked about or experts voted on, of studies that this user may see.

    Each with `as_left_first` and `as_right_first`, the judge's newest verdict in either order, `for_left` and
    `experts_for_left`, the outcomes (1, 0, .5; None where there is none), and `is_invalid`, `is_flipped`.
    Raises NotYours.
    """
    require(user, Capability.VIEW_MODELS)
    require(user, Capability.VIEW_ALL_STUDIES)
    versions = [version.pk for version in run.versions.all()]
    verdicts = Judgement.objects.filter(
        battle=OuterRef("pk"), kind=Judgement.Kind.MODEL, run__in=judged_alike(run)
    ).order_by("-pk")
    votes = Judgement.objects.filter(battle=OuterRef("pk"), kind=Judgement.Kind.EXPERT)

    def newest(*, is_left_first: bool) -> Case:
        found = verdicts.filter(is_left_first=is_left_first).values("verdict")[:1]
        return Case(When(is_planned=True, then=Subquery(found)), output_field=CharField())

    key = Concat(
        Cast("left_id", TextField()), Value("-"), Cast("right_id", TextField()), output_field=TextField()
    )
    both = Q(as_left_first__isnull=False, as_right_first__isnull=False)
    one_is_invalid = Q(as_left_first="invalid") | Q(as_right_first="invalid")
    left = Q(as_left_first="first", as_right_first="second")
    right = Q(as_left_first="second", as_right_first="first")
    tie = Q(as_left_first="tie", as_right_first="tie")
    return (
        Battle.objects.filter(
            left__model_version__in=versions,
            right__model_version__in=versions,
            study__in=visible_studies(user),
        )
        .annotate(key=key)
        .annotate(is_planned=_told(Q(key__in=RawSQL(_PLANNED, [run.pk]))), has_votes=Exists(votes))
        .annotate(
            as_left_first=newest(is_left_first=True),
            as_right_first=newest(is_left_first=False),
            experts_for_left=RawSQL(_EXPERTS_FOR_LEFT, [], output_field=FloatField()),
        )
        .annotate(
            is_invalid=_told(one_is_invalid),
            is_flipped=_told(both & ~one_is_invalid & ~left & ~right & ~tie),
            for_left=Case(
                When(one_is_invalid | ~both, then=None),
                When(left, then=1.0),
                When(right, then=0.0),
                default=0.5,
                output_field=FloatField(),
            ),
        )
        .filter(Q(is_planned=True) | Q(has_votes=True))
    )


def chosen_of(battles: QuerySet[Any], chosen: Chosen, *, has_judge: bool) -> QuerySet[Any]:
    """Of `battles_for`. Who won is asked of experts where these are chosen, or the run has no judge."""
    if chosen.pair is not None:
        one, other = chosen.pair
        battles = battles.filter(
            Q(left__model_version__number=one, right__model_version__number=other)
            | Q(left__model_version__number=other, right__model_version__number=one)
        )
    if chosen.by == JUDGE:
        battles = battles.filter(Q(as_left_first__isnull=False) | Q(as_right_first__isnull=False))
    elif chosen.by == EXPERTS:
        battles = battles.filter(has_votes=True)
    if chosen.won:
        battles = _won(battles, chosen, has_judge=has_judge)
    if chosen.only == INVALID:
        battles = battles.filter(is_invalid=True)
    elif chosen.only == FLIPPED:
        battles = battles.filter(is_flipped=True)
    elif chosen.only == DISAGREE:
        judge, experts = _side("for_left"), _side("experts_for_left")
        battles = battles.filter(for_left__isnull=False, has_votes=True)
        battles = battles.annotate(by_judge=judge, by_experts=experts).exclude(by_judge=F("by_experts"))
    return battles


def _won(battles: QuerySet[Any], chosen: Chosen, *, has_judge: bool) -> QuerySet[Any]:
    outcome = "for_left" if has_judge and chosen.by != EXPERTS else "experts_for_left"
    if chosen.won == TIE:
        return battles.filter(**{outcome: 0.5})
    number = int(chosen.won)
    return battles.filter(
        Q(**{"left__model_version__number": number, f"{outcome}__gt": 0.5})
        | Q(**{"right__model_version__number": number, f"{outcome}__lt": 0.5})
    )


def _side(outcome: str) -> Case:
    """Of several experts the mean decides."""
    return Case(
        When(**{f"{outcome}__gt": 0.5, "then": Value(1)}),
        When(**{f"{outcome}__lt": 0.5, "then": Value(-1)}),
        default=Value(0),
    )


def _told(condition: Q) -> Case:
    """False where an unknown verdict would make it unknown."""
    return Case(When(condition, then=True), default=False, output_field=BooleanField())


@dataclass(frozen=True)
class ListedBattle:
    """A line of the list: who won by the judge and by experts, in words."""

    battle: Battle
    by_judge: str
    by_experts: str
    num_experts: int
    is_invalid: bool
    is_flipped: bool
    disagrees: bool


def listed(battle: Battle, *, num_experts: int) -> ListedBattle:
    """Of a row of `battles_for`."""
    row: Any = battle
    left, right = battle.left.model_version, battle.right.model_version
    by_judge = _words(row.for_left, left, right)
    if not by_judge and not row.is_invalid and (row.as_left_first or row.as_right_first):
        by_judge = "one order only"
    by_experts = _words(row.experts_for_left, left, right)
    differ = row.for_left is not None and row.experts_for_left is not None
    return ListedBattle(
        battle,
        by_judge,
        by_experts,
        num_experts,
        row.is_invalid,
        row.is_flipped,
        disagrees=differ and _sign(row.for_left) != _sign(row.experts_for_left),
    )


def _sign(outcome: float) -> int:
    return (outcome > 0.5) - (outcome < 0.5)


def _words(outcome: float | None, left: ModelVersion, right: ModelVersion) -> str:
    if outcome is None:
        return ""
    return "tie" if outcome == 0.5 else str(left if outcome > 0.5 else right)


def num_votes_of(battles: Sequence[Battle]) -> dict[int, int]:
    """How many votes of experts each has, by its key; in one query."""
    rows = Judgement.objects.filter(battle__in=[battle.pk for battle in battles], kind=Judgement.Kind.EXPERT)
    return dict(rows.order_by().values_list("battle").annotate(number=Count("pk")))


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
