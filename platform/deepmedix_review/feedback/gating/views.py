"""Pages of the gate's policy: its versions, one of them, and the next."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.feedback.gating.forms import HARMS, SUITES, PolicyForm
from deepmedix_review.feedback.gating.policies import (
    as_policy,
    current_policy,
    make_policy,
    policies,
    policy_for,
)
from rl_feedback.gate import Suite


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_policies(request: HttpRequest) -> HttpResponse:
    return render(request, "feedback/policy_list.html", {"policies": policies(acting_user(request))})


@require_safe
@needs_capability(Capability.VIEW_MODELS)
def show_policy(request: HttpRequest, number: int) -> HttpResponse:
    row = policy_for(acting_user(request), number)
    record_event(actor=acting_user(request), action="view_gate_policy", subject=row)
    policy = as_policy(row)
    suites = [
        (title, [(guard, HARMS[guard.direction]) for guard in policy.of(suite)])
        for suite, title in SUITES.items()
        if policy.of(suite)
    ]
    labels = {guard.figure: guard.label for guard in policy.of(Suite.SEALED)}
    context = {
        "row": row,
        "policy": policy,
        "suites": suites,
        "gains": [labels[figure] for figure in policy.required_gains],
        "counts_now": row.number == current_policy().number,
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
