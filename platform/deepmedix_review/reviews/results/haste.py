"""Who reads faster than a case can be read: against the other readers, and against what its parts make."""

import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reviews.designing.reading_times import questions_by_study
from deepmedix_review.reviews.designs import LEAST_SHARE, expected_times, make_up
from deepmedix_review.reviews.models import Reading

# Of fewer cases nobody is called hasty.
FEWEST_CASES = 3
# A median below this share of the other readers' median.
HASTE = 1 / 3


@dataclass(frozen=True)
class Haste:
    """Medians in seconds of a case; `others` and `parts` are None where they say nothing against it."""

    own: float
    others: float | None
    parts: float | None

    def __str__(self) -> str:
        said = f"took {self.own:.0f} s a case"
        if self.others is not None:
            said += f", where the others take {self.others:.0f} s"
        if self.parts is not None:
            said += f", under a third of the {self.parts:.0f} s that its parts make"
        return said


@dataclass(frozen=True)
class _Timed:
    reader: str
    seconds: int
    parts: float


def hasty(readings: QuerySet[Reading]) -> Mapping[str, Haste]:
    """By reader. Amendments, made in seconds, are left out, and so is a reading whose time is not known."""
    own: dict[str, list[_Timed]] = defaultdict(list)
    for timed in _timed(readings):
        own[timed.reader].append(timed)
    found = {}
    for reader, each in own.items():
        if len(each) < FEWEST_CASES:
            continue
        median = statistics.median(one.seconds for one in each)
        of_others = [one.seconds for name, every in own.items() if name != reader for one in every]
        others = statistics.median(of_others) if len(of_others) >= FEWEST_CASES else 0.0
        parts = statistics.median(one.parts for one in each)
        haste = Haste(
            own=median,
            others=others if median < HASTE * others else None,
            parts=parts if median < LEAST_SHARE * parts else None,
        )
        if haste.others is not None or haste.parts is not None:
            found[reader] = haste
    return found


def _timed(readings: QuerySet[Reading]) -> list[_Timed]:
    """Each with the seconds that its parts make, as a plan counts them, of the outputs that were read."""
    rows = list(
        readings.filter(amends__isnull=True, active_seconds__gt=0)
        .order_by()
        .values_list(
            "assignment__reader__pseudonym",
            "active_seconds",
            "assignment__case__reader_study",
            "assignment__case__reader_study__first_read_choices",
            "asks_first_read",
            "completion_a",
            "completion_b",
        )
    )
    shown = {key for *_, a, b in rows for key in (a, b) if key}
    counts = Completion.with_altered.filter(pk__in=shown).annotate(
        num_steps=Count("steps", distinct=True), num_regions=Count("steps__regions", distinct=True)
    )
    parts_of = {
        key: (steps, regions) for key, steps, regions in counts.values_list("pk", "num_steps", "num_regions")
    }
    asked = questions_by_study({study for _, _, study, *_ in rows})
    made: dict[tuple[object, ...], float] = {}
    timed = []
    for reader, seconds, study, choices, asks_first_read, *outputs in rows:
        parts = [parts_of[key] for key in outputs if key]
        num_steps, num_regions = (sum(column) for column in zip(*parts, strict=True))
        kind = (study, asks_first_read, len(parts), num_steps, num_regions)
        if kind not in made:
            made[kind] = expected_times(
                make_up(
                    asked[study],
                    num_outputs=len(parts),
                    steps_per_output=num_steps / len(parts),
                    regions_per_output=num_regions / len(parts),
                    first_reads=float(asks_first_read),
                    has_choices=bool(choices),
                )
            ).median
        timed.append(_Timed(reader, seconds, made[kind]))
    return timed
