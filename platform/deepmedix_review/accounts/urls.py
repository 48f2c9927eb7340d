"""Addresses for logging in and out, the way home, and the accounts."""

from django.urls import URLPattern, path

from deepmedix_review.accounts import api_views, token_views, views

page_urlpatterns: list[URLPattern] = [
    path("", views.home, name="home"),
    path("login/", views.LogIn.as_view(), name="login"),
    path("logout/", views.LogOut.as_view(), name="logout"),
    path("tokens/", token_views.show_tokens, name="token-list"),
    path("tokens/<uuid:uid>/revoke/", token_views.revoke, name="token-revoke"),
    path("accounts/", views.list_accounts, name="account-list"),
    path("accounts/<uuid:uid>/", views.show_account, name="account-detail"),
    path("accounts/<uuid:uid>/role/", views.change_role, name="account-role"),
    path("accounts/<uuid:uid>/contact/", views.change_contact, name="account-contact"),
    path("accounts/<uuid:uid>/password/", views.change_password, name="account-password"),
    path("accounts/<uuid:uid>/active/", views.set_active, name="account-active"),
]
api_urlpatterns: list[URLPattern] = [
    path("session/", api_views.SessionView.as_view(), name="api-session"),
    path("me/keys/", api_views.KeysView.as_view(), name="api-keys"),
]
