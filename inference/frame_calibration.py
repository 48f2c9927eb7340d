"""Finds out in which frame a model writes its boxes, from what it writes of drawn films.

On a drawn film it is known where heart, lungs and lesions lie. Each box that the model writes is carried to
the film under every frame in turn; under the right one boxes lie on what there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.phantom_truth import PhantomTruth
from inference.regions import Box, Frame, overlap, to_image_px

# Of three films or fewer a lucky box decides.
LEAST_FILMS = 4
# Below it boxes lie beside what there is, whatever the frame: most of a landmark is missed.
LEAST_OVERLAP = 0.3
_NUM_DRAWS = 2000


@dataclass(frozen=True)
class SaidOfFilm:
    """The boxes of a model's text of one drawn film, as it wrote them; `model_size` is (width, height)."""

    truth: PhantomTruth
    boxes: Sequence[Box]
    model_size: tuple[int, int]


@dataclass(frozen=True)
class FrameFit:
    """How well boxes lie on landmarks under one frame: the mean over films of their boxes' mean IoU with the
    landmark that each lies on best, 0 to 1, with its 95 % interval (bootstrap over films)."""

    frame: Frame
    overlap: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """`fits` begins with the best; `frame` is None where it can't be told, and `reason` says why."""

    fits: tuple[FrameFit, ...]
    frame: Frame | None
    reason: str
    num_films: int
    num_with_boxes: int


def calibrate(said: Sequence[SaidOfFilm], *, preparation: str) -> Calibration:
    """The frame is told where its fit is at least LEAST_OVERLAP, and better than every other's by a 95 %
    interval of the difference, film by film, that lies above 0.

    >>> calibrate([], preparation="aspect").reason
    'No film was asked about.'
    """
    with_boxes = [one for one in said if one.boxes]
    if len(with_boxes) < LEAST_FILMS:
        reason = (
            f"It wrote boxes on {len(with_boxes)} of {len(said)} films; {LEAST_FILMS} are needed. Ask with "
            "the preset whose prompt asks for boxes, or about more films."
            if said
            else "No film was asked about."
        )
        return Calibration((), None, reason, len(said), len(with_boxes))
    films = np.array([[_fit(one, frame, preparation) for frame in Frame] for one in with_boxes])
    draws = np.random.default_rng(7).integers(len(films), size=(_NUM_DRAWS, len(films)))
    fits = tuple(
        FrameFit(frame, float(found.mean()), *_interval(found, draws))
        for frame, found in zip(Frame, films.T, strict=True)
    )
    best, *others = sorted(fits, key=lambda fit: -fit.overlap)
    place = list(Frame).index
    equal = [
        other.frame
        for other in others
        if _interval(films[:, place(best.frame)] - films[:, place(other.frame)], draws)[0] <= 0
    ]
    reason = _doubt(best, equal)
    return Calibration((best, *others), None if reason else best.frame, reason, len(said), len(with_boxes))


def _doubt(best: FrameFit, equal: Sequence[Frame]) -> str:
    """Why the best frame may not be the model's; empty where it is."""
    if best.overlap < LEAST_OVERLAP:
        return "Under no frame do its boxes lie on heart, lungs or findings: it points at nothing there is."
    if equal:
        return f"{best.frame} fits no better for sure than {' and '.join(equal)}. Ask about more films."
    return ""


def _fit(one: SaidOfFilm, frame: Frame, preparation: str) -> float:
    truth = one.truth
    landmarks = [truth.heart, truth.right_lung, truth.left_lung, *(found.region for found in truth.findings)]
    placed = [
        to_image_px(
            box,
            frame=frame,
            model_size=one.model_size,
            image_size=(truth.width, truth.height),
            preparation=preparation,
        )
        for box in one.boxes
    ]
    return float(np.mean([max(overlap(box, landmark) for landmark in landmarks) for box in placed]))


def _interval(values: NDArray[np.float64], draws: NDArray[np.int64]) -> tuple[float, float]:
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)
