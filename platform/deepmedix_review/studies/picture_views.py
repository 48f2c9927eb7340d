"""Puts into the audit record who saw which small pictures: many of one person in one event."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.studies.models import Instance, PictureView

GATHERED_FOR = timedelta(minutes=1)
MOST_IN_AN_EVENT = 100


def note_picture_view(film: Instance, *, viewer: User) -> None:
    """In the request that sends the picture; again within the minute it is the same view. A program's is
    recorded at once: which token asked is known in its request alone."""
    if viewer.token is not None:
        _record(viewer, [film], since=timezone.now())
    else:
        PictureView.objects.bulk_create([PictureView(viewer=viewer, film=film)], ignore_conflicts=True)


def record_picture_views() -> int:
    """One event for what a person was sent since the last one. Returns how many events."""
    first = PictureView.objects.values_list("viewer").annotate(first=Min("at"))
    due = first.filter(first__lte=timezone.now() - GATHERED_FOR).order_by("viewer")
    return sum(_record_those_of(User.objects.get(pk=viewer)) for viewer, _ in due)


@transaction.atomic
def _record_those_of(viewer: User) -> int:
    waiting = PictureView.objects.filter(viewer=viewer).select_for_update(of=("self",), skip_locked=True)
    views = list(waiting.select_related("film").order_by("at", "pk")[:MOST_IN_AN_EVENT])
    if not views:
        return 0
    PictureView.objects.filter(pk__in=[view.pk for view in views]).delete()
    _record(viewer, [view.film for view in views], since=views[0].at)
    return 1


def take_views_of(films: Sequence[Instance]) -> list[tuple[User, list[Instance], datetime]]:
    """Those that wait, out of their list, before the films go: record each by `record_taken`."""
    waiting = PictureView.objects.filter(film__in=films).select_for_update(of=("self",)).order_by("pk")
    views = list(waiting.select_related("viewer", "film"))
    PictureView.objects.filter(pk__in=[view.pk for view in views]).delete()
    by_viewer: dict[User, list[PictureView]] = {}
    for view in views:
        by_viewer.setdefault(view.viewer, []).append(view)
    return [(viewer, [view.film for view in seen], seen[0].at) for viewer, seen in by_viewer.items()]


def record_taken(views: Sequence[tuple[User, list[Instance], datetime]]) -> None:
    """Call it last in the transaction that took them."""
    for viewer, films, since in views:
        for first in range(0, len(films), MOST_IN_AN_EVENT):
            _record(viewer, films[first : first + MOST_IN_AN_EVENT], since=since)


def _record(viewer: User, films: Sequence[Instance], *, since: datetime) -> None:
    record_event(
        actor=viewer,
        action="view_pictures",
        subject=viewer,
        details={"films": [str(film.uid) for film in films], "since": since.isoformat(timespec="seconds")},
    )
