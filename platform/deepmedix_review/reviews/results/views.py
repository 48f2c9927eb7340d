"""The page of what a reader study found, its live strip, and its tables to take away, one by one or all."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.reviews.disagreement import waiting_disputes
from deepmedix_review.reviews.guards import require_results_visible
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.results.dashboard import dashboard_of
from deepmedix_review.reviews.results.designed import say_design
from deepmedix_review.reviews.results.downloads import csv_lines, file_name, file_stem, zip_pieces
from deepmedix_review.reviews.results.latex import latex_lines
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
        "designed": say_design(reader_study),
        "to_settle": None if seen.num_open else waiting_disputes([reader_study]).get(reader_study.pk),
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
def download_figure(
    request: HttpRequest, uid: uuid.UUID, key: str, *, form: str = "csv"
) -> StreamingHttpResponse:
    """The table of one figure, as CSV or LaTeX."""
    reader_study = _visible(request, uid)
    figure = dashboard_of(reader_study, seen=overview(reader_study)).figure(key)
    if figure is None:
        raise Http404("The results have no such figure.")
    record_event(
        actor=acting_user(request),
        action="download_results",
        subject=reader_study,
        details={"figure": key, "form": form},
    )
    is_csv = form == "csv"
    response = StreamingHttpResponse(
        csv_lines(figure.table) if is_csv else latex_lines(figure),
        content_type=f"text/{'csv' if is_csv else 'x-tex'}; charset=utf-8",
    )
    response["Content-Disposition"] = f'attachment; filename="{file_name(reader_study, figure, form)}"'
    return response


@require_GET
@needs_capability(Capability.VIEW_RESULTS)
def download_all(request: HttpRequest, uid: uuid.UUID) -> StreamingHttpResponse:
    """Every table of the page in one file, and every reading and rating row by row."""
    reader_study = _visible(request, uid)
    dashboard = dashboard_of(reader_study, seen=overview(reader_study))
    record_event(
        actor=acting_user(request),
        action="download_results",
        subject=reader_study,
        details={"figures": [figure.key for figure in dashboard.figures() if figure.table.rows]},
    )
    response = StreamingHttpResponse(zip_pieces(reader_study, dashboard), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{file_stem(reader_study)}-results.zip"'
    return response


def _visible(request: HttpRequest, uid: uuid.UUID) -> ReaderStudy:
    reader_study = get_object_or_404(ReaderStudy, uid=uid)
    require_results_visible(acting_user(request), reader_study)
    return reader_study
