"""Which readers of a study read too fast: how long each case took, and what its parts make."""

from collections.abc import Mapping

import numpy as np

from deepmedix_review.reviews.designing.reading_times import questions_by_study
from deepmedix_review.reviews.designs import expected_times, make_up
from deepmedix_review.reviews.designs.haste import Haste, hasty_readers
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.results.columns import (
    Numbers,
    distinct_rows,
    places_of,
)
from deepmedix_review.reviews.results.readings import Readings
from deepmedix_review.reviews.results.shown import Shown


def hasty(readings: Readings, shown: Shown) -> Mapping[int, Haste]:
    """By reader. A reading whose time is not known is left out; an amended case took what it first took."""
    timed = readings.only(readings.seconds > 0)
    if not len(timed):
        return {}
    return hasty_readers(timed.reader, seconds=timed.seconds, parts=_parts_of(timed, shown))


def _parts_of(readings: Readings, shown: Shown) -> Numbers:
    """The seconds that the parts of each case make, as a plan counts them, of the outputs that were read."""
    steps, regions = shown.counts()
    num_steps, num_regions = np.zeros(len(readings), np.int64), np.zeros(len(readings), np.int64)
    for outputs in (readings.completion_a, readings.completion_b):
        is_shown = outputs > 0
        place = places_of(outputs[is_shown], shown.completions)[1]
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
