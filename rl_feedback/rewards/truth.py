"""What is known of a case: the true answer, and the regions that experts drew."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inference.grounding import parse_completion
from inference.phantom_truth import PhantomTruth
from inference.regions import Box, Frame, to_image_px


@dataclass(frozen=True)
class TruthRegion:
    """A region in film pixels and what it shows: a finding ("left effusion") or a structure ("heart").

    `tolerance` is, edge by edge, how far the experts' own boxes lie from it; None where one expert drew it.
    """

    finding: str
    box: Box
    tolerance: Box | None = None


@dataclass(frozen=True)
class CaseTruth:
    """Sizes are (width, height). `regions` is None where nobody drew any, and empty where experts found
    nothing to point at; `box_frame` is how the model counts (inference.regions)."""

    answer: str
    regions: tuple[TruthRegion, ...] | None = None
    image_size: tuple[int, int] = (1, 1)
    model_size: tuple[int, int] = (1, 1)
    box_frame: str = Frame.PROCESSED

    @classmethod
    def from_columns(cls, row: Mapping[str, Any]) -> CaseTruth:
        """From a row of JSON or of a data set: `answer`, and where regions were drawn `regions` (each with
        `finding` and `box`, and where several experts drew it `tolerance`), `image_size`, `model_size` and,
        unless it is "processed", `box_frame`.

        Raises ValueError with a sentence that says what is missing or can't be.

        >>> CaseTruth.from_columns({"answer": "yes"}) == CaseTruth("yes")
        True
        """
        answer = row.get("answer")
        if not isinstance(answer, str):
            raise ValueError("`answer` must be the true answer as text.")
        if row.get("regions") is None:
            return cls(answer)
        if not isinstance(row["regions"], list | tuple):
            raise ValueError("`regions` must be a list of regions, or null where nobody drew any.")
        sizes = {name: _size(name, row.get(name)) for name in ("image_size", "model_size")}
        return cls(
            answer,
            regions=tuple(_region(region) for region in row["regions"]),
            box_frame=_frame(row.get("box_frame")),
            **sizes,
        )


def phantom_case(truth: PhantomTruth, *, model_size: tuple[int, int] = (112, 112)) -> CaseTruth:
    """The truth of a drawn film: the regions that a perfect reading points at (`ideal_reasoning`).

    >>> from inference.phantoms import draw_phantom
    >>> [region.finding for region in phantom_case(draw_phantom(seed=6).truth).regions]
    ['normal heart', 'right effusion', 'left consolidation']
    """
    regions = [TruthRegion("enlarged heart" if truth.enlarged_heart else "normal heart", truth.heart)]
    regions += [TruthRegion(lesion.name, lesion.region) for lesion in truth.lesions]
    if not truth.lesions:
        regions += [TruthRegion("right lung", truth.right_lung), TruthRegion("left lung", truth.left_lung)]
    return CaseTruth(
        truth.answer,
        regions=tuple(regions),
        image_size=(truth.width, truth.height),
        model_size=model_size,
        box_frame=Frame.PROCESSED,
    )


def case_told_by(
    text: str, *, image_size: tuple[int, int], model_size: tuple[int, int], box_frame: str
) -> CaseTruth:
    """What a text says that readers let stand: its answer, and each step's words with their regions.

    >>> text = "<think> A nodule with [10, 10, 20, 20] </think> \\\\boxed{nodule}"
    >>> case = case_told_by(text, image_size=(224, 224), model_size=(112, 112), box_frame="processed")
    >>> case.answer, [(region.finding, tuple(region.box)) for region in case.regions]
    ('nodule', [('A nodule with', (20.0, 20.0, 40.0, 40.0))])
    """
    parsed = parse_completion(text)
    regions = tuple(
        TruthRegion(words, to_image_px(box, frame=box_frame, model_size=model_size, image_size=image_size))
        for step in parsed.steps
        for words in (re.sub(r"\s*\[[^\]]*\]", "", step.text).strip(),)
        for box in step.boxes
        if words
    )
    return CaseTruth(parsed.answer or "", regions, image_size, model_size, box_frame)


def _size(name: str, value: object) -> tuple[int, int]:
    match value:
        case [int(width), int(height)] if width > 0 and height > 0:
            return width, height
    raise ValueError(f"`{name}` must be a width and a height in pixels, not {value!r}.")


def _frame(value: object) -> str:
    if value is None:
        return Frame.PROCESSED
    if not isinstance(value, str) or value not in list(Frame):
        raise ValueError(f"`box_frame` must be one of {', '.join(Frame)}, not {value!r}.")
    return Frame(value)


def _region(value: Any) -> TruthRegion:
    match value:
        case {"finding": str(finding), "box": [*numbers]} if finding.strip() and _is_box(numbers):
            return TruthRegion(finding, Box(*map(float, numbers)), _tolerance(value.get("tolerance")))
    raise ValueError(f"A region needs a `finding` in words and a `box` of four numbers, not {value!r}.")


def _tolerance(value: Any) -> Box | None:
    match value:
        case None:
            return None
        case [*numbers] if _is_box(numbers) and min(numbers) >= 0:
            return Box(*map(float, numbers))
    raise ValueError(f"A region's `tolerance` must be four numbers of pixels from 0 up, not {value!r}.")


def _is_box(numbers: Sequence[object]) -> bool:
    return len(numbers) == 4 and all(
        isinstance(number, int | float) and not isinstance(number, bool) and abs(number) < 1e6
        for number in numbers
    )
