"""The page of what a reader study found, its live strip, and the table of each figure as CSV."""

import csv
import io
import uuid
from collections.abc import Iterator

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.reviews.guards import require_results_visible
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.results.dashboard import dashboard_of
from deepmedix_review.reviews.results.figures import Table
from deepmedix_review.reviews.results.progress import overview


@require_GET
@needs_capability(Capability.VIEW_RESULTS)
def show_results(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    reader_study = _visible(request, uid)
    record_event(actor=acting_user(request), action="view_results", subject=reader_study)
    seen = overview(reader_study)
    context = {
        "reader_study": reader_study,
        "dashboard": dashboard_of(reader_study, seen=seen),
        "seen": seen,
    }
    return render(request, "reviews/results.html", context)


@require_GET
@needs_capability(Capability.VIEW_RESULTS)
def show_live_strip(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """How far the study is by now, and whether the page shows less than there is."""
    reader_study = _visible(request, uid)
    seen = overview(reader_study)
    shown = request.GET.get("shown", "")
    context = {
        "reader_study": reader_study,
        "seen": seen,
        "shown": shown,
        "num_new": seen.num_signed - int(shown) if shown.isdecimal() and len(shown) < 10 else 0,
    }
    return render(request, "reviews/results_strip.html", context)


@require_GET
@needs_capability(Capability.VIEW_RESULTS)
def download_figure(request: HttpRequest, uid: uuid.UUID, key: str) -> StreamingHttpResponse:
    """The table of one figure."""
    reader_study = _visible(request, uid)
    figure = dashboard_of(reader_study, seen=overview(reader_study)).figure(key)
    if figure is None:
        raise Http404("The results have no such figure.")
    record_event(
        actor=acting_user(request), action="download_results", subject=reader_study, details={"figure": key}
    )
    response = StreamingHttpResponse(_lines(figure.table), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{reader_study.uid}-{figure.key}.csv"'
    return response


def _lines(table: Table) -> Iterator[str]:
    """A cell that a spreadsheet would take for a formula gets a leading apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in (table.columns, *table.rows):
        writer.writerow(
            [
                f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@") else cell
                for cell in row
            ]
        )
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _visible(request: HttpRequest, uid: uuid.UUID) -> ReaderStudy:
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    require_results_visible(acting_user(request), reader_study)
    return reader_study
