from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ReviewsConfig(AppConfig):
    name = "deepmedix_review.reviews"

    def ready(self) -> None:
        from deepmedix_review.audit.subjects import CALLED, FINDERS, FOLLOWERS
        from deepmedix_review.reviews import audited
        from deepmedix_review.reviews.criteria.versions import ensure_library
        from deepmedix_review.reviews.selectors import assigned_studies, studies_of_collection
        from deepmedix_review.studies.collecting.uses import COLLECTION_USES
        from deepmedix_review.studies.selectors import READER_ACCESS

        READER_ACCESS.append(assigned_studies)
        COLLECTION_USES.append(studies_of_collection)
        FINDERS.append(audited.find_cases)
        FOLLOWERS.append(audited.readings_of)
        CALLED["Reading"] = audited.called_readings
        CALLED["Assignment"] = audited.called_assignments
        CALLED["ReaderStudy"] = audited.called_reader_studies
        post_migrate.connect(ensure_library, sender=self)
