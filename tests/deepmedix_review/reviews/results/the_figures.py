"""Reads the figures of a dashboard, for the tests of results."""

from typing import Any

from deepmedix_review.reviews.results.dashboard import Dashboard
from deepmedix_review.reviews.results.figures import Figure


def figure(dashboard: Dashboard, key: str) -> Figure:
    found = dashboard.figure(key)
    assert found is not None, [each.key for each in dashboard.figures()]
    return found


def rows_of(found: Figure) -> dict[str, dict[str, Any]]:
    return {str(row[0]): dict(zip(found.table.columns, row, strict=True)) for row in found.table.rows}
