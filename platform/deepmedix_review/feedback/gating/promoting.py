"""Lets a candidate serve by a researcher's signature, and the version before it serve again in one step."""

from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.gating.compared import decision_beside, latest_decision
from deepmedix_review.feedback.gating.measuring import (
    MEASURE,
    NONE_SERVES,
    measuring_refusal,
    never_serves_because,
)
from deepmedix_review.feedback.gating.preference import preference_refusal
from deepmedix_review.feedback.models import GateDecision, Promotion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import find_serving_model, serving_model
from deepmedix_review.registry.services import promote, roll_back
from rl_feedback.gate.policy import Direction, Verdict, is_better


def promote_candidate(candidate: ModelVersion, *, actor: User, password: str, reason: str) -> Promotion:
    """`let_serve`, by the signature of a researcher: the account's password, and why."""
    require(actor, Capability.PROMOTE_MODELS)
    if not actor.check_password(password):
        record_event(actor=actor, action="refuse_signature", subject=candidate)
        raise RefusedByRule("That is not your account's password, so nothing was signed.")
    return let_serve(candidate, actor=actor, reason=reason)


def let_serve(candidate: ModelVersion, *, actor: User, reason: str) -> Promotion:
    """A version that the gate did not hold against the version that serves now becomes the one that serves.
    For who has proved to be the actor: by a password, or by commanding the installation from its shell."""
    require(actor, Capability.PROMOTE_MODELS)
    reason = reason.strip()
    if not reason:
        raise RefusedByRule("Say in a sentence why it shall serve: the reason stands with the signature.")
    with transaction.atomic():
        candidate = ModelVersion.objects.select_for_update().get(pk=candidate.pk)
        decision = require_promotable(candidate)
        promote(candidate, actor=actor)
        return Promotion.objects.create(
            kind=Promotion.Kind.PROMOTED,
            version=candidate,
            replaced=decision.parent,
            signed_by=actor,
            reason=reason,
        )


def gains_nothing(decision: GateDecision) -> bool:
    """Whether it may serve, and no figure is better for sure."""
    return (
        decision.may_serve
        and bool(decision.comparisons)
        and not any(
            Verdict(row["verdict"]).tells
            and is_better(Direction(row["direction"]), low=row["low"], high=row["high"])
            for row in decision.comparisons
        )
    )


def require_promotable(candidate: ModelVersion) -> GateDecision:
    """The decision that lets it serve: on it and the version that serves now. Raises RefusedByRule, saying
    what stands in the way and what to do."""
    if refusal := never_serves_because(candidate):
        raise RefusedByRule(refusal)
    serving = find_serving_model()
    if serving is None:
        raise RefusedByRule(NONE_SERVES)
    decision = decision_beside(candidate, serving)
    if decision is None:
        raise RefusedByRule(_undecided(candidate, serving))
    if not decision.may_serve:
        raise RefusedByRule(f"{candidate} may not serve. {decision.sentence}")
    refusal = preference_refusal(candidate, parent=decision.parent)
    if refusal:
        raise RefusedByRule(f"{candidate} may not serve. {refusal}")
    return decision


def _undecided(candidate: ModelVersion, serving: ModelVersion) -> str:
    if measuring_refusal(candidate):
        return (
            f"The gate has not decided on {candidate} beside {serving} yet. Wait until the measurements "
            "below are done."
        )
    other = latest_decision(candidate)
    if other is None:
        return f"The gate has not measured {candidate} beside {serving}, which serves. {MEASURE} first."
    return (
        f"{candidate} was compared with {other.parent}, which does not serve any more. {MEASURE} beside "
        f"{serving}, which serves now."
    )


def promotion_refusal(version: ModelVersion) -> str:
    """What stands beside a Promote that can't be pressed; empty where it can."""
    try:
        require_promotable(version)
    except RefusedByRule as refusal:
        return str(refusal)
    return ""


def return_to_former(*, actor: User, expected: str | None = None) -> ModelVersion:
    """The version that served before serves again, in one step. Raises RefusedByRule where that is meanwhile
    another one than the uid `expected`, which a person has agreed to."""
    require(actor, Capability.PROMOTE_MODELS)
    with transaction.atomic():
        replaced = serving_model()
        version = roll_back(actor=actor)
        if expected is not None and str(version.uid) != expected:
            raise RefusedByRule(
                f"Nothing was changed: meanwhile {replaced} serves, and a return now leads to {version}. "
                "Look again, then decide."
            )
        Promotion.objects.create(
            kind=Promotion.Kind.ROLLED_BACK, version=version, replaced=replaced, signed_by=actor
        )
    return version
