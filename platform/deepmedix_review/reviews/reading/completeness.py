"""What a reader has not yet said of a case, by name, so that nothing is signed half read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepmedix_review.common.prepared import prepared_cursor
from deepmedix_review.reasoning.region_labels import region_label
from deepmedix_review.reviews.criteria.library import DEFAULT_KEYS, LIBRARY
from deepmedix_review.reviews.disagreement import Item
from deepmedix_review.reviews.first_reads import missing_from_first_read
from deepmedix_review.reviews.models import Criterion, FirstRead, ReaderStudy, Reading
from deepmedix_review.reviews.reading.asked_if import StepSaid, is_asked
from deepmedix_review.reviews.reading.belonging import shown_completions
from deepmedix_review.reviews.reading.disputed import disputed_in

Target = Criterion.Target
ANSWER_POINTS = ("relevance", "correctness", "completeness")
# Of a reader study that names nothing else.
ALWAYS_ASKED = frozenset(criterion.field for criterion in LIBRARY if criterion.key in DEFAULT_KEYS)
VOTES = {"grounded": "better grounded", "overall": "better overall"}


@dataclass(frozen=True)
class Missing:
    """Names as the reader sees them: "A 1" is step 1 of completion A, "1" where there is no other side, and
    "A 2b" the second region of step 2. `own` are the reader study's own questions, each with what it lacks
    an answer for (a case has no name)."""

    first_read: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    answers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    votes: tuple[str, ...] = ()
    own: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence for each kind of thing that is missing; empty when the reading is complete."""
        said = list(self.first_read)
        if self.steps:
            said.append(f"{_count(self.steps, 'step')} no rating yet: {_enumerate(self.steps)}.")
        if self.regions:
            said.append(f"{_count(self.regions, 'region')} no verdict yet: {_enumerate(self.regions)}.")
        for side, criteria in self.answers:
            answer = f"Answer {side}" if side else "The answer"
            said.append(f"{answer} has no rating yet for {_enumerate(criteria)}.")
        if self.votes:
            said.append(f"The vote between A and B is still open: {_enumerate(self.votes)}.")
        for name, items in self.own:
            asked_of = f": {_enumerate(items)}" if any(items) else ""
            said.append(f"“{name}” has no answer yet{asked_of}.")
        return tuple(said)


@dataclass(frozen=True)
class _Own:
    """A criterion of the reader study's own that must be answered."""

    pk: int
    name: str
    target: str
    asked_if: str


# SQL, since it runs at every click: built by the ORM it took 6 of the request's 21 ms of CPU. One row for
# each thing that is asked, there to be rated, or said. Columns: kind, key, completion, three numbers, a text.
ASKED_AND_SAID = """
SELECT 'asked', criterion.id, 0, asked.is_required::int, asked.position, 0,
  criterion.field || ':' || criterion.target || ':' || criterion.asked_if || ':' || criterion.name
FROM reviews_readerstudycriterion asked JOIN reviews_criterion criterion ON criterion.id = asked.criterion_id
WHERE asked.reader_study_id = %(reader_study)s
UNION ALL
SELECT 'doubt', criterion.id, 0, 0, 0, 0, criterion.name
FROM reviews_assignment_doubts doubt JOIN reviews_criterion criterion ON criterion.id = doubt.criterion_id
WHERE doubt.assignment_id = %(assignment)s
UNION ALL
SELECT 'step', step.id, step.completion_id, step.position, coalesce(rating.plausibility, 0),
  coalesce(rating.plausibility IS NOT NULL OR rating.cannot_judge, false)::int, ''
FROM reasoning_reasoningstep step JOIN reasoning_completion completion ON completion.id = step.completion_id
  LEFT JOIN reviews_steprating rating ON rating.reading_id = %(reading)s AND rating.step_id = step.id
WHERE completion.id = ANY(%(completions)s::bigint[]) AND completion.problems = '[]'
UNION ALL
SELECT 'region', region.id, step.completion_id, step.position, region.position, step.id,
  coalesce(annotation.verdict, '')
FROM reasoning_region region JOIN reasoning_reasoningstep step ON step.id = region.step_id
  JOIN reasoning_completion completion ON completion.id = step.completion_id
  LEFT JOIN reviews_regionannotation annotation
    ON annotation.reading_id = %(reading)s AND annotation.region_id = region.id
WHERE completion.id = ANY(%(completions)s::bigint[]) AND completion.problems = '[]'
UNION ALL
SELECT 'answer', 0, completion_id, relevance, correctness, completeness, harm
FROM reviews_answerrating WHERE reading_id = %(reading)s
UNION ALL
SELECT 'vote', 0, 0, 0, 0, 0, kind FROM reviews_vote WHERE reading_id = %(reading)s
UNION ALL
SELECT 'own', criterion_id, coalesce(completion_id, 0), coalesce(step_id, 0), coalesce(region_id, 0), 0,
  value #>> '{}'
FROM reviews_criterionrating WHERE reading_id = %(reading)s
"""
_Row = tuple[str, int, int, int, int, int, str]


