from django.apps import AppConfig


class ReasoningConfig(AppConfig):
    name = "deepmedix_review.reasoning"

    def ready(self) -> None:
        from deepmedix_review.audit.subjects import CALLED, FOLLOWERS
        from deepmedix_review.reasoning import audited

        FOLLOWERS.append(audited.outputs_of)
        CALLED["InferenceJob"] = audited.called_jobs
        CALLED["InferenceBatch"] = audited.called_batches
        CALLED["Completion"] = audited.called_completions
