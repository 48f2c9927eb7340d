"""Logging in and out, the way home, and the accounts that an admin looks after."""

import uuid
from typing import ClassVar

from django.contrib import messages
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from deepmedix_review.accounts import services
from deepmedix_review.accounts.forms import AccountChangeForm, AccountForm, LogInForm
from deepmedix_review.accounts.models import Role, User
from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import accounts, acting_user
from deepmedix_review.common.errors import RefusedByRule

START_PAGE = {Role.EXPERT: "worklist", Role.ADMIN: "study-list", Role.RESEARCHER: "dataset-list"}


class LogIn(LoginView):
    template_name = "login.html"
    authentication_form = LogInForm
    redirect_authenticated_user = True


class LogOut(LogoutView):
    http_method_names: ClassVar[list[str]] = ["post"]


def home(request: HttpRequest) -> HttpResponse:
    """Each role starts where its work lies."""
    return redirect(START_PAGE[Role(acting_user(request).role)])


@require_http_methods(["GET", "POST"])
@needs_capability(Capability.MANAGE_ACCOUNTS)
def list_accounts(request: HttpRequest) -> HttpResponse:
    """Every account, and the form for a new one."""
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            account = services.create_account(
                username=chosen["username"],
                password=chosen["password"],
                role=Role(chosen["role"]),
                actor=acting_user(request),
            )
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{account.username} can log in. Screens show {account.pseudonym}.")
            return redirect("account-list")
    context = {"accounts": accounts(), "form": form, "roles": Role.choices}
    return render(request, "accounts/account_list.html", context)


@require_POST
@needs_capability(Capability.MANAGE_ACCOUNTS)
def change_account(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    account = get_object_or_404(User, uid=uid)
    form = AccountChangeForm(request.POST)
    if form.is_valid():
        role, active = form.cleaned_data["role"], form.cleaned_data["active"]
        if role and role != account.role:
            services.change_role(account, role=Role(role), actor=acting_user(request))
            messages.success(request, f"{account.pseudonym} is now {Role(role).label.lower()}.")
        if active is not None and active != account.is_active:
            services.set_active(account, active=active, actor=acting_user(request))
            messages.success(request, f"{account.pseudonym} is {'open again' if active else 'closed'}.")
    return redirect("account-list")
