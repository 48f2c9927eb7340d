from django.apps import AppConfig
from django.core.checks import register


class StudiesConfig(AppConfig):
    name = "deepmedix_review.studies"

    def ready(self) -> None:
        from deepmedix_review.audit.subjects import CALLED, FINDERS, FOLLOWERS
        from deepmedix_review.studies import audited
        from deepmedix_review.studies.checks import check_profiles

        register(check_profiles)
        FINDERS.append(audited.find_studies)
        FOLLOWERS.append(audited.films_of)
        CALLED["Study"] = audited.called_studies
        CALLED["Instance"] = audited.called_films
        CALLED["Collection"] = audited.called_collections
