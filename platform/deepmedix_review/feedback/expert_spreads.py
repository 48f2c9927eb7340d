"""How far apart the readers of a frozen data set drew the edges of each region that they agree on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import QuerySet

from deepmedix_review.feedback.models import ExpertRegion
from inference.regions import Box
from rl_feedback.agreement import iou_matrix

# A box of a text is written in whole pixels of the model's picture, so it lies near the readers' own, not on
# it.
SAME_PLACE = 0.7

Spread = tuple[Box, Box]
Spreads = Mapping[int, Sequence[Spread]]


def spreads_of(regions: "QuerySet[ExpertRegion]") -> Spreads:
    """By completion: of these regions those that several readers drew, with the spread of each edge; film
    pixels."""
    found: dict[int, list[Spread]] = defaultdict(list)
    rows = regions.filter(tolerance__isnull=False).order_by("position")
    for completion, x_min, y_min, x_max, y_max, tolerance in rows.values_list(
        "completion", "x_min", "y_min", "x_max", "y_max", "tolerance"
    ):
        found[completion].append((Box(x_min, y_min, x_max, y_max), Box(*(tolerance or ()))))
    return found


def spread_at(box: Box, spreads: Sequence[Spread]) -> Box | None:
    """Of the region that lies there; None where none does, or one reader alone drew it."""
    if not spreads:
        return None
    overlaps = iou_matrix([box], [region for region, _ in spreads])[0]
    place = int(overlaps.argmax())
    return spreads[place][1] if overlaps[place] >= SAME_PLACE else None
