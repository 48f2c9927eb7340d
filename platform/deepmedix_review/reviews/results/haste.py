"""Which readers of a study read too fast: how long each case took, and what its parts make."""

from collections.abc import Mapping

import numpy as np

from deepmedix_review.reviews.designing.reading_times import questions_by_study
from deepmedix_review.reviews.designs import expected_times, make_up
from deepmedix_review.reviews.designs.haste import Haste, hasty_readers
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.results.columns import (
    Keys,
    Numbers,
    distinct,
    distinct_rows,
    near,
    places_of,
    read_columns,
)
from deepmedix_review.reviews.results.readings import Readings


def hasty(readings: Readings) -> Mapping[int, Haste]:
    """By reader. A reading whose time is not known is left out; an amended case took what it first took."""
    timed = readings.only(readings.seconds > 0)
    if not len(timed):
        return {}
    return hasty_readers(timed.reader, seconds=timed.seconds, parts=_parts_of(timed))


def _parts_of(readings: Readings) -> Numbers:
    """The seconds that the parts of each case make, as a plan counts them, of the outputs that were read."""
    shown, _ = distinct(np.concatenate([readings.completion_a, readings.completion_b]))
    shown = shown[shown > 0]
    steps, regions = _counts_of(shown)
    num_steps, num_regions = np.zeros(len(readings), np.int64), np.zeros(len(readings), np.int64)
    for outputs in (readings.completion_a, readings.completion_b):
        is_shown = outputs > 0
        place = places_of(outputs[is_shown], shown)[1]
        num_steps[is_shown] += steps[place]
        num_regions[is_shown] += regions[place]
    num_outputs = 1 + (readings.completion_b > 0)
    kinds, place = distinct_rows(
        np.stack([readings.reader_study, readings.asks_first_read, num_outputs, num_steps, num_regions])
    )
    studies = ReaderStudy.objects.in_bulk(set(kinds[0].tolist()))
    asked = questions_by_study(set(studies))
    made = [
        expected_times(
            make_up(
                asked[study],
                num_outputs=outputs,
                steps_per_output=of_steps / outputs,
                regions_per_output=of_regions / outputs,
                first_reads=float(asks_first_read),
                has_choices=bool(studies[study].first_read_choices),
            )
        ).median
        for study, asks_first_read, outputs, of_steps, of_regions in kinds.T.tolist()
    ]
    return np.asarray(made, dtype=np.float64)[place]


def _counts_of(completions: Keys) -> tuple[Keys, Keys]:
    """Of each of these ascending keys how many steps and how many regions it has."""
    steps, regions = (np.zeros(len(completions), np.int64) for _ in range(2))
    for counts, joined in (
        (steps, ""),
        (regions, "JOIN reasoning_region region ON region.step_id = step.id"),
    ):
        keys, number = read_columns(
            f"SELECT step.completion_id AS c0, count(*) AS c1 FROM reasoning_reasoningstep step {joined} "
            f"WHERE {near('step.completion_id', completions)} GROUP BY step.completion_id",
            num_columns=2,
        )
        found, place = places_of(keys, completions)
        counts[place] = number[found]
    return steps, regions