def find_missing(reading: Reading) -> Missing:
    """What keeps the reading, or first its first read, from being locked; one query, one more for who decides
    between earlier readers: those decide what is disputed, and of the rest the readers' word stands.

    A malformed completion needs no word on its steps and regions; its answer does.
    """
    if not reading.is_revealed:
        return Missing(first_read=missing_before_reveal(reading))
    completions = shown_completions(reading)
    with prepared_cursor() as cursor:
        cursor.execute(
            ASKED_AND_SAID,
            {
                "reading": reading.pk,
                "completions": completions,
                "assignment": reading.assignment_id,
                "reader_study": reading.assignment.case.reader_study_id,
            },
        )
        found: dict[str, list[_Row]] = {}
        for row in cursor.fetchall():
            found.setdefault(row[0], []).append(row)
    sides = dict(zip(completions, "AB" if len(completions) == 2 else ("",), strict=True))
    disputed = disputed_in(reading)
    # What is disputed needs a word even where the reader study asks for none.
    fields, own = _asked(found.get("asked", ()), optional=bool(disputed))
    doubts = sorted(found.get("doubt", ()), key=lambda row: row[6])
    own = (*own, *(_Own(row[1], row[6], Target.CASE, "") for row in doubts))
    wanted = _Wanted(disputed)
    steps = sorted(found.get("step", ()), key=lambda row: (sides[row[2]], row[3]))
    regions = sorted(found.get("region", ()), key=lambda row: (sides[row[2]], row[3], row[4]))
    step_names = {row[1]: f"{sides[row[2]]} {row[3]}".strip() for row in steps}
    region_names = _region_names(regions, sides)
    voted = {row[6] for row in found.get("vote", ())}
    return Missing(
        steps=tuple(
            step_names[row[1]]
            for row in steps
            if "plausibility" in fields and not row[5] and wanted(field="plausibility", step=row[1])
        ),
        regions=tuple(
            region_names[row[1]]
            for row in regions
            if "verdict" in fields and not row[6] and wanted(field="verdict", region=row[1])
        ),
        answers=tuple(_unrated_answers(sides, found.get("answer", ()), fields, wanted)),
        votes=tuple(
            name
            for kind, name in VOTES.items()
            if kind in fields and kind not in voted and len(sides) == 2 and wanted(field=kind)
        ),
        own=tuple(
            _unanswered(
                own, found.get("own", ()), sides, step_names, region_names, wanted, _said_of_steps(found)
            )
        ),
    )


@dataclass(frozen=True)
class _Wanted:
    """Whether an item needs a word: where some are disputed, those alone."""

    disputed: frozenset[Item]

    def __call__(self, **item: Any) -> bool:
        return not self.disputed or Item(**item) in self.disputed


def missing_before_reveal(reading: Reading) -> tuple[str, ...]:
    said = FirstRead.objects.filter(reading=reading, is_after_reveal=False).first() or FirstRead()
    choices = (
        ReaderStudy.objects.filter(cases__assignments=reading.assignment_id)
        .values_list("first_read_choices", flat=True)
        .get()
    )
    return missing_from_first_read(
        choices=choices, choice=said.choice, findings=said.findings, impression=said.impression
    )


