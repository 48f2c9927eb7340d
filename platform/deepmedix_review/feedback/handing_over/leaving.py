"""Writes a frozen data set as a bundle for a cluster, and remembers what left."""

from pathlib import Path

from django.conf import settings

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.examples import cases_of
from deepmedix_review.feedback.models import HandOver, PreferenceDataset
from deepmedix_review.feedback.sealed_patients import sealed_refusal
from deepmedix_review.registry.selectors import serving_model
from deepmedix_review.studies.models import Split
from rl_feedback.bundle import write_bundle
from rl_feedback.bundle.checking import check_bundle
from rl_feedback.training.view import FilmView


def export_bundle(
    dataset: PreferenceDataset, *, out: Path, actor: User, reward: str = "grounded"
) -> HandOver:
    """A new folder with the train side to learn from and the tune side to validate on, for the version that
    serves now; nothing of the test side leaves."""
    require(actor, Capability.TRAIN_MODELS)
    parent = serving_model()
    sealed = sealed_refusal(dataset)
    if sealed:
        raise RefusedByRule(f"What is trained on this data set would be refused by the gate. {sealed}")
    train = cases_of(dataset, parent=parent, side=Split.TRAIN)
    validation = cases_of(dataset, parent=parent, side=Split.TUNE)
    if not train or not validation:
        raise RefusedByRule(
            f"A bundle needs films with corrections, or found good, of both sides: this data set has "
            f"{len(train)} of the train side and {len(validation)} of the tune side that {parent} could "
            "learn from. Freeze one once cases of more patients are signed."
        )
    try:
        figures = write_bundle(
            out,
            train=train,
            validation=validation,
            data=Path(settings.FILM_FOLDER),
            view=FilmView(parent.image_preparation, parent.min_pixels, parent.max_pixels),
            model=Path(parent.folder),
            reward=reward,
            max_response_tokens=parent.max_new_tokens,
        )
        check_bundle(out)
    except ValueError as error:
        raise RefusedByRule(str(error)) from error
    hand_over = HandOver.objects.create(
        dataset=dataset,
        parent_version=parent,
        created_by=actor,
        sha256=figures.sha256,
        reward=reward,
        num_train=figures.num_train,
        num_validation=figures.num_validation,
    )
    record_event(
        actor=actor,
        action="export_bundle",
        subject=dataset,
        details={"sha256": figures.sha256, "num_train": len(train), "num_validation": len(validation)},
    )
    return hand_over
