"""Shows some pairs of a data set side by side, with the regions of both texts on the one film."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.urls import reverse

from deepmedix_review.feedback.models import PreferenceDataset, PreferencePair
from deepmedix_review.feedback.pair_texts import ShownPair, shown_pair
from deepmedix_review.studies.models import Study
from inference.grounding import parse_completion
from inference.prompts import template
from inference.regions import Box, to_image_px
from rl_feedback.counting import counted

# Of each origin.
NUM_SAMPLES = 2


@dataclass(frozen=True)
class DrawnBox:
    """A region in film pixels: of both texts, of the chosen one alone, or of the rejected one alone."""

    x: float
    y: float
    width: float
    height: float
    of: str


@dataclass(frozen=True)
class Sample:
    """`question` is what the model was asked, empty where that is its usual question. `film` is the picture's
    address, empty where the study was withdrawn; sizes are the film's pixels."""

    shown: ShownPair
    question: str
    film: str
    width: int
    height: int
    boxes: tuple[DrawnBox, ...]
    said: str


def sample_pairs(dataset: PreferenceDataset) -> tuple[Sample, ...]:
    """NUM_SAMPLES of each origin, spread evenly over its pairs, always the same ones; two queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
SELECT position FROM (
  SELECT position, row_number() OVER (PARTITION BY origin ORDER BY position) - 1 AS place,
    greatest(1, count(*) OVER (PARTITION BY origin) / %(most)s) AS stride
  FROM feedback_preferencepair WHERE dataset_id = %(dataset)s AND completion_id IS NOT NULL) AS placed
WHERE place %% stride = 0 AND place / stride < %(most)s""",
            {"dataset": dataset.pk, "most": NUM_SAMPLES},
        )
        positions = [position for (position,) in cursor.fetchall()]
    rows = dataset.pairs.filter(position__in=positions).select_related(
        "completion__study", "completion__instance", "completion__model_version", "step"
    )
    return tuple(_sample(row) for row in sorted(rows, key=lambda row: (row.origin, row.position)))


def _sample(pair: PreferencePair) -> Sample:
    completion = pair.completion
    chosen, rejected = (_regions(pair, text) for text in (pair.chosen, pair.rejected))
    both = [box for box in chosen if box in rejected]
    drawn = [
        *(_drawn(box, "both") for box in both),
        *(_drawn(box, "chosen") for box in chosen if box not in both),
        *(_drawn(box, "rejected") for box in rejected if box not in both),
    ]
    usual = template(completion.model_version.prompt_template).default_query
    is_shown = completion.study.state == Study.State.READY
    counts = {of: sum(box.of == of for box in drawn) for of in ("both", "chosen", "rejected")}
    return Sample(
        shown=shown_pair(pair),
        question="" if completion.query.strip() == usual else completion.query,
        film=reverse("film-picture", args=[completion.instance.uid]) if is_shown else "",
        width=completion.image_width,
        height=completion.image_height,
        boxes=tuple(drawn),
        said=f"{counted(counts['both'], 'region')} of both texts, "
        f"{counts['chosen']} of the chosen one alone, {counts['rejected']} of the rejected one alone",
    )


def _regions(pair: PreferencePair, text: str) -> Sequence[Box]:
    """Of the text alone, in film pixels; what has no area can't be drawn."""
    completion = pair.completion
    num_before = sum(len(step.boxes) for step in parse_completion(pair.prefix).steps) if pair.prefix else 0
    written = [box for step in parse_completion(pair.prefix + text).steps for box in step.boxes]
    placed = (
        to_image_px(
            box,
            frame=completion.model_version.box_frame,
            model_size=(completion.model_width, completion.model_height),
            image_size=(completion.image_width, completion.image_height),
        )
        for box in written[num_before:]
    )
    return [box for box in placed if box.x_min < box.x_max and box.y_min < box.y_max]


def _drawn(box: Box, of: str) -> DrawnBox:
    return DrawnBox(
        round(box.x_min, 1),
        round(box.y_min, 1),
        round(box.x_max - box.x_min, 1),
        round(box.y_max - box.y_min, 1),
        of,
    )
