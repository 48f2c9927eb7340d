"""Whom a model version has learned from: the patients of its readings, and of those of its ancestors."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from deepmedix_review.feedback.models import DatasetReading, TrainingRun
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import lineage
from deepmedix_review.studies.models import Split, Study


def patients_learned(version: ModelVersion) -> QuerySet[DatasetReading, Any]:
    """Their pseudonyms, as a query to filter by, by whatever split they were learned from."""
    datasets = _runs_of(version).values("dataset")
    learned = DatasetReading.objects.filter(dataset__in=datasets, split=Split.TRAIN)
    return learned.values("reading__assignment__case__study__patient_pseudonym")


def _runs_of(version: ModelVersion) -> QuerySet[TrainingRun]:
    """That made it, or a version before it."""
    return TrainingRun.objects.filter(candidate__in=lineage(version))


def warn_of_learned(versions: Sequence[ModelVersion], studies: QuerySet[Study]) -> list[str]:
    """For a reader study's plan: how many of its studies a version has seen the answers to."""
    said = []
    for version in versions:
        # Whoever learned has a parent.
        if version.parent_id is None or not _runs_of(version).exists():
            continue
        number = studies.filter(patient_pseudonym__in=patients_learned(version)).order_by().count()
        if number:
            are = "is of a patient" if number == 1 else "are of patients"
            said.append(
                f"{number} {'study' if number == 1 else 'studies'} that cases are taken from {are} whom "
                f"{version} learned from: what readers find there says little of it on others, and their "
                "votes there have no word at the gate. Take cases from a collection's test side."
            )
    return said
