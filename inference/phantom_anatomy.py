"""How one drawn patient is built, and what is wrong with that patient, decided by a seed alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from inference.phantom_truth import LESIONS, SIDES


@dataclass(frozen=True)
class Lesion:
    """One lesion in fractions of the film.

    For an effusion `ry` is its height over the diaphragm; for a pneumothorax `rx` is the share to which
    the lung has shrunk and `ry` the height down to which the gap reaches.
    """

    kind: str
    side: str
    x: float
    y: float
    rx: float
    ry: float
    density: float


@dataclass(frozen=True)
class Anatomy:
    """One patient in fractions of the film: c is the centre, s the size, r a radius."""

    cx: float
    cy: float
    sx: float
    sy: float
    lung_x: float
    lung_rx: float
    lung_ry: float
    dome: Mapping[str, float]
    heart_x: float
    heart_y: float
    heart_rx: float
    heart_ry: float
    heart_tilt: float
    enlarged_heart: bool
    rib: float
    rib_gap: float
    rib_phase: float
    clavicle: float
    breast: float
    exposure: float
    gamma: float
    grain: float
    vessels: tuple[tuple[float, float, float, float, float, float], ...]
    lumps: tuple[tuple[float, float, float], ...]
    lesions: tuple[Lesion, ...]


def sample_anatomy(seed: int) -> Anatomy:
    """The patient of this seed: about a third with a large heart, seven in ten with one or two lesions."""
    rng = np.random.default_rng(seed)

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    cx, cy = 0.5 + between(-0.025, 0.025), 0.5 + between(-0.02, 0.02)
    sx, sy = between(0.9, 1.05), between(0.93, 1.05)
    dome_right = cy + 0.235 + between(-0.03, 0.03)
    dome = {"right": dome_right, "left": dome_right + between(0.01, 0.035)}
    enlarged = bool(rng.random() < 0.33)
    heart_rx = (between(0.192, 0.225) if enlarged else between(0.125, 0.157)) * sx
    heart_ry = heart_rx * between(0.74, 0.88)
    heart_x = cx + between(0.22, 0.34) * heart_rx
    heart_y = dome_right + 0.045 - heart_ry * between(0.86, 0.98)
    lesions = _sample_lesions(rng, cx=cx, cy=cy, sx=sx, sy=sy, dome=dome)
    return Anatomy(
        cx=cx,
        cy=cy,
        sx=sx,
        sy=sy,
        lung_x=between(0.178, 0.19),
        lung_rx=between(0.163, 0.176),
        lung_ry=between(0.37, 0.395),
        dome=dome,
        heart_x=heart_x,
        heart_y=heart_y,
        heart_rx=heart_rx,
        heart_ry=heart_ry,
        heart_tilt=between(0.2, 0.5),
        enlarged_heart=enlarged,
        rib=between(0.035, 0.06),
        rib_gap=between(0.082, 0.094),
        rib_phase=between(0.0, 0.08),
        clavicle=cy - 0.375 * sy + between(-0.015, 0.015),
        breast=between(0.0, 0.05),
        exposure=between(0.98, 1.2),
        gamma=between(1.05, 1.4),
        grain=between(0.2, 1.3),
        vessels=_sample_vessels(rng, cx=cx, cy=cy, sx=sx),
        lumps=tuple((between(-0.6, 0.6), between(-0.6, 0.6), between(0.25, 0.45)) for _ in range(4)),
        lesions=lesions,
    )


def _sample_lesions(
    rng: np.random.Generator, *, cx: float, cy: float, sx: float, sy: float, dome: Mapping[str, float]
) -> tuple[Lesion, ...]:
    """None, one, or one in each lung: two in one lung would hide each other's edges."""
    count = int(rng.choice(3, p=[0.3, 0.42, 0.28]))
    sides = [SIDES[i] for i in rng.permutation(2)[:count]]
    lesions = []
    for side in sides:
        kind = LESIONS[int(rng.integers(len(LESIONS)))]
        sign = 1.0 if side == "left" else -1.0
        u = rng.uniform(0, 1, size=5)
        if kind == "effusion":
            x, y, rx, ry, density = 0.0, 0.0, 0.0, 0.05 + 0.13 * u[0], 0.92
        elif kind == "pneumothorax":
            x, y, rx, ry, density = 0.0, 0.0, 0.62 + 0.18 * u[0], cy - 0.04 + 0.12 * u[1], 0.95
        elif kind == "consolidation":
            x = cx + sign * (0.175 + 0.065 * u[0]) * sx
            rx, ry = 0.062 + 0.035 * u[1], 0.062 + 0.045 * u[2]
            y = cy - 0.2 + (dome[side] - ry - 0.02 - (cy - 0.2)) * u[3]
            density = 0.6 + 0.25 * u[4]
        else:
            radius = 0.03 + 0.02 * u[1]
            y = cy - 0.25 * sy + 0.36 * u[2] * sy
            reach = 0.11 if y > cy + 0.02 and side == "left" else 0.16
            x = cx + sign * (0.285 - reach * u[0]) * sx
            rx, ry, density = radius, radius * (0.9 + 0.2 * u[3]), 0.7 + 0.25 * u[4]
        lesions.append(Lesion(kind, side, float(x), float(y), float(rx), float(ry), float(density)))
    return tuple(lesions)


def _sample_vessels(
    rng: np.random.Generator, *, cx: float, cy: float, sx: float
) -> tuple[tuple[float, float, float, float, float, float], ...]:
    """Strokes (x0, y0, x1, y1, half width, density): trunks from each hilum, each with one fork."""
    strokes = []
    for sign in (-1, 1):
        for angle in np.linspace(-1.25, 1.25, 7) + rng.uniform(-0.12, 0.12, size=7):
            length = float(rng.uniform(0.07, 0.12))
            x0, y0 = cx + sign * 0.085 * sx, cy - 0.03
            x1 = x0 + sign * length * float(np.cos(angle)) * sx
            y1 = y0 + length * 1.5 * float(np.sin(angle))
            strokes.append((x0, y0, x1, y1, 0.011, 0.30))
            for turn in (-0.3, 0.35):
                bend = float(angle) + turn + float(rng.uniform(-0.1, 0.1))
                x2 = x1 + sign * length * 0.8 * float(np.cos(bend)) * sx
                y2 = y1 + length * 1.1 * float(np.sin(bend))
                strokes.append((x1, y1, x2, y2, 0.008, 0.20))
    return tuple(strokes)
