from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "deepmedix_review.common"
