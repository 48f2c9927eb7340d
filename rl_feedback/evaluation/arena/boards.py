"""The whole board: who is how good, by whom, on what, and whether the judges may be believed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rl_feedback.agreement import ChanceCorrected, Clustered, CohenKappa
from rl_feedback.evaluation.arena.against_experts import AgainstExperts, against_experts
from rl_feedback.evaluation.arena.bradley_terry import Board, CannotRank, bradley_terry
from rl_feedback.evaluation.arena.judge_bias import JudgeBias, judge_bias
from rl_feedback.evaluation.arena.judgements import Battle, Judgement, Kind, battles_of

PROTOCOL = (
    "The protocol of these battles is our own: the paper names a Report Arena, but publishes neither its "
    "prompts nor its rules. Ratings here are not comparable with its figures."
)
STYLES = ("tokens", "sentences", "boxes", "hedges")
# Above so many battles the styled ratings have the sandwich's intervals: draws fit each battle anew.
MOST_STYLED_DRAWS = 20_000


@dataclass(frozen=True)
class NamedBoard:
    """`name` is "judges", "experts", a judge's or a category's; `refused` says why there is no board."""

    name: str
    num_battles: int
    board: Board | None
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class Arena:
    """`judges`: all language models together; `styled` the same at equal style."""

    against_experts: tuple[AgainstExperts, ...]
    judge_bias: tuple[JudgeBias, ...]
    judges: NamedBoard
    styled: NamedBoard
    experts: NamedBoard
    by_judge: tuple[NamedBoard, ...]
    by_category: tuple[NamedBoard, ...]
    num_judgements: int
    num_invalid: int
    num_one_order: int
    num_flipped: int
    protocol: str = PROTOCOL

    def as_json(self) -> dict[str, Any]:
        return {
            "protocol": self.protocol,
            "against_experts": [_against(one) for one in self.against_experts],
            "judge_bias": [_bias(one) for one in self.judge_bias],
            "judges": _board(self.judges),
            "styled": _board(self.styled),
            "experts": _board(self.experts),
            "by_judge": [_board(one) for one in self.by_judge],
            "by_category": [_board(one) for one in self.by_category],
            "num_judgements": self.num_judgements,
            "num_invalid": self.num_invalid,
            "num_one_order": self.num_one_order,
            "num_flipped": self.num_flipped,
        }


def arena_of(
    judgements: Sequence[Judgement],
    *,
    prior: float = 0.0,
    num_draws: int = 200,
    seed: int = 0,
    confidence: float = 0.95,
    check: Callable[[], object] = lambda: None,
) -> Arena:
    """Every board of these judgements, intervals by study, the same to the last digit in whatever order they
    come. A board that can't be fitted says why. `check` is called between boards, so that others may end the
    work by raising."""
    judgements = sorted(judgements, key=lambda one: (one.case, one.judge, one.first, one.second))
    made = battles_of(judgements)
    by_model = [battle for battle in made.battles if battle.kind is Kind.MODEL]
    by_expert = [battle for battle in made.battles if battle.kind is Kind.EXPERT]

    def board(name: str, battles: Iterable[Battle], *, styled: bool = False) -> NamedBoard:
        check()
        chosen = list(battles)
        draws = 0 if styled and len(chosen) > MOST_STYLED_DRAWS else num_draws
        try:
            fitted = bradley_terry(
                [battle.left for battle in chosen],
                [battle.right for battle in chosen],
                [battle.outcome for battle in chosen],
                study=[battle.study for battle in chosen],
                style=_style(chosen) if styled else None,
                prior=prior,
                num_draws=draws,
                seed=seed,
                confidence=confidence,
            )
        except CannotRank as reason:
            return NamedBoard(name, len(chosen), None, str(reason))
        except ValueError:
            return NamedBoard(name, 0, None, "There is no battle yet.")
        return NamedBoard(name, len(chosen), fitted)

    told = [battle for battle in by_model if battle.of_left is not None and battle.of_right is not None]
    judges = sorted({battle.judge for battle in by_model})
    categories = sorted({battle.category for battle in made.battles if battle.category})
    return Arena(
        against_experts=against_experts(made.battles),
        judge_bias=judge_bias(judgements),
        judges=board("judges", by_model),
        styled=board("styled", told, styled=True),
        experts=board("experts", by_expert),
        by_judge=tuple(board(name, (b for b in by_model if b.judge == name)) for name in judges),
        by_category=tuple(board(name, (b for b in by_model if b.category == name)) for name in categories),
        num_judgements=len(judgements),
        num_invalid=made.num_invalid,
        num_one_order=made.num_one_order,
        num_flipped=sum(battle.is_flipped for battle in made.battles),
    )


def _style(battles: Sequence[Battle]) -> dict[str, tuple[list[int], list[int]]]:
    return {
        name: (
            [getattr(battle.of_left, name) for battle in battles],
            [getattr(battle.of_right, name) for battle in battles],
        )
        for name in STYLES
    }


def _board(named: NamedBoard) -> dict[str, Any]:
    board = named.board
    told: dict[str, Any] = {"name": named.name, "num_battles": named.num_battles, "refused": named.refused}
    if board is None:
        return told
    rows = board.rows()
    places = [board.models.index(row.model) for row in rows]
    return told | {
        "rows": [
            {
                "model": row.model,
                "rating": row.rating,
                "interval": list(row.interval),
                "rank": row.rank,
                "rank_interval": list(row.rank_interval),
                "num_won": row.num_won,
                "num_battles": row.num_battles,
            }
            for row in rows
        ],
        # In the order of the rows.
        "won": board.won[places][:, places].tolist(),
        "met": board.num_battles_of[places][:, places].tolist(),
        "style": [
            {"name": effect.name, "value": effect.value, "interval": list(effect.interval)}
            for effect in board.style
        ],
        "num_ties": board.num_ties,
        "num_studies": board.num_studies,
        "prior": board.prior,
        "num_draws": 0 if board.drawn_interval is None else board.num_draws,
        "seed": board.seed,
        "confidence": board.confidence,
        "note": board.note,
    }


def _figure(figure: Clustered | CohenKappa | ChanceCorrected | None) -> dict[str, Any] | None:
    if figure is None:
        return None
    number = figure.num if isinstance(figure, Clustered) else figure.num_items
    interval = None if figure.interval is None else list(figure.interval)
    return {"value": figure.value, "interval": interval, "note": figure.note, "n": number}


def _against(one: AgainstExperts) -> dict[str, Any]:
    return {
        "judge": one.judge,
        "num_battles": one.num_battles,
        "num_experts": one.num_experts,
        "kappa": _figure(one.kappa),
        "ac1": _figure(one.ac1),
        "observed": _figure(one.observed),
        "between_experts": _figure(one.between_experts),
        "says": one.says,
    }


def _bias(one: JudgeBias) -> dict[str, Any]:
    return {
        "judge": one.judge,
        "kind": str(one.kind),
        "num_judgements": one.num_judgements,
        "num_answers": one.num_answers,
        "num_invalid": one.num_invalid,
        "num_ties": one.num_ties,
        "num_pairs_in_both_orders": one.num_pairs_in_both_orders,
        "first_place": _figure(one.first_place),
        "flip_rate": _figure(one.flip_rate),
        "between_orders": _figure(one.between_orders),
        "longer": _figure(one.longer),
        "experts_longer": _figure(one.experts_longer),
        "says": list(one.says),
    }
