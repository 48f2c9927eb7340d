"""Brings the ticked studies of a pull in, film by film: a worker that takes it up again repeats none."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError, transaction
from django.db.models import Max

from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.archives import unpacking_folder
from deepmedix_review.studies.models import FilmToPull, ImportItem, PacsPull, Study, StudyToPull
from deepmedix_review.studies.pulling.client import FilmAddress, FilmNotFetched, PacsClient
from deepmedix_review.studies.pulling.services import film_here
from deepmedix_review.studies.pulling.sources import CannotPull, source_named
from deepmedix_review.studies.services import receive_sent
from deepmedix_review.studies.status_codes import is_disk_full
from deepmedix_review.studies.taking import take_one
from rl_feedback.counting import counted

Outcome = FilmToPull.Outcome
# A PACS that fails so often one after the other is down: each more film could take a minute to fail.
MOST_MISSES = 5
_logger = logging.getLogger(__name__)


@dataclass
class _Under:
    """A pull that is under way. `missed`: how often the PACS failed since it last gave something; `is_kept`:
    a film came since it was begun or taken up again."""

    pull: PacsPull
    client: PacsClient
    check: Callable[[], None]
    missed: int = 0
    is_kept: bool = False

    def goes_on(self) -> None:
        """Raises JobCancelled and LeaseLost, or CannotPull where the PACS is not to be asked any more."""
        self.check()
        jobs.heartbeat(self.pull, is_kept=self.is_kept)
        if self.missed >= MOST_MISSES:
            raise CannotPull(
                f"The PACS failed {MOST_MISSES} times in a row and is not asked any more. Try again once it "
                "works: what came in stays."
            )


def bring_in(pull: PacsPull, *, check: Callable[[], None]) -> str:
    """Returns what the PACS did not give, in a sentence; "" where it gave all. Raises RefusedByRule with a
    sentence where nothing more can be had now; then what is in stays."""
    try:
        with PacsClient(source_named(pull.source)) as client:
            under = _Under(pull, client, check)
            for study in pull.studies.filter(problem="").order_by("number"):
                _bring_study(under, study)
    except (RefusedByRule, DatabaseError, jobs.JobCancelled, jobs.LeaseLost):
        raise
    except Exception as error:
        # Its words, and those behind it, may quote what the PACS sent.
        _logger.error("Pull %s stopped at %s", pull.pk, type(error).__name__)
        full = "The disk is full. Free some space, then try again" if is_disk_full(error) else ""
        said = full or f"The platform failed ({type(error).__name__}). Try again"
        raise RefusedByRule(f"{said}: it goes on from here, and what came in stays.") from None
    return _missed(pull)


def _bring_study(under: _Under, study: StudyToPull) -> None:
    if not study.is_listed:
        under.goes_on()
        try:
            _list_films(under, study)
        except FilmNotFetched as error:
            study.problem = str(error)
            study.save(update_fields=["problem"])
            under.missed += 1
            return
        under.missed = 0
    for film in study.films.filter(outcome=Outcome.WAITING).order_by("place"):
        under.goes_on()
        _bring_film(under, study, film)


def _list_films(under: _Under, study: StudyToPull) -> None:
    listed = list(under.client.films_of(study.study_uid))
    with transaction.atomic():
        jobs.hold(under.pull)
        of_pull = FilmToPull.objects.filter(of__pull=under.pull)
        last_number = of_pull.aggregate(last=Max("number"))["last"] or 0
        FilmToPull.objects.bulk_create(
            FilmToPull(
                of=study,
                place=place,
                number=last_number + place,
                series_uid=film.series,
                instance_uid=film.instance,
            )
            for place, film in enumerate(listed, start=1)
        )
        study.is_listed = True
        study.save(update_fields=["is_listed"])


def _bring_film(under: _Under, study: StudyToPull, film: FilmToPull) -> None:
    # Judged by a worker that was killed before it could tell.
    item = ImportItem.objects.filter(batch=under.pull.batch, number=film.number).first()
    if item is None:
        here = film_here(film.instance_uid)
        if here is not None:
            _judge(study, film, Outcome.KNOWN, of=here.study)
            return
        try:
            item = _fetch(under, study, film)
        except FilmNotFetched as error:
            under.missed += 1
            _judge(study, film, Outcome.FAILED, reason=str(error))
            return
        under.missed, under.is_kept = 0, True
    of = item.instance.study if item.instance is not None else None
    _judge(study, film, Outcome(item.outcome), reason=item.reason, of=of)


def _fetch(under: _Under, study: StudyToPull, film: FilmToPull) -> ImportItem:
    """Raises FilmNotFetched."""
    batch, actor = under.pull.batch, under.pull.requested_by
    assert batch is not None
    name = f"study {study.number}, film {film.place}"
    address = FilmAddress(study=study.study_uid, series=film.series_uid, instance=film.instance_uid)
    with unpacking_folder() as folder:
        path = under.client.fetch(address, folder)
        under.check()
        return take_one(
            lambda: (
                receive_sent(
                    path,
                    batch=batch,
                    file_name=name,
                    actor=actor,
                    of_study=study.study_uid,
                    number=film.number,
                ).item
            ),
            job=under.pull,
            batch=batch,
            number=film.number,
            file_name=name,
            check=under.check,
        )


def _judge(
    study: StudyToPull,
    film: FilmToPull,
    outcome: FilmToPull.Outcome,
    *,
    reason: str = "",
    of: Study | None = None,
) -> None:
    film.outcome, film.reason = outcome, reason
    film.save(update_fields=["outcome", "reason"])
    if of is not None and study.study != of:
        study.study = of
        study.save(update_fields=["study"])


def _missed(pull: PacsPull) -> str:
    films = FilmToPull.objects.filter(of__pull=pull, outcome=Outcome.FAILED).count()
    studies = pull.studies.exclude(problem="").count()
    told = [counted(studies, "study", "studies")] if studies else []
    told += [counted(films, "film")] if films else []
    if not told:
        return ""
    return f"The PACS did not give {' and '.join(told)}. Try again: nothing else is fetched then."
