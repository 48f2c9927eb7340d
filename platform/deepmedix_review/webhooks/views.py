"""Pages on the programs that are told of events."""

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.common.paging import page_of, read_before
from deepmedix_review.webhooks import services
from deepmedix_review.webhooks.forms import WebhookForm
from deepmedix_review.webhooks.models import EventKind
from deepmedix_review.webhooks.selectors import message_for, messages_of, webhook_for, webhooks

PAGE_SIZE = 50
managers_only = needs_capability(Capability.MANAGE_WEBHOOKS)


@never_cache
@managers_only
def list_webhooks(request: HttpRequest) -> HttpResponse:
    """The secret of a new one stands in the answer to its form alone."""
    form, secret, made = WebhookForm(request.POST or None), "", None
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = services.make_webhook(**form.cleaned_data, actor=acting_user(request))
        except NotYours:
            raise
        except RefusedByRule as refusal:
            form.add_error("url", str(refusal))
        else:
            form = WebhookForm()
    return render(
        request,
        "webhooks/list.html",
        {
            "webhooks": [(one, _labels(one.kinds)) for one in webhooks(acting_user(request))],
            "form": form,
            "secret": secret,
            "made": made,
            "origins": settings.WEBHOOK_ORIGINS,
        },
    )


@require_safe
@managers_only
def show_webhook(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    webhook = webhook_for(acting_user(request), uid)
    before = read_before(request.GET.get("before"))
    page = page_of(messages_of(webhook), before=before, size=PAGE_SIZE)
    context = {"webhook": webhook, "kinds": _labels(webhook.kinds), "page": page, "before": before}
    return render(request, "webhooks/detail.html", context)


@require_POST
@managers_only
def test(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    user = acting_user(request)
    services.ask_for_test(webhook_for(user, uid), actor=user)
    messages.success(request, "A test is on its way. Look again in some seconds.")
    return redirect("webhook-detail", uid)


@require_POST
@managers_only
def set_paused(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    user = acting_user(request)
    services.set_paused(webhook_for(user, uid), is_paused="paused" in request.POST, actor=user)
    return redirect("webhook-detail", uid)


@require_POST
@managers_only
def send_again(request: HttpRequest, uid: uuid.UUID, message: uuid.UUID) -> HttpResponse:
    user = acting_user(request)
    try:
        services.send_again(message_for(user, uid, message), actor=user)
    except NotYours:
        raise
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect("webhook-detail", uid)


@require_POST
@managers_only
def delete(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    user = acting_user(request)
    webhook = webhook_for(user, uid)
    services.delete_webhook(webhook, actor=user)
    messages.success(request, f"“{webhook.name}” is told nothing any more.")
    return redirect("webhook-list")


def _labels(kinds: list[str]) -> str:
    return ", ".join(EventKind(kind).label for kind in kinds)
