"""Checks that what a change names is part of the reading's case, and that a drawn box lies on its film."""

import math

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.models import Reading
from deepmedix_review.reviews.reading.changes import Box
from deepmedix_review.studies.models import Instance


def shown_completions(reading: Reading) -> list[int]:
    """Primary keys of the one or two completions that the reading shows."""
    return [pk for pk in (reading.completion_a_id, reading.completion_b_id) if pk is not None]


def require_inside(box: Box, film: Instance) -> None:
    """Film pixels, edges: the film spans 0 to columns and 0 to rows."""
    x_min, y_min, x_max, y_max = box
    if not all(math.isfinite(edge) for edge in box) or x_min >= x_max or y_min >= y_max:
        raise RefusedByRule("The drawn region has no area. Draw it again from corner to corner.")
    if x_min < 0 or y_min < 0 or x_max > film.columns or y_max > film.rows:
        raise RefusedByRule(
            f"The drawn region leaves the film ({film.columns} x {film.rows} pixels). Draw it inside."
        )


def of_another_case(noun: str) -> RefusedByRule:
    return RefusedByRule(f"That {noun} is not part of this case, so nothing was saved. Reload the page.")
