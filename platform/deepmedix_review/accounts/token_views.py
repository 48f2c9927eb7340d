"""The page on which people make tokens for their programs, and take them back."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from deepmedix_review.accounts.forms import TokenForm
from deepmedix_review.accounts.models import ApiToken, User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.accounts.tokens import make_token, revoke_token, scopes_for, tokens_of
from deepmedix_review.common.errors import NotYours, RefusedByRule


@never_cache
def show_tokens(request: HttpRequest) -> HttpResponse:
    """The words of a new one stand in the answer to its form alone, and nowhere else."""
    account = acting_user(request)
    offered = scopes_for(account)
    if not offered:
        raise NotYours("What readers do can't be done by a program, so there are no tokens for readers.")
    form = TokenForm(request.POST or None, offered=offered)
    words = ""
    if request.method == "POST" and form.is_valid():
        try:
            _, words = make_token(
                account=account,
                name=form.cleaned_data["name"],
                scopes=[Capability[name] for name in form.cleaned_data["scopes"]],
                days=form.cleaned_data["days"],
            )
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            form = TokenForm(offered=offered)
    return render(
        request,
        "accounts/token_list.html",
        {"tokens": tokens_of(account), "form": form, "words": words, "site": request.build_absolute_uri("/")},
    )


@require_POST
def revoke(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    token = get_object_or_404(ApiToken.objects.select_related("account"), uid=uid)
    actor = acting_user(request)
    revoke_token(token, actor=actor)
    messages.success(request, f"“{token.name}” is refused from now on.")
    return _back_to(token.account, actor)


def _back_to(account: User, actor: User) -> HttpResponse:
    return redirect("token-list") if account.pk == actor.pk else redirect("account-detail", account.uid)
