from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "deepmedix_review.registry"
