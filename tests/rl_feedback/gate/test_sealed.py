"""Whoever was learned from can't examine: a data folder with a patient of the sealed films is found out."""

from pathlib import Path

import pytest

from inference.phantom_dicom import FilmEncoding, Visit, write_phantom_dicom
from inference.phantoms import TRAIN_SEEDS
from rl_feedback.evaluation.phantoms import PhantomBenchmark
from rl_feedback.gate.sealed import SealedPatientLearned, require_unseen
from rl_feedback.training.examples import TaughtText, TrainingPair, write_examples
from rl_feedback.training.phantom_data import write_phantom_data

SEALED = [PhantomBenchmark(1_005_000, 20, "first"), PhantomBenchmark(1_007_500, 20, "second")]


def teach(folder: Path, *films: str) -> None:
    write_examples(folder, [TaughtText(film, "?", 1.0, "test", "text") for film in films], kind=TaughtText)


def test_films_of_other_patients_may_be_learned_from(tmp_path: Path) -> None:
    write_phantom_data(tmp_path, seeds=TRAIN_SEEDS[:2], site="first")
    assert require_unseen(tmp_path, SEALED) == 2


@pytest.mark.parametrize(("seed", "site"), [(1_005_003, "first"), (1_007_519, "second")])
def test_a_sealed_patient_is_known_at_any_size_visit_and_encoding(
    tmp_path: Path, seed: int, site: str
) -> None:
    write_phantom_dicom(
        tmp_path / "renamed.dcm",
        seed=seed,
        site=site,
        size=96,
        encoding=FilmEncoding(bits_stored=8),
        visit=Visit(take=1),
    )
    write_phantom_dicom(tmp_path / "other.dcm", seed=3, size=96)
    teach(tmp_path, "renamed.dcm", "other.dcm")
    with pytest.raises(SealedPatientLearned, match="1 of the 2 films it learned from is of a patient"):
        require_unseen(tmp_path, SEALED)


def test_a_sealed_study_is_known_under_another_patients_name(tmp_path: Path) -> None:
    write_phantom_dicom(tmp_path / "film.dcm", seed=1_005_003, size=96, patient_id="SOMEBODY")
    write_examples(tmp_path, [TrainingPair("film.dcm", "?", 1.0, "vote", "good", "bad")], kind=TrainingPair)
    with pytest.raises(SealedPatientLearned, match="Train again without them"):
        require_unseen(tmp_path, SEALED)


def test_the_seed_of_a_sealed_patient_at_another_site_is_somebody_else(tmp_path: Path) -> None:
    write_phantom_dicom(tmp_path / "film.dcm", seed=1_005_003, site="second", size=96)
    teach(tmp_path, "film.dcm")
    assert require_unseen(tmp_path, SEALED) == 1


def test_what_cannot_be_looked_at_is_not_vouched_for(tmp_path: Path) -> None:
    teach(tmp_path, "lost.dcm")
    with pytest.raises(ValueError, match="nobody can vouch"):
        require_unseen(tmp_path, SEALED)
    with pytest.raises(ValueError, match="no examples"):
        require_unseen(tmp_path / "elsewhere", SEALED)
