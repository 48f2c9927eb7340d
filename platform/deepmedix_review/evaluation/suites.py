"""How each suite of films is measured, kept and compared: chests against their truth, canaries by what is
cited where nothing can be."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deepmedix_review.evaluation.models import Benchmark
from inference.engines import Engine
from rl_feedback import canaries
from rl_feedback.canaries import (
    CanaryBenchmark,
    CanaryResult,
    canary_as_json,
    canary_from_json,
    canary_scores,
    evaluate_canaries,
)
from rl_feedback.evaluation.phantoms import (
    AskedHow,
    CaseResult,
    PhantomBenchmark,
    case_as_json,
    case_from_json,
    evaluate_phantoms,
)
from rl_feedback.gate import BenchmarkScores, CaseScores, Suite
from rl_feedback.phantom_figures import Figure, aggregate, both_case_scores, figures_of

AnyResult = CaseResult | CanaryResult


def measure(
    benchmark: Benchmark,
    engine: Engine,
    *,
    asked: AskedHow,
    known: Sequence[Mapping[str, Any]] = (),
    on_round: Callable[[Sequence[AnyResult]], None] = lambda results: None,
) -> Sequence[AnyResult]:
    """The engine's answer to every film of the benchmark; `known` are stored cases of its first films, from
    an attempt that ended early."""
    how = (benchmark.first_seed, benchmark.num_phantoms, benchmark.site)
    if benchmark.suite == Suite.CANARIES:
        canaries_known = [canary_from_json(row) for row in known]
        return evaluate_canaries(
            engine, CanaryBenchmark(*how), asked=asked, known=canaries_known, on_round=on_round
        )
    films_known = [case_from_json(row) for row in known]
    return evaluate_phantoms(
        engine, PhantomBenchmark(*how), asked=asked, known=films_known, on_round=on_round
    )


def figures(results: Sequence[AnyResult]) -> dict[str, Figure]:
    """With their intervals."""
    cited = [result for result in results if isinstance(result, CanaryResult)]
    if cited:
        return figures_of(canary_scores(cited), canaries.LABELS)
    return aggregate([result.score for result in results if isinstance(result, CaseResult)])


def as_json(result: AnyResult) -> dict[str, Any]:
    return canary_as_json(result) if isinstance(result, CanaryResult) else case_as_json(result)


def compared(
    benchmark: Benchmark, parent: Sequence[Mapping[str, Any]], candidate: Sequence[Mapping[str, Any]]
) -> BenchmarkScores:
    """What the gate compares, from the stored cases of both versions on the benchmark."""
    before: Mapping[str, CaseScores]
    after: Mapping[str, CaseScores]
    if benchmark.suite == Suite.CANARIES:
        before, after = (
            canary_scores([canary_from_json(row) for row in rows]) for rows in (parent, candidate)
        )
    else:
        before, after = both_case_scores(
            *([case_from_json(row).score for row in rows] for rows in (parent, candidate))
        )
    places = {Suite.SEALED: "the {} site", Suite.CANARIES: "canaries", Suite.TWINS: "twins of the {} site"}
    suite = Suite(benchmark.suite)
    return BenchmarkScores(places[suite].format(benchmark.site), before, after, suite)
