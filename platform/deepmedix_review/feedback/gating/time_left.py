"""How long the measurements before the gate still take, at the pace of those that ran."""

from collections.abc import Sequence
from datetime import datetime

from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.models import Evaluation

# Fewer films tell no pace: the first waits for its model to be read into memory.
FEWEST_FILMS = 3


def seconds_left(measurements: Sequence[Evaluation], *, now: datetime) -> float | None:
    """None where nothing runs, or too little was answered to tell.

    A version's own pace where it has one, else that of all: two versions write at different lengths. Those
    that run at once share what is left.
    """
    num_running = sum(one.state == JobState.RUNNING for one in measurements)
    of_all = _seconds_a_film(measurements, now=now)
    if not num_running or of_all is None:
        return None
    seconds = 0.0
    for version in {one.model_version_id for one in measurements}:
        mine = [one for one in measurements if one.model_version_id == version]
        of_mine = _seconds_a_film(mine, now=now)
        seconds += _num_left(mine) * (of_all if of_mine is None else of_mine)
    return seconds / num_running


def _seconds_a_film(measurements: Sequence[Evaluation], *, now: datetime) -> float | None:
    """Of what runs or is done: what was cancelled or failed stood still for some of its time."""
    ran = [one for one in measurements if one.state in (JobState.RUNNING, JobState.DONE) and one.started_at]
    num_films = sum(one.num_done for one in ran)
    if num_films < FEWEST_FILMS:
        return None
    spans = (((one.finished_at or now) - one.started_at).total_seconds() for one in ran if one.started_at)
    return sum(spans) / num_films


def _num_left(measurements: Sequence[Evaluation]) -> int:
    open_ones = (one for one in measurements if not one.is_final)
    return sum(max(0, one.benchmark.num_phantoms - one.num_done) for one in open_ones)
