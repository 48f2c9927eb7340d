"""What a detector makes of the X-rays that reach it: blur, tone, a grid's stripes, uneven rows, grain."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.phantom_sites import Detector, Site

Plane = NDArray[Any]

# What is left, along each side, of grain between the lattice's points once the film is small again.
_LOST_BETWEEN_POINTS = 0.771


def detect(film: Plane, site: Site, *, seed: tuple[int, int], other: tuple[int, ...], grain: float) -> Plane:
    """The film as the site's detector gives it. `seed` is the patient's and the site's number, `other` tells
    further films of a patient apart, `grain` is how noisy this exposure is."""
    how = site.detector
    height, width = film.shape
    patient, number = seed
    if not how.lattice:
        noise = np.random.default_rng([patient, width, height, number, *other])
        grained: Plane = film + how.noise * grain * noise.standard_normal(film.shape, dtype=np.float32)
        return grained
    noise = np.random.default_rng([patient, number, *other])
    film = _toned(_blurred(film * _heel(height, how), how.blur * width), how.tone)
    film = film * _stripes(width, how, phase=float(noise.uniform(0, 2 * np.pi)))
    points = how.noise * grain * noise.standard_normal((how.lattice, how.lattice), dtype=np.float32)
    rows = how.line_noise * noise.standard_normal((how.lattice, 1), dtype=np.float32)
    return film + _enlarged(points, height, width) + _enlarged(rows, height, 1)


def _heel(height: int, how: Detector) -> Plane:
    """The tube's own shade: the beam is weaker towards the feet."""
    down = (np.arange(height, dtype=np.float32) + 0.5) / height
    shade: Plane = (1 + np.float32(how.heel) * (np.float32(0.5) - down))[:, None]
    return shade


def _toned(film: Plane, power: float) -> Plane:
    toned: Plane = np.maximum(film, 0) ** np.float32(power)
    return toned


def _stripes(width: int, how: Detector, *, phase: float) -> Plane:
    across = (np.arange(width, dtype=np.float32) + 0.5) / width
    wave = np.sin(2 * np.pi * across / how.grid_pitch + phase)
    stripes: Plane = (1 + how.grid_lines * wave).astype(np.float32)[None, :]
    return stripes


def _blurred(film: Plane, sigma: float) -> Plane:
    """The film under a Gaussian point spread of `sigma` pixels; its edges are carried on."""
    reach = max(1, int(np.ceil(3 * sigma)))
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    for axis in (0, 1):
        pad = [(reach, reach) if axis == along else (0, 0) for along in (0, 1)]
        wide = np.pad(film, pad, mode="edge")
        size = film.shape[axis]
        film = sum(
            weight * np.take(wide, range(start, start + size), axis=axis)
            for start, weight in enumerate(weights)
        )
    return film


def _enlarged(points: Plane, height: int, width: int) -> Plane:
    """The lattice's values at every pixel, linearly between its points, as strong once made small again."""
    for axis, size in enumerate((height, width)):
        count = points.shape[axis]
        if count in (1, size):
            continue
        at = np.clip((np.arange(size) + 0.5) / size * count - 0.5, 0, count - 1)
        below = np.minimum(at.astype(int), count - 2)
        share = (at - below).astype(np.float32)
        share = share[:, None] if axis == 0 else share[None, :]
        points = np.take(points, below, axis) * (1 - share) + np.take(points, below + 1, axis) * share
        if size > count:
            points = points / np.float32(_LOST_BETWEEN_POINTS)
    return points
