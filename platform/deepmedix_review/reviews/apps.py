from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ReviewsConfig(AppConfig):
    name = "deepmedix_review.reviews"

    def ready(self) -> None:
        from deepmedix_review.reviews.criteria.versions import ensure_library
        from deepmedix_review.reviews.selectors import assigned_studies
        from deepmedix_review.studies.selectors import READER_ACCESS

        READER_ACCESS.append(assigned_studies)
        post_migrate.connect(ensure_library, sender=self)
