"""Puts together what a frozen data set's page shows; as only an erasure changes any of it, it is
computed once."""

from dataclasses import dataclass

from django.core.cache import cache

from deepmedix_review.feedback.datasets.figures import holding_figures
from deepmedix_review.feedback.datasets.reader_figures import reader_figures
from deepmedix_review.feedback.datasets.strike_figures import strike_figures
from deepmedix_review.feedback.datasets.summary import Summary, summary_of
from deepmedix_review.feedback.models import DatasetReading, PreferenceDataset
from deepmedix_review.reviews.results.figures import Figure

CACHED_SECONDS = 24 * 3600


@dataclass(frozen=True)
class DatasetPage:
    summary: Summary
    holding: tuple[Figure, ...]
    readers: tuple[Figure, ...]
    num_erased: int


def page_of_dataset(dataset: PreferenceDataset) -> DatasetPage:
    num_erased = num_erased_of(dataset)
    key = f"data-set:{dataset.uid}:{num_erased}"
    found = cache.get(key)
    if isinstance(found, DatasetPage):
        return found
    summary = summary_of(dataset)
    readers = (*reader_figures(dataset), *strike_figures(dataset))
    page = DatasetPage(summary, holding_figures(summary), readers, num_erased)
    cache.set(key, page, CACHED_SECONDS)
    return page


def num_erased_of(dataset: PreferenceDataset) -> int:
    """Readings that were erased since: nothing learns from what rests on them."""
    return DatasetReading.with_erased.filter(dataset=dataset, reading__isnull=True).count()
