"""Which model writes the better reports, by battles in pairs that language models and experts judge."""

from rl_feedback.evaluation.arena.bradley_terry import (
    SCALE,
    Board,
    CannotRank,
    RankedModel,
    bradley_terry,
)

__all__ = ["SCALE", "Board", "CannotRank", "RankedModel", "bradley_terry"]
