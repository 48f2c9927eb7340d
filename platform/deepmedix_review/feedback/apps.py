from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    name = "deepmedix_review.feedback"
