"""Measures a model on drawn films it has never seen, and writes the card that goes with its weights."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from inference.phantoms import HELD_OUT_SEEDS, REPORT_QUERY, draw_phantom
from inference.qwen_vl import LoadedModel, film_prompt, load_model_and_processor
from rl_feedback.canaries import LABELS, CanaryBenchmark, canary_scores, draw_canaries, score_canary
from rl_feedback.phantom_figures import Figure, PhantomScore, aggregate, figures_of, score_phantom
from rl_feedback.small_model.build import FILM_SIDE_PX

LONGEST_COMPLETION_TOKENS = 160


@dataclass(frozen=True)
class SiteFigures:
    """What was measured on one site's held-out films, and how fast, in films a second."""

    site: str
    num_films: int
    figures: dict[str, Figure]
    films_per_second: float


@dataclass(frozen=True)
class CanaryFigures:
    """What was measured on `num_films` canaries, of each kind a fifth."""

    num_films: int
    figures: dict[str, Figure]


def describe_films(
    loaded: LoadedModel, films: Sequence[Image.Image], *, query: str = REPORT_QUERY, batch_size: int = 50
) -> Iterator[str]:
    """The model's greedy completion for each film, in order."""
    processor = loaded.processor
    prompt = film_prompt(processor, query)
    for start in range(0, len(films), batch_size):
        batch = [film.convert("RGB") for film in films[start : start + batch_size]]
        inputs = processor(text=[prompt] * len(batch), images=batch, return_tensors="pt", padding=True)
        with torch.inference_mode():
            output = loaded.model.generate(
                **inputs.to(loaded.model.device),
                do_sample=False,
                max_new_tokens=LONGEST_COMPLETION_TOKENS,
                suppress_tokens=list(loaded.suppressed_tokens),
            )
        written = output[:, inputs["input_ids"].shape[1] :]
        yield from processor.tokenizer.batch_decode(written, skip_special_tokens=True)


def evaluate_small_model(
    folder: Path,
    *,
    site: str,
    num_films: int = 500,
    seeds: Sequence[int] = HELD_OUT_SEEDS,
    drawn_px: int = FILM_SIDE_PX,
) -> SiteFigures:
    """Score the model in `folder` on the first held-out films of a site.

    `drawn_px` above 112 draws larger films, which are then made smaller as a real film would be.
    """
    loaded = load_model_and_processor(folder)
    phantoms = [draw_phantom(seed=s, width=drawn_px, height=drawn_px, site=site) for s in seeds[:num_films]]
    started = time.monotonic()
    texts = list(describe_films(loaded, [Image.fromarray(phantom.to_uint8()) for phantom in phantoms]))
    seconds = time.monotonic() - started
    scores: list[PhantomScore] = [
        score_phantom(text, phantom.truth) for text, phantom in zip(texts, phantoms, strict=True)
    ]
    return SiteFigures(
        site=site,
        num_films=len(phantoms),
        figures=aggregate(scores),
        films_per_second=len(phantoms) / seconds,
    )


def evaluate_on_canaries(folder: Path, *, num_films: int = 500) -> CanaryFigures:
    """Show the model in `folder` canaries drawn from the first held-out seed on, chests of the first site."""
    canaries = draw_canaries(CanaryBenchmark(HELD_OUT_SEEDS.start, num_films, "first"))
    texts = describe_films(
        load_model_and_processor(folder), [Image.fromarray(canary.film) for canary in canaries]
    )
    results = [score_canary(canary, text) for canary, text in zip(canaries, texts, strict=True)]
    return CanaryFigures(num_films=num_films, figures=figures_of(canary_scores(results), LABELS))


def write_card(sites: Sequence[SiteFigures], canaries: CanaryFigures, path: Path) -> None:
    """Write the measured figures as JSON: n, and of each site and the canaries each figure's mean and 95 %
    interval."""

    def rounded(figure: Figure) -> dict[str, float]:
        return {name: round(getattr(figure, name), 4) for name in ("mean", "low", "high")}

    card = {
        "n": sites[0].num_films,
        "figures": {name: rounded(figure) for name, figure in sites[0].figures.items()},
        "sites": {
            site.site: {
                "n": site.num_films,
                "figures": {name: rounded(figure) for name, figure in site.figures.items()},
            }
            for site in sites
        },
        "canaries": {
            "n": canaries.num_films,
            "figures": {name: rounded(figure) for name, figure in canaries.figures.items()},
        },
        "seeds": f"{HELD_OUT_SEEDS.start} to {HELD_OUT_SEEDS.start + sites[0].num_films - 1}",
        "licence": "Apache-2.0",
        "how": "python -m rl_feedback evaluate-small-model",
    }
    path.write_text(json.dumps(card, indent=1) + "\n")