def _asked(asked: Sequence[_Row], *, optional: bool) -> tuple[frozenset[str], tuple[_Own, ...]]:
    """The built-in questions by their field, and the reader study's own ones, that must be answered;
    `optional`: those too that need not."""
    if not asked:
        return ALWAYS_ASKED, ()
    fields, own = set(), []
    for _, pk, _, is_required, _, _, text in sorted(asked, key=lambda row: row[4]):
        field, target, asked_if, name = text.split(":", 3)
        if not (is_required or optional):
            continue
        if field:
            fields.add(field)
        else:
            own.append(_Own(pk, name, target, asked_if))
    return frozenset(fields), tuple(own)


def _unrated_answers(
    sides: Mapping[int, str], rows: Sequence[_Row], fields: frozenset[str], wanted: _Wanted
) -> Iterator[tuple[str, tuple[str, ...]]]:
    asked = [name for name in (*ANSWER_POINTS, "harm") if name in fields]
    said = {row[2]: dict(zip((*ANSWER_POINTS, "harm"), row[3:7], strict=True)) for row in rows}
    for completion, side in sides.items():
        # No points are None, no word on harm is empty; "none" is a word.
        unrated = tuple(
            name
            for name in asked
            if said.get(completion, {}).get(name) in (None, "") and wanted(field=name, completion=completion)
        )
        if unrated:
            yield side, unrated


def _unanswered(
    own: Sequence[_Own],
    rows: Sequence[_Row],
    sides: Mapping[int, str],
    steps: Mapping[int, str],
    regions: Mapping[int, str],
    wanted: _Wanted,
    said: Mapping[int, StepSaid],
) -> Iterator[tuple[str, tuple[str, ...]]]:
    answered = {row[1:5] for row in rows}
    for criterion in own:
        items: dict[tuple[int, int, int], str]
        match criterion.target:
            case Target.STEP:
                items = {
                    (0, pk, 0): name for pk, name in steps.items() if is_asked(criterion.asked_if, said[pk])
                }
            case Target.REGION:
                items = {(0, 0, pk): name for pk, name in regions.items()}
            case Target.ANSWER:
                items = {(pk, 0, 0): side for pk, side in sides.items()}
            case Target.VOTE:
                items = {(0, 0, 0): ""} if len(sides) == 2 else {}
            case _:
                items = {(0, 0, 0): ""}
        left = tuple(
            name
            for (completion, step, region), name in items.items()
            if (criterion.pk, completion, step, region) not in answered
            and wanted(criterion=criterion.pk, completion=completion, step=step, region=region)
        )
        if left:
            yield criterion.name, left


def _said_of_steps(found: Mapping[str, Sequence[_Row]]) -> dict[int, StepSaid]:
    """By step; of what the reader study does not ask nothing counts as said."""
    asked = {row[1]: row[6].split(":", 3) for row in found.get("asked", ())}
    fields = {field for field, *_ in asked.values()} or ALWAYS_ASKED
    verdicts: dict[int, list[str]] = {}
    for row in found.get("region", ()) if "verdict" in fields else ():
        verdicts.setdefault(row[5], []).append(row[6])
    findings = {
        row[3]: row[6]
        for row in found.get("own", ())
        if row[1] in asked and asked[row[1]][2] == Criterion.AskedIf.FLAWED
    }
    return {
        row[1]: StepSaid(
            plausibility=row[4] if "plausibility" in fields else 0,
            verdicts=tuple(verdicts.get(row[1], ())),
            finding=findings.get(row[1], ""),
        )
        for row in found.get("step", ())
    }


def _region_names(regions: Sequence[_Row], sides: Mapping[int, str]) -> dict[int, str]:
    num_siblings: dict[tuple[int, int], int] = {}
    for row in regions:
        num_siblings[row[2], row[3]] = num_siblings.get((row[2], row[3]), 0) + 1
    return {row[1]: f"{sides[row[2]]} {_label(row, num_siblings[row[2], row[3]])}".strip() for row in regions}


def _label(row: _Row, num_regions: int) -> str:
    return region_label(step=row[3], region=row[4], num_regions=num_regions)


def _count(names: Sequence[str], noun: str) -> str:
    return f"1 {noun} has" if len(names) == 1 else f"{len(names)} {noun}s have"


def _enumerate(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
