"""`python -m rl_feedback gate`: measures a candidate beside its parent and says whether it may serve."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from inference.engines import EngineSettings, load_engine
from inference.phantoms import HELD_OUT_SEEDS, SITES
from inference.presets import PRESETS, ServingPreset
from inference.prompts import template
from rl_feedback.evaluation import AskedHow, PhantomBenchmark, evaluate_phantoms
from rl_feedback.gate import BenchmarkScores, decide
from rl_feedback.phantom_figures import PhantomScore, both_case_scores


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--parent", type=Path, required=True, help="a model folder")
    parser.add_argument("--candidate", type=Path, required=True, help="a model folder")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="phantom", help="how both are asked")
    parser.add_argument("--num-films", type=int, default=200, help="of each site")
    parser.add_argument("--first-seed", type=int, default=HELD_OUT_SEEDS.start, help="of the held-out films")


def run(options: argparse.Namespace) -> Iterator[str]:
    """A table for each site, and the sentence that names what decided."""
    preset = PRESETS[options.preset]
    benchmarks = []
    for site in sorted(SITES):
        benchmark = PhantomBenchmark(options.first_seed, options.num_films, site)
        parent, candidate = (
            _scores(folder, benchmark, preset) for folder in (options.parent, options.candidate)
        )
        benchmarks.append(BenchmarkScores(f"{site} site", *both_case_scores(parent, candidate)))
    outcome = decide(benchmarks)
    for row in outcome.comparisons:
        yield (
            f"{row.benchmark:<12}  {row.label:<22}{row.parent:9.3f}{row.candidate:9.3f}"
            f"{row.difference:+9.3f}  ({row.low:+.3f} to {row.high:+.3f})  {row.verdict}"
        )
    yield outcome.sentence


def _scores(folder: Path, benchmark: PhantomBenchmark, preset: ServingPreset) -> list[PhantomScore]:
    engine = load_engine(
        EngineSettings(
            folder=folder,
            min_pixels=preset.min_pixels,
            max_pixels=preset.max_pixels,
            preparation=preset.preparation,
        )
    )
    prompt = template(preset.prompt_template)
    asked = AskedHow(
        prompt=prompt.render(prompt.default_query),
        box_frame=preset.box_frame,
        max_new_tokens=preset.max_new_tokens,
    )
    return [result.score for result in evaluate_phantoms(engine, benchmark, asked=asked)]
