"""Brings the films of a study in from a PACS; what is here is not fetched again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.studies.archives import unpacking_folder
from deepmedix_review.studies.intake.deidentification import keyed_uid
from deepmedix_review.studies.models import ImportBatch, ImportItem, Instance, PacsPull, Study
from deepmedix_review.studies.pulling.client import FilmAddress, FilmNotFetched, FoundStudy, PacsClient
from deepmedix_review.studies.services import receive_sent


@dataclass(frozen=True)
class PulledFilm:
    """`item` is None where the film was here before it was fetched, or could not be (`problem`)."""

    item: ImportItem | None = None
    problem: str = ""


def pull_study(
    client: PacsClient, study: str, *, batch: ImportBatch, actor: User | None, number: int
) -> Iterator[PulledFilm]:
    """One after the other, each kept for good once it is told. `number`: which study of those it is.
    Raises CannotPull where no other study can be had either."""
    try:
        for place, film in enumerate(client.films_of(study), start=1):
            yield _pull(client, film, batch=batch, actor=actor, name=f"study {number}, film {place}")
    except FilmNotFetched as error:
        yield PulledFilm(problem=str(error))


def record_search(
    *,
    subject: ImportBatch | PacsPull,
    actor: User | None,
    source: str,
    asked: Sequence[str],
    num_found: int,
) -> None:
    """`asked`: what was searched by; never for what, which may name a patient."""
    told = {"source": source, "searched_by": sorted(asked), "num_found": num_found}
    record_event(actor=actor, action="search_pacs", subject=subject, details=told)


def record_pull(*, batch: ImportBatch, actor: User | None, source: str, counts: dict[str, int]) -> None:
    told = {"source": source, **counts}
    record_event(actor=actor, action="pull_from_pacs", subject=batch, details=told)


def studies_here(found: Sequence[FoundStudy]) -> dict[str, Study]:
    """Those of which a film is here, by the UID that the PACS has for them."""
    named = {keyed_uid(one.uid, key=settings.DEIDENTIFICATION_KEY): one.uid for one in found}
    here = Study.objects.filter(study_instance_uid__in=named)
    return {named[study.study_instance_uid]: study for study in here}


def film_here(instance: str) -> Instance | None:
    """The film that the PACS has under this UID, where it is here with its file."""
    uid = keyed_uid(instance, key=settings.DEIDENTIFICATION_KEY)
    found = Instance.objects.filter(sop_instance_uid=uid, file_missed_at=None)
    return found.select_related("series__study").first()


def _pull(
    client: PacsClient, film: FilmAddress, *, batch: ImportBatch, actor: User | None, name: str
) -> PulledFilm:
    if film_here(film.instance) is not None:
        return PulledFilm()
    with unpacking_folder() as folder:
        try:
            path = client.fetch(film, folder)
        except FilmNotFetched as error:
            return PulledFilm(problem=str(error))
        receipt = receive_sent(path, batch=batch, file_name=name, actor=actor, of_study=film.study)
    return PulledFilm(item=receipt.item)
