"""How a run's battles look as JSON: who won, both texts, each judgement with reasons and cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework import serializers

from deepmedix_review.accounts.models import User
from deepmedix_review.evaluation.arena.battle_list import ListedBattle, battles_for, counted, listed
from deepmedix_review.evaluation.arena.battle_page import MOST_CHARACTERS
from deepmedix_review.evaluation.arena.battles import said_by
from deepmedix_review.evaluation.arena.downloads import may_leave
from deepmedix_review.evaluation.arena.spending import cost_of
from deepmedix_review.evaluation.models import ArenaRun, Battle, Judgement
from deepmedix_review.reasoning.models import Completion

LEFT, RIGHT, TIE = "left", "right", "tie"
SIDES = (LEFT, RIGHT)
OUTCOMES = (*SIDES, TIE)


@dataclass(frozen=True)
class Side:
    """`text` is what was compared: the answer, or all of the output where it has none."""

    version: UUID
    name: str
    text: str
    is_whole_text: bool


@dataclass(frozen=True)
class OnOne:
    better: str
    reason: str


@dataclass(frozen=True)
class JsonJudgement:
    """`better` is empty of what is no verdict; then `text` is what was written, cut. Tokens and cost are None
    where they are not known; of experts and of who judged elsewhere nothing was spent here."""

    kind: str
    judge: str
    prompt_version: str
    first: str
    is_verdict: bool
    better: str
    criteria: dict[str, OnOne]
    problem: str
    text: str
    num_requests: int
    num_prompt_tokens: int | None
    num_tokens: int
    cost: float | None


@dataclass(frozen=True)
class WholeBattle:
    told: ListedBattle
    left: Side
    right: Side
    judgements: tuple[JsonJudgement, ...]


def told_battles(run: ArenaRun, battles: Sequence[Battle]) -> list[ListedBattle]:
    judgements = counted(run, battles)
    return [listed(one, judgements[one.pk]) for one in battles]


def whole_battle(user: User, run: ArenaRun, uid: UUID) -> WholeBattle:
    """Raises NotYours, or Battle.DoesNotExist for one that is not of this run, of a study that this user may
    not see, or of a source whose licence lets nothing that is said of its studies leave."""
    rows = may_leave(battles_for(user, run)).select_related(
        "study", "left__model_version", "right__model_version"
    )
    battle = rows.get(uid=uid)
    found = counted(run, [battle])[battle.pk]
    readers = {one.pk: one.reader for one in battle.judgements.exclude(reader=None).select_related("reader")}
    return WholeBattle(
        told=listed(battle, found),
        left=_side(battle.left),
        right=_side(battle.right),
        judgements=tuple(_judgement(one, readers.get(one.pk)) for one in found),
    )


def _side(completion: Completion) -> Side:
    version = completion.model_version
    return Side(version.uid, f"{version} {version.name}", said_by(completion), not completion.answer)


def _judgement(one: Judgement, reader: User | None) -> JsonJudgement:
    is_verdict = one.verdict != Judgement.Verdict.INVALID
    is_asked = one.run is not None and one.run.asks_judge
    # A server that tells no usage leaves the prompt's tokens at 0, which no question has.
    is_told = is_asked and one.num_prompt_tokens > 0
    return JsonJudgement(
        kind=one.kind,
        judge=one.judge if reader is None else reader.pseudonym,
        prompt_version=one.run.told_prompt if one.run else "",
        first=_placed("first", one),
        is_verdict=is_verdict,
        better=_placed(one.verdict, one) if is_verdict else "",
        criteria={
            name: OnOne(_placed(told["better"], one), told["reason"]) for name, told in one.criteria.items()
        },
        problem=one.problem,
        text="" if is_verdict else one.text[:MOST_CHARACTERS],
        num_requests=one.num_requests,
        num_prompt_tokens=one.num_prompt_tokens if is_told else None,
        num_tokens=one.num_tokens,
        cost=(
            cost_of(one.run, num_prompt_tokens=one.num_prompt_tokens, num_tokens=one.num_tokens)
            if is_told and one.run is not None
            else None
        ),
    )


def _placed(verdict: str, one: Judgement) -> str:
    """Of what was met first or second, on which side it stands."""
    if verdict == Judgement.Verdict.TIE:
        return TIE
    return LEFT if (verdict == Judgement.Verdict.FIRST) == one.is_left_first else RIGHT


class BattleJson(serializers.Serializer[Any]):
    """`by_judge` and `by_experts` name the version that won, as v3, or say tie; empty where nobody judged,
    and "one order only" where a judge was asked half."""

    uid = serializers.UUIDField(source="battle.uid")
    study = serializers.UUIDField(source="battle.study.uid")
    question = serializers.CharField(source="battle.left.query")
    left = serializers.UUIDField(source="battle.left.model_version.uid", help_text="who wrote the older one")
    right = serializers.UUIDField(source="battle.right.model_version.uid")
    by_judge = serializers.CharField()
    by_experts = serializers.CharField()
    num_votes = serializers.IntegerField()
    is_invalid = serializers.BooleanField()
    is_flipped = serializers.BooleanField()
    disagrees = serializers.BooleanField(help_text="judge and experts")


class BattlePageJson(serializers.Serializer[Any]):
    results = BattleJson(many=True)
    next_before = serializers.IntegerField(allow_null=True)


class BattleSideJson(serializers.Serializer[Any]):
    version = serializers.UUIDField()
    name = serializers.CharField()
    text = serializers.CharField(help_text="what was compared")
    is_whole_text = serializers.BooleanField(help_text="it has no answer, so all of it was compared")


class OnCriterionJson(serializers.Serializer[Any]):
    better = serializers.ChoiceField(choices=OUTCOMES)
    reason = serializers.CharField()


class JudgementJson(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Judgement.Kind.choices)
    judge = serializers.CharField(help_text="of an expert the pseudonym")
    prompt_version = serializers.CharField(help_text="empty of experts and of who judged elsewhere")
    first = serializers.ChoiceField(choices=SIDES, help_text="which was met in the first place")
    is_verdict = serializers.BooleanField()
    better = serializers.ChoiceField(choices=("", *OUTCOMES))
    criteria = serializers.DictField(child=OnCriterionJson())
    problem = serializers.CharField(help_text="why it is no verdict")
    text = serializers.CharField(help_text="then what was written, its first 4,000 characters")
    num_requests = serializers.IntegerField()
    num_prompt_tokens = serializers.IntegerField(allow_null=True)
    num_tokens = serializers.IntegerField()
    cost = serializers.FloatField(allow_null=True)


class WholeBattleJson(serializers.Serializer[Any]):
    battle = BattleJson(source="told")
    left = BattleSideJson()
    right = BattleSideJson()
    judgements = JudgementJson(many=True)
