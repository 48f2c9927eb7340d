"""A PACS that the operator's file names, and pulls that run in the process of the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.deepmedix_review.studies.pulling.a_pacs import TOKEN, Pacs, films_in, name_source, running


@pytest.fixture
def pacs(tmp_path: Path, settings: Settings) -> Iterator[Pacs]:
    """Two studies of radiographs, of two films and of one, and a CT in the first."""
    # The thread that renews a lease sees nothing of a test's transaction: it shall not come to it.
    settings.LEASE_SECONDS = 3600
    with running(films_in(tmp_path)) as pacs:
        name_source(tmp_path, settings, f'url = "{pacs.url}"\ntoken = "{TOKEN}"')
        yield pacs
