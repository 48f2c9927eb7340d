"""Writes a data folder of drawn films whose truth is known: to learn to read them, and to be rewarded on.

Only for models that shall read phantoms, and for measuring how much truth alone would teach.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from inference.phantom_dicom import encoding_of, write_phantom_dicom
from inference.phantoms import (
    REPORT_QUERY,
    TAUGHT_SITES,
    TRAIN_SEEDS,
    draw_phantom,
    ideal_reasoning,
    vqa_pairs,
)
from rl_feedback.counting import counted
from rl_feedback.rewards.truth import phantom_case
from rl_feedback.training.examples import (
    RewardedCase,
    SampledFilm,
    TaughtText,
    ValidationCase,
    write_examples,
)

FILM_SIDE_PX = 448
# Of films that no run learns from and no gate measures on.
SAMPLE_SEEDS = range(TRAIN_SEEDS.stop, TRAIN_SEEDS.stop + 3)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument("--num-films", type=int, default=300)
    parser.add_argument(
        "--first-seed", type=int, default=TRAIN_SEEDS.start, help="of the first film's patient"
    )
    parser.add_argument("--site", choices=TAUGHT_SITES, default="first")


def run(options: argparse.Namespace) -> Iterator[str]:
    if options.num_films < 1:
        raise SystemExit("--num-films must be at least 1.")
    if options.out.exists() and any(options.out.iterdir()):
        raise SystemExit(f"{options.out} is not empty. Name a new folder.")
    seeds = range(options.first_seed, options.first_seed + options.num_films)
    num_texts = write_phantom_data(options.out, seeds=seeds, site=options.site)
    films, texts = counted(options.num_films, "film"), counted(num_texts, "text")
    yield f"In {options.out}: {films} with {texts} and as many cases."


def write_phantom_data(folder: Path, *, seeds: range, site: str) -> int:
    """Films, and of each its questions with answers, its ideal reasoning, and its case. Returns the number of
    texts."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in SAMPLE_SEEDS:
        _write_film(folder, seed=seed, site=site)
    texts: list[TaughtText] = []
    cases: list[RewardedCase] = []
    for seed in seeds:
        film = _write_film(folder, seed=seed, site=site)
        truth = draw_phantom(seed=seed, site=site).truth
        reasoning = ideal_reasoning(truth)
        texts.append(TaughtText(film, REPORT_QUERY, 1.0, "phantom", reasoning))
        texts += [
            TaughtText(film, asked.question, 1.0, "question", f"\\boxed{{{asked.answer}}}")
            for asked in vqa_pairs(truth)
        ]
        cases.append(
            RewardedCase.of(phantom_case(truth), film=film, prompt=REPORT_QUERY, weight=1.0, origin="phantom")
        )
    sampled = [SampledFilm(_name(seed, site), REPORT_QUERY, 1.0, "phantom") for seed in SAMPLE_SEEDS]
    write_examples(folder, sampled, kind=SampledFilm)
    write_examples(folder, texts, kind=TaughtText)
    write_examples(folder, cases, kind=RewardedCase)
    held = [
        ValidationCase.of(
            phantom_case(draw_phantom(seed=seed, site=site).truth),
            film=_name(seed, site),
            prompt=REPORT_QUERY,
            weight=1.0,
            origin="phantom",
        )
        for seed in SAMPLE_SEEDS
    ]
    write_examples(folder, held, kind=ValidationCase)
    return len(texts)


def _write_film(folder: Path, *, seed: int, site: str) -> str:
    """Its name in the folder."""
    film = _name(seed, site)
    write_phantom_dicom(folder / film, seed=seed, site=site, size=FILM_SIDE_PX, encoding=encoding_of(seed))
    return film


def _name(seed: int, site: str) -> str:
    return f"{site}-{seed}.dcm"
