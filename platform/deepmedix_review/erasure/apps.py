from django.apps import AppConfig


class ErasureConfig(AppConfig):
    name = "deepmedix_review.erasure"

    def ready(self) -> None:
        from deepmedix_review.audit.subjects import CALLED, FINDERS
        from deepmedix_review.erasure import audited

        FINDERS.append(audited.find_erased)
        CALLED["Erasure"] = audited.called_erasures
