from django.apps import AppConfig


class StudiesConfig(AppConfig):
    name = "deepmedix_review.studies"
