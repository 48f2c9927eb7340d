"""Writes a frozen data set as a bundle for a cluster, and remembers what left."""

import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.feedback.examples import cases_of, num_films_kept_back
from deepmedix_review.feedback.handing_over.folders import archive_path
from deepmedix_review.feedback.models import HandOver, PreferenceDataset
from deepmedix_review.feedback.sealed_patients import sealed_refusal
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import serving_model, training_refusal
from deepmedix_review.studies.models import Split
from rl_feedback.bundle import REWARDS, write_bundle
from rl_feedback.bundle.checking import check_bundle
from rl_feedback.bundle.writing import BundleFigures
from rl_feedback.counting import counted
from rl_feedback.training.examples import RewardedCase
from rl_feedback.training.view import FilmView

KEPT_BACK = "films whose licence lets nothing of them leave"
# Each tells the database once.
FILMS_PER_BEAT = 20


@dataclass(frozen=True)
class _Cases:
    train: list[RewardedCase]
    validation: list[RewardedCase]
    num_kept_back: int


def export_bundle(
    dataset: PreferenceDataset, *, out: Path, actor: User, reward: str = "grounded"
) -> HandOver:
    """A new folder with the train side to learn from and the tune side to validate on, for the version that
    serves now; nothing of the test side leaves.

    It stands among the hand-overs while it is written, so nothing of it is erased meanwhile. Where this
    process dies, a worker writes the bundle as an archive.
    """
    with transaction.atomic():
        # Claimed before a worker can see it.
        hand_over = jobs.claim(HandOver, job_id=queue_bundle(dataset, actor=actor, reward=reward).pk)
    assert hand_over is not None
    try:
        with jobs.kept_alive(hand_over) as check:
            cases = _cases_to_hand_over(dataset, parent=hand_over.parent_version)
            figures = _write(out, cases, hand_over, on_film=_teller(hand_over, check))
            with transaction.atomic():
                _finish(hand_over, cases, figures)
    except Exception as error:
        jobs.end_by(hand_over, error)
        if isinstance(error, jobs.JobCancelled):
            raise RefusedByRule("The bundle was cancelled; nothing was written.") from error
        if isinstance(error, ValueError):
            raise RefusedByRule(str(error)) from error
        raise
    return hand_over


def queue_bundle(dataset: PreferenceDataset, *, actor: User, reward: str) -> HandOver:
    """The same as an archive to download, written by a worker. What stands against it is said at once."""
    require(actor, Capability.TRAIN_MODELS)
    if reward not in REWARDS:
        raise RefusedByRule(f"Choose the reward: {' or '.join(REWARDS)}.")
    parent = serving_model()
    with transaction.atomic():
        cases = _cases_to_hand_over(dataset, parent=parent)
        hand_over = HandOver.objects.create(
            dataset=dataset,
            parent_version=parent,
            created_by=actor,
            reward=reward,
            num_train=len(cases.train),
            num_validation=len(cases.validation),
            num_kept_back=cases.num_kept_back,
        )
        record_event(
            actor=actor, action="request_bundle", subject=hand_over, details={"data_set": str(dataset.uid)}
        )
    return hand_over


def write_archive(hand_over: HandOver, *, check: Callable[[], None]) -> None:
    """Write the bundle, check it as a cluster would use it, and pack it: whole or not at all."""
    path = archive_path(hand_over)
    cases = _cases_to_hand_over(hand_over.dataset, parent=hand_over.parent_version)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as scratch:
        bundle = Path(scratch) / "bundle"
        figures = _write(bundle, cases, hand_over, on_film=_teller(hand_over, check))
        packed = _packed(bundle, Path(scratch) / "bundle.zip", check=check)
        packed.replace(path)
    with transaction.atomic():
        _finish(hand_over, cases, figures, archive_bytes=path.stat().st_size)


def _teller(hand_over: HandOver, check: Callable[[], None]) -> Callable[[int], None]:
    def tell(num_written: int) -> None:
        check()
        if num_written % FILMS_PER_BEAT == 0:
            jobs.heartbeat(hand_over, num_written=num_written)

    return tell


