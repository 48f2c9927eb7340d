"""Pages of the gate's policy: its versions, one of them, and the next."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.feedback.gating.forms import HARMS, SUITES, PolicyForm
from deepmedix_review.feedback.gating.policies import (
    as_policy,
    current_policy,
    figures_not_held,
    make_policy,
    policies,
    policy_for,
    take_over_figures,
)
from rl_feedback.gate import Suite
from rl_feedback.gate.meanings import meaning


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_policies(request: HttpRequest) -> HttpResponse:
    context = {"policies": policies(acting_user(request)), "not_held": _not_held()}
    return render(request, "feedback/policy_list.html", context)


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_policy(request: HttpRequest, number: int) -> HttpResponse:
    row = policy_for(acting_user(request), number)
    record_event(actor=acting_user(request), action="view_gate_policy", subject=row)
    policy = as_policy(row)
    counts_now = row.number == current_policy().number
    suites = [
        (title, [(guard, HARMS[guard.direction], meaning(suite, guard.figure)) for guard in policy.of(suite)])
        for suite, title in SUITES.items()
        if policy.of(suite)
    ]
    context = {
        "row": row,
        "policy": policy,
        "suites": suites,
        "gains": policy.gain_labels,
        "counts_now": counts_now,
        "not_held": _not_held() if counts_now else (),
    }
    return render(request, "feedback/policy_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs_capability(Capability.SET_GATE_POLICY)
def next_policy(request: HttpRequest) -> HttpResponse:
    """Asked for, it is the form; sent, the next version counts from then on."""
    form = PolicyForm(request.POST if request.method == "POST" else None, current=current_policy())
    if form.is_bound and form.is_valid():
        try:
            row = make_policy(
                content=form.content(), note=form.cleaned_data["note"], actor=acting_user(request)
            )
        except NotYours:
            raise
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Policy {row.number} counts from now on.")
            return redirect("gate-policy", row.number)
    return render(request, "feedback/policy_form.html", {"form": form, "current": form.current})


@require_POST
@needs_capability(Capability.SET_GATE_POLICY)
def take_over(request: HttpRequest) -> HttpResponse:
    """The figures that came since the policy was made, with their built-in margins, as the next version."""
    try:
        row = take_over_figures(actor=acting_user(request))
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
        return redirect("gate-policy-list")
    messages.success(request, f"Policy {row.number} counts from now on.")
    return redirect("gate-policy", row.number)


def _not_held() -> list[tuple[str, list[str]]]:
    """The labels of figures that came since, below what they are of."""
    new = figures_not_held()
    by_suite = [(SUITES[suite], [one.label for one in new if one.suite is suite]) for suite in Suite]
    return [(title, labels) for title, labels in by_suite if labels]
