"""Makes the jobs of a batch: in chunks, by a worker, so that whoever asks about 100,000 studies waits for
nothing."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from django.db import transaction
from django.db.models import QuerySet

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.models import FINAL_STATES, JobState
from deepmedix_review.reasoning.models import InferenceBatch, Purpose
from deepmedix_review.reasoning.sampling import TWO, Draws, Sampling
from deepmedix_review.reasoning.selectors import films_to_read, studies_to_ask
from deepmedix_review.reasoning.services import question, queue_inference_of_films
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import CollectionVersion, Instance, Study

# Studies that one transaction asks about: until it commits, nobody else's act takes its place in the audit
# record. A thousand take a second.
NUM_STUDIES_AT_ONCE = 1000
ALL_ASKED = "All of them were asked this already. Ask something else, or about other studies."


@dataclass(frozen=True)
class WantedBatch:
    """About every ready study, or those of a collection, of which the version has not given all these
    answers to the question."""

    version: ModelVersion
    query: str | None = None
    sampling: Sampling = TWO
    collection: CollectionVersion | None = None


def make_batch(wanted: WantedBatch, *, actor: User) -> InferenceBatch | None:
    """None where there is nothing to ask. A second press gives the batch that is being asked already."""
    version = wanted.version
    query = question(wanted.query, version=version)
    asked = {
        "model_version": version,
        "collection": wanted.collection,
        "query": query,
        **asdict(wanted.sampling.of(version)),
    }
    with transaction.atomic():
        # A second press waits here, and then finds what the first has asked.
        ModelVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
        for one in InferenceBatch.objects.filter(**asked, ended_at=None).exclude(state__in=FINAL_STATES):
            return one
        batch = InferenceBatch(**asked, requested_by=actor)
        if not _to_ask(batch).exists():
            return None
        batch.save()
        _record(batch, actor)
    return batch


def ask_of_films(
    films: Sequence[Instance], *, version: ModelVersion, query: str | None, sampling: Sampling, actor: User
) -> InferenceBatch:
    """A batch for a measurement whose jobs are there at once."""
    draws = sampling.of(version)
    with transaction.atomic():
        batch = InferenceBatch.objects.create(
            model_version=version,
            requested_by=actor,
            purpose=Purpose.EVALUATION,
            query=question(query, version=version),
            **asdict(draws),
            num_studies=len(films),
            state=JobState.DONE,
        )
        queue_inference_of_films(films, version=version, query=query, draws=draws, actor=actor, batch=batch)
        _record(batch, actor)
    return batch


def ask_in_chunks(call_workers: Callable[[int], None]) -> Callable[..., None]:
    """The work of an asking worker, which calls those that answer after each chunk."""

    def ask(batch: InferenceBatch, *, check: Callable[[], None]) -> None:
        while _ask_chunk(batch, call_workers):
            check()
        jobs.finish(batch, state=JobState.DONE)

    return ask


def _ask_chunk(batch: InferenceBatch, call_workers: Callable[[int], None]) -> bool:
    """Whether there may be more. Whole or not at all: the heartbeat at its end finds a lost lease."""
    with transaction.atomic():
        ModelVersion.objects.select_for_update(no_key=True).get(pk=batch.model_version_id)
        films = films_to_read(_to_ask(batch)[:NUM_STUDIES_AT_ONCE])
        if films:
            queue_inference_of_films(
                films,
                version=batch.model_version,
                query=batch.query,
                draws=_draws(batch),
                actor=batch.requested_by,
                batch=batch,
            )
            batch.asked_down_to = films[-1].study.pk
            batch.num_studies += len(films)
            call_workers(len(films))
            # Last: the row is locked from here on, and whoever claims jobs of the batch waits for it.
            jobs.heartbeat(
                batch, is_kept=True, asked_down_to=batch.asked_down_to, num_studies=batch.num_studies
            )
    return len(films) == NUM_STUDIES_AT_ONCE


def _to_ask(batch: InferenceBatch) -> QuerySet[Study]:
    return studies_to_ask(
        batch.model_version,
        before=batch.asked_down_to,
        collection=batch.collection,
        query=batch.query,
        draws=_draws(batch),
    )


def _draws(batch: InferenceBatch) -> Draws:
    return Draws(batch.num_samples, batch.temperature, batch.first_seed)


def _record(batch: InferenceBatch, actor: User) -> None:
    of = {"collection": str(batch.collection.uid)} if batch.collection else {}
    record_event(
        actor=actor,
        action="request_inference_batch",
        subject=batch,
        details={"model": batch.model_version.number, **asdict(_draws(batch)), **of},
    )
