"""Logging in and out, and the way home: each role starts where its work lies."""

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from deepmedix_review.accounts.models import Role, User
from deepmedix_review.accounts.permissions import Capability, needs_capability

START_PAGE = {Role.EXPERT: "worklist", Role.ADMIN: "study-list", Role.RESEARCHER: "dataset-list"}


class LogIn(LoginView):
    template_name = "login.html"
    redirect_authenticated_user = True


class LogOut(LogoutView):
    http_method_names = ["post"]


def home(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    return redirect(START_PAGE[Role(request.user.role)])


@needs_capability(Capability.MANAGE_ACCOUNTS)
def list_accounts(request: HttpRequest) -> HttpResponse:
    users = User.objects.order_by("role", "pseudonym")
    return render(request, "accounts/account_list.html", {"users": users})
