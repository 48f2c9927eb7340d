"""Which models have learned from a reader, a patient or a reading, themselves or by descent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import Http404
from django.shortcuts import get_object_or_404

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.feedback.models import DatasetReading, PreferenceDataset
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import Reading
from deepmedix_review.studies.models import Split, Study

# A run learns from the train side alone. Each taught version hands what it learned down to its children.
LEARNED = """
WITH RECURSIVE asked AS ({asked}),
taught AS (
  SELECT run.candidate_id AS version, run.id AS run, run.uid AS run_uid, data.uid AS data_uid, data.title,
    count(*) AS num_readings
  FROM feedback_datasetreading AS held
  JOIN asked ON asked.id = held.reading_id
  JOIN feedback_preferencedataset AS data ON data.id = held.dataset_id
  JOIN feedback_trainingrun AS run ON run.dataset_id = held.dataset_id
  WHERE held.split = %s AND run.candidate_id IS NOT NULL
  GROUP BY run.id, data.id),
learned (version, through) AS (
  SELECT version, version FROM taught
  UNION
  SELECT child.id, learned.through
  FROM learned JOIN registry_modelversion AS child ON child.parent_id = learned.version)
SELECT version.uid, version.number, version.name, version.state, taught.run, taught.run_uid, taught.data_uid,
  taught.title, coalesce(taught.num_readings, 0),
  coalesce(array_agg(source.number ORDER BY source.number) FILTER (WHERE source.id <> version.id), '{{}}')
FROM learned
JOIN registry_modelversion AS version ON version.id = learned.version
JOIN registry_modelversion AS source ON source.id = learned.through
LEFT JOIN taught ON taught.version = version.id
GROUP BY version.id, taught.version, taught.run, taught.run_uid, taught.data_uid, taught.title,
  taught.num_readings
ORDER BY version.number
"""


@dataclass(frozen=True)
class ModelLearned:
    """A version that has learned from what was asked about: by its own run on `num_readings` readings, or
    through the ancestors in `through`."""

    uid: UUID
    number: int
    name: str
    state: str
    run: int | None
    run_uid: UUID | None
    dataset_uid: UUID | None
    dataset_title: str | None
    num_readings: int
    through: Sequence[int]

    @property
    def is_serving(self) -> bool:
        return self.state == ModelVersion.State.SERVING


@dataclass(frozen=True)
class HoldingDataset:
    """A data set with readings of what was asked about, by side; the train side alone is learned from."""

    dataset: PreferenceDataset
    num_train: int
    num_held_out: int


@dataclass(frozen=True)
class ErasedSince:
    """Readings to learn from that were erased, of data sets to which a reader gave words: whose each was,
    nothing tells any more. `models` are those whose own runs learned from one of these sets."""

    num_readings: int
    models: tuple[ModelVersion, ...]


@dataclass(frozen=True)
class Trace:
    """`subject` is a reader's pseudonym, a study's label or a reading's blinded name. `erased` is None where
    nothing was."""

    kind: str
    subject: str
    uid: UUID
    num_signed: int
    datasets: tuple[HoldingDataset, ...]
    models: tuple[ModelLearned, ...]
    erased: ErasedSince | None = None

    @property
    def serving(self) -> ModelLearned | None:
        return next((model for model in self.models if model.is_serving), None)


@dataclass(frozen=True)
class ReaderTraced:
    reader: User
    num_signed: int


def models_learned_from(readings: QuerySet[Reading]) -> tuple[ModelLearned, ...]:
    """Every version that learned from any of the readings, itself or through its ancestors; one query."""
    asked, values = readings.order_by().values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(LEARNED.format(asked=asked), [*values, Split.TRAIN])
        return tuple(ModelLearned(*row) for row in cursor.fetchall())


def uid_named(kind: str, name: str) -> UUID:
    """What a person calls a reader or a patient, or a uid as it stands. Raises Http404."""
    try:
        return UUID(name)
    except ValueError:
        pass
    if kind == "reader":
        return get_object_or_404(User, pseudonym=name).uid
    study = Study.objects.filter(patient_pseudonym=name).order_by("pk").first() if kind == "patient" else None
    if study is None:
        raise Http404
    return study.uid


def trace(user: User, *, kind: str, uid: UUID) -> tuple[Trace, "User | Study | Reading"]:
    """What learned from a reader, from the patient of a study, or from one reading, and the row asked about.

    Raises NotYours, or Http404.
    """
    require(user, Capability.TRACE_LEARNING)
    subject = get_object_or_404(_SUBJECTS[kind], uid=uid)
    readings, name = _readings_of(subject)
    signed = readings.filter(signed_at__isnull=False)
    return (
        Trace(
            kind,
            name,
            uid,
            signed.count(),
            _datasets_with(signed),
            models_learned_from(signed),
            _erased_since(subject) if isinstance(subject, User) else None,
        ),
        subject,
    )


def readers_to_trace(user: User) -> Sequence[ReaderTraced]:
    """Everybody who signed a reading, by pseudonym."""
    require(user, Capability.TRACE_LEARNING)
    signed = Count("assignments__readings", filter=Q(assignments__readings__signed_at__isnull=False))
    readers = User.objects.annotate(num_signed=signed).filter(num_signed__gt=0).order_by("pseudonym")
    return [ReaderTraced(reader, reader.num_signed) for reader in readers]


_SUBJECTS: Mapping[str, Any] = {
    "reader": User.objects.all(),
    "patient": Study.objects.all(),
    "reading": Reading.objects.select_related("assignment__case__study", "assignment__reader"),
}


def _readings_of(subject: User | Study | Reading) -> tuple[QuerySet[Reading], str]:
    if isinstance(subject, User):
        return Reading.objects.filter(assignment__reader=subject), subject.pseudonym
    if isinstance(subject, Study):
        patient = Q(assignment__case__study__patient_pseudonym=subject.patient_pseudonym)
        return Reading.objects.filter(patient), subject.label
    if isinstance(subject, Reading):
        case = subject.assignment.case
        name = f"{case.study.label} by {subject.assignment.reader.pseudonym}"
        return Reading.objects.filter(pk=subject.pk), name
    raise Http404


def _erased_since(reader: User) -> ErasedSince | None:
    """A frozen set keeps the models of its readers, by pseudonym, whatever is erased of it."""
    told = Cast("readers", TextField())
    named = PreferenceDataset.objects.annotate(told=told).filter(told__contains=f'"{reader.pseudonym}"')
    gone = DatasetReading.with_erased.filter(
        dataset__in=named.values("pk"), reading__isnull=True, split=Split.TRAIN
    )
    num = gone.count()
    if not num:
        return None
    models = ModelVersion.objects.filter(training_run__dataset__in=gone.order_by().values("dataset"))
    return ErasedSince(num, tuple(models.order_by("number")))


def _datasets_with(readings: QuerySet[Reading]) -> tuple[HoldingDataset, ...]:
    held = (
        DatasetReading.objects.filter(reading__in=readings)
        .order_by("-dataset")
        .values("dataset")
        .annotate(
            num_train=Count("pk", filter=Q(split=Split.TRAIN)),
            num_held_out=Count("pk", filter=~Q(split=Split.TRAIN)),
        )
    )
    counted = list(held)
    sets = PreferenceDataset.objects.defer("left_out", "disputes", "readers").in_bulk(
        [row["dataset"] for row in counted]
    )
    return tuple(
        HoldingDataset(sets[row["dataset"]], row["num_train"], row["num_held_out"]) for row in counted
    )
