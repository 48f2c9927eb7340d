"""Counts what a frozen data set holds of studies that are here, by origin, criterion and side, in a fixed
number of queries."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from deepmedix_review.feedback.models import PreferenceDataset, PreferencePair
from deepmedix_review.studies.models import Split

SIDES = tuple(Split.values)
ORIGINS = tuple(PreferencePair.Origin.values)
# Of a value from 0 to 1.
NUM_BUCKETS = 5
# Sets that were frozen before there were sentences hold these short reasons.
_PLAIN_REASONS = {
    "The vote is a tie.": "The reader found both outputs equally good, so the vote names no better one.",
    "One of the two completions has no rating.": "An output has no rating.",
    "Both completions say the same.": "Both outputs say the same.",
}


@dataclass(frozen=True)
class SideCounts:
    """What of a data set is on one side of the split."""

    side: str
    num_readings: int
    num_patients: int
    num_pairs: int
    num_labels: int
    num_regions: int


@dataclass(frozen=True)
class OriginCounts:
    """Pairs of one origin: by side, by weight in NUM_BUCKETS steps from 0 to 1, and how long their texts are.

    Lengths are means in characters and regions; `longer` and `shorter` count pairs whose chosen text is
    longer or shorter than the rejected one.
    """

    origin: str
    by_side: tuple[int, ...]
    by_weight: tuple[int, ...]
    mean_weight: float
    chosen_length: float
    rejected_length: float
    chosen_regions: float
    rejected_regions: float
    longer: int
    shorter: int

    @property
    def number(self) -> int:
        return sum(self.by_side)


@dataclass(frozen=True)
class CriterionCounts:
    """Labels by one criterion: by side, and by value in NUM_BUCKETS steps from 0 to 1."""

    criterion: str
    by_side: tuple[int, ...]
    by_value: tuple[int, ...]
    mean: float
    mean_variance: float | None
    mean_readers: float
    mean_effective_readers: float

    @property
    def number(self) -> int:
        return sum(self.by_side)


@dataclass(frozen=True)
class Reason:
    """Why something gave no pair, or is sent to adjudication, and how often."""

    what: str
    reason: str
    number: int


@dataclass(frozen=True)
class Summary:
    sides: tuple[SideCounts, ...]
    origins: tuple[OriginCounts, ...]
    criteria: tuple[CriterionCounts, ...]
    num_readers: int
    num_own_regions: int
    num_readers_regions: int
    num_missed_regions: int
    num_erased_regions: int
    num_erased_pairs: int
    num_erased_labels: int
    left_out: tuple[Reason, ...]
    disputes: tuple[Reason, ...]

    @property
    def num_to_learn(self) -> int:
        return next(side.num_pairs for side in self.sides if side.side == Split.TRAIN)


# A text names a region for each bracket that opens.
_PAIRS = """
SELECT origin, split, least(width_bucket(weight, 0, 1, %(buckets)s), %(buckets)s) AS bucket,
  count(*) AS number,
  sum(weight) AS weight, sum(length(chosen)) AS chosen_length, sum(length(rejected)) AS rejected_length,
  sum(length(chosen) - length(replace(chosen, '[', ''))) AS chosen_regions,
  sum(length(rejected) - length(replace(rejected, '[', ''))) AS rejected_regions,
  count(*) FILTER (WHERE length(chosen) > length(rejected)) AS longer,
  count(*) FILTER (WHERE length(chosen) < length(rejected)) AS shorter
FROM feedback_preferencepair WHERE dataset_id = %(dataset)s AND completion_id IS NOT NULL GROUP BY 1, 2, 3"""
_LABELS = """
SELECT criterion, split, least(width_bucket(value, 0, 1, %(buckets)s), %(buckets)s) AS bucket,
  count(*) AS number, sum(value) AS value, sum(variance) AS variance, sum(num_readers) AS readers,
  sum(num_effective_readers) AS effective
FROM feedback_preferencelabel WHERE dataset_id = %(dataset)s AND completion_id IS NOT NULL GROUP BY 1, 2, 3"""
_REGIONS = """
SELECT split, count(*) AS number, count(*) FILTER (WHERE completion_id IS NULL) AS erased,
  count(*) FILTER (WHERE completion_id IS NOT NULL AND is_models_own) AS own,
  count(*) FILTER (WHERE completion_id IS NOT NULL AND step_id IS NULL) AS missed
FROM feedback_expertregion WHERE dataset_id = %(dataset)s GROUP BY 1"""
_READINGS = """
SELECT split, count(*) AS number, count(DISTINCT study.patient_pseudonym) AS patients,
  array_agg(DISTINCT assignment.reader_id) AS readers
