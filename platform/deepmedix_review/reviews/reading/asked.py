"""Takes no answer to a question that the reader study does not ask: nothing could be made of it."""

from collections.abc import Iterator

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.reviews.models import RegionAnnotation
from deepmedix_review.reviews.reading.changes import AnnotateRegion, CastVote, Change, RateAnswer, RateStep
from deepmedix_review.reviews.reading.completeness import ALWAYS_ASKED, ANSWER_POINTS, VOTES


def require_asked(change: Change, fields: frozenset[str]) -> None:
    """Raises RefusedByRule. `fields` are those of the built-in questions that are asked, all of them where
    the reader study names nothing; own questions are looked up as their answers are kept.

    What a reader writes, and where a region lies instead, is an answer to no question.
    """
    asked = fields or ALWAYS_ASKED
    unasked = [name for field, name in _answered(change) if field not in asked]
    if unasked:
        raise RefusedByRule(
            f"This reader study does not ask for {' and '.join(unasked)}, so nothing was saved. Leave it out."
        )


def _answered(change: Change) -> Iterator[tuple[str, str]]:
    """The field of each question that the change answers, and its name."""
    match change:
        case RateStep():
            if change.plausibility is not None or change.cannot_judge:
                yield "plausibility", "plausibility"
        case AnnotateRegion():
            if change.verdict not in (None, RegionAnnotation.Verdict.ADJUSTED):
                yield "verdict", "a verdict on regions"
        case RateAnswer():
            for field in (*ANSWER_POINTS, "harm"):
                if getattr(change, field) not in (None, ""):
                    yield field, field
        case CastVote(side=str()):
            yield change.kind, f"a vote on which is {VOTES[change.kind]}"
