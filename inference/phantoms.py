"""Drawn chest films with a known truth: a thorax with lungs, ribs and heart, and what may be wrong with it.

Everything is laid out in fractions of the image's sides, so one seed is one patient at any size.
Brightness follows the film: the more tissue on the ray's way, the brighter; air is what darkens it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inference.phantom_anatomy import Anatomy, Lesion, sample_anatomy
from inference.phantom_canvas import Canvas, Site, box_of
from inference.phantom_truth import (
    KINDS,
    LESIONS,
    NO_FINDING,
    REPORT_QUERY,
    SIDES,
    Finding,
    PhantomTruth,
    QuestionAnswer,
    ReportText,
    ideal_reasoning,
    reference_report,
    vqa_pairs,
)

__all__ = [
    "DEMO_SEEDS",
    "HELD_OUT_SEEDS",
    "KINDS",
    "LESIONS",
    "NO_FINDING",
    "REPORT_QUERY",
    "SIDES",
    "SITES",
    "TRAIN_SEEDS",
    "Finding",
    "Phantom",
    "PhantomTruth",
    "QuestionAnswer",
    "ReportText",
    "Site",
    "draw_phantom",
    "ideal_reasoning",
    "reference_report",
    "vqa_pairs",
]

TRAIN_SEEDS = range(25_000)
HELD_OUT_SEEDS = range(1_000_000, 1_010_000)
DEMO_SEEDS = range(2_000_000, 2_010_000)

_TRUTH_SIZE = 224


SITES = {
    "first": Site(name="first", contrast=1.0, exposure=1.0, noise=0.012),
    "second": Site(name="second", contrast=0.65, exposure=0.8, noise=0.024),
}


@dataclass(frozen=True)
class Phantom:
    """One drawn film: `pixels` is float32, height x width, 0 black to 1 white (MONOCHROME2)."""

    pixels: NDArray[np.float32]
    truth: PhantomTruth
    width: int
    height: int
    site: str
    seed: int

    def to_uint8(self) -> NDArray[np.uint8]:
        """The film in 256 grey levels, as a model's image processor takes it."""
        return np.round(self.pixels * 255).astype(np.uint8)


def draw_phantom(
    *,
    seed: int,
    width: int = 112,
    height: int = 112,
    site: str = "first",
    take: int = 0,
    is_earlier: bool = False,
) -> Phantom:
    """Draw the patient `seed` as filmed at `site`; the same call always gives the same film.

    Each `take` is another exposure of the same patient, with other grain; `is_earlier` is the patient before
    the lesions came.

    >>> film = draw_phantom(seed=7)
    >>> film.pixels.shape, film.truth == draw_phantom(seed=7, site="second").truth
    ((112, 112), True)
    """
    if site not in SITES:
        raise ValueError(f"There is no site {site!r}; the sites are {', '.join(sorted(SITES))}.")
    if min(width, height) < 56:
        raise ValueError(f"A phantom needs at least 56 pixels on each side, not {width} x {height}.")
    look = SITES[site]
    anatomy = _anatomy_of(seed, is_earlier)
    canvas = Canvas(width, height, anatomy)
    film = canvas.film(look)
    # Numbers of their own for another take or time, so that the first one's film stays what it always was.
    other = [take, int(is_earlier)] if take or is_earlier else []
    grain = np.random.default_rng([seed, width, height, sorted(SITES).index(site), *other])
    sigma = look.noise * anatomy.grain
    film = film + sigma * grain.standard_normal(film.shape, dtype=np.float32)
    pixels = np.clip(film, 0.0, 1.0).astype(np.float32)
    truth = _truth_of(seed, is_earlier).resized(width=width, height=height)
    return Phantom(pixels=pixels, truth=truth, width=width, height=height, site=site, seed=seed)


def _anatomy_of(seed: int, is_earlier: bool) -> Anatomy:
    anatomy = sample_anatomy(seed)
    return replace(anatomy, lesions=()) if is_earlier else anatomy


def _reading_order(lesion: Lesion) -> tuple[int, int]:
    return LESIONS.index(lesion.kind), SIDES.index(lesion.side)


@lru_cache(maxsize=256)
def _truth_of(seed: int, is_earlier: bool = False) -> PhantomTruth:
    """What was drawn, measured once on a fixed grid, so that it does not depend on the film's size."""
    anatomy = _anatomy_of(seed, is_earlier)
    canvas = Canvas(_TRUTH_SIZE, _TRUTH_SIZE, anatomy)
    findings = []
    heart = canvas.heart_box()
    if anatomy.enlarged_heart:
        findings.append(Finding("cardiomegaly", None, heart))
    for lesion in sorted(
        anatomy.lesions, key=lambda seen: (LESIONS.index(seen.kind), SIDES.index(seen.side))
    ):
        findings.append(Finding(lesion.kind, lesion.side, canvas.lesion_box(lesion)))
    return PhantomTruth(
        findings=tuple(findings),
        heart=heart,
        right_lung=box_of(canvas.lung("right")),
        left_lung=box_of(canvas.lung("left")),
        width=_TRUTH_SIZE,
        height=_TRUTH_SIZE,
    )
