from django.apps import AppConfig


class ReasoningConfig(AppConfig):
    name = "deepmedix_review.reasoning"
