from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "deepmedix_review.webhooks"
