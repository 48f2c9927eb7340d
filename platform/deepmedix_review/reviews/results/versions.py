"""Says of which model version each rated thing is, where a reader study shows two of them."""

from dataclasses import dataclass

import numpy as np
from django.db.models import Count

from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reviews.models import Assignment, Case, ReaderStudy, Reading
from deepmedix_review.reviews.results.columns import Keys, places_of
from deepmedix_review.reviews.results.readings import Ratings, Readings
from deepmedix_review.reviews.results.shown import Shown

EVERY = "every output"
# What the output is called where a reading shows one of one version.
ONLY_OUTPUT = "the output"


@dataclass(frozen=True)
class Versions:
    """`names` in the order of their numbers. `completions` ascend; `places` says which name each has."""

    names: tuple[str, ...]
    completions: Keys
    places: Keys
    one_a_reading: bool
    shown: Shown

    def of_completions(self, completions: Keys) -> Keys:
        """Their places in `names`, -1 for what was not shown."""
        found, place = places_of(completions, self.completions)
        version = np.full(len(completions), -1, dtype=np.int64)
        version[found] = self.places[place]
        return version

    def of(self, readings: Readings, ratings: Ratings, item: str) -> Keys:
        """The version of each rated item; -1 where it is the case itself and both were shown."""
        if self.one_a_reading:
            return self.of_completions(readings.completion_a[ratings.reading])
        match item:
            case "answer":
                return self.of_completions(ratings.item)
            case "step":
                return self.of_completions(self.shown.completions_of_steps(ratings.item))
            case "region":
                return self.of_completions(self.shown.completions_of_regions(ratings.item))
        return np.full(len(ratings.item), -1, dtype=np.int64)


def compares_versions(reader_study: ReaderStudy) -> bool:
    return reader_study.shows in (ReaderStudy.Shows.TWO_VERSIONS, ReaderStudy.Shows.ONE_OF_TWO)


def shows_one_a_reading(reader_study: ReaderStudy) -> bool:
    return reader_study.shows == ReaderStudy.Shows.ONE_OF_TWO


def may_yet_be_compared(reader_study: ReaderStudy) -> bool:
    """Whether a case can still come to have ratings of both versions."""
    if reader_study.state == ReaderStudy.State.LOCKED:
        return False
    if not shows_one_a_reading(reader_study):
        return True
    if reader_study.is_pool:
        return (reader_study.readers_per_case or 1) > 1
    shown = Reading.objects.filter(
        assignment__case__reader_study=reader_study,
        assignment__case__role=Case.Role.DATA,
        assignment__kind=Assignment.Kind.FIRST,
        assignment__withdrawn_at=None,
    )
    of_a_case = shown.order_by().values("assignment__case")
    return of_a_case.annotate(number=Count("completion_a", distinct=True)).filter(number__gt=1).exists()


def load_versions(reader_study: ReaderStudy, shown: Shown) -> Versions | None:
    """None where what was read is of one version alone."""
    if not compares_versions(reader_study):
        return None
    rows = sorted(
        Completion.with_altered.filter(pk__in=shown.completions.tolist()).values_list(
            "pk", "model_version__number"
        )
    )
    numbers = sorted({number for _, number in rows})
    if len(numbers) < 2:
        return None
    return Versions(
        names=tuple(f"v{number}" for number in numbers),
        completions=np.array([pk for pk, _ in rows], dtype=np.int64),
        places=np.array([numbers.index(number) for _, number in rows], dtype=np.int64),
        one_a_reading=shows_one_a_reading(reader_study),
        shown=shown,
    )


def names_of_outputs(readings: Readings, versions: Versions | None) -> dict[int, str]:
    """A version's name where two are compared; of two samples of one, which was written first."""
    shown = np.unique(
        np.concatenate([readings.completion_a, readings.completion_b[readings.completion_b > 0]])
    )
    if versions is not None:
        of = versions.of_completions(shown).tolist()
        return {pk: versions.names[place] for pk, place in zip(shown.tolist(), of, strict=True)}
    has_two = readings.completion_b > 0
    earlier = np.minimum(readings.completion_a, readings.completion_b)[has_two].tolist()
    later = np.maximum(readings.completion_a, readings.completion_b)[has_two].tolist()
    return (
        dict.fromkeys(shown.tolist(), ONLY_OUTPUT)
        | dict.fromkeys(earlier, "written first")
        | dict.fromkeys(later, "written later")
    )
