"""Draws a round's films and brings them in as any hospital's, then asks the serving model about each."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from django.conf import settings

from deepmedix_review.accounts.models import User
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.simulated_loop.state import RoundState
from deepmedix_review.reasoning.models import Completion, InferenceJob
from deepmedix_review.reasoning.tasks import request_inference
from deepmedix_review.studies.batches import start_import
from deepmedix_review.studies.models import ImportBatch, Study
from deepmedix_review.studies.services import receive_instance
from inference.phantom_dicom import write_phantom_dicom
from rl_feedback.choosing import most_differing

FILM_SIDE_PX = 224


def receive_films(
    state: RoundState,
    *,
    seeds: Sequence[int],
    site: str,
    admin: User,
    keep: Callable[[], None],
    tell: Callable[[int, int], None],
) -> None:
    """Bring in what is not there yet; `keep` after each, `tell` with how many of how many."""
    there = set(state.films.values())
    missing = [seed for seed in seeds if seed not in there]
    if not missing:
        return
    batch = start_import(actor=admin, source=ImportBatch.Source.DEMO)
    with tempfile.TemporaryDirectory(dir=settings.UPLOAD_FOLDER, prefix="loop-") as folder:
        for seed in missing:
            path = Path(folder) / f"phantom-{seed}.dcm"
            write_phantom_dicom(path, seed=seed, size=FILM_SIDE_PX, site=site)
            item = receive_instance(path, batch=batch, file_name=path.name, actor=admin)
            path.unlink()
            if item.instance is None or item.instance.study.state != Study.State.READY:
                raise RefusedByRule(f"A drawn film was not taken in: {item.outcome}. {item.reason}")
            state.films[str(item.instance.study.pk)] = seed
            keep()
            tell(len(state.films), len(seeds))


def studies_of(state: RoundState) -> list[Study]:
    """In the order in which they were drawn."""
    by_key = Study.objects.in_bulk([int(key) for key in state.films])
    return [by_key[int(key)] for key in state.films]


def most_unsure_of(studies: Sequence[Study], jobs: Sequence[int], *, number: int) -> list[Study]:
    """Of the studies so many on which the samples of these jobs differ most."""
    said: dict[int, list[str]] = {study.pk: [] for study in studies}
    for key, text in Completion.objects.filter(job__in=jobs).order_by("seed").values_list("study", "text"):
        said[key].append(text)
    chosen = set(most_differing(said, number=number))
    return [study for study in studies if study.pk in chosen]


def ask_about(studies: Sequence[Study], *, admin: User) -> list[int]:
    """Jobs of two samples a film; those that were asked for before are the same."""
    jobs: list[InferenceJob] = []
    for study in studies:
        jobs += request_inference(study=study, actor=admin)
    return [job.pk for job in jobs]
