"""How often the gate holds a retrain that is as good as its parent, by chance, at which number of films.

Two equal models are drawn from the figures that the shipped model really had film by film: the candidate
answers most films as its parent does, the others as the model answered another film with as many lesions. So
both are equally good on the average of all films, and whatever holds the candidate is chance. A figure that
is not held "for sure" only counts against a candidate where its best estimate lies beyond the margin, so the
estimates alone tell. Left out are what is held for sure alone (canaries, twins), the steps, and statements
reversed, which have no meaning between two films.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Figure, Peer
from rl_feedback.gate import POLICY, CaseScores, Direction, Guard, Suite
from rl_feedback.gate.policy import harm

NUM_MEASURED = 600
NUM_DRAWS = 1000
SEED = 7
SIZES = (200, 500, 1000, 2000)
# Of the films, those that the candidate answers otherwise than its parent.
CHANGED = (0.1, 0.3, 0.5)
LEFT_OUT = frozenset({"reversed"})

Numbers = NDArray[np.float64]
Scores = Mapping[str, CaseScores]


@dataclass(frozen=True)
class Chance:
    """Of `num_draws` candidates that are as good as their parent, the share that was held, and by figure."""

    held: float
    by_figure: Mapping[str, float]
    num_draws: int


def held_by_chance(
    sites: Sequence[Scores],
    *,
    guards: Sequence[Guard],
    num_films: int,
    changed: float,
    num_draws: int,
    seed: int = SEED,
) -> Chance:
    """`num_films` of each site are drawn from those measured, with replacement; `changed` is the share that
    the candidate answers as some other film with as many lesions was answered."""
    rng = np.random.default_rng(seed)
    num_against = dict.fromkeys((guard.figure for guard in guards), 0)
    num_held = 0
    for _ in range(num_draws):
        against = set()
        for scores in sites:
            parent = rng.integers(len(scores["lesion_recall"].values), size=num_films)
            candidate = _answered_otherwise(scores, parent, changed=changed, rng=rng)
            against |= {guard.figure for guard in guards if _is_beyond(scores, guard, parent, candidate)}
        num_held += bool(against)
        for figure in against:
            num_against[figure] += 1
    return Chance(
        num_held / num_draws, {name: count / num_draws for name, count in num_against.items()}, num_draws
    )


def _answered_otherwise(
    scores: Scores, films: NDArray[np.int64], *, changed: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    lesions = np.asarray(scores["lesion_recall"].weights)
    found = films.copy()
    is_changed = rng.random(len(films)) < changed
    for number in np.unique(lesions):
        alike = np.flatnonzero(lesions == number)
        here = is_changed & (lesions[films] == number)
        found[here] = rng.choice(alike, size=int(here.sum()))
    return found


def _is_beyond(scores: Scores, guard: Guard, parent: NDArray[np.int64], candidate: NDArray[np.int64]) -> bool:
    values, weights = (
        np.asarray(part) for part in (scores[guard.figure].values, scores[guard.figure].weights)
    )
    before, after = (_mean(values[films], weights[films]) for films in (parent, candidate))
    scale = max(before, 1e-9) if guard.direction is Direction.SHOULD_NOT_DRIFT else 1.0
    return harm(guard.direction, (after - before) / scale) > guard.margin


def _mean(values: Numbers, weights: Numbers) -> float:
    total = float(weights.sum())
    return float((values * weights).sum()) / total if total else 0.0


def measured_sites(num_films: int = NUM_MEASURED) -> list[Scores]:
    """What the shipped model scored on films that no gate uses, film by film, of each site."""
    from importlib.resources import files
    from pathlib import Path

    from inference.engines import EngineSettings, load_engine
    from inference.phantoms import HELD_OUT_SEEDS, SITES
    from inference.presets import PRESETS
    from inference.prompts import template
    from rl_feedback.evaluation import AskedHow, PhantomBenchmark, evaluate_phantoms
    from rl_feedback.phantom_figures import both_case_scores

    preset = PRESETS["phantom"]
    prompt = template(preset.prompt_template)
    engine = load_engine(
        EngineSettings(
            folder=Path(str(files("inference") / "shipped_model")),
            min_pixels=preset.min_pixels,
            max_pixels=preset.max_pixels,
            preparation=preset.preparation,
        )
    )
    asked = AskedHow(prompt.render(prompt.default_query), preset.box_frame, preset.max_new_tokens)
    found: list[Scores] = []
    for site in sorted(SITES):
        films = PhantomBenchmark(HELD_OUT_SEEDS.start, num_films, site)
        scored = [case.score for case in evaluate_phantoms(engine, films, asked=asked)]
        found.append(both_case_scores(scored, scored)[0])
    return found


def run() -> list[Figure]:
    sites = measured_sites()
    guards = [
        guard for guard in POLICY.of(Suite.SEALED) if not guard.only_for_sure and guard.figure not in LEFT_OUT
    ]
    figures = []
    for changed in CHANGED:
        by_size = {
            size: held_by_chance(sites, guards=guards, num_films=size, changed=changed, num_draws=NUM_DRAWS)
            for size in SIZES
        }
        for size, found in by_size.items():
            most = sorted(found.by_figure.items(), key=lambda item: -item[1])[:3]
            names = ", ".join(f"{name} {share:.3f}" for name, share in most if share)
            figures.append(
                Figure(
                    f"held by chance, {size} films a site, {changed:.0%} answered otherwise; most by {names}",
                    found.held,
                    "share",
                    Peer("1 in 20, what a test of 95 % allows", 0.05),
                    NUM_DRAWS,
                )
            )
    return figures
