"""`python -m rl_feedback evaluate-small-model`: a model's figures on drawn films that it has never seen."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from inference.phantoms import SITES

SHIPPED_MODEL = Path(__file__).parents[2] / "inference" / "shipped_model"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="a Qwen2.5-VL folder")
    parser.add_argument("--num-films", type=int, default=500, help="of each site")
    parser.add_argument("--site", choices=sorted(SITES), action="append", help="default: every site")
    parser.add_argument("--drawn-px", type=int, default=112, help="size at which the films are drawn")
    parser.add_argument("--card", type=Path, help="write the figures to this JSON file too")


def run(options: argparse.Namespace) -> Iterator[str]:
    """A table for each site, and the card where one is asked for."""
    from rl_feedback.small_model.evaluate import evaluate_small_model, write_card

    measured = []
    for site in options.site or sorted(SITES):
        result = evaluate_small_model(
            options.model, site=site, num_films=options.num_films, drawn_px=options.drawn_px
        )
        measured.append(result)
        yield f"{site} site, {result.num_films} held-out films, {result.films_per_second:.1f} films/s"
        for figure in result.figures.values():
            yield f"  {figure.label:<24}{figure.mean:8.3f}  [{figure.low:.3f}, {figure.high:.3f}]"
    if options.card:
        write_card(measured, options.card)
        yield f"The card is in {options.card}."
