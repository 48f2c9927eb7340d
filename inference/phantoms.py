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
from inference.phantom_canvas import Canvas, box_of
from inference.phantom_detector import detect
from inference.phantom_sites import SITES, TAUGHT_SITES, Site
from inference.phantom_truth import (
    ALL_LESIONS,
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
    "ALL_LESIONS",
    "DEMO_SEEDS",
    "HELD_OUT_SEEDS",
    "KINDS",
    "LESIONS",
    "NO_FINDING",
    "REPORT_QUERY",
    "SIDES",
    "SITES",
    "TAUGHT_SITES",
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
    """Draw the patient `seed` of `site`; the same call always gives the same film.

    A seed is another patient at another site.

    Each `take` is another exposure of the same patient, with other grain; `is_earlier` is the patient before
    the lesions came.

    >>> film = draw_phantom(seed=1_000_007, site="second")
    >>> film.pixels.shape, film.truth.answer, draw_phantom(seed=1_000_007).truth.answer
    ((112, 112), 'left consolidation', 'left effusion, right pneumothorax')
    """
    if site not in SITES:
        raise ValueError(f"There is no site {site!r}; the sites are {', '.join(sorted(SITES))}.")
    if min(width, height) < 56:
        raise ValueError(f"A phantom needs at least 56 pixels on each side, not {width} x {height}.")
    look = SITES[site]
    anatomy = _anatomy_of(seed, look, is_earlier)
    film = Canvas(width, height, anatomy).film(look)
    # Numbers of their own for another take or time, so that the first one's film stays what it always was.
    other = (take, int(is_earlier)) if take or is_earlier else ()
    film = detect(film, look, seed=(seed, sorted(SITES).index(site)), other=other, grain=anatomy.grain)
    pixels = np.clip(film, 0.0, 1.0).astype(np.float32)
    truth = _truth_of(seed, site, is_earlier).resized(width=width, height=height)
    return Phantom(pixels=pixels, truth=truth, width=width, height=height, site=site, seed=seed)


def truth_of(*, seed: int, site: str = "first") -> PhantomTruth:
    """What `draw_phantom` would show, without the film; on a grid of its own size.

    >>> truth_of(seed=1_000_007).answer
    'left effusion, right pneumothorax'
    """
    return _truth_of(seed, site)


def _anatomy_of(seed: int, site: Site, is_earlier: bool) -> Anatomy:
    anatomy = sample_anatomy(seed, site.patients)
    return replace(anatomy, lesions=()) if is_earlier else anatomy


def _reading_order(lesion: Lesion) -> tuple[int, int]:
    return ALL_LESIONS.index(lesion.kind), SIDES.index(lesion.side)


@lru_cache(maxsize=256)
def _truth_of(seed: int, site: str, is_earlier: bool = False) -> PhantomTruth:
    """What was drawn, measured once on a fixed grid, so that it does not depend on the film's size."""
    anatomy = _anatomy_of(seed, SITES[site], is_earlier)
    canvas = Canvas(_TRUTH_SIZE, _TRUTH_SIZE, anatomy)
    findings = []
    heart = canvas.heart_box()
    if anatomy.enlarged_heart:
        findings.append(Finding("cardiomegaly", None, heart))
    for lesion in sorted(anatomy.lesions, key=_reading_order):
        findings.append(Finding(lesion.kind, lesion.side, canvas.lesion_box(lesion)))
    return PhantomTruth(
        findings=tuple(findings),
        heart=heart,
        right_lung=box_of(canvas.lung("right")),
        left_lung=box_of(canvas.lung("left")),
        width=_TRUTH_SIZE,
        height=_TRUTH_SIZE,
        lesion_kinds=SITES[site].patients.lesions,
    )
