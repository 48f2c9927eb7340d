"""How long a reading will take: as long as signed ones in which as much was asked, where there are some."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.db import connection
from django.db.models import Count
from numpy.typing import NDArray

from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.criteria.versions import Asked, default_criteria
from deepmedix_review.reviews.designs import (
    USUAL_REGIONS,
    USUAL_STEPS,
    Flawed,
    Hurried,
    MakeUp,
    Question,
    ReaderStudyDesign,
    ReadingTimes,
    expected_times,
    make_up,
)
from deepmedix_review.reviews.designs.haste import LEAST_SHARE_OF_PARTS, hasty_readers
from deepmedix_review.reviews.models import Criterion, ReaderStudyCriterion

Keys = NDArray[np.int64]
Numbers = NDArray[np.float64]

# Of this many signed readings, the newest: readers and models change.
READINGS_TIMED = 2000
FEWEST_TIMED = 5
# Readings are alike whose numbers of answers differ by no more than this share.
ALIKE = 0.25
# Where fewer steps than this were rated, half of them are assumed to have an error.
FEWEST_RATED, ASSUMED_FLAWED = 50, Flawed(0.5)
# Steps and regions are those of this many of a model's newest outputs.
OUTPUTS_COUNTED = 500

# Of one that is rated 5 and whose regions all fit no error is asked (reading.asked_if).
_FLAWED = """
SELECT count(*), coalesce(avg((rating.plausibility IS DISTINCT FROM 5 OR EXISTS (
  SELECT FROM reviews_regionannotation annotation
  JOIN reasoning_region region ON region.id = annotation.region_id
  WHERE annotation.reading_id = rating.reading_id AND region.step_id = rating.step_id
    AND annotation.verdict <> 'fits'))::int), 0)
FROM reviews_steprating rating
WHERE rating.reading_id IN (
  SELECT id FROM reviews_reading WHERE signed_at IS NOT NULL AND amends_id IS NULL
  ORDER BY signed_at DESC LIMIT %s)
"""

# Of one kind, a reading shows one output or two, and begins with a first read or does not; a repeat or a
# taught case is read like any other; who settles what others dispute answers that alone.
_TIMES = """
SELECT newest.active_seconds, reviews_case.reader_study_id, assignment.reader_id, count(DISTINCT step.id),
  count(region.id)
FROM (
  SELECT id, active_seconds, assignment_id, completion_a_id, completion_b_id FROM reviews_reading
  WHERE signed_at IS NOT NULL AND amends_id IS NULL AND active_seconds > 0
    AND assignment_id NOT IN (
      SELECT tried.id FROM reviews_assignment tried
      JOIN reviews_case ON reviews_case.id = tried.case_id
      JOIN reviews_readerstudy ON reviews_readerstudy.id = reviews_case.reader_study_id
      WHERE reviews_readerstudy.is_demo)
    AND NOT EXISTS (
      SELECT FROM reviews_assignment settling
      WHERE settling.id = assignment_id AND settling.kind = 'adjudication')
    AND (completion_b_id IS NOT NULL) = %s AND asks_first_read = %s
  ORDER BY signed_at DESC LIMIT %s
) newest
JOIN reviews_assignment assignment ON assignment.id = newest.assignment_id
JOIN reviews_case ON reviews_case.id = assignment.case_id
LEFT JOIN reasoning_reasoningstep step
  ON step.completion_id IN (newest.completion_a_id, newest.completion_b_id)
LEFT JOIN reasoning_region region ON region.step_id = step.id
GROUP BY newest.id, newest.active_seconds, reviews_case.reader_study_id, assignment.reader_id
"""


def reading_times(
    design: ReaderStudyDesign,
    *,
    asked: Sequence[Asked],
    model_versions: Iterable[ModelVersion],
    has_choices: bool,
) -> ReadingTimes:
    """Quartiles of the readings that are like those of the design; by the parts where there are too few.

    Those of hasty readers are left out, as the cautions on the results would name them.

    `has_choices`: a first read chooses among answers in place of writing findings.
    """
    steps, regions = _parts_of_outputs(model_versions)
    criteria = [item.criterion for item in asked]
    flawed = flawed_steps() if asks_of_errors(criteria) else None
    made_up = make_up(
        _questions(criteria, flawed=flawed),
        num_outputs=design.num_outputs,
        steps_per_output=steps,
        regions_per_output=regions,
        first_reads=design.share_with_first_read,
        has_choices=has_choices,
    )
    return replace(_measured(made_up), flawed=flawed)


def asks_of_errors(criteria: Iterable[Criterion]) -> bool:
    return any(criterion.asked_if for criterion in criteria)


def flawed_steps() -> Flawed:
    """Of the newest signed readings' steps."""
    with connection.cursor() as cursor:
        cursor.execute(_FLAWED, [READINGS_TIMED])
        number, share = cursor.fetchone()
    return Flawed(float(share), number) if number >= FEWEST_RATED else ASSUMED_FLAWED


