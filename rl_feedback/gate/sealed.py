"""Keeps the patients of the gate's sealed films out of training: whoever was learned from can't examine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from inference.phantom_dicom import PhantomIdentity, identity_of
from rl_feedback.counting import counted
from rl_feedback.evaluation.phantoms import PhantomBenchmark
from rl_feedback.training.examples import (
    JudgedText,
    KeptText,
    RewardedCase,
    TaughtText,
    TrainingPair,
    read_examples,
)

_KINDS = (TaughtText, KeptText, TrainingPair, JudgedText, RewardedCase)


class SealedPatientLearned(ValueError):
    """What was learned from holds a patient of the sealed films."""


def sealed_identities(benchmarks: Iterable[PhantomBenchmark]) -> frozenset[PhantomIdentity]:
    """The patients of these films and their studies, as every film of theirs names them."""
    return frozenset(
        identity_of(seed, benchmark.site)
        for benchmark in benchmarks
        for seed in range(benchmark.first_seed, benchmark.first_seed + benchmark.num_phantoms)
    )


def require_unseen(folder: Path, benchmarks: Iterable[PhantomBenchmark]) -> int:
    """Look through a data folder (rl_feedback.training.examples); returns the number of its films.

    A film is known by its DICOM patient and study, at whatever size and in whatever encoding it was written.
    Raises SealedPatientLearned, with the number of films but naming no patient, where any is of a sealed
    patient, and ValueError where a film can't be read: what can't be looked at can't be vouched for.
    """
    sealed = sealed_identities(benchmarks)
    patients = {identity.patient_id for identity in sealed}
    studies = {identity.study_instance_uid for identity in sealed}
    films = _films_of(folder)
    num_sealed = 0
    for film in films:
        try:
            header = dcmread(folder / film, stop_before_pixels=True)
        except (OSError, InvalidDicomError) as error:
            raise ValueError(
                f"A film of {folder} can't be read, so nobody can vouch for it: {error}"
            ) from error
        num_sealed += (
            str(header.get("PatientID", "")) in patients or str(header.get("StudyInstanceUID", "")) in studies
        )
    if num_sealed:
        raise SealedPatientLearned(seen_sentence(num_sealed, len(films)))
    return len(films)


def seen_sentence(num_sealed: int, num_films: int) -> str:
    """Why such a candidate is refused."""
    of_sealed = "is of a patient" if num_sealed == 1 else "are of patients"
    return (
        f"It was trained on the test: {num_sealed} of the {counted(num_films, 'film')} it learned from "
        f"{of_sealed} of the sealed films. Train again without them."
    )


def _films_of(folder: Path) -> set[str]:
    kinds = [kind for kind in _KINDS if (folder / kind.file).is_file()]
    if not kinds:
        raise ValueError(
            f"There are no examples in {folder}. Name the data folder that the run learned from."
        )
    return {example.film for kind in kinds for example in read_examples(folder, kind)}
