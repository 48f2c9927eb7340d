"""`python -m rl_feedback evaluate-small-model`: a model's figures on drawn films that it has never seen."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from inference.phantoms import SITES
from rl_feedback.phantom_figures import Figure

SHIPPED_MODEL = Path(__file__).parents[2] / "inference" / "shipped_model"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="a Qwen2.5-VL folder")
    parser.add_argument("--num-films", type=int, default=500, help="of each site")
    parser.add_argument("--num-canaries", type=int, default=500, help="of each kind a fifth")
    parser.add_argument("--site", choices=sorted(SITES), action="append", help="default: every site")
    parser.add_argument("--drawn-px", type=int, default=112, help="size at which the films are drawn")
    parser.add_argument("--card", type=Path, help="write the figures to this JSON file too")


def run(options: argparse.Namespace) -> Iterator[str]:
    """A table for each site and one for the canaries, and the card where one is asked for."""
    from rl_feedback.small_model.evaluate import evaluate_on_canaries, evaluate_small_model, write_card

    measured = []
    for site in options.site or sorted(SITES):
        result = evaluate_small_model(
            options.model, site=site, num_films=options.num_films, drawn_px=options.drawn_px
        )
        measured.append(result)
        yield f"{site} site, {result.num_films} held-out films, {result.films_per_second:.1f} films/s"
        yield from _table(result.figures)
    canaries = evaluate_on_canaries(options.model, num_films=options.num_canaries)
    yield f"canaries, {canaries.num_films} films, of each kind a fifth"
    yield from _table(canaries.figures)
    if options.card:
        write_card(measured, canaries, options.card)
        yield f"The card is in {options.card}."


def _table(figures: Mapping[str, Figure]) -> Iterator[str]:
    for figure in figures.values():
        yield f"  {figure.label:<36}{figure.mean:8.3f}  [{figure.low:.3f}, {figure.high:.3f}]"
