"""The versions of the gate's policy: which one counts, and how a researcher makes the next."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.shortcuts import get_object_or_404

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability, require
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.feedback.models import GatePolicy
from rl_feedback.gate import POLICY, Guard, Policy, Suite

# Any fixed number: the advisory lock under which policies are numbered.
_POLICY_LOCK = 7_205_761


def policies(user: User) -> QuerySet[GatePolicy]:
    """Newest first."""
    require(user, Capability.VIEW_MODELS)
    return GatePolicy.objects.select_related("created_by").order_by("-number")


def policy_for(user: User, number: int) -> GatePolicy:
    """Raises NotYours, or Http404."""
    return get_object_or_404(policies(user), number=number)


def current_policy() -> Policy:
    """The newest, by which the gate decides from now on."""
    return as_policy(GatePolicy.objects.latest("number"))


def as_policy(row: GatePolicy) -> Policy:
    return Policy.from_json({**row.policy, "number": row.number})


def figures_not_held() -> tuple[Guard, ...]:
    """Built-in figures that no policy of this installation has ever held: they came after a researcher made
    one, and one that a researcher took out is not among them."""
    held = {
        (guard.get("suite", Suite.SEALED), guard["figure"])
        for content in GatePolicy.objects.values_list("policy", flat=True)
        for guard in content["guards"]
    }
    return tuple(guard for guard in POLICY.guards if (guard.suite, guard.figure) not in held)


def take_over_figures(*, actor: User) -> GatePolicy:
    """The next version looks at them too, by their built-in margins; all else stays as it is."""
    new = figures_not_held()
    if not new:
        raise RefusedByRule("The policy holds every figure that there is, or was made without it.")
    current = current_policy()
    place = {(guard.suite, guard.figure): number for number, guard in enumerate(POLICY.guards)}
    guards = sorted(
        (*current.guards, *new), key=lambda guard: place.get((guard.suite, guard.figure), len(place))
    )
    names = ", ".join(dict.fromkeys(guard.label for guard in new))
    content = {**current.as_json(), "guards": [asdict(guard) for guard in guards]}
    return make_policy(content=content, note=f"Takes over figures that came since: {names}.", actor=actor)


def make_policy(*, content: Mapping[str, Any], note: str, actor: User) -> GatePolicy:
    """The next version: `content` is rl_feedback.gate.Policy as JSON, `note` says why. What was decided keeps
    the policy that it was decided under."""
    require(actor, Capability.SET_GATE_POLICY)
    note = note.strip()
    if not note:
        raise RefusedByRule("Say in a sentence why the policy changes: it stands beside its number.")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_POLICY_LOCK])
        number = (GatePolicy.objects.aggregate(last=Max("number"))["last"] or 0) + 1
        try:
            policy = Policy.from_json({**content, "number": number})
        except (ValueError, KeyError, TypeError) as error:
            raise RefusedByRule(str(error)) from error
        if policy.as_json() == {**current_policy().as_json(), "number": number}:
            raise RefusedByRule("Nothing differs from the policy that counts now, so nothing was kept.")
        row = GatePolicy.objects.create(number=number, policy=policy.as_json(), note=note, created_by=actor)
        record_event(
            actor=actor, action="make_gate_policy", subject=row, details={"number": number, "note": note}
        )
    return row
