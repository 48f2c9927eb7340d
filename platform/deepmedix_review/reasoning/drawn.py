"""Where the regions of a completion are drawn on its film, each with its step's number."""

from dataclasses import dataclass

from deepmedix_review.reasoning.models import Completion, Region
from deepmedix_review.studies.models import Instance


@dataclass(frozen=True)
class Drawn:
    """A region on the film; `number` is its step's, 1, 2, 3 …"""

    number: int
    x: float
    y: float
    width: float
    height: float
    text_y: float


def drawn_of(completion: Completion, film: Instance) -> tuple[Drawn, ...]:
    """Those that lie on the film."""
    return tuple(
        _drawn(step.position, region, film)
        for step in completion.steps.all()
        for region in step.regions.all()
        if not region.problem
    )


def font_px(film: Instance) -> float:
    """Of the numbers beside regions, in film pixels."""
    return round(max(film.rows, film.columns) / 22, 1)


def _drawn(number: int, region: Region, film: Instance) -> Drawn:
    """Its number stands above it, or inside where it touches the film's upper edge."""
    font = font_px(film)
    above = region.y_min - font / 5
    return Drawn(
        number,
        region.x_min,
        region.y_min,
        region.x_max - region.x_min,
        region.y_max - region.y_min,
        round(above if above >= font else region.y_min + font, 1),
    )
