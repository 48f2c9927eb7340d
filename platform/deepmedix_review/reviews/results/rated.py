"""Everything that a reader study asks for and that has values, each with all that readers said to it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from deepmedix_review.reviews.criteria.versions import asked_of
from deepmedix_review.reviews.models import Assignment, Criterion, ReaderStudy
from deepmedix_review.reviews.results.columns import Keys, Numbers
from deepmedix_review.reviews.results.readings import POINTS, Ratings, Readings, Said
from deepmedix_review.reviews.results.versions import Versions

FIVE = (1, 2, 3, 4, 5)
# Of two samples of one version, which was made first.
WRITTEN = ("written first", "written later")
SAYS_SIDES = " (A and B are the sides shown, not versions)"
# B, and an A that is no article: "A nodule" opens a sentence, and a side that does names B in another answer.
SIDE = re.compile(r"\bB\b(?!-)|\bA\b(?![\s-]+[a-z])|[\w,;]\s+A\b")
# A scale of more values is drawn without a mark for each.
MOST_MARKS = 7


@dataclass(frozen=True)
class RatedCriterion:
    """A criterion, all that readers said to it, and the names of its values in order.

    `first` is what was said in first readings of data; `numbers` are what the values of a scale count;
    `vote` is which vote it is, empty for all else; `asked_if` of which steps alone it is asked.
    """

    key: str
    name: str
    item: str
    ratings: Ratings
    first: Ratings
    values: tuple[int, ...]
    labels: tuple[str, ...]
    is_scale: bool
    numbers: tuple[int, ...] = ()
    vote: str = ""
    asked_if: str = ""

    @property
    def better(self) -> str:
        """Which end of its scale is the good one; empty of a question of the reader study's own."""
        if self.key == "harm":
            return "lower"
        return "higher" if self.key in ("plausibility", *POINTS) else ""

    def places_of(self, ratings: Ratings) -> Keys:
        """The places of these ratings among its values."""
        low = self.values[0]
        places = np.zeros(self.values[-1] - low + 1, dtype=np.int64)
        places[np.asarray(self.values) - low] = np.arange(len(self.values))
        return places[ratings.value.astype(np.int64) - low]

    def points_of(self, ratings: Ratings) -> Numbers:
        """What these ratings on its scale count."""
        return np.asarray(self.numbers, dtype=float)[self.places_of(ratings)]


def load_rated(
    reader_study: ReaderStudy, readings: Readings, said: Said, versions: Versions | None
) -> Iterator[RatedCriterion]:
    """Everything that this reader study asks and that has values, each as soon as it is loaded; texts have
    none, and there is no vote where one output is shown."""
    has_sides = reader_study.shows in (ReaderStudy.Shows.TWO_SAMPLES, ReaderStudy.Shows.TWO_VERSIONS)
    for asked in asked_of(reader_study):
        rated = _load(readings, said, asked.criterion, versions)
        if rated is not None and (has_sides or not rated.vote):
            yield rated


def preferred_completion(readings: Readings, votes: Ratings, versions: Versions | None) -> Ratings:
    """Votes as what was preferred, whichever side it stood on: 0 the earlier completion or version, 1 tie,
    2 the later one, 3 both bad."""
    return _preferred(readings, votes, versions, a=0, b=2)


def _preferred(readings: Readings, said: Ratings, versions: Versions | None, *, a: int, b: int) -> Ratings:
    """Values `a` and `b`, a side each, as the earlier and the later completion or version."""
    on_a, on_b = readings.completion_a[said.reading], readings.completion_b[said.reading]
    if versions is not None:
        on_a, on_b = versions.of_completions(on_a), versions.of_completions(on_b)
    value = said.value.copy()
    turned = on_a > on_b
    value[turned & (said.value == a)] = b
    value[turned & (said.value == b)] = a
    return Ratings(said.reading, said.item, value)


def _places_of_sides(criterion: Criterion) -> tuple[int, int] | None:
    """Of a choice between the two outputs, the places of the answers A and B; None for another question."""
    if (criterion.target, criterion.kind) != (Criterion.Target.VOTE, Criterion.Kind.CHOICE):
        return None
    values = [str(option["value"]).strip().casefold() for option in criterion.options]
    labels = [str(option["label"]).strip().casefold() for option in criterion.options]
    for names in (values, labels):
        if "a" in names and "b" in names:
            return names.index("a"), names.index("b")
    return None


def names_sides(criterion: Criterion) -> bool:
    """Whether answers on the two outputs speak of A or B, which is another version from case to case."""
    if criterion.target != Criterion.Target.VOTE:
        return False
    said = [str(option[text]) for option in criterion.options for text in ("value", "label")]
    return any(SIDE.search(one) for one in said)


def _load(
    readings: Readings, said: Said, criterion: Criterion, versions: Versions | None
) -> RatedCriterion | None:
    made = partial(_made, readings, criterion)
    field = criterion.field or criterion.key
    of_five = (FIVE, tuple(str(value) for value in FIVE), True, FIVE)
    match field:
        case "plausibility":
            return made("step", said.plausibility, *of_five)
        case "relevance" | "correctness" | "completeness":
            return made("answer", said.answers[field], *of_five)
        case "harm":
            three = (0, 1, 2)
            labels: tuple[str, ...] = ("none", "mild", "severe")
            return made("answer", said.answers[field], three, labels, True, three)
        case "verdict":
            labels = ("fits", "redrawn", "wrong")
            return made("region", said.verdicts, (0, 1, 2), labels, False)
        case "grounded" | "overall":
            ratings = preferred_completion(readings, said.votes[field], versions)
            low, high = versions.names if versions else WRITTEN
            labels = (low, "tie", high, "both bad")
            return made("case", ratings, (0, 1, 2, 3), labels, False, (), field)
    return _own(readings, said, criterion, versions)


def _own(
    readings: Readings, said: Said, criterion: Criterion, versions: Versions | None
) -> RatedCriterion | None:
    if criterion.kind not in (Criterion.Kind.SCALE, Criterion.Kind.CHOICE):
        return None
    options = criterion.options
    ratings = said.of_criterion(criterion.pk, [option["value"] for option in options])
    is_scale = criterion.kind == Criterion.Kind.SCALE
    labels = [str(option["label"]) for option in options]
    name = criterion.name
    sides = _places_of_sides(criterion)
    if sides is not None:
        a, b = sides
        labels[a], labels[b] = versions.names if versions else WRITTEN
        ratings = _preferred(readings, ratings, versions, a=a, b=b)
    elif names_sides(criterion):
        name += SAYS_SIDES
    return _made(
        readings,
        criterion,
        str(criterion.target),
        ratings,
        tuple(range(len(options))),
        tuple(labels),
        is_scale,
        tuple(option["value"] for option in options) if is_scale else (),
        name=name,
        asked_if=str(criterion.asked_if),
    )


def _made(
    readings: Readings,
    criterion: Criterion,
    item: str,
    ratings: Ratings,
    *values: Any,
    name: str = "",
    **more: Any,
) -> RatedCriterion:
    first = ratings.only(readings.of(Assignment.Kind.FIRST))
    return RatedCriterion(criterion.key, name or criterion.name, item, ratings, first, *values, **more)
