"""Whom a model version has learned from: the patients of its readings, and of those of its ancestors."""

from typing import Any

from django.db.models import QuerySet

from deepmedix_review.feedback.models import DatasetReading, TrainingRun
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import lineage
from deepmedix_review.studies.models import Split


def patients_learned(version: ModelVersion) -> QuerySet[DatasetReading, Any]:
    """Their pseudonyms, as a query to filter by, by whatever split they were learned from."""
    runs = TrainingRun.objects.filter(candidate__in=lineage(version))
    learned = DatasetReading.objects.filter(dataset__in=runs.values("dataset"), split=Split.TRAIN)
    return learned.values("reading__assignment__case__study__patient_pseudonym")
