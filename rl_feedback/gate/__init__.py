"""The gate that a candidate passes before it serves: what is compared, by which policy, and what decided."""

from rl_feedback.gate.built_in import POLICIES, POLICY
from rl_feedback.gate.deciding import (
    BenchmarkScores,
    GateOutcome,
    TwinScores,
    compare_figure,
    compare_gap,
    decide,
)
from rl_feedback.gate.policy import (
    CaseScores,
    Comparison,
    Direction,
    Guard,
    Policy,
    Suite,
    Verdict,
)

__all__ = [
    "POLICIES",
    "POLICY",
    "BenchmarkScores",
    "CaseScores",
    "Comparison",
    "Direction",
    "GateOutcome",
    "Guard",
    "Policy",
    "Suite",
    "TwinScores",
    "Verdict",
    "compare_figure",
    "compare_gap",
    "decide",
]
