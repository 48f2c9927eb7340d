"""How long a reading will take: as long as signed ones in which as much was asked, where there are some."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from django.db import connection
from django.db.models import Count

from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.criteria.versions import Asked, default_criteria
from deepmedix_review.reviews.designs import (
    USUAL_REGIONS,
    USUAL_STEPS,
    Hurried,
    MakeUp,
    Question,
    ReaderStudyDesign,
    ReadingTimes,
    expected_times,
    is_believed,
    make_up,
)
from deepmedix_review.reviews.models import Criterion, ReaderStudyCriterion

# Of this many signed readings, the newest: readers and models change.
READINGS_TIMED = 2000
FEWEST_TIMED = 5
# Readings are alike whose numbers of answers differ by no more than this share.
ALIKE = 0.25
# Steps and regions are those of this many of a model's newest outputs.
OUTPUTS_COUNTED = 500

# Of one kind, a reading shows one output or two, and begins with a first read or does not; a repeat or a
# taught case is read like any other.
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

    `has_choices`: a first read chooses among answers in place of writing findings.
    """
    steps, regions = _parts_of_outputs(model_versions)
    made_up = make_up(
        _questions(item.criterion for item in asked),
        num_outputs=design.num_outputs,
        steps_per_output=steps,
        regions_per_output=regions,
        first_reads=design.share_with_first_read,
        has_choices=has_choices,
    )
    return _measured(made_up) or expected_times(made_up)


def _measured(made_up: MakeUp) -> ReadingTimes | None:
    """None where there are too few of any kind that the design asks for: with a first read, and without. The
    parts, with what was measured, where it is too quick and too little to be believed."""
    share = made_up.first_reads
    kinds = [(is_first_read, part) for is_first_read, part in ((True, share), (False, 1 - share)) if part > 0]
    quartiles = np.zeros(3)
    number, readers = 0, set[int]()
    for has_first_read, part in kinds:
        alike = _alike(made_up, has_first_read=has_first_read)
        if len(alike) < FEWEST_TIMED:
            return None
        number += len(alike)
        readers |= {reader for _, reader in alike}
        quartiles += part * np.percentile([seconds for seconds, _ in alike], [25, 50, 75])
    low, median, high = quartiles.tolist()
    expected = replace(expected_times(made_up), like=_like(made_up))
    if not is_believed(median, made_up=made_up, num_readings=number, num_readers=len(readers)):
        return replace(expected, hurried=Hurried(number, median))
    return replace(expected, low=low, median=median, high=high, num_readings=number)


def _alike(made_up: MakeUp, *, has_first_read: bool) -> list[tuple[float, int]]:
    """The seconds of each reading that is like those planned, and its reader."""
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
        )
        if abs(said.num_answers - made_up.num_answers) <= ALIKE * made_up.num_answers:
            alike.append((float(seconds), reader))
    return alike


def questions_by_study(reader_studies: set[int]) -> dict[int, list[Question]]:
    """What each of these reader studies asks, by its key."""
    usual = _questions(item.criterion for item in default_criteria())
    found: dict[int, list[Criterion]] = {}
    asked = ReaderStudyCriterion.objects.filter(reader_study__in=reader_studies).select_related("criterion")
    for row in asked:
        found.setdefault(row.reader_study_id, []).append(row.criterion)
    return {study: _questions(found[study]) if study in found else usual for study in reader_studies}


def _questions(criteria: Iterable[Criterion]) -> list[Question]:
    return [Question(criterion.target, criterion.kind == Criterion.Kind.TEXT) for criterion in criteria]


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