FROM feedback_datasetreading frozen JOIN reviews_reading reading ON reading.id = frozen.reading_id
JOIN reviews_assignment assignment ON assignment.id = reading.assignment_id
JOIN reviews_case c ON c.id = assignment.case_id JOIN studies_study study ON study.id = c.study_id
WHERE frozen.dataset_id = %(dataset)s GROUP BY 1"""
_Row = Mapping[str, Any]


def summary_of(dataset: PreferenceDataset) -> Summary:
    """Four queries, however large the data set is."""
    pairs, labels, regions, readings = (
        _rows(query, dataset) for query in (_PAIRS, _LABELS, _REGIONS, _READINGS)
    )
    origins = tuple(_origin(origin, pairs) for origin in ORIGINS)
    criteria = tuple(_criterion(name, labels) for name in sorted({row["criterion"] for row in labels}))
    return Summary(
        sides=tuple(
            SideCounts(
                side=side,
                num_readings=_sum(_on(side, readings), "number"),
                num_patients=_sum(_on(side, readings), "patients"),
                num_pairs=_sum(_on(side, pairs), "number"),
                num_labels=_sum(_on(side, labels), "number"),
                num_regions=_sum(_on(side, regions), "number") - _sum(_on(side, regions), "erased"),
            )
            for side in SIDES
        ),
        origins=origins,
        criteria=criteria,
        num_readers=len({reader for row in readings for reader in row["readers"]}),
        num_own_regions=_sum(regions, "own"),
        num_readers_regions=_sum(regions, "number")
        - sum(_sum(regions, other) for other in ("own", "missed", "erased")),
        num_missed_regions=_sum(regions, "missed"),
        num_erased_regions=_sum(regions, "erased"),
        num_erased_pairs=dataset.num_pairs - _sum(pairs, "number"),
        num_erased_labels=dataset.num_labels - _sum(labels, "number"),
        left_out=_reasons(dataset.left_out, what="origin"),
        disputes=_reasons(dataset.disputes, what="criterion"),
    )


def _rows(query: str, dataset: PreferenceDataset) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"dataset": dataset.pk, "buckets": NUM_BUCKETS})
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _on(side: str, rows: Iterable[_Row]) -> list[_Row]:
    return [row for row in rows if row["split"] == side]


def _sum(rows: Iterable[_Row], name: str) -> int:
    return sum(row[name] for row in rows)


def _mean(rows: Sequence[_Row], name: str) -> float:
    number = _sum(rows, "number")
    return float(sum(row[name] for row in rows)) / number if number else 0.0


def _by_bucket(rows: Sequence[_Row]) -> tuple[int, ...]:
    return tuple(
        _sum([row for row in rows if row["bucket"] == n], "number") for n in range(1, NUM_BUCKETS + 1)
    )


def _origin(origin: str, pairs: Sequence[_Row]) -> OriginCounts:
    rows = [row for row in pairs if row["origin"] == origin]
    return OriginCounts(
        origin=origin,
        by_side=tuple(_sum(_on(side, rows), "number") for side in SIDES),
        by_weight=_by_bucket(rows),
        mean_weight=_mean(rows, "weight"),
        chosen_length=_mean(rows, "chosen_length"),
        rejected_length=_mean(rows, "rejected_length"),
        chosen_regions=_mean(rows, "chosen_regions"),
        rejected_regions=_mean(rows, "rejected_regions"),
        longer=_sum(rows, "longer"),
        shorter=_sum(rows, "shorter"),
    )


def _criterion(name: str, labels: Sequence[_Row]) -> CriterionCounts:
    rows = [row for row in labels if row["criterion"] == name]
    knows_variance = all(row["variance"] is not None for row in rows)
    return CriterionCounts(
        criterion=name,
        by_side=tuple(_sum(_on(side, rows), "number") for side in SIDES),
        by_value=_by_bucket(rows),
        mean=_mean(rows, "value"),
        mean_variance=_mean(rows, "variance") if knows_variance else None,
        mean_readers=_mean(rows, "readers"),
        mean_effective_readers=_mean(rows, "effective"),
    )


def _reasons(rows: Iterable[Mapping[str, Any]], *, what: str) -> tuple[Reason, ...]:
    """Grouped, the commonest first."""
    counts = Counter((str(row[what]), _PLAIN_REASONS.get(row["reason"], row["reason"])) for row in rows)
    found = [Reason(what=name, reason=reason, number=number) for (name, reason), number in counts.items()]
    return tuple(sorted(found, key=lambda row: (-row.number, row.what, row.reason)))
