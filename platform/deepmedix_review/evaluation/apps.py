from django.apps import AppConfig


class EvaluationConfig(AppConfig):
    name = "deepmedix_review.evaluation"
