"""Which model writes the better reports, by battles in pairs that language models and experts judge.

>>> board = bradley_terry(["x", "y", "x"], ["y", "x", "y"], [1, 1, 0.5], num_draws=0)
>>> [row.rank for row in board.rows()]
[1, 1]
"""

from rl_feedback.evaluation.arena.against_experts import AgainstExperts, against_experts
from rl_feedback.evaluation.arena.asking import Comparison, Judge, JudgeFailed
from rl_feedback.evaluation.arena.boards import PROTOCOL, Arena, NamedBoard, arena_of
from rl_feedback.evaluation.arena.bradley_terry import (
    SCALE,
    Board,
    CannotRank,
    RankedModel,
    bradley_terry,
)
from rl_feedback.evaluation.arena.choosing import Next, expected_gains, next_battles
from rl_feedback.evaluation.arena.judge_bias import JudgeBias, judge_bias
from rl_feedback.evaluation.arena.judgements import (
    Battle,
    Battles,
    Counts,
    Judgement,
    Kind,
    OnCriterion,
    Verdict,
    battles_of,
)
from rl_feedback.evaluation.arena.judges import EngineJudge, RecordedJudge
from rl_feedback.evaluation.arena.judging import (
    JudgeSettings,
    Kept,
    both_orders,
    judge_all,
    key_of,
)
from rl_feedback.evaluation.arena.limits import LimitReached, Limits, Pace, Spent
from rl_feedback.evaluation.arena.prompts import CRITERIA, NEWEST, PROMPTS, JudgePrompt, prompt_of
from rl_feedback.evaluation.arena.recorded import RecordedAnswer, read_answers
from rl_feedback.evaluation.arena.style_counts import style_of

__all__ = [
    "CRITERIA",
    "NEWEST",
    "PROMPTS",
    "PROTOCOL",
    "SCALE",
    "AgainstExperts",
    "Arena",
    "Battle",
    "Battles",
    "Board",
    "CannotRank",
    "Comparison",
    "Counts",
    "EngineJudge",
    "Judge",
    "JudgeBias",
    "JudgeFailed",
    "JudgePrompt",
    "JudgeSettings",
    "Judgement",
    "Kept",
    "Kind",
    "LimitReached",
    "Limits",
    "NamedBoard",
    "Next",
    "OnCriterion",
    "Pace",
    "RankedModel",
    "RecordedAnswer",
    "RecordedJudge",
    "Spent",
    "Verdict",
    "against_experts",
    "arena_of",
    "battles_of",
    "both_orders",
    "bradley_terry",
    "expected_gains",
    "judge_all",
    "judge_bias",
    "key_of",
    "next_battles",
    "prompt_of",
    "read_answers",
    "style_of",
]
