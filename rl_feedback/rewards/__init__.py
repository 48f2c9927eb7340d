"""How good a completion is, as a number that a model can be trained on: plain functions with versions.

`paper_reward` is the one that DeepMedix-R1 was published with, faults included; `grounded_reward` is ours.
"""

from rl_feedback.rewards.answer import AnswerScore
from rl_feedback.rewards.grounded import GroundedReward, PartWeights, grounded_reward
from rl_feedback.rewards.paper import PaperReward, paper_reward
from rl_feedback.rewards.regions import RegionScore
from rl_feedback.rewards.trl_functions import trl_grounded_reward, trl_paper_reward
from rl_feedback.rewards.truth import CaseTruth, TruthRegion, phantom_case
from rl_feedback.rewards.version import GROUNDED_1, GROUNDED_2, NEWEST, VERSIONS, RewardVersion

__all__ = [
    "GROUNDED_1",
    "GROUNDED_2",
    "NEWEST",
    "VERSIONS",
    "AnswerScore",
    "CaseTruth",
    "GroundedReward",
    "PaperReward",
    "PartWeights",
    "RegionScore",
    "RewardVersion",
    "TruthRegion",
    "grounded_reward",
    "paper_reward",
    "phantom_case",
    "trl_grounded_reward",
    "trl_paper_reward",
]
