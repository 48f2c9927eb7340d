"""Finds the cases on which readers disagree so much that another word is needed."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy

# The readings that count: first readings of data cases, signed, in their latest amendment.
COUNTED = """
WITH counted AS (
  SELECT reading.id, assignment.case_id, reading.completion_a_id, reading.completion_b_id,
    study.adjudication_points AS points
  FROM reviews_reading reading
  JOIN reviews_assignment assignment ON assignment.id = reading.assignment_id
  JOIN reviews_case c ON c.id = assignment.case_id
  JOIN reviews_readerstudy study ON study.id = c.reader_study_id
  WHERE study.id = ANY(%(studies)s) AND c.role = 'data' AND assignment.kind = 'first'
    AND reading.signed_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM reviews_reading later
                    WHERE later.amends_id = reading.id AND later.signed_at IS NOT NULL)
)
"""


def _points(table: str, column: str, item: str) -> str:
    return f"""
SELECT case_id, '{column}', count(*) FROM (
  SELECT counted.case_id, said.{item} FROM counted JOIN {table} said ON said.reading_id = counted.id
  WHERE said.{column} IS NOT NULL GROUP BY counted.case_id, said.{item}
  HAVING max(said.{column}) - min(said.{column}) >= max(counted.points)) apart
GROUP BY case_id"""


def _opposites(table: str, column: str, item: str, one: str, other: str) -> str:
    return f"""
SELECT case_id, '{column}', count(*) FROM (
  SELECT counted.case_id, said.{item} FROM counted JOIN {table} said ON said.reading_id = counted.id
  GROUP BY counted.case_id, said.{item}
  HAVING bool_or(said.{column} = '{one}') AND bool_or(said.{column} = '{other}')) apart
GROUP BY case_id"""


# Whatever the sides: which completion a vote was for.
_VOTES = """
SELECT case_id, 'vote', count(*) FROM (
  SELECT case_id, kind FROM (
    SELECT counted.case_id, vote.kind,
      CASE vote.side WHEN 'a' THEN counted.completion_a_id WHEN 'b' THEN counted.completion_b_id END AS won
    FROM counted JOIN reviews_vote vote ON vote.reading_id = counted.id) votes
  GROUP BY case_id, kind HAVING count(DISTINCT won) > 1) apart
GROUP BY case_id"""

_SCALES = """
SELECT case_id, name, count(*) FROM (
  SELECT counted.case_id, criterion.name
  FROM counted JOIN reviews_criterionrating said ON said.reading_id = counted.id
  JOIN reviews_criterion criterion ON criterion.id = said.criterion_id AND criterion.kind = 'scale'
  WHERE jsonb_typeof(said.value) = 'number'
  GROUP BY counted.case_id, criterion.name, said.criterion_id, said.completion_id, said.step_id,
    said.region_id
  HAVING max((said.value #>> '{}')::float) - min((said.value #>> '{}')::float) >= max(counted.points)) apart
GROUP BY case_id, name"""

APART = COUNTED + " UNION ALL ".join(
    (
        _points("reviews_steprating", "plausibility", "step_id"),
        _points("reviews_answerrating", "relevance", "completion_id"),
        _points("reviews_answerrating", "correctness", "completion_id"),
        _points("reviews_answerrating", "completeness", "completion_id"),
        _opposites("reviews_regionannotation", "verdict", "region_id", "fits", "wrong"),
        _opposites("reviews_answerrating", "harm", "completion_id", "none", "severe"),
        _VOTES,
        _SCALES,
    )
)


@dataclass(frozen=True)
class Disagreement:
    """`reasons` are sentences on what lies apart."""

    case: Case
    reasons: tuple[str, ...]


def find_disagreements(reader_study: ReaderStudy) -> tuple[Disagreement, ...]:
    """Data cases that all their readers have signed, two or more, with something far apart; in case order.

    Far apart: a scale item by `adjudication_points` or more, a region fitting and wrong, harm none and
    severe, votes for different completions.
    """
    reasons: dict[int, list[str]] = defaultdict(list)
    for case, what, number in _apart([reader_study]):
        reasons[case].append(_sentence(what, number, reader_study.adjudication_points))
    cases = _signed_by_all(reasons).select_related("study", "reader_study").order_by("position")
    return tuple(Disagreement(case, tuple(reasons[case.pk])) for case in cases)


def num_given_to_nobody(reader_studies: Sequence[ReaderStudy]) -> Mapping[int, int]:
    """By study that has an adjudication, how many disputed cases nobody has been asked to settle."""
    adjudicated = [one for one in reader_studies if one.adjudication != ReaderStudy.Adjudication.OFF]
    if not adjudicated:
        return {}
    given = Assignment.objects.filter(
        case=OuterRef("pk"), kind=Assignment.Kind.ADJUDICATION, withdrawn_at=None
    )
    waiting = _signed_by_all({case for case, _, _ in _apart(adjudicated)}).exclude(Exists(given))
    return Counter(waiting.values_list("reader_study", flat=True))


def _apart(reader_studies: Sequence[ReaderStudy]) -> Sequence[tuple[int, str, int]]:
    """Case, what lies apart, and how often."""
    with connection.cursor() as cursor:
        cursor.execute(APART, {"studies": [reader_study.pk for reader_study in reader_studies]})
        return list(cursor.fetchall())


def _signed_by_all(cases: Collection[int]) -> QuerySet[Case]:
    unfinished = Assignment.objects.filter(
        case__in=cases, kind=Assignment.Kind.FIRST, withdrawn_at=None, signed_at=None
    )
    return Case.objects.filter(pk__in=cases, num_free=0).exclude(pk__in=unfinished.values("case"))


def _sentence(what: str, number: int, points: float) -> str:
    match what:
        case "verdict":
            return f"{_counted(number, 'region')} found fitting and wrong."
        case "harm":
            return f"{_counted(number, 'answer')} found harmless and severely harmful."
        case "vote":
            return "Votes went to different outputs."
        case "plausibility":
            steps = _counted(number, "step", verb=False)
            return f"Plausibility of {steps} lies {points:g} points apart or more."
        case _:
            return f"{what.capitalize()} lies {points:g} points apart or more."


def _counted(number: int, noun: str, *, verb: bool = True) -> str:
    counted = f"1 {noun}" if number == 1 else f"{number} {noun}s"
    return counted if not verb else f"{counted} {'was' if number == 1 else 'were'}"
