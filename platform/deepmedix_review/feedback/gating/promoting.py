"""Lets a candidate serve by a researcher's signature, and the version before it serve again in one step."""

from django.db import transaction

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.gating.preference import preference_refusal
from deepmedix_review.feedback.models import GateDecision, Promotion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import serving_model
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
    """A candidate that the gate did not hold against the version that serves now becomes the one that serves.
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
    """The decision that lets it serve. Raises RefusedByRule, saying what stands in the way."""
    decision = GateDecision.objects.select_related("parent").filter(candidate=candidate).first()
    if decision is None:
        raise RefusedByRule(
            f"The gate has not decided on {candidate} yet. Wait until its evaluations are done."
        )
    if not decision.may_serve:
        raise RefusedByRule(f"{candidate} may not serve. {decision.sentence}")
    if candidate.state != ModelVersion.State.CANDIDATE:
        raise RefusedByRule(f"{candidate} is {candidate.state} already; only a candidate can be promoted.")
    if decision.parent.state != ModelVersion.State.SERVING:
        raise RefusedByRule(
            f"{candidate} was compared with {decision.parent}, which does not serve any more. "
            "Train again from the version that serves now."
        )
    refusal = preference_refusal(candidate, parent=decision.parent)
    if refusal:
        raise RefusedByRule(f"{candidate} may not serve. {refusal}")
    return decision


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
