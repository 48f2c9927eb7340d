"""Keeps the benchmarks that every version is measured on, and what a measurement found."""

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction

from deepmedix_review.common import jobs
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import Benchmark, Evaluation
from inference.phantoms import HELD_OUT_SEEDS, SITES, Site
from rl_feedback.evaluation import CaseResult, case_as_json
from rl_feedback.phantom_figures import aggregate

# The gate's films lie beyond those that model cards give figures for, and the sites share none.
_GATE_SEEDS = {"first": HELD_OUT_SEEDS.start + 5000, "second": HELD_OUT_SEEDS.start + 7500}
_MOST_PHANTOMS = 2500
# Counts up with every change of what is measured of a film.
_FIGURES = 2


def ensure_gate_benchmarks() -> list[Benchmark]:
    """The benchmarks of the gate, one a site; settings.GATE_NUM_PHANTOMS says how many films each has."""
    number = settings.GATE_NUM_PHANTOMS
    if not 1 <= number <= _MOST_PHANTOMS:
        raise ValueError(f"GATE_NUM_PHANTOMS must lie between 1 and {_MOST_PHANTOMS}, not at {number}.")
    return [
        Benchmark.objects.get_or_create(
            name=_benchmark_name(number, SITES[site]),
            defaults={"first_seed": first_seed, "num_phantoms": number, "site": site},
        )[0]
        for site, first_seed in _GATE_SEEDS.items()
    ]


def _benchmark_name(number: int, site: Site) -> str:
    """Films that were drawn anew, or measured by other figures, are another benchmark: what was measured
    before is not comparable."""
    drawing = f", drawing {site.drawing}" if site.drawing > 1 else ""
    return f"{number} held-out phantoms, {site.name} site{drawing}, figures {_FIGURES}"


def record_evaluation(evaluation: Evaluation, results: Sequence[CaseResult]) -> None:
    """Keep every case and the figures over them, and end the job."""
    figures = {
        name: {"label": figure.label, "mean": figure.mean, "low": figure.low, "high": figure.high}
        for name, figure in aggregate([result.score for result in results]).items()
    }
    with transaction.atomic():
        jobs.hold(evaluation)
        jobs.finish(
            evaluation,
            state=JobState.DONE,
            num_done=len(results),
            figures=figures,
            cases=[case_as_json(result) for result in results],
        )
