"""How often the gate holds a retrain that is as good as its parent, by chance, at which number of films.

Two equal models are drawn from the figures that the shipped model really had film by film: the candidate
answers most films as its parent does, the others as the model answered another film with as many lesions. So
both are equally good on the average of all films, and whatever holds the candidate is chance. A figure that
is not held "for sure" only counts against a candidate where its best estimate lies beyond the margin, so the
estimates alone tell. Recall of one kind is drawn likewise, from other films with as many of that kind. Left
out are what is held for sure alone (canaries, twins), the steps, and statements reversed, which have no
meaning between two films.

Beside it stands how often a candidate is caught that lost findings of one kind alone, by the figure of that
kind alone: its parent names nine in ten of them, the candidate six. And how often a candidate shows a gain,
as a policy may ask for: one that is no better, and ones that mend a share of their parent's mistakes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Figure, Peer
from rl_feedback.gate import (
    POLICY,
    BenchmarkScores,
    CaseScores,
    Direction,
    Guard,
    Suite,
    compare_figure,
)
from rl_feedback.gate.policy import USUAL_GAINS, harm

NUM_MEASURED = 600
NUM_DRAWS = 1000
SEED = 7
SIZES = (200, 500, 1000, 2000)
# Of the films, those that the candidate answers otherwise than its parent.
CHANGED = (0.1, 0.3, 0.5)
LEFT_OUT = frozenset({"reversed"})
# A planted loss of one kind: the parent's recall, and the candidate's.
PLANTED = (0.9, 0.6)
# Of the films that are not answered exactly, those that a better candidate answers so.
MENDED = (0.0, 0.05, 0.1, 0.2)
NUM_GAIN_DRAWS = 200

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
        against: set[str] = set()
        for scores in sites:
            parent = rng.integers(len(scores["lesion_recall"].values), size=num_films)
            is_changed = rng.random(num_films) < changed
            candidate = _answered_otherwise(scores["lesion_recall"], parent, is_changed, rng)
            for guard in guards:
                if guard.fewest:
                    other = _answered_otherwise(scores[guard.figure], parent, is_changed, rng)
                    found = _is_beyond(scores, guard, parent, other)
                else:
                    found = _is_beyond(scores, guard, parent, candidate)
                if found:
                    against.add(guard.figure)
        num_held += bool(against)
        for figure in against:
            num_against[figure] += 1
    return Chance(
        num_held / num_draws, {name: count / num_draws for name, count in num_against.items()}, num_draws
    )


def caught_of_a_kind(
    scores: Scores,
    guard: Guard,
    *,
    num_films: int,
    num_draws: int,
    planted: tuple[float, float] = PLANTED,
    seed: int = SEED,
) -> float:
    """The share held by the figure of one kind of candidates that name what their parent names of it, but for
    findings lost at random: recall is `planted` before and after, on the average of all findings."""
    rng = np.random.default_rng(seed)
    before, after = planted
    there = np.asarray(scores[guard.figure].weights).astype(np.int64)
    num_held = 0
    for _ in range(num_draws):
        shown = there[rng.integers(len(there), size=num_films)]
        named = rng.binomial(shown, before)
        kept = rng.binomial(named, after / before)
        total = shown.sum()
        num_held += total >= guard.fewest and (named.sum() - kept.sum()) / total > guard.margin
    return num_held / num_draws


def shows_a_gain(
    sites: Sequence[Scores],
    *,
    num_films: int,
    changed: float,
    mended: float,
    num_draws: int,
    seed: int = SEED,
) -> float:
    """The share of candidates that are better for sure in one of the usual gains of drawn films. Each answers
    `changed` of the films otherwise, as in `held_by_chance`, and then `mended` of those that are not answered
    exactly as some other film with as many lesions was answered that is."""
    rng = np.random.default_rng(seed)
    asked = [guard for guard in POLICY.of(Suite.SEALED) if guard.figure in USUAL_GAINS]
    policy = replace(POLICY, num_resamples=500)
    num_gained = 0
    for _ in range(num_draws):
        is_better = False
        for scores in sites:
            lesions = np.asarray(scores["lesion_recall"].weights)
            exact = np.asarray(scores["exact_answer"].values)
            parent = rng.integers(len(lesions), size=num_films)
            candidate = _answered_otherwise(
                scores["lesion_recall"], parent, rng.random(num_films) < changed, rng
            )
            mends = (exact[candidate] < 1) & (rng.random(num_films) < mended)
            for number in np.unique(lesions):
                right = np.flatnonzero((lesions == number) & (exact == 1))
                here = mends & (lesions[parent] == number)
                if len(right):
                    candidate[here] = rng.choice(right, size=int(here.sum()))
            before, after = (
                {guard.figure: _of(scores[guard.figure], films) for guard in asked}
                for films in (parent, candidate)
            )
            is_better |= any(
                compare_figure(BenchmarkScores("drawn", before, after), guard=guard, policy=policy).improved
                for guard in asked
            )
        num_gained += is_better
    return num_gained / num_draws


def _of(scores: CaseScores, films: NDArray[np.int64]) -> CaseScores:
    return CaseScores(
        tuple(np.asarray(scores.values)[films].tolist()), tuple(np.asarray(scores.weights)[films].tolist())
    )


def _answered_otherwise(
    like: CaseScores, films: NDArray[np.int64], is_changed: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Of each film that is changed, another one that weighs as much in `like`."""
    weights = np.asarray(like.weights)
    found = films.copy()
    for number in np.unique(weights):
        alike = np.flatnonzero(weights == number)
        here = is_changed & (weights[films] == number)
        found[here] = rng.choice(alike, size=int(here.sum()))
    return found