def _finish(hand_over: HandOver, cases: _Cases, figures: BundleFigures, **fields: Any) -> None:
    jobs.finish(
        hand_over,
        state=JobState.DONE,
        sha256=figures.sha256,
        num_train=figures.num_train,
        num_validation=figures.num_validation,
        num_kept_back=cases.num_kept_back,
        num_written=figures.num_train + figures.num_validation,
        **fields,
    )
    _record_export(hand_over)


def cancel_bundle(hand_over: HandOver, *, actor: User) -> None:
    require(actor, Capability.TRAIN_MODELS)
    with transaction.atomic():
        jobs.request_cancel(hand_over)
        record_event(actor=actor, action="cancel_bundle", subject=hand_over)


def delete_archive(hand_over: HandOver, *, actor: User) -> None:
    """Only the file: what left, and for what, stays known, and what was trained on it can come back."""
    require(actor, Capability.TRAIN_MODELS)
    with transaction.atomic():
        HandOver.objects.filter(pk=hand_over.pk).update(archive_bytes=None)
        record_event(actor=actor, action="delete_bundle", subject=hand_over)
    archive_path(hand_over).unlink(missing_ok=True)


def _cases_to_hand_over(dataset: PreferenceDataset, *, parent: ModelVersion) -> _Cases:
    if refusal := training_refusal(parent):
        raise RefusedByRule(refusal)
    sealed = sealed_refusal(dataset)
    if sealed:
        raise RefusedByRule(f"What is trained on this data set would be refused by the gate. {sealed}")
    train = cases_of(dataset, parent=parent, side=Split.TRAIN, leaves=True)
    validation = cases_of(dataset, parent=parent, side=Split.TUNE, leaves=True)
    num_kept_back = num_films_kept_back(dataset, sides=(Split.TRAIN, Split.TUNE))
    if not train or not validation:
        forbidden = f" {say_kept_back(num_kept_back)}" if num_kept_back else ""
        raise RefusedByRule(
            f"A bundle needs films with corrections, or found good, of both sides: this data set has "
            f"{len(train)} of the train side and {len(validation)} of the tune side that {parent} could "
            f"learn from.{forbidden} Freeze one once cases of more patients are signed."
        )
    return _Cases(train, validation, num_kept_back)


def say_kept_back(number: int) -> str:
    return f"{counted(number, 'film')} stayed here: the licence lets nothing of such films leave."


def _write(out: Path, cases: _Cases, hand_over: HandOver, *, on_film: Callable[[int], None]) -> BundleFigures:
    """Raises ValueError where a case can't be handed over, or the bundle would not work."""
    parent = hand_over.parent_version
    figures = write_bundle(
        out,
        train=cases.train,
        validation=cases.validation,
        data=Path(settings.FILM_FOLDER),
        view=FilmView(parent.image_preparation, parent.min_pixels, parent.max_pixels),
        model=Path(parent.folder),
        reward=hand_over.reward,
        max_response_tokens=parent.max_new_tokens,
        left_out={KEPT_BACK: cases.num_kept_back} if cases.num_kept_back else {},
        on_film=on_film,
    )
    check_bundle(out)
    return figures


def _packed(bundle: Path, archive: Path, *, check: Callable[[], None]) -> Path:
    """Stored as they are: films are compressed already."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for path in sorted(bundle.rglob("*")):
            check()
            if path.is_file():
                packed.write(path, Path("bundle") / path.relative_to(bundle))
    return archive


def _record_export(hand_over: HandOver) -> None:
    record_event(
        actor=hand_over.created_by,
        action="export_bundle",
        subject=hand_over.dataset,
        details={
            "sha256": hand_over.sha256,
            "num_train": hand_over.num_train,
            "num_validation": hand_over.num_validation,
            "num_kept_back": hand_over.num_kept_back,
        },
    )
