"""Turns signed readings into training data: pairs of a better and a worse text, labels, and regions.

Five origins of a pair: the readers' votes; one completion rated higher than the other; a completion as a
reader would write it, and one with its regions where its readers together put them, each against the
completion as the model wrote it; and one step against another after the same beginning. What readers
contradict each other on is listed for adjudication, what else gives no pair with its reason.
"""

from rl_feedback.preferences.gather import Preferences, gather_preferences
from rl_feedback.preferences.ground import GROUNDING, OVERALL
from rl_feedback.preferences.readers import Agreement, Readers
from rl_feedback.preferences.rows import (
    LEAST_WEIGHT,
    ORIGINS,
    Dispute,
    ExpertRegion,
    Label,
    LeftOut,
    Origin,
    Pair,
)
from rl_feedback.preferences.splits import SPLITS, Split, split_of
from rl_feedback.preferences.words import PLAUSIBILITY, NotTrainingData

__all__ = [
    "GROUNDING",
    "LEAST_WEIGHT",
    "ORIGINS",
    "OVERALL",
    "PLAUSIBILITY",
    "SPLITS",
    "Agreement",
    "Dispute",
    "ExpertRegion",
    "Label",
    "LeftOut",
    "NotTrainingData",
    "Origin",
    "Pair",
    "Preferences",
    "Readers",
    "Split",
    "gather_preferences",
    "split_of",
]
