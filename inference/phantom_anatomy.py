"""How one drawn patient is built, and what is wrong with that patient, decided by a seed alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.phantom_sites import FIRST_SITE_PATIENTS, Patients
from inference.phantom_truth import SIDES


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
    flesh: float


def sample_anatomy(seed: int, patients: Patients = FIRST_SITE_PATIENTS) -> Anatomy:
    """The patient of this seed among a site's patients."""
    rng = np.random.default_rng([seed, patients.stream] if patients.stream else seed)

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    off_x, off_y = patients.off_centre
    cx, cy = 0.5 + between(-off_x, off_x), 0.5 + between(-off_y, off_y)
    sx, sy = between(*patients.width), between(*patients.height)
    dome_right = cy + 0.235 + between(-0.03, 0.03)
    dome = {"right": dome_right, "left": dome_right + between(0.01, 0.035)}
    enlarged = bool(rng.random() < patients.large_hearts)
    heart_rx = (between(0.192, 0.225) if enlarged else between(0.125, 0.157)) * sx
    heart_ry = heart_rx * between(0.74, 0.88)
    heart_x = cx + between(0.22, 0.34) * heart_rx
    heart_y = dome_right + 0.045 - heart_ry * between(0.86, 0.98)
    thorax = _Thorax(cx=cx, cy=cy, sx=sx, sy=sy, dome=dome)
    lesions = (_sample_mixture if patients.shares_lungs else _sample_lesions)(rng, thorax, patients)
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
        flesh=patients.flesh,
    )


@dataclass(frozen=True)
class _Thorax:
    """Where lesions have to find room."""

    cx: float
    cy: float
    sx: float
    sy: float
    dome: Mapping[str, float]


def _sample_lesions(rng: np.random.Generator, thorax: _Thorax, patients: Patients) -> tuple[Lesion, ...]:
    """None, one, or one in each lung: two in one lung would hide each other's edges."""
    count = int(rng.choice(len(patients.num_lesions), p=patients.num_lesions))
    sides = [SIDES[i] for i in rng.permutation(2)[:count]]
    lesions = []
    for side in sides:
        kind = patients.lesions[int(rng.integers(len(patients.lesions)))]
        lesions.append(_lesion(kind, side, rng.uniform(0, 1, size=5), thorax, patients.lesion_size))
    return tuple(lesions)


def _sample_mixture(rng: np.random.Generator, thorax: _Thorax, patients: Patients) -> tuple[Lesion, ...]:
    """Lesions anywhere, up to two in one lung, where neither hides the other."""
    count = int(rng.choice(len(patients.num_lesions), p=patients.num_lesions))
    lesions: list[Lesion] = []
    for _ in range(12 * count):
        if len(lesions) == count:
            break
        side = SIDES[int(rng.integers(2))]
        kind = patients.lesions[int(rng.choice(len(patients.lesions), p=patients.lesion_chances))]
        lesion = _lesion(kind, side, rng.uniform(0, 1, size=5), thorax, patients.lesion_size)
        beside = [other for other in lesions if other.side == side]
        if len(beside) < 2 and all(_share_a_lung(lesion, other, thorax) for other in beside):
            lesions.append(lesion)
    return tuple(lesions)


def _share_a_lung(one: Lesion, other: Lesion, thorax: _Thorax) -> bool:
    """Whether both can be told apart: of two kinds, and neither in front of the other."""
    kinds = {one.kind, other.kind}
    if len(kinds) == 1:
        return False
    if "pneumothorax" in kinds:
        return "effusion" in kinds
    if "effusion" in kinds:
        fluid, focus = (one, other) if one.kind == "effusion" else (other, one)
        return focus.y + focus.ry < thorax.dome[fluid.side] - fluid.ry - 0.03
    apart_x = abs(one.x - other.x) - one.rx - other.rx
    apart_y = abs(one.y - other.y) - one.ry - other.ry
    return max(apart_x, apart_y) > 0.02


def _lesion(kind: str, side: str, u: NDArray[np.float64], thorax: _Thorax, size: float) -> Lesion:
    """A lesion of this kind from five numbers in 0..1; `size` makes it smaller than the first site's."""
    cx, cy, sx, sy = thorax.cx, thorax.cy, thorax.sx, thorax.sy
    sign = 1.0 if side == "left" else -1.0
    if kind == "effusion":
        x, y, rx, ry, density = 0.0, 0.0, 0.0, (0.05 + 0.13 * u[0]) * size, 0.92
    elif kind == "pneumothorax":
        shrunk = 0.62 + 0.18 * u[0]
        shrunk = shrunk + (1 - shrunk) * (1 - size)
        x, y, rx, ry, density = 0.0, 0.0, shrunk, cy - 0.04 + 0.12 * u[1], 0.95
    elif kind == "consolidation":
        x = cx + sign * (0.175 + 0.065 * u[0]) * sx
        rx, ry = (0.062 + 0.035 * u[1]) * size, (0.062 + 0.045 * u[2]) * size
        y = cy - 0.2 + (thorax.dome[side] - ry - 0.02 - (cy - 0.2)) * u[3]
        density = 0.6 + 0.25 * u[4]
    elif kind == "cavity":
        radius = (0.078 + 0.03 * u[1]) * size
        x = cx + sign * (0.185 + 0.03 * u[0]) * sx
        y = cy - 0.25 * sy + (thorax.dome[side] - radius - 0.03 - (cy - 0.25 * sy)) * u[2]
        rx, ry, density = radius, radius * (0.9 + 0.2 * u[3]), 0.85 + 0.15 * u[4]
    else:
        radius = (0.03 + 0.02 * u[1]) * size
        y = cy - 0.25 * sy + 0.36 * u[2] * sy
        reach = 0.11 if y > cy + 0.02 and side == "left" else 0.16
        x = cx + sign * (0.285 - reach * u[0]) * sx
        rx, ry, density = radius, radius * (0.9 + 0.2 * u[3]), 0.7 + 0.25 * u[4]
    return Lesion(kind, side, float(x), float(y), float(rx), float(ry), float(density))


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
