"""The six SIMULATED readers: how strict, how steady and how careful each of them is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["votes", "steps", "regions", "all"]
# What readers are asked for: votes between two completions; ratings of steps and answers; corrected regions,
# wordings and missed findings; all of it.
KINDS: tuple[Kind, ...] = ("votes", "steps", "regions", "all")


@dataclass(frozen=True)
class ReadingSeconds:
    """How long each act takes; assumed, not measured on people."""

    film: float = 12.0
    step: float = 3.0
    region: float = 1.5
    redrawing: float = 6.0
    wording: float = 7.0
    finding: float = 10.0
    answer: float = 6.0
    vote: float = 6.0


@dataclass(frozen=True)
class SimulatedReader:
    """`severity` is taken off every rating and `noise` is its standard deviation, in points of 1 to 5.

    `overlooks`: the share of findings not seen. `box_noise_px`: standard deviation of each edge drawn, on a
    film of 112 pixels; `box_growth`: how much larger (below 0 smaller) boxes are drawn, as a share of their
    sides. A region that fits better than `redraws_below` (IoU) is left as it is. `favours_a`: the chance to
    vote A without looking; `vote_noise`: standard deviation of the qualities that are compared, from 0 to 1.
    `carelessness`: the chance that a rating is drawn at random.
    """

    name: str
    severity: float
    noise: float
    overlooks: float
    box_noise_px: float
    box_growth: float
    redraws_below: float
    favours_a: float
    vote_noise: float
    carelessness: float
    seconds: ReadingSeconds = ReadingSeconds()


PANEL: tuple[SimulatedReader, ...] = (
    SimulatedReader("SIMULATED reader 1", 0.0, 0.4, 0.05, 1.0, 0.00, 0.75, 0.00, 0.04, 0.00),
    SimulatedReader("SIMULATED reader 2", 0.8, 0.5, 0.06, 1.2, -0.04, 0.80, 0.00, 0.05, 0.01),
    SimulatedReader("SIMULATED reader 3", -0.7, 0.5, 0.10, 1.5, 0.05, 0.60, 0.02, 0.07, 0.02),
    SimulatedReader("SIMULATED reader 4", 0.2, 0.8, 0.08, 2.0, 0.03, 0.70, 0.05, 0.08, 0.03),
    SimulatedReader("SIMULATED reader 5", -0.2, 0.6, 0.12, 1.5, -0.03, 0.70, 0.00, 0.06, 0.02),
    SimulatedReader("SIMULATED reader 6", 0.4, 1.0, 0.15, 2.5, 0.06, 0.65, 0.10, 0.10, 0.08),
)
