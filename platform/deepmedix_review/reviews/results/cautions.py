"""Which readers to look at before they are believed: who says one thing, guesses, overlooks or hurries."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from deepmedix_review.reviews.models import (
    AnswerRating,
    Assignment,
    Case,
    ReaderStudy,
    Reading,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.results.haste import hasty
from deepmedix_review.reviews.results.reliability import SEEN_THROUGH
from deepmedix_review.reviews.results.twice import at_chance
from rl_feedback.raters.sameness import is_by_chance, smoothed_share

_READER = "reading__assignment__reader__pseudonym"
_Counts = Mapping[str, Counter[str]]


@dataclass(frozen=True)
class Caution:
    """`says` are sentences without their subject: "gave 4 and nothing else, 21 times"."""

    reader: str
    says: tuple[str, ...]


def cautions_on(readings: QuerySet[Reading]) -> tuple[Caution, ...]:
    """Of the readers of these readings, controls and repeats among them; the queries don't grow with them."""
    keys = readings.order_by().values("pk")
    said: dict[str, list[str]] = defaultdict(list)
    for counts, words in (
        (_ratings(keys), "gave the rating {} and nothing else, {} times"),
        (_verdicts(keys), "said “{}” of all {} regions"),
    ):
        for reader, value, number in _only_one(counts):
            said[reader].append(words.format(value, number))
    for reader, side, number in _only_one_side(_counted(Vote.objects.filter(reading__in=keys), "side")):
        said[reader].append(f"voted {number} times for output {side.upper()}, on one side always")
    for reader, (seen, shown) in _controls(readings).items():
        if shown >= 2 and seen * 2 < shown:
            said[reader].append(f"saw through {seen} of {shown} alterations of control cases")
    for reader, again in at_chance(readings).items():
        said[reader].append(
            f"rated hidden repeats no more alike than by chance: {again.num_same} of {again.num_items} marks "
            f"the same, kappa {again.kappa:.2f}"
        )
    for reader, haste in hasty(readings).items():
        said[reader].append(str(haste))
    return tuple(Caution(reader, tuple(said[reader])) for reader in sorted(said))


def cautions_in(reader_study: ReaderStudy) -> tuple[Caution, ...]:
    """Of all that its readers signed of data, controls and repeats."""
    signed = Reading.objects.filter(
        assignment__case__reader_study=reader_study,
        assignment__case__role__in=(Case.Role.DATA, Case.Role.CONTROL),
        signed_at__isnull=False,
    )
    return cautions_on(signed.exclude(amended_by__signed_at__isnull=False))


def _counted(rows: "QuerySet[Any]", *names: str) -> dict[str, Counter[str]]:
    """By reader how often each value was given, of all these fields together; counted by the database."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for reader, *values, number in rows.order_by().values_list(_READER, *names).annotate(number=Count("pk")):
        for value in values:
            if value is not None:
                counts[reader][str(value)] += number
    return counts


def _verdicts(keys: Any) -> dict[str, Counter[str]]:
    return _counted(RegionAnnotation.objects.filter(reading__in=keys), "verdict")


def _ratings(keys: Any) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for rows, names in (
        (StepRating.objects.filter(reading__in=keys), ("plausibility",)),
        (AnswerRating.objects.filter(reading__in=keys), ("relevance", "correctness", "completeness")),
    ):
        for reader, own in _counted(rows, *names).items():
            counts[reader].update(own)
    return counts


def _only_one(counts: _Counts) -> Iterable[tuple[str, str, int]]:
    """Who says one thing alone, more often than who answers like the others would by chance."""
    total: Counter[str] = Counter()
    for own in counts.values():
        total.update(own)
    for reader, own in counts.items():
        others = total - own
        if len(own) != 1 or not others:
            continue
        [(value, number)] = own.items()
        if not is_by_chance(number, smoothed_share(others[value], others.total())):
            yield reader, value, number


def _only_one_side(counts: _Counts) -> Iterable[tuple[str, str, int]]:
    """Sides are drawn by lot, so who looks at the outputs votes for either half the time."""
    for reader, own in counts.items():
        decided = {side: own[side] for side in ("a", "b") if own[side]}
        if len(decided) == 1:
            [(side, number)] = decided.items()
            if not is_by_chance(number, 0.5):
                yield reader, side, number


def _controls(readings: QuerySet[Reading]) -> Mapping[str, tuple[int, int]]:
    """By reader: how many alterations were seen through, of how many shown."""
    shown = readings.filter(assignment__case__role=Case.Role.CONTROL, assignment__kind=Assignment.Kind.FIRST)
    rows = list(
        shown.order_by().values_list("pk", "assignment__reader__pseudonym", "assignment__case__known_answer")
    )
    keys = [key for key, _, _ in rows]
    low = set(
        StepRating.objects.filter(reading__in=keys, plausibility__lte=SEEN_THROUGH).values_list(
            "reading", "step__uid"
        )
    )
    refused = set(
        RegionAnnotation.objects.filter(reading__in=keys)
        .exclude(verdict=RegionAnnotation.Verdict.FITS)
        .values_list("reading", "region__uid")
    )
    found: dict[str, tuple[int, int]] = {}
    for key, reader, known in rows:
        for what in (known or {}).get("alterations", []):
            is_seen = (key, UUID(what["step"])) in low or bool(
                what.get("region") and (key, UUID(what["region"])) in refused
            )
            seen, number = found.get(reader, (0, 0))
            found[reader] = (seen + is_seen, number + 1)
    return found
