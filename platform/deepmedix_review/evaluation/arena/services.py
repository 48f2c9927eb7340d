"""Makes runs of the arena, ends them and lets them go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.arena.battles import open_pairs, take_votes
from deepmedix_review.evaluation.arena.wanted import RecordedFile, WantedRun
from deepmedix_review.evaluation.models import ArenaRun
from deepmedix_review.registry.endpoints import require_endpoint, require_key_of
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import SHORT_SHA256, require_askable

JudgedBy = ArenaRun.JudgedBy
MOST_VERSIONS, MOST_BATTLES = 50, 100_000
LONGEST_REVISION = 100
NO_VOTES = (
    "No reader has compared two of these versions in a signed reading yet, so there is nothing to draw a "
    "board of. Let readers vote in a reader study of two versions, or name a judge."
)


@dataclass(frozen=True)
class _Judge:
    judged_by: ArenaRun.JudgedBy
    name: str = ""
    revision: str = ""
    url: str = ""


def make_run(wanted: WantedRun, *, actor: User) -> ArenaRun:
    """Raises RefusedByRule for versions that share no film and question, for a server that no operator has
    named, for judgements of other pairs, and without a judge where no expert has voted."""
    require(actor, Capability.TRAIN_MODELS)
    judge = _judge_of(wanted)
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
        if judge.judged_by == JudgedBy.EXPERTS and not num_votes:
            raise RefusedByRule(NO_VOTES)
        asks = judge.judged_by in (JudgedBy.SERVER, JudgedBy.VERSION)
        if asks and not open_pairs(wanted.versions, seed=wanted.seed):
            raise RefusedByRule(
                "On no film do two of these versions say different things to the same question. Ask them "
                "about the same films first: Inference → Batches, or Models → Import completions."
            )
        run = ArenaRun(
            title=wanted.title.strip(),
            judged_by=judge.judged_by,
            judge_version=wanted.judge_version,
            endpoint_url=judge.url,
            served_model=judge.name,
            key_name=wanted.key_name,
            revision=judge.revision,
            prompt_version=wanted.prompt_version,
            seed=wanted.seed,
            random_share=wanted.random_share,
            num_wanted=wanted.num_wanted if asks else 0,
            limits=dict(wanted.limits) if asks else {},
            requested_by=actor,
        )
        details = {"num_versions": len(wanted.versions), "judged_by": str(judge.judged_by)}
        if wanted.recorded is None:
            run.save()
            run.versions.set(wanted.versions)
        else:
            details["num_judgements"] = _bring_in(run, wanted.recorded, wanted.versions)
        record_event(
            actor=actor,
            action="request_arena",
            subject=run,
            details={**details, "num_battles": run.num_wanted},
        )
    return run


def _bring_in(run: ArenaRun, file: RecordedFile, versions: Sequence[ModelVersion]) -> int:
    """Saves the run with what was judged elsewhere; returns how many judgements that are. Another file is
    another judge: what it says replaces nothing that one before it said."""
    # With them come statistics, which few requests need.
    from deepmedix_review.evaluation.arena.recorded import bring_in, read_judgements

    read = read_judgements(file, versions, seed=run.seed)
    run.revision = f"{run.revision} recorded {read.sha256[:SHORT_SHA256]}".strip()
    if len(run.revision) > LONGEST_REVISION:
        raise RefusedByRule("The judge's revision is too long. Shorten it.")
    run.num_wanted = len(read.pairs)
    run.save()
    run.versions.set(versions)
    bring_in(run, read)
    return len(read.matched)


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
        if not held.asks_judge:
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


def _judge_of(wanted: WantedRun) -> _Judge:
    """Raises RefusedByRule for a judge that can't be asked, and for several."""
    url, name, revision = wanted.url.strip(), wanted.served_model.strip(), wanted.revision.strip()
    ways = (bool(url), wanted.judge_version is not None, wanted.recorded is not None)
    if sum(ways) > 1:
        raise RefusedByRule("Name one judge: a server's address, a version, or a file of judgements.")
    if wanted.key_name and not url:
        raise RefusedByRule("A key file is for a model server: give its address, or leave the key file out.")
    if wanted.judge_version is not None:
        return _version_judge(wanted.judge_version, wanted)
    if wanted.recorded is not None:
        if not name:
            raise RefusedByRule("Say whose judgements these are: give the judge's name.")
        return _Judge(JudgedBy.RECORDED, name, revision)
    if not url and not name:
        if revision:
            raise RefusedByRule("A revision needs a judge: say which one.")
        return _Judge(JudgedBy.EXPERTS)
    if not url or not name:
        raise RefusedByRule(
            "Give the judge's address and its name there, or leave both empty: experts judge alone."
        )
    url = require_endpoint(url)
    require_key_of(url, wanted.key_name)
    return _Judge(JudgedBy.SERVER, name, revision, url)


def _version_judge(version: ModelVersion, wanted: WantedRun) -> _Judge:
    """Its name and revision are its own, so that whoever chooses it again finds its answers."""
    if wanted.served_model.strip() or wanted.revision.strip():
        raise RefusedByRule("A version that judges has its own name and revision: leave these empty.")
    for one in wanted.versions:
        if version == one:
            raise RefusedByRule(f"{version} can't judge itself. Choose another judge, or leave it out.")
        if version.sha256 == one.sha256:
            raise RefusedByRule(
                f"{version} has the weights of {one}, so it would judge itself. Choose another judge, or "
                "leave it out."
            )
    if version.source == ModelVersion.Source.ENDPOINT:
        raise RefusedByRule(
            f"{version} is on a model server: give {version.endpoint_url} as the judge's address and "
            f"{version.served_model} as its name there."
        )
    require_askable(version)
    return _Judge(JudgedBy.VERSION, f"{version} {version.name}", f"weights {version.sha256[:SHORT_SHA256]}")


def _require_limits(limits: Mapping[str, Any]) -> None:
    # With it come statistics, which few requests need.
    from rl_feedback.evaluation.arena.limits import Limits

    try:
        Limits(**limits)
    except (TypeError, ValueError) as error:
        raise RefusedByRule(str(error)) from error
