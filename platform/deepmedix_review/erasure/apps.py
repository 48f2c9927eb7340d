from django.apps import AppConfig


class ErasureConfig(AppConfig):
    name = "deepmedix_review.erasure"
