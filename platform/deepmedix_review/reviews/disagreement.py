"""Finds the cases on which readers disagree so much that another word is needed, and what they dispute."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy
from deepmedix_review.reviews.third_readers import ThirdReaders, third_readers_of

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
    AND (%(case)s::bigint IS NULL OR c.id = %(case)s)
    AND reading.signed_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM reviews_reading later
                    WHERE later.amends_id = reading.id AND later.signed_at IS NOT NULL)
)
"""
# Every item that lies apart. Columns: case, its question's place in the sentences and its name, the field of
# a built-in question, and what it is asked of: criterion, completion, step, region, 0 for none.
_COMPLETION = "0, said.completion_id, 0, 0"
_STEP = "0, 0, said.step_id, 0"
_REGION = "0, 0, 0, said.region_id"


def _points(place: int, table: str, column: str, item: str) -> str:
    return f"""
SELECT counted.case_id, {place}, '{column}', '{column}', {item}
FROM counted JOIN {table} said ON said.reading_id = counted.id
WHERE said.{column} IS NOT NULL GROUP BY counted.case_id, {_named(item)}
HAVING max(said.{column}) - min(said.{column}) >= max(counted.points)"""


def _opposites(place: int, table: str, column: str, item: str, one: str, other: str) -> str:
    return f"""
SELECT counted.case_id, {place}, '{column}', '{column}', {item}
FROM counted JOIN {table} said ON said.reading_id = counted.id GROUP BY counted.case_id, {_named(item)}
HAVING bool_or(said.{column} = '{one}') AND bool_or(said.{column} = '{other}')"""


def _named(item: str) -> str:
    return ", ".join(name for name in item.split(", ") if name != "0")


# Whatever the sides: which completion a vote was for.
_VOTES = """
SELECT case_id, 6, 'vote', kind, 0, 0, 0, 0 FROM (
  SELECT counted.case_id, vote.kind,
    CASE vote.side WHEN 'a' THEN counted.completion_a_id WHEN 'b' THEN counted.completion_b_id END AS won
  FROM counted JOIN reviews_vote vote ON vote.reading_id = counted.id) votes
GROUP BY case_id, kind HAVING count(DISTINCT won) > 1"""

_OF_ONE_CHOICE = 8
# Of a scale far apart; of one choice, anything else: its values exclude each other.
_OWN = """
SELECT case_id, CASE kind WHEN 'choice' THEN 8 ELSE 7 END, name, '', criterion_id, completion_id, step_id,
  region_id FROM (
  SELECT counted.case_id, counted.points, criterion.name, criterion.kind, said.criterion_id, said.value,
    coalesce(said.completion_id, 0) AS completion_id, coalesce(said.step_id, 0) AS step_id,
    coalesce(said.region_id, 0) AS region_id,
    CASE WHEN jsonb_typeof(said.value) = 'number' THEN (said.value #>> '{}')::float END AS number
  FROM counted JOIN reviews_criterionrating said ON said.reading_id = counted.id
  JOIN reviews_criterion criterion
    ON criterion.id = said.criterion_id AND criterion.kind IN ('scale', 'choice')
) own
GROUP BY case_id, name, kind, criterion_id, completion_id, step_id, region_id
HAVING CASE kind WHEN 'choice' THEN count(DISTINCT value) > 1
  ELSE max(number) - min(number) >= max(points) END"""

APART = f"""{COUNTED}, apart (case_id, place, what, field, criterion, completion, step, region) AS (
{
    " UNION ALL ".join(
        (
            _points(0, "reviews_steprating", "plausibility", _STEP),
            _points(1, "reviews_answerrating", "relevance", _COMPLETION),
            _points(2, "reviews_answerrating", "correctness", _COMPLETION),
            _points(3, "reviews_answerrating", "completeness", _COMPLETION),
            _opposites(4, "reviews_regionannotation", "verdict", _REGION, "fits", "wrong"),
            _opposites(5, "reviews_answerrating", "harm", _COMPLETION, "none", "severe"),
            _VOTES,
            _OWN,
        )
    )
})
"""
CASES = f"""{APART}
SELECT case_id, place, what, count(*) FROM apart GROUP BY case_id, place, what ORDER BY place, what"""
# Of these outputs, or between them; the steps of a malformed one need no word.
ITEMS = f"""{APART}
SELECT field, criterion, completion, step, region FROM apart
WHERE step + region + completion = 0 OR completion = ANY(%(completions)s) OR EXISTS (
  SELECT FROM reasoning_reasoningstep told JOIN reasoning_completion said ON said.id = told.completion_id
  WHERE said.id = ANY(%(completions)s) AND said.problems = '[]'
    AND (told.id = apart.step OR told.id = (SELECT step_id FROM reasoning_region WHERE id = apart.region)))"""