@dataclass(frozen=True)
class _Alike:
    """Signed readings like those planned: whose each was, how long it took, and what its parts make."""

    readers: Keys
    seconds: Numbers
    parts: Numbers

    def split(self) -> tuple["_Alike", "_Alike"]:
        """Those of readers who took their time, and those of hasty ones."""
        hasty = list(hasty_readers(self.readers, seconds=self.seconds, parts=self.parts))
        is_hasty = np.isin(self.readers, np.array(hasty, dtype=np.int64))
        return self._only(~is_hasty), self._only(is_hasty)

    def _only(self, which: NDArray[np.bool_]) -> "_Alike":
        return _Alike(self.readers[which], self.seconds[which], self.parts[which])


def _measured(made_up: MakeUp) -> ReadingTimes:
    """By the parts where there are too few of any kind that the design asks for, with a first read and
    without, or where they are too quick to be believed."""
    share = made_up.first_reads
    kinds = [(is_first_read, part) for is_first_read, part in ((True, share), (False, 1 - share)) if part > 0]
    quartiles, is_measured = np.zeros(3), True
    kept, hurried = [], []
    for has_first_read, part in kinds:
        taken, hasty = _alike(made_up, has_first_read=has_first_read).split()
        if len(taken.seconds) and np.median(taken.seconds) < LEAST_SHARE_OF_PARTS * np.median(taken.parts):
            hurried.append(taken)
            is_measured = False
        elif len(taken.seconds) < FEWEST_TIMED:
            is_measured = False
        else:
            quartiles += part * np.percentile(taken.seconds, [25, 50, 75])
        kept.append(taken)
        hurried.append(hasty)
    expected = replace(expected_times(made_up), like=_like(made_up), hurried=_hurried(hurried))
    if not is_measured:
        return expected
    low, median, high = quartiles.tolist()
    return replace(
        expected, low=low, median=median, high=high, num_readings=sum(len(one.seconds) for one in kept)
    )


def _hurried(left_out: Sequence[_Alike]) -> Hurried | None:
    seconds = np.concatenate([one.seconds for one in left_out])
    readers = np.unique(np.concatenate([one.readers for one in left_out]))
    return Hurried(len(seconds), len(readers), float(np.median(seconds))) if len(seconds) else None


def _alike(made_up: MakeUp, *, has_first_read: bool) -> _Alike:
    with connection.cursor() as cursor:
        cursor.execute(_TIMES, [made_up.num_outputs > 1, has_first_read, READINGS_TIMED])
        rows = cursor.fetchall()
    questions = questions_by_study({study for _, study, *_ in rows})
    alike = []
    for seconds, study, reader, num_steps, num_regions in rows:
        said = make_up(
            questions[study],
            num_outputs=made_up.num_outputs,
            steps_per_output=num_steps / made_up.num_outputs,
            regions_per_output=num_regions / made_up.num_outputs,
            first_reads=float(has_first_read),
            has_choices=made_up.has_choices,
        )
        if abs(said.num_answers - made_up.num_answers) <= ALIKE * made_up.num_answers:
            alike.append((reader, seconds, expected_times(said).median))
    readers, took, parts = zip(*alike, strict=True) if alike else ((), (), ())
    return _Alike(np.array(readers, np.int64), np.array(took, np.float64), np.array(parts, np.float64))


def questions_by_study(reader_studies: set[int]) -> dict[int, list[Question]]:
    """What each of these reader studies asks, by its key."""
    usual = _questions([item.criterion for item in default_criteria()], flawed=None)
    found: dict[int, list[Criterion]] = {}
    asked = ReaderStudyCriterion.objects.filter(reader_study__in=reader_studies).select_related("criterion")
    for row in asked:
        found.setdefault(row.reader_study_id, []).append(row.criterion)
    flawed = flawed_steps() if any(map(asks_of_errors, found.values())) else None
    return {
        study: _questions(found[study], flawed=flawed) if study in found else usual
        for study in reader_studies
    }


def _questions(criteria: Iterable[Criterion], *, flawed: Flawed | None) -> list[Question]:
    """`flawed` is None where none of them is asked of flawed steps alone."""
    return [
        Question(
            criterion.target,
            criterion.kind == Criterion.Kind.TEXT,
            share=flawed.share if flawed is not None and criterion.asked_if else 1.0,
        )
        for criterion in criteria
    ]


def _parts_of_outputs(model_versions: Iterable[ModelVersion]) -> tuple[float, float]:
    """Steps and regions of one output, on average of the newest; what is usual where there is none."""
    newest = Completion.objects.filter(model_version__in=list(model_versions)).order_by("-pk")
    found = Completion.objects.filter(pk__in=newest.values("pk")[:OUTPUTS_COUNTED]).aggregate(
        num_outputs=Count("pk", distinct=True),
        num_steps=Count("steps", distinct=True),
        num_regions=Count("steps__regions", distinct=True),
    )
    if not found["num_outputs"]:
        return USUAL_STEPS, USUAL_REGIONS
    return found["num_steps"] / found["num_outputs"], found["num_regions"] / found["num_outputs"]


def _like(made_up: MakeUp) -> str:
    outputs = "two outputs" if made_up.num_outputs > 1 else "one output"
    some = "some of them with a first read"
    first_read = {0.0: "no first read", 1.0: "a first read"}.get(made_up.first_reads, some)
    low, high = ((1 - ALIKE) * made_up.num_answers, (1 + ALIKE) * made_up.num_answers)
    return f"with {outputs}, {first_read}, and {low:.0f} to {high:.0f} answers"
