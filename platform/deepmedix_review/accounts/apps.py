from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "deepmedix_review.accounts"
