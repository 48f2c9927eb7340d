from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "deepmedix_review.audit"

    def ready(self) -> None:
        from deepmedix_review.audit import receivers  # noqa: F401, its receivers connect on import
