"""Films on which no chest finding can be: blank ones, a hand, a chest in pieces. Whatever is cited there is
made up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.grounding import format_completion
from inference.phantom_truth import NO_FINDING

# What a model that looks says of them.
NOTHING_TO_SAY = format_completion(["There is no chest"], NO_FINDING)

Grey = NDArray[np.uint8]
_Plane = NDArray[np.float64]

# Of the fingers from thumb to little finger: where each begins, its angle in degrees from upright, its length
# and its width, in shares of the film's side.
_FINGERS = (
    (-0.15, 0.10, -48, 0.20, 0.052),
    (-0.12, -0.10, -14, 0.26, 0.046),
    (-0.03, -0.13, -3, 0.30, 0.048),
    (0.06, -0.11, 8, 0.27, 0.045),
    (0.13, -0.06, 20, 0.21, 0.040),
)

# All of them divide the 112 pixels of the drawn films.
_NUMS_OF_PIECES = (4, 7, 8, 14, 16)


def draw_blank(*, seed: int, width: int = 112, height: int = 112) -> Grey:
    """An exposure of nothing: one grey all over, with the detector's grain.

    >>> draw_blank(seed=1).shape
    (112, 112)
    """
    rng = np.random.default_rng([seed, 90_001])
    level, noise = rng.uniform(0, 1), rng.uniform(0, 0.03)
    return _to_uint8(level + noise * rng.standard_normal((height, width)))


def draw_hand(*, seed: int, width: int = 112, height: int = 112) -> Grey:
    """A hand from the front: soft tissue, the bones of palm and fingers with their joints, the forearm.

    >>> hand = draw_hand(seed=1)
    >>> int(hand[:4].mean()) < int(hand[50:70, 45:65].mean())
    True
    """
    rng = np.random.default_rng([seed, 90_002])
    y, x = np.mgrid[0:height, 0:width]
    turn, size = np.radians(rng.uniform(-15, 15)), rng.uniform(0.9, 1.15)
    mirrored = -1.0 if rng.random() < 0.5 else 1.0
    across = (x / width - 0.5 - rng.uniform(-0.05, 0.05)) / size
    down = (y / height - 0.55 - rng.uniform(-0.05, 0.05)) / size
    across, down = (
        mirrored * (across * np.cos(turn) + down * np.sin(turn)),
        down * np.cos(turn) - across * np.sin(turn),
    )
    film = np.full((height, width), 0.06)
    film += 0.28 * _inside(((across / 0.19) ** 2 + (down / 0.19) ** 2) - 1, 0.1)
    film += 0.30 * _capsule(across, down, (0.0, 0.1), (0.0, 0.6), 0.115)
    for side in (-0.05, 0.05):
        film += 0.30 * _capsule(across, down, (side, 0.22), (side * 1.1, 0.6), 0.034)
    for wrist in rng.uniform(-0.09, 0.09, size=7):
        film += 0.16 * _inside(((across - wrist) / 0.03) ** 2 + ((down - 0.17) / 0.03) ** 2 - 1, 0.3)
    for at_x, at_y, angle, length, thick in _FINGERS:
        film += _finger(
            across, down, (at_x, at_y), np.radians(angle), length * rng.uniform(0.92, 1.08), thick
        )
    return _to_uint8(film + 0.015 * rng.standard_normal(film.shape))


def draw_without_chest(chest: Grey, *, seed: int) -> Grey:
    """A film to learn from on which no chest is shown: a blank one, a hand, or `chest` in pieces, by chance
    and as often. The pieces are of several sizes, so that it isn't learned where the cuts lie.

    >>> draw_without_chest(draw_hand(seed=3), seed=1).shape
    (112, 112)
    """
    rng = np.random.default_rng([seed, 90_004])
    height, width = chest.shape
    kind, num_pieces = rng.integers(3), int(rng.choice(_NUMS_OF_PIECES))
    if kind == 0:
        return draw_blank(seed=seed, width=width, height=height)
    if kind == 1:
        return draw_hand(seed=seed, width=width, height=height)
    return shuffle_film(chest, seed=seed, num_pieces=num_pieces)


def shuffle_film(film: Grey, *, seed: int, num_pieces: int = 8) -> Grey:
    """A film cut into `num_pieces` by `num_pieces` pieces, which lie in an order of chance: every grey value
    of it is still there, and no organ. What its sides leave over beyond whole pieces is cut off.

    >>> film = np.arange(64, dtype=np.uint8).reshape(8, 8)
    >>> shuffled = shuffle_film(film, seed=1, num_pieces=4)
    >>> bool((np.sort(shuffled, axis=None) == film.ravel()).all()), bool((shuffled == film).all())
    (True, False)
    """
    rng = np.random.default_rng([seed, 90_003])
    height, width = (side // num_pieces for side in film.shape)
    pieces = (
        film[: height * num_pieces, : width * num_pieces]
        .reshape(num_pieces, height, num_pieces, width)
        .swapaxes(1, 2)
        .reshape(-1, height, width)
    )
    return (
        pieces[rng.permutation(len(pieces))]
        .reshape(num_pieces, num_pieces, height, width)
        .swapaxes(1, 2)
        .reshape(height * num_pieces, width * num_pieces)
        .copy()
    )


def _finger(
    across: _Plane, down: _Plane, base: tuple[float, float], angle: float, length: float, thick: float
) -> _Plane:
    """Flesh, and in it the metacarpal and three phalanges, with gaps where the joints are."""
    way = (float(np.sin(angle)), float(-np.cos(angle)))

    def along(share: float) -> tuple[float, float]:
        return base[0] + way[0] * length * share, base[1] + way[1] * length * share

    drawn = 0.22 * _capsule(across, down, base, along(1.0), thick)
    palm_end = (base[0] * 0.4, 0.13)
    drawn += 0.26 * _capsule(across, down, palm_end, along(-0.06), thick * 0.36)
    for begin, end in ((0.05, 0.42), (0.50, 0.72), (0.79, 0.95)):
        drawn += 0.30 * _capsule(across, down, along(begin), along(end), thick * 0.40)
    return drawn


def _capsule(
    across: _Plane, down: _Plane, begin: tuple[float, float], end: tuple[float, float], radius: float
) -> _Plane:
    """1 within `radius` of the line from begin to end, softly 0 outside."""
    dx, dy = end[0] - begin[0], end[1] - begin[1]
    share = ((across - begin[0]) * dx + (down - begin[1]) * dy) / (dx * dx + dy * dy)
    share = np.clip(share, 0, 1)
    distance = np.hypot(across - begin[0] - share * dx, down - begin[1] - share * dy)
    return _inside(distance / radius - 1, 0.15)


def _inside(outside: _Plane, softness: float) -> _Plane:
    """1 where `outside` is well below 0, 0 where it is well above, smooth between."""
    inside: _Plane = 1 / (1 + np.exp(np.clip(outside / softness * 4, -50, 50)))
    return inside


def _to_uint8(film: _Plane) -> Grey:
    return np.round(np.clip(film, 0, 1) * 255).astype(np.uint8)
