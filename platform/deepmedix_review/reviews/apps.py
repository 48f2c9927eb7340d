from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "deepmedix_review.reviews"

    def ready(self) -> None:
        from deepmedix_review.reviews.selectors import assigned_studies
        from deepmedix_review.studies.selectors import READER_ACCESS

        READER_ACCESS.append(assigned_studies)
