"""SIMULATED readers: what six invented people would say of a model's completions on drawn films.

Nobody real ever said any of it. They make it possible to see the whole loop learn on one machine, and to ask
which kinds of rating teach what; of how radiologists rate they tell nothing.
"""

from rl_feedback.simulated_readers.panel import KINDS, PANEL, Kind, ReadingSeconds, SimulatedReader
from rl_feedback.simulated_readers.reading import (
    SaidOfCompletion,
    SaidOfRegion,
    SaidOfStep,
    SimulatedReading,
    SimulatedVote,
    read_case,
    vote_between,
)
from rl_feedback.simulated_readers.signed import as_signed_reading

__all__ = [
    "KINDS",
    "PANEL",
    "Kind",
    "ReadingSeconds",
    "SaidOfCompletion",
    "SaidOfRegion",
    "SaidOfStep",
    "SimulatedReader",
    "SimulatedReading",
    "SimulatedVote",
    "as_signed_reading",
    "read_case",
    "vote_between",
]
