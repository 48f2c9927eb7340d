"""What rounds of SIMULATED ratings gained: figures with intervals, preference, and the gap to the ceiling."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from inference.phantoms import draw_phantom, ideal_reasoning
from rl_feedback.phantom_figures import KIND_LABELS
from rl_feedback.simulated_readers import PANEL, read_case

SHOWN = {
    "exact_answer": "Exact answers",
    "lesion_recall": "Lesion recall",
    "lesion_iou": "Lesion region IoU",
    "hallucinated": "Findings made up, per film",
}
# Of those the gap to the ceiling is told.
GAINED = ("exact_answer", "lesion_recall", "lesion_iou")
_CEILING = Path(__file__).with_name("ceiling.json")


@dataclass(frozen=True)
class Measured:
    """A mean with its 95 % interval; `num_findings` is for recall of one kind: how many of it there are."""

    mean: float
    low: float
    high: float
    num_findings: int | None = None


def measured_of(figures: Mapping[str, Any]) -> dict[str, Measured]:
    """What a report shows of figures by name, each with `mean`, `low`, `high` and `weight`: of kinds those
    that some film shows."""
    shown = {name: _measured(figures[name]) for name in SHOWN}
    return shown | {
        name: replace(_measured(figures[name]), num_findings=int(figures[name]["weight"]))
        for name in KIND_LABELS
        if name in figures
    }


def _measured(figure: Mapping[str, float]) -> Measured:
    return Measured(figure["mean"], figure["low"], figure["high"])


@dataclass(frozen=True)
class Preferred:
    """How often the simulated readers preferred the later model's text on films held out, a tie counting
    half; the interval is a bootstrap over films."""

    share: float
    low: float
    high: float
    num_films: int


@dataclass(frozen=True)
class Round:
    """After `number` rounds (0: the start): figures by site and name, the candidate's fate, and what it cost.

    `gate` is the gate's sentence; `preferred` is against the start. `step_scorer` says whether a learned step
    score had a part in the reward, and why not; empty where no stage has a part for one.
    """

    number: int
    model: str
    num_readings: int
    reading_minutes: float
    training_minutes: float
    promoted: bool
    gate: str
    figures: Mapping[str, Mapping[str, Measured]]
    preferred: Preferred | None = None
    learned_from: Mapping[str, int] | None = None
    step_scorer: str = ""


@dataclass(frozen=True)
class LoopReport:
    """One whole run. `load` is the machine's at the end; `perfect_preferred`: how often a perfect text is
    preferred to the start's, which is as far as a model can come with readers who err."""

    title: str
    seed: int
    kind: str
    site: str
    num_held_out: int
    rounds: tuple[Round, ...]
    recipe: Mapping[str, Any]
    load: tuple[float, float, float]
    perfect_preferred: Preferred

    def gap_closed(self, name: str) -> float:
        """The share of the way from the start to the model that was shown the site's truth, by the newest
        model that was promoted."""
        start, best = self.rounds[0], [one for one in self.rounds if one.promoted or not one.number][-1]
        before, after = (one.figures[self.site][name].mean for one in (start, best))
        return (after - before) / (ceiling()[name] - before)

    def as_json(self) -> dict[str, Any]:
        closed = {name: round(self.gap_closed(name), 3) for name in GAINED}
        return {**asdict(self), "ceiling": ceiling(), "gap_closed": closed}


def ceiling() -> dict[str, float]:
    """Of the model that was shown the second site's truth (docs/reference/phantom-sites.md)."""
    figures: dict[str, float] = json.loads(_CEILING.read_text("utf-8"))["figures"]
    return figures


def perfect_preferred(*, site: str, seeds: Sequence[int], before: Sequence[str], seed: int) -> Preferred:
    """As `preferred`, of the text that a model without fault would write."""
    perfect = [
        ideal_reasoning(draw_phantom(seed=film, width=56, height=56, site=site).truth) for film in seeds
    ]
    return preferred(site=site, seeds=seeds, before=before, after=perfect, seed=seed)


def preferred(
    *, site: str, seeds: Sequence[int], before: Sequence[str], after: Sequence[str], seed: int
) -> Preferred:
    """The panel in turn votes blind between two models' texts on each film; who stands on side A is drawn."""
    rng = np.random.default_rng(seed)
    points = []
    for number, (film, one, other) in enumerate(zip(seeds, before, after, strict=True)):
        later_is_a = bool(rng.integers(2))
        truth = draw_phantom(seed=film, width=56, height=56, site=site).truth
        texts = [other, one] if later_is_a else [one, other]
        reading = read_case(PANEL[number % len(PANEL)], truth, texts, kind="votes", seed=film + seed)
        vote = reading.vote.overall if reading.vote else "tie"
        points.append(0.5 if vote in ("tie", "both_bad") else float((vote == "a") == later_is_a))
    values = np.array(points)
    means = values[rng.integers(len(values), size=(2000, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Preferred(float(values.mean()), float(low), float(high), len(values))
