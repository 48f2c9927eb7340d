"""What readers' ratings, votes, verdicts and boxes are worth, and what each judged thing deserves given that.

Every model takes plain columns, one entry a word of a reader, and returns a frozen result: of each item a
mean, its variance and the number of typical readers that it rests on; of each reader what kind of reader it
is, with intervals; and `note`, what these data can't tell. A value that can't be told is None, never NaN.
Readers who contradict each other are not outvoted: their item is marked as disputed.
"""

from rl_feedback.raters.cells import SETTLED_READERS
from rl_feedback.raters.consensus import ConsensusRegion, consensus_regions
from rl_feedback.raters.labels import Label, Labels
from rl_feedback.raters.ordinal import RatingModel, RatingReader, fit_ratings
from rl_feedback.raters.verdicts import VERDICTS, VerdictModel, VerdictReader, fit_verdicts
from rl_feedback.raters.vote_model import Preference, VoteModel, VotingReader
from rl_feedback.raters.votes import assumed_votes, fit_votes

__all__ = [
    "SETTLED_READERS",
    "VERDICTS",
    "ConsensusRegion",
    "Label",
    "Labels",
    "Preference",
    "RatingModel",
    "RatingReader",
    "VerdictModel",
    "VerdictReader",
    "VoteModel",
    "VotingReader",
    "assumed_votes",
    "consensus_regions",
    "fit_ratings",
    "fit_verdicts",
    "fit_votes",
]
