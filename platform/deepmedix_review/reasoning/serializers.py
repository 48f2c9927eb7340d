"""The JSON of an inference job."""

from typing import Any

from rest_framework import serializers

from deepmedix_review.common.models import JobState
from deepmedix_review.reasoning.models import InferenceJob


class InferenceRequestSerializer(serializers.Serializer[None]):
    query = serializers.CharField(
        required=False, allow_blank=True, max_length=2000, help_text="left out: the model's own question"
    )


class InferenceJobSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField(read_only=True)
    study = serializers.UUIDField(source="study.uid", read_only=True)
    model = serializers.CharField(source="model_version.__str__", read_only=True, help_text="v1, v2 …")
    query = serializers.CharField(read_only=True)
    seed = serializers.IntegerField(read_only=True)
    state = serializers.ChoiceField(choices=JobState.choices, read_only=True)
    num_tokens = serializers.IntegerField(read_only=True, help_text="so far")
    max_new_tokens = serializers.IntegerField(read_only=True)
    attempt = serializers.IntegerField(read_only=True)
    error = serializers.CharField(read_only=True, help_text="why it failed, in a sentence")
    completion = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(read_only=True)
    finished_at = serializers.DateTimeField(read_only=True, allow_null=True)

    def get_completion(self, job: InferenceJob) -> str | None:
        completion = getattr(job, "completion", None)
        return str(completion.uid) if completion else None
