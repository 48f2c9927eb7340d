from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "deepmedix_review.exports"
