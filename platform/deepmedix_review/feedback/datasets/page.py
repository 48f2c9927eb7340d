"""Puts together what a frozen data set's page shows; as nothing of it changes, it is computed once."""

from dataclasses import dataclass

from django.core.cache import cache

from deepmedix_review.feedback.datasets.figures import holding_figures
from deepmedix_review.feedback.datasets.reader_figures import reader_figures
from deepmedix_review.feedback.datasets.strike_figures import strike_figures
from deepmedix_review.feedback.datasets.summary import Summary, summary_of
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.reviews.results.figures import Figure

CACHED_SECONDS = 24 * 3600


@dataclass(frozen=True)
class DatasetPage:
    summary: Summary
    holding: tuple[Figure, ...]
    readers: tuple[Figure, ...]


def page_of_dataset(dataset: PreferenceDataset) -> DatasetPage:
    key = f"data-set:{dataset.uid}"
    found = cache.get(key)
    if isinstance(found, DatasetPage):
        return found
    summary = summary_of(dataset)
    readers = (*reader_figures(dataset), *strike_figures(dataset))
    page = DatasetPage(summary, holding_figures(summary), readers)
    cache.set(key, page, CACHED_SECONDS)
    return page
