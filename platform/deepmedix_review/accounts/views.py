"""Logging in and out, the way home, and the pages on which an admin keeps the accounts."""

import uuid

from django.contrib import messages
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from deepmedix_review.accounts import services
from deepmedix_review.accounts.forms import ContactForm, LogInForm, NewAccountForm, PasswordForm, RoleForm
from deepmedix_review.accounts.models import Role, User
from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import accounts, acting_user
from deepmedix_review.accounts.tokens import tokens_of
from deepmedix_review.common.errors import RefusedByRule

START_PAGE = {Role.EXPERT: "worklist", Role.ADMIN: "study-list", Role.RESEARCHER: "dataset-list"}


class LogIn(LoginView):
    template_name = "login.html"
    authentication_form = LogInForm
    redirect_authenticated_user = True


class LogOut(LogoutView):
    http_method_names = ["post"]


def home(request: HttpRequest) -> HttpResponse:
    return redirect(START_PAGE[Role(acting_user(request).role)])


@needs_capability(Capability.MANAGE_ACCOUNTS)
def list_accounts(request: HttpRequest) -> HttpResponse:
    form = NewAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_account(
                username=form.cleaned_data["username"],
                password=form.cleaned_data["password"],
                role=Role(form.cleaned_data["role"]),
                pseudonym=form.cleaned_data["pseudonym"],
                actor=acting_user(request),
            )
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"The account {made.pseudonym} can log in now.")
            return redirect("account-list")
    return render(request, "accounts/account_list.html", {"users": accounts(), "form": form})


@needs_capability(Capability.MANAGE_ACCOUNTS)
def show_account(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    account = get_object_or_404(User, uid=uid)
    return _show(request, account, PasswordForm())


@require_POST
@needs_capability(Capability.MANAGE_ACCOUNTS)
def change_role(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    account = get_object_or_404(User, uid=uid)
    form = RoleForm(request.POST)
    if form.is_valid():
        services.change_role(account, role=Role(form.cleaned_data["role"]), actor=acting_user(request))
        messages.success(request, f"{account} is {account.get_role_display().lower()} now.")
    return redirect("account-detail", account.uid)


@require_POST
@needs_capability(Capability.MANAGE_ACCOUNTS)
def change_contact(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    account = get_object_or_404(User, uid=uid)
    form = ContactForm(request.POST)
    if not form.is_valid():
        return _show(request, account, PasswordForm(), contact_form=form)
    services.change_contact(account, contact=form.cleaned_data["contact"], actor=acting_user(request))
    said = "Readers are told how to reach" if account.contact else "Readers are no longer told how to reach"
    messages.success(request, f"{said} {account}.")
    return redirect("account-detail", account.uid)


@require_POST
@needs_capability(Capability.MANAGE_ACCOUNTS)
def change_password(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    account = get_object_or_404(User, uid=uid)
    form = PasswordForm(request.POST)
    if form.is_valid():
        try:
            services.change_password(
                account, password=form.cleaned_data["password"], actor=acting_user(request)
            )
        except RefusedByRule as refusal:
            form.add_error("password", str(refusal))
        else:
            messages.success(
                request, f"{account} has a new password; their other logins and their tokens have ended."
            )
            return redirect("account-detail", account.uid)
    return _show(request, account, form)


@require_POST
@needs_capability(Capability.MANAGE_ACCOUNTS)
def set_active(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    account = get_object_or_404(User, uid=uid)
    active = request.POST.get("active") == "yes"
    services.set_active(account, active=active, actor=acting_user(request))
    messages.success(request, f"The account {account} is {'open again' if active else 'closed'}.")
    return redirect("account-detail", account.uid)


def _show(
    request: HttpRequest,
    account: User,
    password_form: PasswordForm,
    *,
    contact_form: ContactForm | None = None,
) -> HttpResponse:
    context = {
        "account": account,
        "role_form": RoleForm(initial={"role": account.role}),
        "password_form": password_form,
        "contact_form": contact_form or ContactForm(initial={"contact": account.contact}),
        "tokens": tokens_of(account),
        "is_own": account.pk == acting_user(request).pk,
    }
    return render(request, "accounts/account_detail.html", context)