@dataclass(frozen=True)
class Disagreement:
    """`reasons` are sentences on what lies apart."""

    case: Case
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One thing that is asked of a case: `field` of a built-in question (of a vote, its kind), else
    `criterion`; of which completion, step or region. All by primary key, 0 for none."""

    field: str = ""
    criterion: int = 0
    completion: int = 0
    step: int = 0
    region: int = 0


@dataclass(frozen=True)
class Waiting:
    """How many disputed cases nobody has been given: those that the clock gives to a third reader of their
    study, those that wait until one of the `awaited` accepts the invitation, and those that wait until an
    admin names somebody."""

    num_by_itself: int = 0
    num_awaiting: int = 0
    num_to_give: int = 0
    awaited: tuple[User, ...] = ()

    def __bool__(self) -> bool:
        return self.num_by_itself + self.num_awaiting + self.num_to_give > 0

    @property
    def num_may_give(self) -> int:
        """Of those that do not go by themselves: an admin need not await anybody."""
        return self.num_awaiting + self.num_to_give


def find_disagreements(reader_study: ReaderStudy) -> tuple[Disagreement, ...]:
    """Data cases that all their readers have signed, two or more, with something far apart; in case order.

    Far apart: a scale item by `adjudication_points` or more, a region fitting and wrong, harm none and
    severe, votes for different completions.
    """
    reasons: dict[int, list[str]] = defaultdict(list)
    for case, place, what, number in _apart([reader_study]):
        reasons[case].append(
            f"Different answers to “{what}”."
            if place == _OF_ONE_CHOICE
            else _sentence(what, number, reader_study.adjudication_points)
        )
    cases = _signed_by_all(reasons).select_related("study", "reader_study").order_by("position")
    return tuple(Disagreement(case, tuple(reasons[case.pk])) for case in cases)


def waiting_disputes(reader_studies: Sequence[ReaderStudy]) -> Mapping[int, Waiting]:
    """By study that has an adjudication, the disputed cases that nobody has been given to settle."""
    adjudicated = [one for one in reader_studies if one.adjudication != ReaderStudy.Adjudication.OFF]
    if not adjudicated:
        return {}
    given = Assignment.objects.filter(
        case=OuterRef("pk"), kind=Assignment.Kind.ADJUDICATION, withdrawn_at=None
    )
    waiting = _signed_by_all({case for case, *_ in _apart(adjudicated)}).exclude(Exists(given))
    study_of = dict(waiting.values_list("pk", "reader_study"))
    third: dict[int, list[ThirdReaders]] = defaultdict(list)
    for case, readers in third_readers_of(study_of).items():
        third[study_of[case]].append(readers)
    return {study: _waiting(of_cases) for study, of_cases in third.items()}


def _waiting(third: Sequence[ThirdReaders]) -> Waiting:
    awaited = {user for one in third for user in one.awaited}
    return Waiting(
        num_by_itself=sum(one.goes_by_itself for one in third),
        num_awaiting=sum(bool(one.awaited) for one in third),
        num_to_give=sum(not one.goes_by_itself and not one.awaited for one in third),
        awaited=tuple(sorted(awaited, key=lambda user: user.pseudonym)),
    )


def disputed_items(case: Case, *, completions: Collection[int]) -> frozenset[Item]:
    """What of these completions lies far apart between the readers who have signed, by the same rule."""
    with connection.cursor() as cursor:
        cursor.execute(
            ITEMS, {"studies": [case.reader_study_id], "case": case.pk, "completions": list(completions)}
        )
        return frozenset(Item(*row) for row in cursor.fetchall())


def _apart(reader_studies: Sequence[ReaderStudy]) -> Sequence[tuple[int, int, str, int]]:
    """Case, the question's place, what lies apart, and how often."""
    with connection.cursor() as cursor:
        studies = [reader_study.pk for reader_study in reader_studies]
        cursor.execute(CASES, {"studies": studies, "case": None})
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
            return f"{what[:1].upper()}{what[1:]} lies {points:g} points apart or more."


def _counted(number: int, noun: str, *, verb: bool = True) -> str:
    counted = f"1 {noun}" if number == 1 else f"{number} {noun}s"
    return counted if not verb else f"{counted} {'was' if number == 1 else 'were'}"
