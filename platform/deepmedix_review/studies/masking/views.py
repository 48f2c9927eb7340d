"""The page of one film on which boxes are drawn over text."""

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import FileAway, RefusedByRule
from deepmedix_review.studies.film_files import film_file
from deepmedix_review.studies.looking.services import A_NAME_IS_BURNED_IN
from deepmedix_review.studies.masking.boxes import LARGEST_SHARE, MOST_BOXES, Box, stored
from deepmedix_review.studies.masking.finding import find_text
from deepmedix_review.studies.masking.selectors import latest_masking, same_with_text
from deepmedix_review.studies.masking.services import cancel_masking
from deepmedix_review.studies.models import Instance, Study
from deepmedix_review.studies.selectors import film_for, films_of
from deepmedix_review.studies.tasks import request_masking

EDGES = ("x_min", "y_min", "x_max", "y_max")
# On a page without scripts; with them there are as many as are drawn.
NUM_BLANK_ROWS = 4
NOT_WHOLE = "Box {} needs four whole numbers: left, top, right and bottom, in pixels of the film."


@require_http_methods(["GET", "HEAD", "POST"])
@needs_capability(Capability.DECIDE_HELD_STUDIES)
def mask(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    film = film_for(acting_user(request), uid)
    if request.method == "POST":
        rows = _rows(request.POST)
        try:
            request_masking(
                film,
                boxes=_read(rows),
                accept=request.POST.get("decision") == "accept",
                has_looked=request.POST.get("looked") == "yes",
                actor=acting_user(request),
            )
        except RefusedByRule as refusal:
            return _show(request, film, rows=rows, refusal=str(refusal), status=409)
        return redirect("film-mask", uid)
    masking = latest_masking(film)
    if request.headers.get("HX-Request"):
        response = render(request, "studies/masking/progress.html", {"masking": masking, "film": film})
        if masking is None or masking.is_final:
            response["HX-Refresh"] = "true"
        return response
    again = masking is not None and masking.state in ("failed", "cancelled")
    boxes = masking.boxes if masking and again else []
    not_found = ""
    if "found" in request.GET:
        # The way of pages without scripts; with them a suggestion is taken box by box.
        try:
            boxes = stored(find_text(film))
        except RefusedByRule as error:
            not_found = str(error)
    response = _show(request, film, rows=[list(map(str, box)) for box in boxes], refusal=not_found)
    record_event(actor=acting_user(request), action="view_study", subject=film.study)
    return response


@require_safe
@needs_capability(Capability.DECIDE_HELD_STUDIES)
def warn_of_print(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """How many lines of print were found on a film, for whoever looks for a name. Where none was it says
    nothing: some are missed. It shows nothing of the film, so it is not audited."""
    film = film_for(acting_user(request), uid)
    try:
        num_lines = len(find_text(film))
    except RefusedByRule:
        num_lines = 0
    return render(request, "studies/masking/print.html", {"num_lines": num_lines})


@require_POST
@needs_capability(Capability.DECIDE_HELD_STUDIES)
def cancel(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    film = film_for(acting_user(request), uid)
    masking = get_object_or_404(film.maskings.order_by("-pk")[:1])
    try:
        cancel_masking(masking, actor=acting_user(request))
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect("film-mask", uid)


def _show(
    request: HttpRequest,
    film: Instance,
    *,
    rows: Sequence[Sequence[str]],
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    try:
        film_file(film)
    except FileAway as away:
        missing = str(away)
    else:
        missing = ""
    films = list(films_of(film.study))
    number = next(number for number, one in enumerate(films, start=1) if one.pk == film.pk)
    blank = [[""] * len(EDGES)] * max(NUM_BLANK_ROWS - len(rows), 1)
    context = {
        "film": film,
        "study": film.study,
        "number": number,
        "num_films": len(films),
        "masking": latest_masking(film),
        "same": same_with_text(film),
        "other_reasons": []
        if film.study.state == Study.State.READY
        else [reason for reason in film.study.held_reasons if reason != A_NAME_IS_BURNED_IN],
        "rows": [*rows, *blank],
        "refusal": refusal,
        "missing": missing,
        "most_boxes": MOST_BOXES,
        "largest_share": f"{LARGEST_SHARE:.0%}",
    }
    return render(request, "studies/masking/mask.html", context, status=status)


def _rows(sent: QueryDict) -> list[list[str]]:
    """As they were typed, those without a word left out."""
    columns = [sent.getlist(edge) for edge in EDGES]
    rows = [[cell.strip() for cell in row] for row in zip(*columns, strict=False)]
    return [row for row in rows if any(row)]


def _read(rows: Sequence[Sequence[str]]) -> list[Box]:
    boxes = []
    for number, row in enumerate(rows, start=1):
        try:
            boxes.append(Box(*(int(cell) for cell in row)))
        except ValueError as error:
            raise RefusedByRule(NOT_WHOLE.format(number)) from error
    return boxes
