"""Reads pulls from a PACS, each for who searched alone."""

import uuid

from django.conf import settings
from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.common.paging import Page, page_of
from deepmedix_review.studies.models import FilmToPull, Instance, PacsPull, StudyToPull
from deepmedix_review.studies.pulling.sources import PacsSource, read_sources

PAGE_SIZE = 20
Outcome = FilmToPull.Outcome
JUDGED = tuple(outcome.value for outcome in Outcome if outcome != Outcome.WAITING)


def sources_for(user: User) -> list[PacsSource]:
    """Those of the operator's file, in its order. Raises CannotPull where it can't be used."""
    require(user, Capability.IMPORT_STUDIES)
    return list(read_sources(settings.PACS_SOURCES).values())


def pulls(user: User) -> QuerySet[PacsPull]:
    require(user, Capability.IMPORT_STUDIES)
    of_pull = FilmToPull.objects.filter(of__pull=OuterRef("pk")).order_by().values("of__pull")

    def films(only: Q) -> Coalesce:
        return Coalesce(Subquery(of_pull.filter(only).annotate(number=Count("pk")).values("number")), 0)

    return (
        PacsPull.objects.filter(requested_by=user)
        .select_related("batch")
        .annotate(
            num_studies=Count("studies"),
            num_films=films(Q()),
            num_done=films(~Q(outcome=Outcome.WAITING)),
            **{f"num_{outcome}": films(Q(outcome=outcome)) for outcome in JUDGED},
        )
    )


def pull_page(user: User, *, before: int | None = None) -> Page[PacsPull]:
    """Those that began, newest first."""
    return page_of(pulls(user).filter(batch__isnull=False), before=before, size=PAGE_SIZE)


def pull_for(user: User, uid: uuid.UUID) -> PacsPull:
    """Raises NotYours, or Http404."""
    return get_object_or_404(pulls(user), uid=uid)


def count_studies_done(pull: PacsPull) -> int:
    """Those of which no film waits, and none failed."""
    left = (Outcome.WAITING, Outcome.FAILED)
    return pull.studies.filter(is_listed=True).exclude(films__outcome__in=left).count()


def studies_of(pull: PacsPull) -> list[StudyToPull]:
    """In the order of the search, with `num_here` (its films that are here), `num_films`, `num_done`, one
    number of each outcome, and in `told` the films of which there is something to say."""
    here = Instance.objects.filter(series__study=OuterRef("study"), file_missed_at=None).order_by()
    num_here = here.values("series__study").annotate(number=Count("pk")).values("number")
    told = FilmToPull.objects.exclude(reason="").order_by("place")
    return list(
        pull.studies.select_related("study")
        .annotate(
            num_here=Coalesce(Subquery(num_here), 0),
            num_films=Count("films"),
            num_done=Count("films", filter=~Q(films__outcome=Outcome.WAITING)),
            **{f"num_{outcome}": Count("films", filter=Q(films__outcome=outcome)) for outcome in JUDGED},
        )
        .prefetch_related(Prefetch("films", told, to_attr="told"))
        .order_by("number")
    )