def _is_beyond(scores: Scores, guard: Guard, parent: NDArray[np.int64], candidate: NDArray[np.int64]) -> bool:
    values, weights = (
        np.asarray(part) for part in (scores[guard.figure].values, scores[guard.figure].weights)
    )
    if guard.fewest and weights[parent].sum() < guard.fewest:
        return False
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
    from rl_feedback.evaluation.phantoms import AskedHow, PhantomBenchmark, evaluate_phantoms
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
    return [*_chances(sites, guards), *_catches(sites, guards), *_gains(sites)]


def _gains(sites: Sequence[Scores]) -> Iterator[Figure]:
    for changed in CHANGED[:1]:
        for mended in MENDED:
            yield Figure(
                f"shows a gain, {SIZES[0]} films a site, {changed:.0%} answered otherwise, "
                f"{mended:.0%} of the mistakes mended",
                shows_a_gain(
                    sites, num_films=SIZES[0], changed=changed, mended=mended, num_draws=NUM_GAIN_DRAWS
                ),
                "share",
                Peer("4 in 5, what a trial is planned for", 0.8),
                NUM_GAIN_DRAWS,
            )


def _chances(sites: Sequence[Scores], guards: Sequence[Guard]) -> Iterator[Figure]:
    kinds = [guard for guard in guards if guard.fewest]
    for changed in CHANGED:
        for size in SIZES:
            for asked, of in ((guards, ""), (kinds, " by recall of one kind")):
                found = held_by_chance(
                    sites, guards=asked, num_films=size, changed=changed, num_draws=NUM_DRAWS
                )
                most = sorted(found.by_figure.items(), key=lambda item: -item[1])[:3]
                names = ", ".join(f"{name} {share:.3f}" for name, share in most if share)
                yield Figure(
                    f"held by chance{of}, {size} films a site, {changed:.0%} answered otherwise; "
                    f"most by {names or 'none'}",
                    found.held,
                    "share",
                    Peer("1 in 20, what a test of 95 % allows", 0.05),
                    NUM_DRAWS,
                )


def _catches(sites: Sequence[Scores], guards: Sequence[Guard]) -> Iterator[Figure]:
    before, after = PLANTED
    for number, scores in enumerate(sites, start=1):
        for guard in guards:
            if guard.fewest and any(scores[guard.figure].weights):
                fell = f"{guard.label.lower()} from {before:g} to {after:g}"
                yield Figure(
                    f"caught, site {number}, {SIZES[0]} films: {fell}",
                    caught_of_a_kind(scores, guard, num_films=SIZES[0], num_draws=NUM_DRAWS),
                    "share",
                    Peer("4 in 5, what a trial is planned for", 0.8),
                    NUM_DRAWS,
                )
