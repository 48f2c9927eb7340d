"""One battle: both texts on their film, what each judge said in either order and why, and experts' votes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from deepmedix_review.accounts.models import User
from deepmedix_review.common.differences import Piece, differing_pieces
from deepmedix_review.evaluation.arena.battle_list import battles_for
from deepmedix_review.evaluation.arena.battles import said_by
from deepmedix_review.evaluation.models import ArenaRun, Battle, Judgement
from deepmedix_review.reasoning.drawn import Drawn, drawn_of, font_px
from deepmedix_review.reasoning.models import Completion, ReasoningStep
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Vote
from deepmedix_review.studies.models import Instance
from inference.grounding import PROBLEM_SENTENCES

# Of an answer that is no verdict: a judge that repeats itself writes thousands of words.
MOST_CHARACTERS = 4000
NO_VERDICT = "no verdict"


@dataclass(frozen=True)
class BattleSide:
    """`pieces` are what was compared, the words marked that the other side does not have there."""

    version: ModelVersion
    pieces: tuple[Piece, ...]
    is_whole_text: bool
    steps: tuple[ReasoningStep, ...]
    drawn: tuple[Drawn, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Reason:
    """Which version is better in one regard, in words, and why."""

    better: str
    reason: str


@dataclass(frozen=True)
class InOneOrder:
    """A judge's answer with `first` in the first place, which it knows as A. `raw` is what it wrote where
    that is no verdict, `num_cut` how many more characters that has."""

    first: ModelVersion
    second: ModelVersion
    verdict: str
    reasons: dict[str, Reason]
    problem: str
    raw: str
    num_cut: int
    num_requests: int
    num_prompt_tokens: int
    num_tokens: int


@dataclass(frozen=True)
class OfJudge:
    """`is_of_run`: this is the judge whose verdicts the run's board counts. One that is not `is_asked` judged
    elsewhere, and `prompt_version` is empty."""

    judge: str
    prompt_version: str
    is_asked: bool
    is_of_run: bool
    orders: tuple[InOneOrder, ...]
    outcome: str
    criteria: tuple[tuple[str, tuple[Reason | None, ...]], ...]


@dataclass(frozen=True)
class ExpertVote:
    reader: str
    first: ModelVersion
    verdict: str


@dataclass(frozen=True)
class ShownBattle:
    battle: Battle
    film: Instance
    question: str
    sides: tuple[BattleSide, BattleSide]
    judges: tuple[OfJudge, ...]
    votes: tuple[ExpertVote, ...]

    @property
    def font_px(self) -> float:
        return font_px(self.film)


def battle_for(user: User, run: ArenaRun, uid: UUID) -> ShownBattle:
    """Raises NotYours, or Battle.DoesNotExist for one that is not of this run, or of a study that this user
    may not see."""
    rows = battles_for(user, run).select_related(
        "study", "left__instance", "left__model_version", "right__model_version"
    )
    battle = rows.prefetch_related("left__steps__regions", "right__steps__regions").get(uid=uid)
    judgements = battle.judgements.select_related("run", "reader", "vote").order_by("pk")
    told = list(judgements)
    pieces = differing_pieces(said_by(battle.left), said_by(battle.right), forgives_marks=True)
    film = battle.left.instance
    return ShownBattle(
        battle=battle,
        film=film,
        question=battle.left.query,
        sides=(_side(battle.left, pieces[0], film), _side(battle.right, pieces[1], film)),
        judges=_judges(battle, run, [one for one in told if one.kind == Judgement.Kind.MODEL]),
        votes=tuple(_vote(battle, one) for one in told if one.kind == Judgement.Kind.EXPERT),
    )


def _side(completion: Completion, pieces: tuple[Piece, ...], film: Instance) -> BattleSide:
    return BattleSide(
        version=completion.model_version,
        pieces=pieces,
        is_whole_text=not completion.answer,
        steps=tuple(completion.steps.all()),
        drawn=drawn_of(completion, film),
        problems=tuple(PROBLEM_SENTENCES[problem] for problem in completion.problems),
    )


def _judges(battle: Battle, run: ArenaRun, told: Iterable[Judgement]) -> tuple[OfJudge, ...]:
    """The run's own first. Of several answers to the same the newest counts."""
    by_judge: dict[tuple[str, ...], dict[bool, Judgement]] = defaultdict(dict)
    for one in told:
        by_judge[_asked(one.run)][one.is_left_first] = one
    own = _asked(run)
    keys = sorted(by_judge, key=lambda key: (key != own, key))
    return tuple(_judge(battle, by_judge[key], is_of_run=key == own) for key in keys)


