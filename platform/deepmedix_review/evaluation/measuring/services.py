"""Asks for measurements against references, ends them and lets them go on."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event, record_events
from deepmedix_review.common import jobs
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.models import JobState
from deepmedix_review.evaluation.measuring.planning import REPORT_QUESTIONS, Wanted
from deepmedix_review.evaluation.models import MetricRun
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.endpoints import require_endpoint
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import CollectionMember, Reference, Study


def require_measurable(wanted: Wanted, *, actor: User) -> None:
    """What can be told at once. Raises RefusedByRule with the way out."""
    require(actor, Capability.TRAIN_MODELS)
    if not wanted.title.strip():
        raise RefusedByRule("Give the evaluation a title.")
    if wanted.beside == wanted.version:
        raise RefusedByRule("A version can't stand beside itself. Choose another one, or none.")
    _require_judge(wanted)
    collection = wanted.collection
    if collection.frozen_at is None:
        raise RefusedByRule(f"{collection} is being frozen. Ask again when it is done.")
    members = CollectionMember.objects.filter(version=collection)
    if wanted.side:
        members = members.filter(split=wanted.side)
        if not members.exists():
            raise RefusedByRule(
                f"No study of {collection} is on its {wanted.side} side. Choose another side, or all of them."
            )
    studies = members.values("study")
    if not Reference.objects.filter(study__in=studies).exists():
        raise RefusedByRule(
            f"No study of {collection} has a reference on what was chosen. References come with known data "
            "sets: Studies → Import. Choose a collection of such a set."
        )
    for version in wanted.versions:
        written = Completion.objects.filter(model_version=version, study__in=studies)
        if not written.exists():
            raise RefusedByRule(
                f"{version} has written of no study of {collection}. Ask it about the collection first: "
                "Inference, or Models → Import completions."
            )
        if wanted.query.strip() and not written.filter(query=wanted.query.strip()).exists():
            raise RefusedByRule(
                f"{version} was never asked this question of a study of {collection}. Leave the question "
                "empty to take what it is usually asked."
            )
    query = wanted.query.strip()
    if query and query not in REPORT_QUESTIONS and not wanted.is_report_question:
        raise RefusedByRule(
            "Answers would be scored as whole reports, and this question is none that is known to ask for "
            "one. Say that it does (“It asks for a report”, is_report_question, --is-report-question), or "
            "leave the question empty to take what each version is usually asked."
        )


def make_run(wanted: Wanted, *, actor: User) -> MetricRun:
    require_measurable(wanted, actor=actor)
    with transaction.atomic():
        run = MetricRun.objects.create(
            title=wanted.title.strip(),
            model_version=wanted.version,
            beside=wanted.beside,
            collection=wanted.collection,
            collection_name=str(wanted.collection),
            side=wanted.side,
            against=wanted.against,
            query=wanted.query.strip(),
            is_missing_wrong=wanted.is_missing_wrong,
            seed=wanted.seed,
            judge=wanted.judge,
            limits=dict(wanted.limits),
            requested_by=actor,
        )
        record_event(
            actor=actor,
            action="request_metrics",
            subject=run,
            details={
                "versions": [str(version.uid) for version in wanted.versions],
                "collection_version": str(wanted.collection.uid),
            },
        )
    return run


def cancel_run(run: MetricRun, *, actor: User) -> None:
    require(actor, Capability.TRAIN_MODELS)
    with transaction.atomic():
        held = MetricRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
        if held.is_final:
            raise RefusedByRule(f"This evaluation is {held.state} already; there is nothing left to cancel.")
        jobs.request_cancel(held)
        record_event(actor=actor, action="cancel_metrics", subject=held)
    run.refresh_from_db()


def let_go_on(run: MetricRun, *, actor: User, limits: Mapping[str, Any] | None = None) -> None:
    """A failed or cancelled one goes on with the outputs that were chosen; where none could be measured they
    are chosen anew. `limits`: others for its judge."""
    require(actor, Capability.TRAIN_MODELS)
    if limits is not None:
        _require_limits(limits)
    with transaction.atomic():
        held = MetricRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
        if held.state not in (JobState.FAILED, JobState.CANCELLED):
            raise RefusedByRule(
                f"This evaluation is {held.state}; only a failed or cancelled one goes on. Ask for a new one."
            )
        chosen = held.plan if held.plan.get("studies") else {}
        changed = {} if limits is None else {"limits": dict(limits)}
        jobs.retry(held, plan=chosen, num_done=0, num_steps=0, **changed)
        record_event(actor=actor, action="retry_metrics", subject=held)
    run.refresh_from_db()


def _require_judge(wanted: Wanted) -> None:
    if wanted.judge is None:
        return
    if wanted.judge.source != ModelVersion.Source.ENDPOINT:
        raise RefusedByRule(
            f"{wanted.judge} runs on no model server. A judge does: Models → Register a model → On a model "
            "server."
        )
    if wanted.judge in wanted.versions:
        raise RefusedByRule(f"{wanted.judge} can't judge itself. Choose another judge, or none.")
    require_endpoint(wanted.judge.endpoint_url)
    _require_limits(wanted.limits)


def _require_limits(limits: Mapping[str, Any]) -> None:
    # With it come statistics, which few requests need.
    from rl_feedback.evaluation.arena.limits import Limits

    try:
        Limits(**limits)
    except (TypeError, ValueError) as error:
        raise RefusedByRule(str(error)) from error


def note_command(wanted: Wanted, *, actor: User) -> None:
    """A measurement at a shell leaves no run, and is told of all the same."""
    record_event(
        actor=actor,
        action="measure_metrics",
        subject=wanted.collection,
        details={"versions": [str(version.uid) for version in wanted.versions]},
    )


def note_download(run: MetricRun, *, actor: User, name: str) -> None:
    record_event(actor=actor, action="download_metrics", subject=run, details={"file": name})


def note_cases(run: MetricRun, studies: Mapping[Study, bool], *, actor: User) -> None:
    """Of each study whose film and outputs were shown, and whether with what its source says."""
    record_events(
        actor=actor,
        action="view_completions",
        about=[
            (study, {"evaluation": str(run.uid), "with_reference": with_reference})
            for study, with_reference in studies.items()
        ],
    )
