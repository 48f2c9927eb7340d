"""The drawn films that the small model learns from, kept in memory as pixels and words."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.phantoms import LESIONS, SIDES, PhantomTruth, draw_phantom
from rl_feedback.small_model.build import FILM_SIDE_PX

# Seeing is learned at the first site, so there is a slot for each of its kinds.
SLOTS = (("cardiomegaly", None), *((kind, side) for kind in LESIONS for side in SIDES))
NUM_BOXES = 3 + len(SLOTS) - 1
LARGEST_SHIFT_PX = 5


@dataclass(frozen=True)
class Films:
    """Films as uint8 of shape (n, 112, 112), and what is on each."""

    pixels: NDArray[np.uint8]
    truths: tuple[PhantomTruth, ...]

    def __len__(self) -> int:
        return len(self.truths)


def joined(*parts: Films) -> Films:
    """The films of all parts, in their order."""
    return Films(
        pixels=np.concatenate([part.pixels for part in parts]),
        truths=tuple(truth for part in parts for truth in part.truths),
    )


@dataclass(frozen=True)
class Targets:
    """What seeing starts with: presence per slot (n, 9), boxes in 0..1 (n, 11, 4), which count (n, 11)."""

    presence: NDArray[np.float32]
    boxes: NDArray[np.float32]
    box_counts: NDArray[np.float32]


def draw_films(seeds: Sequence[int], *, site: str = "first", num_processes: int = 1) -> Films:
    """Draw many films at the small model's size."""
    parts = np.array_split(np.asarray(seeds), max(1, num_processes * 4))
    jobs = [([int(seed) for seed in part], site) for part in parts if len(part)]
    if num_processes == 1:
        drawn = [_draw(job) for job in jobs]
    else:
        with ProcessPoolExecutor(num_processes) as pool:
            drawn = list(pool.map(_draw, jobs))
    pixels = np.concatenate([part for part, _ in drawn])
    return Films(pixels=pixels, truths=tuple(truth for _, truths in drawn for truth in truths))


def _draw(job: tuple[list[int], str]) -> tuple[NDArray[np.uint8], list[PhantomTruth]]:
    seeds, site = job
    films = [draw_phantom(seed=seed, width=FILM_SIDE_PX, height=FILM_SIDE_PX, site=site) for seed in seeds]
    return np.stack([film.to_uint8() for film in films]), [film.truth for film in films]


def targets_of(truths: Sequence[PhantomTruth]) -> Targets:
    """Presence and boxes of every slot; a lesion's box counts only where the lesion is."""
    presence = np.zeros((len(truths), len(SLOTS)), dtype=np.float32)
    boxes = np.zeros((len(truths), NUM_BOXES, 4), dtype=np.float32)
    counts = np.zeros((len(truths), NUM_BOXES), dtype=np.float32)
    counts[:, :3] = 1
    for row, truth in enumerate(truths):
        side = float(truth.width)
        for column, box in enumerate((truth.heart, truth.right_lung, truth.left_lung)):
            boxes[row, column] = np.array(box) / side
        for finding in truth.findings:
            slot = SLOTS.index((finding.kind, finding.side))
            presence[row, slot] = 1
            if slot:
                boxes[row, 2 + slot] = np.array(finding.region) / side
                counts[row, 2 + slot] = 1
    return Targets(presence=presence, boxes=boxes, box_counts=counts)


def shift_and_brighten(
    films: Films, rows: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], list[PhantomTruth]]:
    """Films moved by up to 5 pixels and lighter or darker by up to a tenth, their truth moved along."""
    pixels = np.empty((len(rows), FILM_SIDE_PX, FILM_SIDE_PX), dtype=np.uint8)
    truths = []
    pad = LARGEST_SHIFT_PX
    for index, row in enumerate(rows):
        dx, dy = (int(value) for value in rng.integers(-pad, pad + 1, size=2))
        wide = np.pad(films.pixels[row], pad, mode="edge")
        moved = wide[pad - dy : pad - dy + FILM_SIDE_PX, pad - dx : pad - dx + FILM_SIDE_PX]
        scale, offset = rng.uniform(0.9, 1.1), rng.uniform(-10, 10)
        pixels[index] = np.clip(moved * scale + offset, 0, 255).astype(np.uint8)
        truths.append(films.truths[row].shifted(dx=dx, dy=dy))
    return pixels, truths