def _asked(run: ArenaRun | None) -> tuple[str, ...]:
    """Whom and how: answers of two runs with the same are one judge's."""
    assert run is not None
    return (run.served_model, run.revision, run.prompt_version, str(run.seed))


def _judge(battle: Battle, orders: dict[bool, Judgement], *, is_of_run: bool) -> OfJudge:
    found = [orders[place] for place in (True, False) if place in orders]
    shown = tuple(_in_one_order(battle, one) for one in found)
    names = sorted({name for one in shown for name in one.reasons}, key=_place_of)
    run = found[0].run
    assert run is not None
    return OfJudge(
        judge=found[0].judge,
        prompt_version=run.told_prompt,
        is_asked=run.asks_judge,
        is_of_run=is_of_run,
        orders=shown,
        outcome=_outcome(shown),
        criteria=tuple((name, tuple(one.reasons.get(name) for one in shown)) for name in names),
    )


def _place_of(criterion: str) -> int:
    """Among the criteria of the prompts; the database keeps no order of its own."""
    # With it come statistics, which few requests need.
    from rl_feedback.evaluation.arena.prompts import CRITERIA

    return [*CRITERIA, criterion].index(criterion)


def _outcome(orders: Sequence[InOneOrder]) -> str:
    """What both orders come to, as the board counts it."""
    verdicts = {one.verdict for one in orders}
    if NO_VERDICT in verdicts:
        return "It has no verdict, and counts nowhere."
    if len(orders) < 2:
        return "It was judged in one order only, and counts nowhere yet."
    if len(verdicts) > 1:
        return "It flipped with the order, and counts as a tie."
    return "Both orders agree."


def _in_one_order(battle: Battle, one: Judgement) -> InOneOrder:
    first, second = _in_order(battle, one)
    is_invalid = one.verdict == Judgement.Verdict.INVALID
    return InOneOrder(
        first=first,
        second=second,
        verdict=_words(one.verdict, first, second),
        reasons={
            name: Reason(_words(told["better"], first, second), told["reason"])
            for name, told in one.criteria.items()
        },
        problem=one.problem,
        raw=one.text[:MOST_CHARACTERS] if is_invalid else "",
        num_cut=max(0, len(one.text) - MOST_CHARACTERS) if is_invalid else 0,
        num_requests=one.num_requests,
        num_prompt_tokens=one.num_prompt_tokens,
        num_tokens=one.num_tokens,
    )


def _in_order(battle: Battle, one: Judgement) -> tuple[ModelVersion, ModelVersion]:
    left, right = battle.left.model_version, battle.right.model_version
    return (left, right) if one.is_left_first else (right, left)


def _words(verdict: str, first: ModelVersion, second: ModelVersion) -> str:
    match verdict:
        case Judgement.Verdict.FIRST:
            return f"{first} is better"
        case Judgement.Verdict.SECOND:
            return f"{second} is better"
        case Judgement.Verdict.TIE:
            return "tie"
    return NO_VERDICT


def _vote(battle: Battle, one: Judgement) -> ExpertVote:
    assert one.reader is not None
    assert one.vote is not None
    first, second = _in_order(battle, one)
    is_neither = one.vote.side == Vote.Side.BOTH_BAD
    verdict = "both bad, a tie" if is_neither else _words(one.verdict, first, second)
    return ExpertVote(one.reader.pseudonym, first, verdict)
