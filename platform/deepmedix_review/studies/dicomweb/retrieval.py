"""Finds what an address of the DICOMweb service names, for who may see it."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.http import Http404

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.dicomweb.query import checked_uid
from deepmedix_review.studies.dicomweb.searching import served_studies
from deepmedix_review.studies.models import Instance, Study
from deepmedix_review.studies.selectors import film_for

ABSENT = "There is no such {what} here, or it is out of use, or you may not see it."


def served_films(user: User, *, study: str, series: str = "") -> Sequence[Instance]:
    """Those of a study or of one of its series, as they came in. Raises Http404 where there are none."""
    films = _named(study=study, series=series).filter(series__study__in=served_studies(user))
    found = list(films.order_by("pk"))
    if not found:
        raise Http404(ABSENT.format(what="series" if series else "study"))
    return found


def served_film(user: User, *, study: str, series: str, instance: str) -> Instance:
    """By the same rule as its address below /api/, and in use. Raises Http404."""
    films = _named(study=study, series=series).filter(series__study__state=Study.State.READY)
    film = films.filter(sop_instance_uid=checked_uid(instance)).first()
    if film is None:
        raise Http404(ABSENT.format(what="instance"))
    try:
        return film_for(user, film.uid)
    except Http404:
        raise Http404(ABSENT.format(what="instance")) from None


def _named(*, study: str, series: str) -> QuerySet[Instance]:
    films = Instance.objects.select_related("series__study")
    films = films.filter(series__study__study_instance_uid=checked_uid(study))
    return films.filter(series__series_instance_uid=checked_uid(series)) if series else films
