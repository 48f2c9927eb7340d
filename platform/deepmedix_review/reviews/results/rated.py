"""Everything that a reader study asks for and that has values, each with all that readers said to it."""

from dataclasses import dataclass

from deepmedix_review.reviews.criteria.versions import asked_of
from deepmedix_review.reviews.models import Criterion, ReaderStudy
from deepmedix_review.reviews.results.readings import Ratings, Readings, Said, load_criterion

FIVE = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class RatedCriterion:
    """A criterion, all that readers said to it, and the names of its values in order."""

    key: str
    name: str
    item: str
    ratings: Ratings
    values: tuple[int, ...]
    labels: tuple[str, ...]
    is_scale: bool


def load_rated(reader_study: ReaderStudy, readings: Readings, said: Said) -> tuple[RatedCriterion, ...]:
    """Everything that this reader study asks and that has values; texts have none."""
    found = [_load(readings, said, asked.criterion) for asked in asked_of(reader_study)]
    return tuple(rated for rated in found if rated is not None)


def preferred_completion(readings: Readings, votes: Ratings) -> Ratings:
    """Votes as what was preferred, whichever side it stood on: 0 the earlier completion, 1 tie, 2 the later
    one, 3 both bad."""
    a, b = readings.completion_a[votes.reading], readings.completion_b[votes.reading]
    value = votes.value.copy()
    turned = (a > b) & (votes.value != 1) & (votes.value != 3)
    value[turned] = 2 - value[turned]
    return Ratings(votes.reading, votes.item, value)


def _load(readings: Readings, said: Said, criterion: Criterion) -> RatedCriterion | None:
    name, field = criterion.name, criterion.field or criterion.key
    of_five = (FIVE, tuple(str(value) for value in FIVE))
    match field:
        case "plausibility":
            ratings = said.plausibility
            return RatedCriterion(criterion.key, name, "step", ratings, *of_five, is_scale=True)
        case "relevance" | "correctness" | "completeness":
            ratings = said.answers[field]
            return RatedCriterion(criterion.key, name, "answer", ratings, *of_five, is_scale=True)
        case "harm":
            ratings = said.answers[field]
            return RatedCriterion(
                criterion.key, name, "answer", ratings, (0, 1, 2), ("none", "mild", "severe"), True
            )
        case "verdict":
            ratings = said.verdicts
            return RatedCriterion(
                criterion.key, name, "region", ratings, (0, 1, 2), ("fits", "redrawn", "wrong"), False
            )
        case "grounded" | "overall":
            ratings = preferred_completion(readings, said.votes[field])
            labels = ("earlier", "tie", "later", "both bad")
            return RatedCriterion(criterion.key, name, "case", ratings, (0, 1, 2, 3), labels, False)
    if criterion.kind not in (Criterion.Kind.SCALE, Criterion.Kind.CHOICE):
        return None
    options = criterion.options
    ratings = load_criterion(readings, criterion.pk, [option["value"] for option in options])
    return RatedCriterion(
        criterion.key,
        name,
        str(criterion.target),
        ratings,
        tuple(range(len(options))),
        tuple(str(option["label"]) for option in options),
        criterion.kind == Criterion.Kind.SCALE,
    )
