"""Measures candidate and parent on everything that the gate looks at, in a shell: sealed films, canaries,
twins."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from inference.engines import Engine
from inference.phantoms import HELD_OUT_SEEDS, SITES
from rl_feedback.canaries import CanaryBenchmark, CanaryResult, canary_scores, evaluate_canaries
from rl_feedback.evaluation.phantoms import AskedHow, CaseResult, PhantomBenchmark, evaluate_phantoms
from rl_feedback.gate.built_in import POLICY
from rl_feedback.gate.deciding import BenchmarkScores, GateOutcome, TwinScores, decide
from rl_feedback.gate.policy import (
    Policy,
    Suite,
)
from rl_feedback.phantom_figures import both_case_scores

NO_PATIENTS = (
    "Readers' words on sealed patients are with the platform alone, so nothing is measured on them here."
)
# Far beyond every seed that films were ever written from.
_TWIN_SEEDS = range(2**40, 2**52)


@dataclass(frozen=True)
class GateFilms:
    """What both versions are asked about; `twins` has one benchmark for each of `sealed`, of its site."""

    sealed: tuple[PhantomBenchmark, ...]
    canaries: CanaryBenchmark
    twins: tuple[PhantomBenchmark, ...]

    @classmethod
    def of(
        cls,
        *,
        num_films: int,
        first_seed: int = HELD_OUT_SEEDS.start,
        draw: Callable[[int], int] = secrets.randbelow,
    ) -> GateFilms:
        """`num_films` sealed films of each site, as many canaries, half as many twins of each site. Twins are
        drawn anew each time, so that nobody can have learned from them."""
        sites = sorted(SITES)
        num_twins = max(1, num_films // 2)
        return cls(
            sealed=tuple(PhantomBenchmark(first_seed, num_films, site) for site in sites),
            canaries=CanaryBenchmark(first_seed, num_films, "first"),
            twins=tuple(
                PhantomBenchmark(_TWIN_SEEDS.start + draw(len(_TWIN_SEEDS) - num_twins), num_twins, site)
                for site in sites
            ),
        )


@dataclass(frozen=True)
class Measured:
    """One version's answers to all of them, in their order."""

    sealed: tuple[tuple[CaseResult, ...], ...]
    canaries: tuple[CanaryResult, ...]
    twins: tuple[tuple[CaseResult, ...], ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Of every film."""
        films: Iterable[CaseResult | CanaryResult] = chain(*self.sealed, self.canaries, *self.twins)
        return tuple(film.text for film in films)


def measure(engine: Engine, films: GateFilms, *, asked: AskedHow) -> Measured:
    """Raises EvaluationFailed where the engine gives no answer."""
    return Measured(
        sealed=tuple(evaluate_phantoms(engine, one, asked=asked) for one in films.sealed),
        canaries=evaluate_canaries(engine, films.canaries, asked=asked),
        twins=tuple(evaluate_phantoms(engine, one, asked=asked) for one in films.twins),
    )


def decide_measured(
    films: GateFilms,
    *,
    parent: Measured,
    candidate: Measured,
    policy: Policy = POLICY,
    called: str = "its parent",
    steps: Sequence[BenchmarkScores] = (),
    no_steps: str = "No ratings of steps were given, so none can be scored.",
) -> GateOutcome:
    """The gate's word; `called` is the parent's name in it. `steps` are those of rl_feedback.steps.comparing;
    `no_steps` says why there are none."""
    sealed = [
        _scores(f"the {films.sealed[n].site} site", parent.sealed[n], candidate.sealed[n], Suite.SEALED)
        for n in range(len(films.sealed))
    ]
    twins = [
        _scores(f"twins of the {films.twins[n].site} site", parent.twins[n], candidate.twins[n], Suite.TWINS)
        for n in range(len(films.twins))
    ]
    canaries = BenchmarkScores(
        "canaries", canary_scores(parent.canaries), canary_scores(candidate.canaries), Suite.CANARIES
    )
    return decide(
        [*sealed, canaries, *steps],
        twins=[TwinScores(*two) for two in zip(sealed, twins, strict=True)],
        policy=policy,
        parent=called,
        absent={Suite.PATIENTS: NO_PATIENTS} | ({} if steps else {Suite.STEPS: no_steps}),
        writes_the_same=candidate.texts == parent.texts,
    )


def _scores(
    name: str, parent: tuple[CaseResult, ...], candidate: tuple[CaseResult, ...], suite: Suite
) -> BenchmarkScores:
    scores = both_case_scores([case.score for case in parent], [case.score for case in candidate])
    return BenchmarkScores(name, *scores, suite)
