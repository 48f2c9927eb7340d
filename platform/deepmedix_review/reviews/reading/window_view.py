"""How a reader saw the film: the window, which of the film's looks it was on, and whether it was inverted."""

from dataclasses import dataclass

from deepmedix_review.reviews.models import Reading
from deepmedix_review.reviews.reading.changes import Look


@dataclass(frozen=True)
class WindowView:
    """`look` is None where it is the film's first."""

    center: float
    width: float
    inverted: bool
    look: Look | None


def window_of(reading: Reading) -> WindowView | None:
    """None where the reader saw the film as it is stored."""
    if reading.window_center is None or reading.window_width is None:
        return None
    look = None
    if reading.look_index is not None:
        look = Look(reading.look_index, reading.look_name, Reading.Curve(reading.look_curve))
    return WindowView(reading.window_center, reading.window_width, reading.inverted, look)
