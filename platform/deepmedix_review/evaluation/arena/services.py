"""Makes runs of the arena, ends them and lets them go on; keeps what judges said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.arena.battles import open_pairs, take_votes
from deepmedix_review.evaluation.models import ArenaRun
from deepmedix_review.registry.endpoints import require_endpoint, require_key_of
from deepmedix_review.registry.models import ModelVersion

MOST_VERSIONS, MOST_BATTLES = 50, 100_000
LONGEST_REVISION = 100
NO_VOTES = (
    "No reader has compared two of these versions in a signed reading yet, so there is nothing to draw a "
    "board of. Let readers vote in a reader study of two versions, or name a judge."
)


@dataclass(frozen=True, kw_only=True)
class WantedRun:
    """What a person asks for. `limits` are the fields of `rl_feedback.evaluation.arena.Limits`. Without a
    judge (`url` and `served_model` empty) the board is of experts' votes alone."""

    title: str
    versions: Sequence[ModelVersion]
    url: str = ""
    served_model: str = ""
    key_name: str = ""
    revision: str = ""
    prompt_version: str = "arena-1"
    seed: int = 1
    random_share: float = 0.2
    num_wanted: int = 200
    limits: Mapping[str, Any] = field(default_factory=dict)


def make_run(wanted: WantedRun, *, actor: User) -> ArenaRun:
    """Raises RefusedByRule for versions that share no film and question, for a server that no operator has
    named, and without a judge where no expert has voted."""
    require(actor, Capability.TRAIN_MODELS)
    url = _require_judge(wanted)
    if not wanted.title.strip():
        raise RefusedByRule("Give the run a title.")
    if not 2 <= len(wanted.versions) <= MOST_VERSIONS:
        raise RefusedByRule(f"Choose from 2 to {MOST_VERSIONS} versions.")
    if not 1 <= wanted.num_wanted <= MOST_BATTLES:
        raise RefusedByRule(f"A run has from 1 to {MOST_BATTLES:,} battles.")
    if not 0 <= wanted.random_share <= 1:
        raise RefusedByRule("The share drawn at random lies between 0 and 1.")
    _require_limits(wanted.limits)
    with transaction.atomic():
        num_votes = take_votes(wanted.versions)
        if not url and not num_votes:
            raise RefusedByRule(NO_VOTES)
        if url and not open_pairs(wanted.versions, seed=wanted.seed):
            raise RefusedByRule(
                "On no film do two of these versions say different things to the same question. Ask them "
                "about the same films first: Inference → Batches, or Models → Import completions."
            )
        run = ArenaRun.objects.create(
            title=wanted.title.strip(),
            endpoint_url=url,
            served_model=wanted.served_model.strip(),
            key_name=wanted.key_name,
            revision=wanted.revision.strip(),
            prompt_version=wanted.prompt_version,
            seed=wanted.seed,
            random_share=wanted.random_share,
            num_wanted=wanted.num_wanted if url else 0,
            limits=dict(wanted.limits) if url else {},
            requested_by=actor,
        )
        run.versions.set(wanted.versions)
        record_event(
            actor=actor,
            action="request_arena",
            subject=run,
            details={"num_versions": len(wanted.versions), "num_battles": run.num_wanted},
        )
    return run


def note_download(run: ArenaRun, *, actor: User, name: str) -> None:
    record_event(actor=actor, action="download_arena", subject=run, details={"file": name})


def cancel_run(run: ArenaRun, *, actor: User) -> None:
    """What is judged is kept; the board is drawn anew when it goes on."""
    require(actor, Capability.TRAIN_MODELS)
    with transaction.atomic():
        held = ArenaRun.objects.select_for_update().get(pk=run.pk)
        if held.is_final:
            raise RefusedByRule(f"This run is {held.state} already, so there is nothing left to cancel.")
        jobs.request_cancel(held)
        record_event(actor=actor, action="cancel_arena", subject=held)
    run.refresh_from_db()


def let_go_on(
    run: ArenaRun, *, actor: User, num_wanted: int | None = None, limits: Mapping[str, Any] | None = None
) -> None:
    """A run that ended goes on where it stopped, with more battles or other limits where these are given; one
    that is done takes the votes anew that were cast since."""
    require(actor, Capability.TRAIN_MODELS)
    if limits is not None:
        _require_limits(limits)
    with transaction.atomic():
        held = ArenaRun.objects.select_for_update().get(pk=run.pk)
        if not held.is_final:
            raise RefusedByRule(f"This run is {held.state} now; it goes on by itself.")
        if not held.has_judge:
            num_wanted = limits = None
        if num_wanted is not None and not held.num_judged <= num_wanted <= MOST_BATTLES:
            raise RefusedByRule(
                f"This run has {held.num_judged} battles already; it can't have fewer, nor more than "
                f"{MOST_BATTLES:,}."
            )
        if held.state == JobState.DONE:
            # Of jobs only one that failed or was cancelled is tried again.
            ArenaRun.objects.filter(pk=held.pk).update(state=JobState.CANCELLED)
        changed: dict[str, Any] = {}
        if num_wanted is not None:
            changed["num_wanted"] = num_wanted
        if limits is not None:
            changed["limits"] = dict(limits)
        jobs.retry(held, **changed)
        record_event(actor=actor, action="retry_arena", subject=held)
    run.refresh_from_db()


def _require_judge(wanted: WantedRun) -> str:
    """The address of its server; empty where no judge is named."""
    url, served_model = wanted.url.strip(), wanted.served_model.strip()
    if not url and not served_model:
        if wanted.key_name or wanted.revision.strip():
            raise RefusedByRule(
                "A key file or a revision needs a judge: give its address and its name there."
            )
        return ""
    if not url or not served_model:
        raise RefusedByRule(
            "Give the judge's address and its name there, or leave both empty: experts judge alone."
        )
    url = require_endpoint(url)
    require_key_of(url, wanted.key_name)
    return url


def _require_limits(limits: Mapping[str, Any]) -> None:
    # With it come statistics, which few requests need.
    from rl_feedback.evaluation.arena.limits import Limits

    try:
        Limits(**limits)
    except (TypeError, ValueError) as error:
        raise RefusedByRule(str(error)) from error
