"""Addresses for logging in and out, the way home, and the accounts page."""

from django.urls import URLPattern, path

from deepmedix_review.accounts import views

page_urlpatterns: list[URLPattern] = [
    path("", views.home, name="home"),
    path("login/", views.LogIn.as_view(), name="login"),
    path("logout/", views.LogOut.as_view(), name="logout"),
    path("accounts/", views.list_accounts, name="account-list"),
]
api_urlpatterns: list[URLPattern] = []
