from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "deepmedix_review.audit"
