"""The JSON of a batch."""

from typing import Any

from rest_framework import serializers

from deepmedix_review.reasoning.serializers import SamplingRequestSerializer
from deepmedix_review.reasoning.services import LONGEST_QUERY

PHASES = ("beginning", "at work", "waiting", "paused", "ending", "cancelled", "not asked", "through")


class BatchRequestSerializer(SamplingRequestSerializer):
    model = serializers.IntegerField(
        required=False, help_text="a version's number; left out: the one that serves"
    )
    collection = serializers.UUIDField(
        required=False,
        help_text="of a collection's version; left out: every ready study that it has not answered so",
    )
    query = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=LONGEST_QUERY,
        help_text="left out: the model's own question",
    )


class BatchRetrySerializer(serializers.Serializer[None]):
    reason = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        trim_whitespace=False,
        help_text="an `error` of `failures`; left out: what was cancelled",
    )


class ReasonSerializer(serializers.Serializer[Any]):
    error = serializers.CharField(help_text="empty: cancelled")
    number = serializers.IntegerField()


class BatchSerializer(serializers.Serializer[Any]):
    uid = serializers.UUIDField(source="batch.uid")
    model = serializers.CharField(source="batch.model_version.__str__", help_text="v1, v2 …")
    collection = serializers.UUIDField(source="batch.collection.uid", default=None, allow_null=True)
    query = serializers.CharField(source="batch.query")
    num_samples = serializers.IntegerField(source="batch.num_samples", help_text="of each study")
    temperature = serializers.FloatField(source="batch.temperature")
    first_seed = serializers.IntegerField(source="batch.first_seed")
    purpose = serializers.ChoiceField(source="batch.purpose", choices=("batch", "evaluation"))
    phase = serializers.ChoiceField(choices=PHASES)
    waits_for = serializers.CharField(
        source="wait.why", default="", help_text="why nothing of it is answered now, in a sentence"
    )
    waits_behind = serializers.UUIDField(
        source="wait.behind.uid", default=None, allow_null=True, help_text="the batch that workers are at"
    )
    is_asking = serializers.BooleanField(help_text="more inferences are being made of it")
    error = serializers.CharField(source="batch.error", help_text="why not all was asked, in a sentence")
    num_studies = serializers.IntegerField(source="batch.num_studies", help_text="asked about so far")
    num_asked = serializers.IntegerField(source="counts.num_asked", help_text="completions")
    num_queued = serializers.IntegerField(source="counts.num_queued")
    num_running = serializers.IntegerField(source="counts.num_running")
    num_done = serializers.IntegerField(source="counts.num_done")
    num_failed = serializers.IntegerField(source="counts.num_failed")
    num_cancelled = serializers.IntegerField(source="counts.num_cancelled")
    per_minute = serializers.FloatField(allow_null=True, help_text="over the last five minutes")
    seconds_left = serializers.FloatField(allow_null=True)
    created_at = serializers.DateTimeField(source="batch.created_at")
    ended_at = serializers.DateTimeField(source="batch.ended_at", allow_null=True)


class BatchDetailSerializer(BatchSerializer):
    failures = ReasonSerializer(many=True)


class BatchPageSerializer(serializers.Serializer[Any]):
    results = BatchSerializer(many=True)
    next_before = serializers.IntegerField(
        allow_null=True, help_text="goes into `before` for the next page; null on the last"
    )


class BatchRetriedSerializer(serializers.Serializer[Any]):
    num_retried = serializers.IntegerField()
    batch = BatchDetailSerializer()
