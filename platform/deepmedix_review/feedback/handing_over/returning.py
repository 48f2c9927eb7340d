"""Takes a model back that was trained on a bundle: a candidate of its parent, before the same gate."""

import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import FINAL_STATES, JobState
from deepmedix_review.feedback.gating.measuring import request_gate
from deepmedix_review.feedback.handing_over.folders import return_folder
from deepmedix_review.feedback.models import HandOver, ModelReturn, TrainingRun
from deepmedix_review.feedback.sealed_patients import sealed_refusal
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.services import register_candidate
from inference.engines.folders import folder_sha256
from rl_feedback.bundle.returned import Returned, adopt_returned, read_returned
from rl_feedback.training.config import GrpoConfig
from rl_feedback.training.recipe import Recipe


def import_returned(folder: Path, *, actor: User) -> ModelVersion:
    """Raises RefusedByRule, and keeps nothing, where it is not what was trained on a bundle from here."""
    require(actor, Capability.TRAIN_MODELS)
    return _take(folder, actor=actor, check=lambda: None, told=lambda _: None)


def queue_return(folder: str, *, actor: User) -> ModelReturn:
    """One of the folders that `returned_folders` finds, taken back by a worker."""
    require(actor, Capability.TRAIN_MODELS)
    if folder not in returned_names():
        raise RefusedByRule("There is no such folder any more among what came back. Look again.")
    with transaction.atomic():
        # Two presses ask once.
        waiting = ModelReturn.objects.select_for_update().filter(folder=folder)
        if waiting.exclude(state__in=FINAL_STATES).exists():
            raise RefusedByRule(f"{folder} is being taken back already.")
        model_return = ModelReturn.objects.create(folder=folder, requested_by=actor)
        record_event(actor=actor, action="request_return", subject=model_return)
    return model_return


def take_back(model_return: ModelReturn, *, check: Callable[[], None]) -> None:
    """Ends the job together with the candidate that it gives."""

    def finish(candidate: ModelVersion) -> None:
        jobs.finish(model_return, state=JobState.DONE, candidate=candidate)

    folder = return_folder() / model_return.folder
    _take(folder, actor=model_return.requested_by, check=check, told=finish)


def cancel_return(model_return: ModelReturn, *, actor: User) -> None:
    require(actor, Capability.TRAIN_MODELS)
    with transaction.atomic():
        jobs.request_cancel(model_return)
        record_event(actor=actor, action="cancel_return", subject=model_return)


def returned_names() -> list[str]:
    """The folders that lie where models come back to, by name. No links: what they name may be anything."""
    return sorted(
        path.name
        for path in return_folder().iterdir()
        if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
    )


def bundle_of(folder: Path) -> HandOver:
    """The bundle that a model in this folder was trained on. Raises RefusedByRule, saying what is wrong."""
    try:
        return _hand_over_of(read_returned(folder))
    except (ValueError, OSError) as error:
        raise RefusedByRule(str(error)) from error


def _take(
    folder: Path, *, actor: User, check: Callable[[], None], told: Callable[[ModelVersion], None]
) -> ModelVersion:
    """`told` of the candidate in the transaction that registers it."""
    try:
        returned = read_returned(folder)
        hand_over = _hand_over_of(returned)
        parent = hand_over.parent_version
        if folder_sha256(Path(parent.folder)) != parent.sha256:
            raise RefusedByRule(f"The files of {parent} were changed since it was registered. Restore them.")
        check()
        out = Path(settings.MODEL_FOLDER) / "returned" / str(uuid4())
        adopt_returned(folder, parent=Path(parent.folder), out=out)
    except (ValueError, OSError) as error:
        raise RefusedByRule(str(error)) from error
    try:
        check()
        with transaction.atomic():
            candidate = _register(hand_over.pk, returned, out, actor=actor)
            told(candidate)
        return candidate
    except Exception:
        shutil.rmtree(out)
        raise


def _hand_over_of(returned: Returned) -> HandOver:
    found = HandOver.objects.select_related("dataset", "parent_version", "run__candidate")
    hand_over = found.filter(sha256=returned.bundle).order_by("-pk").first()
    if hand_over is None:
        raise RefusedByRule(
            "Its manifest is of no bundle that was exported here. Take the right folder back."
        )
    if returned.manifest.parent != hand_over.parent_version.sha256:
        raise RefusedByRule(f"Its bundle is of another model than {hand_over.parent_version}.")
    _require_not_returned(hand_over)
    sealed = sealed_refusal(hand_over.dataset)
    if sealed:
        raise RefusedByRule(sealed)
    return hand_over


def _require_not_returned(hand_over: HandOver) -> None:
    if hand_over.run is not None:
        raise RefusedByRule(
            f"What was trained on this bundle came back already: {hand_over.run.candidate}. "
            "Export another bundle to train again."
        )


def _register(hand_over_id: int, returned: Returned, out: Path, *, actor: User) -> ModelVersion:
    with transaction.atomic():
        hand_over = HandOver.objects.select_for_update().get(pk=hand_over_id)
        _require_not_returned(hand_over)
        dataset, parent = hand_over.dataset, hand_over.parent_version
        recipe = _recipe(hand_over, returned).as_json()
        candidate = register_candidate(
            parent=parent,
            folder=out,
            name=parent.name,
            card={
                "trained_by": "GRPO on a cluster",
                "data_set": {"uid": str(dataset.uid), "sha256": dataset.sha256},
                "bundle": {"sha256": hand_over.sha256, "metrics": dict(returned.metrics)},
                "recipe": recipe,
            },
            actor=actor,
        )
        hand_over.run = TrainingRun.objects.create(
            dataset=dataset,
            parent_version=parent,
            candidate=candidate,
            requested_by=actor,
            recipe=recipe,
            step=returned.num_steps,
            num_steps=returned.num_steps,
            state=JobState.DONE,
            finished_at=timezone.now(),
        )
        hand_over.metrics = dict(returned.metrics)
        hand_over.save(update_fields=["run", "metrics"])
        record_event(
            actor=actor,
            action="import_returned",
            subject=candidate,
            details={"bundle": hand_over.sha256, "number": candidate.number},
        )
        request_gate(candidate, actor=actor)
    return candidate


def _recipe(hand_over: HandOver, returned: Returned) -> Recipe:
    """What the bundle's config asked for, as far as a stage here has words for it."""
    asked = GrpoConfig(
        num_steps=returned.num_steps,
        learning_rate=1e-6,
        lora_rank=0,
        adapts_vision=True,
        replay_per_step=0,
        sample_every=0,
        num_rollouts=5,
        kl_weight=0.01,
        reward=hand_over.reward,
    )
    return Recipe((asked,))
